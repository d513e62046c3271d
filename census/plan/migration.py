"""A responsibility plan moved to a later generation: which of its classes become which, by the crosswalk.

A row says who is responsible for a class, not what one thing is: of a class that was split each part
keeps the unit, so that the row becomes several. A major class goes over whole where all its classes go
to one major class. All else waits for a person; nothing is guessed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from census.crosswalk import Successor, read_crosswalk
from census.migration import CLOSE, KEEP, fitting_extensions
from census.taxonomy import CODE_LENGTHS, Taxonomy, read_taxonomy
from gis.codes import read_table
from gis.errors import CodeError
from gis.remarks import Remark
from gis.workspace import ExtensionClass

EVERY_CLASS = "*"
KINDS = ("component", "event")
CLASS_COLUMNS = (
    "kind", "class_code", "class_name", "relation", "becomes", "candidates", "evidence", "rows",
    "fate", "reason_en", "reason_zh",
)  # fmt: skip
"""``becomes``: codes that hold from now on; ``candidates``: what may be chosen where it waits."""
Decisions = Mapping[tuple[str, str], Sequence[str]]
"""Kind and class -> new classes, or `KEEP` or `CLOSE` alone."""
_MAJOR_DIGITS = 2
_NAMED = 5
_PARTS = re.compile(
    r"^(.+?)(\.[a-z]+)?(:(?:\d+|\*))?(@[^@=]+?)?(=[^=]+?)?"
    # Season, hours, first day and count of rows that are told apart by them: hours hold colons too.
    r"((?:~\d\d-\d\d/\d\d-\d\d)?(?:~\d\d:\d\d/\d\d:\d\d)?(?:~\d{4}-\d\d-\d\d)?(?:#\d+)?)$",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class PlanMigration:
    """What becomes of a plan: nothing of it is done yet."""

    from_ref: str
    to_ref: str
    rows: pd.DataFrame = field(repr=False)
    """The plan as it will be: its columns, with ``former_code`` and ``former_class``, by code; rows that
    wait stand in it as they are."""
    classes: pd.DataFrame = field(repr=False)
    """`CLASS_COLUMNS`, one row per class met, by kind and code."""
    warnings: tuple[Remark, ...] = ()
    """What to look at before it is carried out."""

    def count(self, fate: str) -> int:
        """Return how many rows of the old plan meet that fate: moved, kept, closed or undecided."""
        return int(self.classes.loc[self.classes["fate"].eq(fate), "rows"].sum())


def migrate_plan(
    plan: pd.DataFrame,
    *,
    from_ref: str,
    to_ref: str,
    decisions: Decisions | None = None,
    extensions: Sequence[ExtensionClass] = (),
) -> PlanMigration:
    """Work out the rows of a plan in the classes of a later generation.

    Parameters
    ----------
    plan : pandas.DataFrame
        ``code``, ``kind``, ``class_code`` and whatever else a row of the plan has.
    from_ref, to_ref : str
        Generations.
    decisions : mapping or None
        Kind and class -> new classes, or `KEEP` or `CLOSE` alone.
    extensions : sequence of ExtensionClass
        The city's extension classes; those with a code of the new length may be moved to.

    Raises
    ------
    CodeError
        There is no crosswalk between the generations, or a decision names no class of `to_ref`.

    Examples
    --------
    >>> plan = pd.DataFrame({"code": ["1"], "kind": ["component"], "class_code": ["0104"]})
    >>> migrate_plan(plan, from_ref="CJ/T 214-2007", to_ref="GB/T 47678.5-2026").rows["class_code"].tolist()
    ['01004']
    """
    source = read_taxonomy(from_ref, fitting_extensions(extensions, from_ref))
    target = read_taxonomy(to_ref, fitting_extensions(extensions, to_ref))
    _check(decisions or {}, target)
    counts = plan.groupby(["kind", "class_code"], sort=True).size()
    records = [
        _judge(kind, code, int(rows), source=source, target=target, decisions=decisions or {})
        for (kind, code), rows in counts.items()
    ]
    classes = pd.DataFrame(records, columns=list(CLASS_COLUMNS), dtype=object)
    rows = _rows(plan, classes)
    return PlanMigration(
        from_ref=from_ref,
        to_ref=to_ref,
        rows=rows,
        classes=classes,
        warnings=(*_idle(decisions or {}, classes), *_doubts(classes, plan, rows)),
    )


def _check(decisions: Decisions, target: Taxonomy) -> None:
    wrong = sorted(
        f"{kind} {word}"
        for (kind, _), words in decisions.items()
        for word in words
        if target.get(kind, word) is None and not (word in (KEEP, CLOSE) and len(words) == 1)
    )
    if wrong:
        msg = (
            f"{target.standard_ref} has no class {', '.join(wrong)}: decide for those that `wanmi codes list` "
            "shows, an extension class of wanmi.toml, or keep or close alone."
        )
        raise CodeError(
            msg,
            zh=f"{target.standard_ref} 没有类别 {'、'.join(wrong)}：请填写有效的类代码，或只填保留、移除。",
        )


def _judge(
    kind: str,
    code: str,
    rows: int,
    *,
    source: Taxonomy,
    target: Taxonomy,
    decisions: Decisions,
) -> dict[str, object]:
    """Return what becomes of one class of the plan, by `CLASS_COLUMNS`."""
    entry = source.get(kind, code)
    successor = _successor(kind, code, source=source, target=target)
    decided = decisions.get((kind, code))
    becomes: tuple[str, ...] = ()
    if decided is not None:
        fate = {KEEP: "kept", CLOSE: "closed"}.get(decided[0], "moved")
        becomes = tuple(decided) if fate == "moved" else ()
    elif successor.relation in ("same", "renamed", "merged", "split"):
        fate, becomes = "moved", successor.codes
    else:
        fate = "undecided"
    reason = _reason(successor, target, kind) if fate == "undecided" else ("", "")
    return {
        "kind": kind,
        "class_code": code,
        "class_name": "" if entry is None else entry.name,
        "relation": successor.relation,
        "becomes": becomes,
        "candidates": tuple(f"{each} {_name(target, kind, each)}" for each in successor.codes),
        "evidence": _evidence(kind, code, source, target),
        "rows": rows,
        "fate": fate,
        "reason_en": reason[0],
        "reason_zh": reason[1],
    }


def _successor(kind: str, code: str, *, source: Taxonomy, target: Taxonomy) -> Successor:
    if code == EVERY_CLASS:
        return Successor(relation="same", codes=(EVERY_CLASS,))
    walk = read_crosswalk(kind, from_ref=source.standard_ref, to_ref=target.standard_ref)
    if len(code) != _MAJOR_DIGITS:
        return walk.get(code, Successor(relation="undecided", codes=()))
    parts = [successor for minor, successor in walk.items() if minor[:_MAJOR_DIGITS] == code]
    majors = sorted({each[:_MAJOR_DIGITS] for successor in parts for each in successor.codes})
    is_whole = bool(parts) and all(part.codes for part in parts) and len(majors) == 1
    is_certain = is_whole and all(part.relation != "undecided" for part in parts)
    relation = ("same" if majors == [code] else "renamed") if is_certain else "undecided"
    return Successor(relation=relation, codes=tuple(majors))  # type: ignore[arg-type]


def _reason(successor: Successor, target: Taxonomy, kind: str) -> tuple[str, str]:
    names = [f"{code} {_name(target, kind, code)}" for code in successor.codes]
    if successor.relation == "none" or not names:
        return (
            "No class of the new standard follows from it: name one or several, or keep or close.",
            "没有对应的新类：请填写一个或多个新类代码，或填 保留、移除。",
        )
    return (
        f"Not sure: its classes go to {', '.join(names)}, or not all go anywhere; name one or several.",
        f"不能确定：其小类分属 {'、'.join(names)}，或部分没有新类；请填写一个或多个新类代码。",
    )


def _rows(plan: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    known = classes.set_index(["kind", "class_code"])
    keys = pd.MultiIndex.from_frame(plan[["kind", "class_code"]])
    found = known.reindex(keys)
    rows = plan.assign(
        former_code=plan["code"],
        former_class=plan["class_code"],
        becomes=found["becomes"].to_numpy(dtype=object),
        fate=found["fate"].to_numpy(dtype=object),
    )
    rows = rows[rows["fate"].ne("closed")]
    rows["becomes"] = [
        become if fate == "moved" else (former,)
        for become, fate, former in zip(
            rows["becomes"], rows["fate"], rows["class_code"], strict=True
        )
    ]
    several = rows["becomes"].map(len).gt(1).to_numpy()
    rows = rows.assign(several=several).explode("becomes", ignore_index=True)
    rows["class_code"] = rows["becomes"]
    rows["code"] = _renamed(rows, rows["several"])
    # A part of a class that was split may have the code of another class of its line: of such lines
    # every row that says its class says the new one.
    same = rows.drop_duplicates(["code", "class_code"])["code"]
    lines = {_line(code) for code in same[same.duplicated()]}
    beside = rows["code"].map(lambda code: ":" in code and _line(code) in lines)
    rows["code"] = _renamed(rows, beside)
    # Two classes of one line that were split may share a new class: then both rows say the same.
    rows = rows.drop_duplicates(["code", "class_code"])
    return rows.drop(columns=["becomes", "several"]).sort_values("code", ignore_index=True)


def _renamed(rows: pd.DataFrame, chosen: "pd.Series[bool]") -> list[str]:
    """Return the codes of rows, those of the chosen ones with the class that they are for now."""
    return [
        with_class(code, new) if is_chosen else code
        for code, new, is_chosen in zip(rows["code"], rows["class_code"], chosen, strict=True)
    ]


def _line(code: str) -> str:
    """Return the line of the plan that a row comes from."""
    match = _PARTS.match(code)
    return match[1] if match else code


def _idle(decisions: Decisions, classes: pd.DataFrame) -> Iterator[Remark]:
    """Yield one sentence on decisions for classes that the plan does not have."""
    there = set(classes[["kind", "class_code"]].itertuples(index=False, name=None))
    idle = [f"{kind} {code}" for kind, code in sorted(set(decisions) - there)]
    if idle:
        more = f" (+{len(idle) - _NAMED})" if len(idle) > _NAMED else ""
        names = idle[:_NAMED]
        yield Remark(
            en=f"Decided for, but not in the plan, so not used: {', '.join(names)}{more}.",
            zh=f"以下类别已作决定但方案中没有，未采用：{'、'.join(names)}{more}。",
        )


def _doubts(classes: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[Remark]:
    """Yield what a person should look at though nothing waits."""
    moved = classes[classes["fate"].eq("moved")]
    if moved["evidence"].str.contains("derived|none").any():
        yield Remark(
            en="The crosswalk was worked out by name and sequence and is not verified: "
            "have somebody who knows the trade read the list.",
            zh="类别对照表系按名称和顺序推定，未经标准原文核实：请熟悉业务的人员核对清单。",
        )
    if (split := int(moved.loc[moved["relation"].eq("split"), "rows"].sum())) > 0:
        yield Remark(
            en=f"{split:,} rows are for classes that were split: each new class keeps their unit.",
            zh=f"{split:,} 行的类别已拆分：拆分后的各新类沿用原责任单位。",
        )
    majors = moved["class_code"].str.len().eq(_MAJOR_DIGITS)
    if (wide := int(moved.loc[majors, "rows"].sum())) > 0:
        yield Remark(
            en=f"{wide:,} rows are for whole major classes, which may have classes now that were elsewhere.",
            zh=f"{wide:,} 行针对整个大类，新大类中可能含原属其他大类的小类。",
        )
    if (more := _contradictions(after) - _contradictions(before)) > 0:
        yield Remark(
            en=f"{more:,} classes and places have several units now, because classes were merged: "
            "`wanmi plan check` tells which.",
            zh=f"因类别合并，{more:,} 处同类同区域出现多个责任单位：请用 wanmi plan check 查看。",
        )


def _contradictions(rows: pd.DataFrame) -> int:
    """Return in how many places several units have one role for one class."""
    names = ["kind", "class_code", "area_code", "role", "season", "hours"]
    if rows.empty or not {*names, "unit_code"} <= set(rows.columns):
        return 0
    return int(rows.groupby(names, dropna=False)["unit_code"].nunique().gt(1).sum())


def with_class(code: str, class_code: str) -> str:
    """Return the code of a plan's row that says which of several classes it is for.

    Examples
    --------
    >>> with_class("12", "01030"), with_class("12.owner:0117@130102001", "01030")
    ('12:01030', '12.owner:01030@130102001')
    >>> with_class("12.owner~08:00/12:00", "01030"), with_class("C0117@*.owner~22:00/06:30#2", "01030")
    ('12.owner:01030~08:00/12:00', 'C0117:01030@*.owner~22:00/06:30#2')
    """
    match = _PARTS.match(code)
    groups = match.groups(default="") if match else (code, "", "", "", "", "")
    number, role, _, area, unit, times = groups
    return f"{number}{role}:{class_code}{area}{unit}{times}"


def _name(taxonomy: Taxonomy, kind: str, code: str) -> str:
    entry = taxonomy.get(kind, code)
    return "" if entry is None else entry.name


def _evidence(kind: str, code: str, source: Taxonomy, target: Taxonomy) -> str:
    found = {
        row["evidence"]
        for row in read_table("census.codes", "crosswalks.csv")
        if (row["kind"], row["from_ref"], row["to_ref"])
        == (kind, source.standard_ref, target.standard_ref)
        and row["from_code"].startswith(code)
    }
    return ", ".join(sorted(found)) or "none"


def generation_of(plan: pd.DataFrame, *, to_ref: str) -> str | None:
    """Return what the lengths of a plan's minor classes say: ``earlier``, ``later``, ``mixed``; None: nothing.

    Examples
    --------
    >>> plan = pd.DataFrame({"class_code": ["0104", "01", "*"]})
    >>> generation_of(plan, to_ref="GB/T 47678.5-2026")
    'earlier'
    """
    lengths = {len(code) for code in plan["class_code"] if len(code) > _MAJOR_DIGITS}
    if not lengths:
        return None
    is_later = {length == CODE_LENGTHS[to_ref] for length in lengths}
    return "mixed" if len(is_later) == 2 else "later" if True in is_later else "earlier"
