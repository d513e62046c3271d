"""The live plan moved to a later generation of classes: told, listed for decisions, and carried out by one build."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from census.migration import DECISION_WORDS
from census.plan.migration import PlanMigration, generation_of, migrate_plan
from census.taxonomy import CODE_LENGTHS, STANDARDS
from census.workbooks import write_tables
from gis.builds import BuildRequest, BuildResult, Scope, list_builds, live, publish
from gis.conform import SOURCE, business_columns
from gis.database import Connection, Database
from gis.errors import BuildError, RequestError
from gis.faults import REJECT_COLUMNS
from gis.sheets import list_sheets, read_sheet
from gis.tables import FEATURE_TABLES, declare
from gis.workspace import Profile

DATASET = "responsibility"
CLASSES, WAITING, ROWS = "classes 类别", "waiting 待定", "rows 新旧对照"
_SPACES = re.compile(r"[\s,;，；、|]+")
_KINDS = {"部件": "component", "事件": "event"}
Decisions = Mapping[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class LivePlan:
    """The rows that are live, and by which build."""

    rows: pd.DataFrame
    build_id: int | None
    as_of: date | None


def read_live_plan(database: Database) -> LivePlan:
    """Return the plan that is live, in a state that `carry_out` can tell from a later one."""
    newest = _newest(database)
    return LivePlan(
        rows=live(database, DATASET),
        build_id=None if newest is None else newest[0],
        as_of=None if newest is None else newest[1],
    )


def _newest(database: Database) -> tuple[int, date] | None:
    builds = list_builds(database)
    found = builds[builds["dataset"].eq(DATASET) & builds["status"].eq("live")]
    return None if found.empty else (int(found["build_id"].iloc[0]), found["as_of"].iloc[0])


def work_out(
    plan: LivePlan,
    *,
    to_ref: str,
    from_ref: str | None = None,
    profile: Profile,
    decisions: Decisions | None = None,
) -> PlanMigration:
    """Return what becomes of the plan; nothing is written.

    Parameters
    ----------
    plan : LivePlan
        What is live.
    to_ref : str
        Generation to move to.
    from_ref : str or None
        Generation of the plan; None: the city's, where that is the earlier one.
    profile : Profile
        The city's standard and extension classes.
    decisions : mapping or None
        As `read_plan_decisions` returns them.

    Raises
    ------
    RequestError
        It is not known from which generation, or the plan has codes of the later one.
    CodeError
        See `census.plan.migration.migrate_plan`.
    """
    earlier = STANDARDS[: STANDARDS.index(to_ref)]
    source = from_ref or profile.city.standard
    if not earlier:
        later = ", ".join(STANDARDS[1:])
        msg = f"A plan is moved to a later generation of classes, not to {to_ref}, the first: name {later}."
        raise RequestError(
            msg, zh=f"职责分解方案只能迁往更新的标准，不能迁往最早的 {to_ref}：可用 {later}。"
        )
    if source not in earlier:
        known = ", ".join(earlier)
        msg = f"A plan of {source} can not be moved to {to_ref}: say with --from what it is of ({known})."
        raise RequestError(
            msg,
            zh=f"{source} 的职责分解方案不能迁往 {to_ref}：请用 --from 说明原标准（{known}）。",
        )
    if CODE_LENGTHS[source] != CODE_LENGTHS[to_ref]:
        _refuse_later(plan.rows, to_ref)
    return migrate_plan(
        plan.rows,
        from_ref=source,
        to_ref=to_ref,
        decisions=decisions,
        extensions=profile.extension_class,
    )


def _refuse_later(rows: pd.DataFrame, to_ref: str) -> None:
    found = generation_of(rows, to_ref=to_ref)
    if found == "later":
        msg = f"The plan has classes of {to_ref} already: there is nothing to move."
        raise RequestError(msg, zh=f"职责分解方案已使用 {to_ref} 的类别，无需迁移。")
    if found == "mixed":
        msg = (
            f"The plan has classes of {to_ref} beside earlier ones, so that its major classes could be of "
            "either: correct the workbook and load it with `wanmi plan load`."
        )
        raise RequestError(
            msg,
            zh=f"职责分解方案混有 {to_ref} 与旧标准的类别，大类无法判别：请更正工作簿后用 wanmi plan load 入库。",
        )


def write_plan_list(migration: PlanMigration, path: Path) -> None:
    """Write classes with a column ``decision`` to fill in, the rows that wait, and old beside new codes.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    classes = migration.classes.copy()
    classes["becomes"] = classes["becomes"].map(" ".join)
    classes["candidates"] = classes["candidates"].map("; ".join)
    classes["decision"] = None
    order = classes["fate"].ne("undecided")
    waiting = set(classes.loc[~order, ["kind", "class_code"]].itertuples(index=False, name=None))
    rows = migration.rows.drop(columns=["fate"])
    keys = zip(rows["kind"], rows["former_class"], strict=True)
    names = ["former_code", "code", "kind", "former_class", "class_code"]
    rest = ["area_code", "role", "unit_code", "season", "hours", "remark"]
    table = rows[[*names, *(name for name in rest if name in rows)]]
    is_waiting = pd.Series([key in waiting for key in keys], index=rows.index, dtype=bool)
    sheets = {
        # What a person has to look at stands first.
        CLASSES: classes.assign(order=order).sort_values("order", kind="stable").drop(columns="order"),
        WAITING: table[is_waiting].drop(columns=["code", "class_code"]),
        ROWS: table,
    }  # fmt: skip
    write_tables(path, sheets, to_fill_in=["decision"])


