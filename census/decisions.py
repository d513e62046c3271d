"""What delivered names of units were decided to mean, kept with who decided and when.

The table ``responsibility.unit_match`` has one row per spelling. A person confirms that a spelling
means a unit, or rejects every candidate; from then on builds and checks take a confirmed spelling
for an alias. Nothing is confirmed by a program.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any

import pandas as pd
from psycopg.types.json import Jsonb

from census.matching import Candidate, UnitNames
from census.ownership import ROLES, find_unit
from census.units import UnitDirectory, plain_unit_name
from gis.database import Connection, read_rows
from gis.errors import ConflictError, NotFoundError
from gis.ledger import audit

_CANDIDATES = 5
_SEARCHED = 2000
"""Names whose candidates are looked for, those with most rows first: more is no list for a person."""

_LIVE_NAMES = """
    SELECT given.role, given.code, given.name, count(*) AS rows
    FROM components.component c CROSS JOIN LATERAL (VALUES
        ('competent', c.competent_code, c.competent_name),
        ('owner', c.owner_code, c.owner_name),
        ('maintainer', c.maintainer_code, c.maintainer_name)) AS given (role, code, name)
    WHERE c.valid_to IS NULL AND given.name IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_NOTE = """
    INSERT INTO responsibility.unit_match (plain, spelling, roles, row_count, candidates, decision)
    VALUES (%s, %s, %s, %s, %s, 'open')
    ON CONFLICT (plain) DO UPDATE SET spelling = EXCLUDED.spelling, roles = EXCLUDED.roles,
        row_count = EXCLUDED.row_count, candidates = EXCLUDED.candidates, last_seen = now()
"""
_DECIDE = """
    UPDATE responsibility.unit_match SET decision = %s, unit_code = %s, decided_by = %s,
        decided_at = clock_timestamp(), note = %s WHERE plain = %s
"""


@dataclass(frozen=True, kw_only=True)
class OpenName:
    """A delivered name that the directory lacks."""

    spelling: str
    """Its most frequent writing."""
    roles: Mapping[str, int]
    """Role -> rows that give it in this role."""
    candidates: tuple[Candidate, ...]
    """Units it looks like, best first."""
    decision: str = "open"
    """open, confirmed or rejected."""
    unit_code: str | None = None
    """Where confirmed, the unit; one that has left the directory since does not count."""

    @property
    def rows(self) -> int:
        """Rows that give it, over all roles."""
        return sum(self.roles.values())


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person decides of a spelling; also what the audit keeps."""

    spelling: str
    unit_code: str | None
    """None: none of the candidates, nor any other unit."""
    note: str = ""
    before: str | None = None
    """The decision that it replaces, as in ``confirmed 1301020204``."""

    @property
    def word(self) -> str:
        """Return confirmed or rejected."""
        return "rejected" if self.unit_code is None else "confirmed"


def confirmed_names(connection: Connection) -> dict[str, str]:
    """Return plain spelling -> unit code for all that was confirmed, by spelling."""
    rows = read_rows(
        connection,
        "SELECT plain, unit_code FROM responsibility.unit_match WHERE decision = 'confirmed' ORDER BY 1",
    )
    return dict(zip(rows["plain"], rows["unit_code"], strict=True))


def last_decision(connection: Connection) -> str:
    """Return when something was last decided, as text; empty: nothing was ever."""
    row = connection.execute(
        "SELECT coalesce(max(decided_at)::text, '') FROM responsibility.unit_match"
    ).fetchone()
    return "" if row is None else str(row[0])


def live_names(connection: Connection) -> pd.DataFrame:
    """Return the names of units that live components give: ``role``, ``code``, ``name``, ``rows``."""
    return read_rows(connection, _LIVE_NAMES)


def names_in(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same of delivered rows with ``owner_name``, ``owner_code`` and so on.

    Examples
    --------
    >>> names_in(pd.DataFrame({"owner_name": ["排水处", "排水处"]})).to_dict("records")
    [{'role': 'owner', 'code': None, 'name': '排水处', 'rows': 2}]
    """
    parts = []
    for role in ROLES:
        if f"{role}_name" not in rows:
            continue
        blank = pd.Series(None, index=rows.index, dtype=object)
        pairs = pd.DataFrame(
            {"code": rows.get(f"{role}_code", blank), "name": rows[f"{role}_name"]}
        )
        counts = pairs[pairs["name"].notna()].groupby(["code", "name"], dropna=False).size()
        parts.append(counts.rename("rows").reset_index().assign(role=role))
    columns = ["role", "code", "name", "rows"]
    table = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    return table.astype(object).where(table.notna(), None).reset_index(drop=True)


