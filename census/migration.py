"""A census moved to a later generation of codes: what is sure, what a person has to decide, which codes.

A component keeps district and sequence where that code was never another component's; it changes class
by crosswalk. What the crosswalk leaves open (a class that was split, dropped, doubtful, or local) waits
for a decision, of the whole class or of single components; nothing is guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from census.crosswalk import Successor, number_codes, read_crosswalk
from census.identifiers import DISTRICT_DIGITS, SEQUENCE_DIGITS
from census.taxonomy import CODE_LENGTHS, STANDARDS, Taxonomy, read_taxonomy
from gis.codes import read_table
from gis.errors import CodeError
from gis.remarks import Remark
from gis.workspace import ExtensionClass

KEEP, CLOSE = "keep", "close"
DECISION_WORDS: Mapping[str, str] = {
    "keep": KEEP,
    "保留": KEEP,
    "close": CLOSE,
    "gone": CLOSE,
    "移除": CLOSE,
    "废止": CLOSE,
}
"""What may stand in place of a class: the component stays under its old code, or ends."""
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What persons decided where the crosswalk does not; codes win over classes."""

    classes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Standard and class -> new class, `KEEP` or `CLOSE`."""
    components: Mapping[str, str] = field(default_factory=dict)
    """Component code -> the same."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """A plan: nothing of it is done yet."""

    to_ref: str
    rows: pd.DataFrame = field(repr=False)
    """One per live component of an older generation, by code; index that of the census. ``code``,
    ``class_code``, ``standard_ref``, ``name``, ``relation``, ``candidates`` (lists), ``reason_en``,
    ``reason_zh``, ``to_class``, ``to_code``, ``fate``: moved, kept, closed or undecided."""
    classes: pd.DataFrame = field(repr=False)
    """One per old class: ``standard_ref``, ``class_code``, ``class_name``, ``relation``, ``candidates``,
    ``candidate_names``, ``evidence``, ``rows`` and one count per fate."""
    beyond: int
    """Components that have codes of `to_ref` or a later generation already."""
    warnings: tuple[Remark, ...] = ()

    def count(self, fate: str) -> int:
        """Return how many components meet that fate."""
        return int(self.rows["fate"].eq(fate).sum())


def find_standard(text: str) -> str:
    """Return the standard of a name or year.

    Raises
    ------
    CodeError
        There is none.

    Examples
    --------
    >>> find_standard("2026")
    'GB/T 47678.5-2026'
    """
    found = [ref for ref in STANDARDS if text.strip() in (ref, ref[-4:])]
    if not found:
        msg = f"Unknown standard {text!r}: use one of {', '.join(STANDARDS)}, or its year."
        raise CodeError(msg, zh=f"未知的标准 {text}，可用的有 {'、'.join(STANDARDS)} 或其年份。")
    return found[0]


def plan_migration(
    census: pd.DataFrame,
    *,
    to_ref: str,
    used: "pd.Series[str]",
    decisions: Decisions | None = None,
    extensions: Sequence[ExtensionClass] = (),
) -> Migration:
    """Work out what becomes of each component of an older generation.

    Parameters
    ----------
    census : pandas.DataFrame
        Live components: ``code``, ``class_code``, ``standard_ref``, ``name``.
    to_ref : str
        Generation to move to.
    used : pandas.Series
        Every code that a component has or ever had.
    decisions : Decisions or None
        What persons decided.
    extensions : sequence of ExtensionClass
        The city's extension classes; those with a code of the new length may be moved to.

    Raises
    ------
    CodeError
        A decision names no class of `to_ref`, or a class of a district has no sequence left.
    """
    decisions = decisions or Decisions()
    target = read_taxonomy(to_ref, fitting_extensions(extensions, to_ref))
    older = STANDARDS[: STANDARDS.index(to_ref)]
    is_older = census["standard_ref"].isin(older)
    rows = census.loc[is_older, ["code", "class_code", "standard_ref", "name"]].sort_values("code")
    warnings = _check_decisions(decisions, rows, target)
    classes = _judge_classes(rows, target, extensions=extensions)
    keys = pd.MultiIndex.from_frame(rows[["standard_ref", "class_code"]])
    found = classes.set_index(["standard_ref", "class_code"]).reindex(keys)
    for name in ("relation", "candidates", "reason_en", "reason_zh", "successor"):
        rows[name] = found[name].to_numpy()
    rows = _decide(rows, decisions)
    rows["to_code"] = _codes(rows, used)
    return Migration(
        to_ref=to_ref,
        rows=rows.drop(columns=["successor"]),
        classes=_with_counts(classes, rows),
        beyond=int((~is_older).sum()),
        warnings=(*warnings, *_doubts(classes, rows, target)),
    )


def fitting_extensions(extensions: Sequence[ExtensionClass], ref: str) -> list[ExtensionClass]:
    """Return the city's extension classes whose codes fit a generation and are free in it."""
    standard = read_taxonomy(ref)
    return [
        extension
        for extension in extensions
        if len(extension.code) == CODE_LENGTHS[ref]
        and standard.get(extension.kind, extension.code) is None
    ]