def read_plan_decisions(path: Path, *, from_ref: str, to_ref: str) -> dict[Any, tuple[str, ...]]:
    """Return kind and class -> what the column ``decision`` says: new classes, `KEEP` or `CLOSE`.

    A table without the column ``kind`` is about components, as that of ``wanmi census migrate``.
    Several classes are parted by a space or a comma; zeros that a spreadsheet took are put back.

    Raises
    ------
    RequestError
        The file has no table with ``class_code`` and ``decision``, or decides twice.
    FileFormatError
        It can not be read.
    """
    found: dict[Any, tuple[str, ...]] = {}
    is_list = False
    names = list_sheets(path) if path.suffix.lower() == ".xlsx" else [None]
    for name in names:
        frame = (read_sheet(path) if name is None else read_sheet(path, sheet=name)).frame
        if not {"class_code", "decision"} <= set(frame.columns):
            continue
        is_list = True
        for row in frame[frame["decision"].notna()].to_dict("records"):
            kind = str(row.get("kind") or "component").strip()
            code = _padded(str(row["class_code"]), CODE_LENGTHS[from_ref])
            words = tuple(_word(word, to_ref) for word in _words(row["decision"]))
            key = (_KINDS.get(kind, kind), code)
            if words and found.setdefault(key, words) != words:
                shown = " ".join(key)
                msg = f"{path.name} decides twice for {shown}: leave one."
                raise RequestError(msg, zh=f"{path.name} 对 {shown} 有两个不同的决定：请只留一个。")
    if not is_list:
        msg = (
            f"{path.name} has no table with the columns class_code and decision: fill in the list that "
            "`wanmi plan migrate -o list.xlsx` writes."
        )
        raise RequestError(
            msg, zh=f"{path.name} 中没有含 class_code 和 decision 列的表：请填写系统导出的清单。"
        )
    return found


def _words(value: object) -> list[str]:
    text = str(value).strip().removesuffix(".0")
    # "01030 电杆; 01031 …", as the list of candidates shows them: only codes and the four words count.
    words = [word for word in _SPACES.split(text) if word]
    codes = [word for word in words if word.isdigit() or word.casefold() in DECISION_WORDS]
    return codes or words


def _word(word: str, to_ref: str) -> str:
    known = DECISION_WORDS.get(word.casefold())
    return known or _padded(word, CODE_LENGTHS[to_ref])


def _padded(code: str, digits: int) -> str:
    text = code.strip().removesuffix(".0")
    if not text.isdigit() or len(text) == 2:
        return text
    return text.zfill(2 if len(text) == 1 else digits)


def carry_out(
    database: Database, migration: PlanMigration, *, plan: LivePlan, as_of: date, actor: str
) -> BuildResult | None:
    """Publish the plan in its new classes in one transaction; None: there is nothing to move.

    The areas that the plan draws stay as they are. `wanmi rollback` undoes it.

    Raises
    ------
    BuildError
        A class is not decided yet, or the plan was changed since it was read.
    LockedError
        A load of the plan is running.
    """
    waiting = migration.count("undecided")
    if waiting:
        msg = (
            f"{waiting:,} rows of the plan wait for a decision, so nothing was changed: list them with "
            "`wanmi plan migrate --to … -o list.xlsx`, fill in the column decision, and name the file "
            "with --decisions."
        )
        raise BuildError(
            msg,
            zh=f"职责分解方案尚有 {waiting:,} 行待定，未作改动：请导出清单填写 decision 列后用 --decisions 读回。",
        )
    if not (migration.count("moved") or migration.count("closed")):
        return None
    table = declare(database.srid).tables[FEATURE_TABLES[DATASET]]
    rows = migration.rows[[*business_columns(table), *SOURCE]]
    digest = sha256(f"{DATASET} {migration.to_ref} {plan.build_id}\n".encode())
    for pair in zip(rows["code"], rows["class_code"], strict=True):
        digest.update(" ".join(pair).encode() + b"\n")

    def also(connection: Connection, build_id: int) -> None:
        _refuse_changed(connection, plan, build_id)

    return publish(
        database,
        BuildRequest(
            delivery=f"migration of the plan to {migration.to_ref}",
            as_of=as_of if plan.as_of is None else max(as_of, plan.as_of),
            path="",
            delivery_hash=digest.hexdigest(),
            dataset=DATASET,
            content_hash=digest.hexdigest(),
        ),
        accepted=rows,
        faults=pd.DataFrame(columns=list(REJECT_COLUMNS)),
        rows_read=len(rows),
        scope=Scope.everything(),
        actor=actor,
        also=also,
    )


def _refuse_changed(connection: Connection, plan: LivePlan, build_id: int) -> None:
    row = connection.execute(
        "SELECT max(build_id) FROM meta.build WHERE dataset = %s AND status = 'live' AND build_id < %s",
        [DATASET, build_id],
    ).fetchone()
    if row is None or row[0] != plan.build_id:
        msg = "The plan was changed by another load meanwhile, so nothing was migrated: run the command again."
        raise BuildError(msg, zh="职责分解方案在此期间被其他入库修改，未作迁移：请重新运行。")


def as_document(migration: PlanMigration, result: BuildResult | None) -> dict[str, Any]:
    """Return the migration for programs, with every class."""
    return {
        "from": migration.from_ref,
        "to": migration.to_ref,
        "rows": sum(migration.count(fate) for fate in ("moved", "kept", "closed", "undecided")),
        **{fate: migration.count(fate) for fate in ("moved", "kept", "closed", "undecided")},
        "rows_after": len(migration.rows),
        "classes": migration.classes.to_dict("records"),
        "warnings": [remark.en for remark in migration.warnings],
        "warnings_zh": [remark.zh for remark in migration.warnings],
        "build_id": None if result is None else result.build_id,
    }