def open_names(
    names: pd.DataFrame, directory: UnitDirectory, *, decided: pd.DataFrame | None = None
) -> list[OpenName]:
    """Return the names that no unit of the directory bears, most rows first, with candidates.

    A name beside a code that the directory knows is not open: the code says the unit. Words of doubt
    (无主, 待查) are no names.

    Parameters
    ----------
    names : pandas.DataFrame
        As `live_names` or `names_in`.
    directory : UnitDirectory
        Units; what is confirmed is an alias, so those spellings are left out.
    decided : pandas.DataFrame or None
        ``plain``, ``decision``, ``unit_code`` of `read_decisions`.
    """
    states = {} if decided is None else decided.set_index("plain").to_dict("index")
    lacking = [row for row in names.itertuples(index=False) if _is_lacking(row, directory)]
    table = pd.DataFrame(lacking, columns=["role", "code", "name", "rows"])
    table["plain"] = table["name"].map(plain_unit_name)
    found = []
    for plain, group in table.groupby("plain", sort=True):
        writings = group.groupby("name")["rows"].sum()
        state = states.get(plain, {})
        found.append(
            OpenName(
                spelling=str(min(writings.index, key=lambda name: (-writings[name], name))),
                roles={
                    str(role): int(n) for role, n in group.groupby("role")["rows"].sum().items()
                },
                candidates=(),
                decision=str(state.get("decision", "open")),
                unit_code=_text(state.get("unit_code")),
            )
        )
    found.sort(key=lambda name: (-name.rows, name.spelling))
    search = UnitNames(directory)
    return [
        changed(name, candidates=tuple(search.candidates(name.spelling, limit=_CANDIDATES)))
        if place < _SEARCHED
        else name
        for place, name in enumerate(found)
    ]


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _is_lacking(row: Any, directory: UnitDirectory) -> bool:
    how = find_unit(_text(row.code), row.name, directory).how
    return bool(plain_unit_name(row.name)) and how == "unknown"


def read_decisions(connection: Connection) -> pd.DataFrame:
    """Return all spellings that were ever found or decided, most rows first."""
    return read_rows(
        connection,
        'SELECT * FROM responsibility.unit_match ORDER BY row_count DESC, plain COLLATE "C"',
    )


def note_names(connection: Connection, names: Iterable[OpenName]) -> None:
    """Keep the names found and their candidates; what was decided of them stays."""
    rows = [
        [
            plain_unit_name(name.spelling),
            name.spelling,
            Jsonb(dict(name.roles)),
            name.rows,
            Jsonb({found.unit_code: found.score for found in name.candidates}),
        ]
        for name in names
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_NOTE, rows)


def decide(
    connection: Connection,
    decision: Decision,
    *,
    directory: UnitDirectory,
    actor: str,
    replace: bool,
) -> bool:
    """Store what a spelling means; return False where it was so decided before.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection; the caller's transaction commits.
    decision : Decision
        Spelling, noted before by `note_names`, and unit.
    directory : UnitDirectory
        Units as they are.
    actor : str
        Who decides, for the audit.
    replace : bool
        Whether another decision may be replaced.

    Raises
    ------
    NotFoundError
        Neither rows nor earlier reviews give this name, or there is no such unit.
    ConflictError
        The directory itself has this name, or it was decided otherwise and `replace` is False.
    """
    plain = plain_unit_name(decision.spelling)
    _check_unit(decision, directory)
    _check_free(decision.spelling, directory)
    before = _before(connection, plain, decision.spelling)
    code = decision.unit_code
    if before == (decision.word, code):
        return False
    if before[0] != "open":
        described = " ".join(part for part in before if part)
        if not replace:
            raise _decided_otherwise(decision, described)
        decision = changed(decision, before=described)
    connection.execute(_DECIDE, [decision.word, code, actor, decision.note or None, plain])
    audit(connection, actor=actor, action=f"unit_match_{decision.word}", detail=decision)
    return True


def _check_unit(decision: Decision, directory: UnitDirectory) -> None:
    code = decision.unit_code
    if code is not None and code not in directory.names:
        near = UnitNames(directory).candidates(decision.spelling, limit=3)
        shown = ", ".join(f"{found.unit_code} {directory.names[found.unit_code]}" for found in near)
        hint = f"{decision.spelling} is most like {shown}" if shown else "see `wanmi units list`"
        msg = f"The directory has no unit {code}: {hint}."
        raise NotFoundError(
            msg,
            zh=f"单位名录中没有 {code}：{'最接近的有 ' + shown if shown else '请用 wanmi units list 查看'}。",
        )


def _check_free(spelling: str, directory: UnitDirectory) -> None:
    plain = plain_unit_name(spelling)
    owners = directory.codes_by_name.get(plain, ())
    if owners and plain not in directory.confirmed:
        shown = ", ".join(f"{code} {directory.names[code]}" for code in owners)
        msg = f"{spelling} is a name that the directory itself gives to {shown}: change it there."
        raise ConflictError(msg, zh=f"{spelling} 已是名录中 {shown} 的名称：请在单位名录中修改。")


def _before(connection: Connection, plain: str, spelling: str) -> tuple[str, str | None]:
    """Return decision and unit so far, and keep others from deciding the same meanwhile."""
    row = connection.execute(
        "SELECT decision, unit_code FROM responsibility.unit_match WHERE plain = %s FOR UPDATE",
        [plain],
    ).fetchone()
    if row is None:
        msg = f"No component gives the name {spelling!r}: copy it from `wanmi units review`."
        raise NotFoundError(msg, zh=f"没有部件使用名称“{spelling}”：请从 wanmi units review 复制。")
    return str(row[0]), row[1]


def _decided_otherwise(decision: Decision, before: str) -> ConflictError:
    asked = f"confirmed {decision.unit_code}" if decision.unit_code else "rejected"
    msg = (
        f"{decision.spelling} was decided before ({before}), now {asked} is asked for: "
        "add --replace if the earlier decision was wrong."
    )
    return ConflictError(
        msg,
        zh=f"{decision.spelling} 此前已决定（{before}），与本次（{asked}）不同：确需改正请加 --replace。",
    )