def _judge_classes(
    rows: pd.DataFrame, target: Taxonomy, *, extensions: Sequence[ExtensionClass]
) -> pd.DataFrame:
    """Return what the crosswalk says of each class met, with the reason where a person has to decide."""
    records = []
    pairs = rows.groupby(["standard_ref", "class_code"], sort=True)["name"]
    for (ref, code), names in pairs:
        source = read_taxonomy(ref, fitting_extensions(extensions, ref))
        entry = source.get("component", code)
        walk = read_crosswalk("component", from_ref=ref, to_ref=target.standard_ref)
        successor = walk.get(code)
        name = entry.name if entry is not None else str(names.mode().iloc[0])
        if successor is None:
            successor = _by_name(name, names, target)
        reason = _reason(successor, target)
        records.append(
            {
                "standard_ref": ref,
                "class_code": code,
                "class_name": name,
                "relation": successor.relation if code in walk else "unknown",
                "candidates": list(successor.codes),
                "candidate_names": [_name(target, candidate) for candidate in successor.codes],
                "successor": successor.code if code in walk else None,
                "evidence": _evidence(ref, target.standard_ref).get(code, "none"),
                "reason_en": "" if successor.code and code in walk else reason[0],
                "reason_zh": "" if successor.code and code in walk else reason[1],
            }
        )
    columns = (
        "standard_ref", "class_code", "class_name", "relation", "candidates", "candidate_names",
        "successor", "evidence", "reason_en", "reason_zh",
    )  # fmt: skip
    return pd.DataFrame(records, columns=list(columns)).astype(object)


def _by_name(name: str, names: "pd.Series[str]", target: Taxonomy) -> Successor:
    """Propose for a local class those of the new generation that are called like it or its components."""
    words = dict.fromkeys([name, *names.value_counts().index[:_SHOWN]])
    found = [entry.code for word in words if (entry := target.find("component", str(word)))]
    return Successor(relation="undecided", codes=tuple(sorted(set(found))))


def _reason(successor: Successor, target: Taxonomy) -> tuple[str, str]:
    names = [f"{code} {_name(target, code)}" for code in successor.codes]
    listed, listed_zh = ", ".join(names), "、".join(names)
    if successor.relation == "split":
        return (
            f"The class was split: choose one of {listed} for each component.",
            f"该类已拆分：请逐件选择 {listed_zh}。",
        )
    if successor.relation == "none":
        return (
            "The class has no successor: name a class (perhaps an extension), or keep or close.",
            "该类没有对应的新类：请填写新类代码（可为扩展类），或填 保留、移除。",
        )
    if names:
        return (
            f"Not sure: perhaps {listed}; confirm it, or name another class.",
            f"不能确定，可能为 {listed_zh}：请确认或填写其他类。",
        )
    return (
        "A local class that the crosswalk does not have: name a class of the new standard or add an "
        "extension class to wanmi.toml.",
        "地方扩展类，对照表中没有：请填写新标准的类，或在 wanmi.toml 中增加扩展类。",
    )


def _decide(rows: pd.DataFrame, decisions: Decisions) -> pd.DataFrame:
    """Add ``to_class`` and ``fate``; the decision of a component comes before that of its class."""
    decision = rows["code"].map(dict(decisions.components)).astype(object)
    keys = zip(rows["standard_ref"], rows["class_code"], strict=True)
    of_class = pd.Series([decisions.classes.get(key) for key in keys], rows.index, dtype=object)
    decision = decision.where(decision.notna(), of_class)
    outcome = decision.where(decision.notna(), rows["successor"]).astype(object)
    fate = np.select(
        [outcome.isna(), outcome.eq(KEEP), outcome.eq(CLOSE)],
        ["undecided", "kept", "closed"],
        default="moved",
    )
    broken = ~_is_regular(rows)
    fate = np.where(broken & (fate == "moved"), "undecided", fate)
    rows["fate"] = fate
    rows["to_class"] = outcome.where(rows["fate"].eq("moved"), None).astype(object)
    stuck = rows["fate"].eq("undecided") & broken
    rows.loc[stuck, "reason_en"] = "The code is no code of its standard: keep or close it."
    rows.loc[stuck, "reason_zh"] = "标识码不符合其标准：请填 保留 或 移除。"
    is_decided = ~rows["fate"].eq("undecided")
    rows.loc[is_decided, ["reason_en", "reason_zh"]] = ""
    return rows


def _is_regular(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which codes have the digits of their standard."""
    digits = pd.to_numeric(rows["standard_ref"].astype(object).map(CODE_LENGTHS))
    text = rows["code"].astype("str")
    return text.str.fullmatch("[0-9]+").fillna(False).astype(bool) & text.str.len().eq(
        digits + DISTRICT_DIGITS + SEQUENCE_DIGITS
    )


def _codes(rows: pd.DataFrame, used: "pd.Series[str]") -> "pd.Series[Any]":
    """Return the new code of each moved component, never one that another component has or had."""
    moved = rows[rows["fate"].eq("moved")]
    if moved.empty:
        return pd.Series([None] * len(rows), index=rows.index, dtype=object)
    code = moved["code"].astype("str")
    prefix = code.str[:DISTRICT_DIGITS] + moved["to_class"].astype("str")
    sequence = code.str[-SEQUENCE_DIGITS:].astype("int64")
    given = number_codes(prefix, sequence, own=moved["code"], used=used)
    return given.reindex(rows.index).astype(object).where(lambda c: c.notna(), None)


def _check_decisions(
    decisions: Decisions, rows: pd.DataFrame, target: Taxonomy
) -> tuple[Remark, ...]:
    """Refuse decisions for what is no class; say which speak of nothing that is there."""
    wanted = {*decisions.classes.values(), *decisions.components.values()} - {KEEP, CLOSE}
    wrong = sorted(word for word in wanted if not target.exists("component", word))
    if wrong:
        shown = ", ".join(wrong[:_SHOWN])
        msg = (
            f"{target.standard_ref} has no class {shown}: decide for one that `wanmi codes list` shows, "
            "an extension class of wanmi.toml, keep or close."
        )
        raise CodeError(
            msg, zh=f"{target.standard_ref} 没有类别 {shown}：请填写有效的类代码、保留或移除。"
        )
    there = set(rows[["standard_ref", "class_code"]].itertuples(index=False, name=None))
    idle = sorted(set(decisions.classes) - there)
    lost = len(set(decisions.components) - set(rows["code"]))
    told = []
    if lost:
        told.append(
            Remark(
                en=f"{lost:,} decisions name components that are not there or moved already; not used.",
                zh=f"{lost:,} 项决定所指的部件不存在或已迁移，未采用。",
            )
        )
    if idle:
        names = [f"{code} ({ref})" for ref, code in idle[:_SHOWN]]
        told.append(
            Remark(
                en=f"Decided for, but no component is of that class, so not used: {', '.join(names)}.",
                zh=f"以下类别已作决定但没有部件，未采用：{'、'.join(names)}。",
            )
        )
    return tuple(told)


def _with_counts(classes: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    counts = rows.groupby(["standard_ref", "class_code", "fate"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["moved", "kept", "closed", "undecided"], fill_value=0)
    keys = pd.MultiIndex.from_frame(classes[["standard_ref", "class_code"]])
    table = classes.copy()
    for fate in counts.columns:
        table[fate] = counts[fate].reindex(keys, fill_value=0).to_numpy()
    table["rows"] = table[list(counts.columns)].sum(axis=1)
    return table


def _doubts(classes: pd.DataFrame, rows: pd.DataFrame, target: Taxonomy) -> list[Remark]:
    """Say what the plan rests on that no standard confirms."""
    doubts = []
    if len(classes) and classes["evidence"].ne("found").any():
        doubts.append(
            Remark(
                en="The crosswalk was worked out by name and sequence and is not verified: "
                "have somebody who knows the trade read the table of classes.",
                zh="类别对照表系按名称和顺序推定，未经标准原文核实：请熟悉业务的人员核对类别表。",
            )
        )
    reached = sorted({str(code) for code in rows["to_class"].dropna()})
    unsure = [code for code in reached if _is_unsure(target, code)]
    if unsure:
        named = ", ".join(f"{code} {_name(target, code)}" for code in unsure)
        doubts.append(
            Remark(
                en=f"Not sure to be classes of {target.standard_ref}: {named}.",
                zh=f"不能确定是否为 {target.standard_ref} 的类别：{named}。",
            )
        )
    numbered = rows["fate"].eq("moved") & (
        rows["code"].astype("str").str[-SEQUENCE_DIGITS:]
        != rows["to_code"].astype("str").str[-SEQUENCE_DIGITS:]
    )
    if numbered.any():
        doubts.append(
            Remark(
                en=f"{numbered.sum():,} components get another sequence, because theirs is taken in the new class.",
                zh=f"{numbered.sum():,} 件部件的顺序号在新类中已被占用，另行编号。",
            )
        )
    return doubts


def _is_unsure(target: Taxonomy, code: str) -> bool:
    entry = target.get("component", code)
    return entry is not None and (entry.is_doubtful or entry.evidence == "unknown")


def _name(target: Taxonomy, code: str) -> str:
    entry = target.get("component", code)
    return entry.name if entry is not None else ""


def _evidence(from_ref: str, to_ref: str) -> dict[str, str]:
    return {
        row["from_code"]: row["evidence"]
        for row in read_table("census.codes", "crosswalks.csv")
        if (row["kind"], row["from_ref"], row["to_ref"]) == ("component", from_ref, to_ref)
    }
