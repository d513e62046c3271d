"""The unit directory: units by code and by name, their successors, the unit of each territory."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit of the directory."""

    code: str
    name: str
    kind: str
    """department, company or territorial."""


class Directory:
    """Units that exist on a day.

    Parameters
    ----------
    records : sequence of mapping
        Rows of ``responsibility.unit``.
    as_of : datetime.date or None
        Only successions that held by then count; None: all.

    Examples
    --------
    >>> directory = Directory([
    ...     {"code": "A", "name": "老公司", "aliases": [], "kind": "company", "successor_code": "B"},
    ...     {"code": "B", "name": "新公司", "aliases": ["新司"], "kind": "company"},
    ... ])
    >>> directory.find("A", None).code, directory.find(None, " 新司 ").code
    ('B', 'B')
    """

    def __init__(self, records: Sequence[Mapping[str, Any]], *, as_of: date | None = None) -> None:
        ordered = sorted(records, key=lambda record: str(record["code"]))
        self.units: dict[str, Unit] = {
            record["code"]: Unit(code=record["code"], name=record["name"], kind=record["kind"])
            for record in ordered
        }
        self._successors: dict[str, str] = {
            record["code"]: record["successor_code"]
            for record in ordered
            if record.get("successor_code") and _holds(record.get("successor_from"), as_of)
        }
        self._by_name: dict[str, str] = {}
        self._territorial: dict[str, str] = {}
        for record in ordered:
            self._by_name.setdefault(plain_unit_name(record["name"]), record["code"])
        for record in ordered:
            for alias in record.get("aliases") or ():
                self._by_name.setdefault(plain_unit_name(alias), record["code"])
            if record["kind"] == "territorial" and record.get("area_code"):
                self._territorial.setdefault(record["area_code"], record["code"])

    @property
    def areas(self) -> frozenset[str]:
        """Codes of the areas that have a territorial unit."""
        return frozenset(self._territorial)

    def find(self, code: str | None, name: str | None) -> Unit | None:
        """Return the unit of a code, else of a name or alias, or the one that took over its duties.

        Names are compared exactly, blanks at the ends and full-width forms aside.
        """
        unit = self.units.get(code.strip()) if code else None
        if unit is None and name:
            unit = self.units.get(self._by_name.get(plain_unit_name(name), ""))
        return None if unit is None else self.successor(unit)

    def successor(self, unit: Unit) -> Unit:
        """Return the last unit that took over, or the unit itself; a circle ends where it began."""
        seen = {unit.code}
        while (code := self._successors.get(unit.code)) in self.units and code not in seen:
            seen.add(code)
            unit = self.units[code]
        return unit

    def territorial(self, area_code: str) -> Unit | None:
        """Return the territorial unit 属地单位 of an area; of several the lowest code."""
        code = self._territorial.get(area_code)
        return None if code is None else self.successor(self.units[code])

    def named(self, name: str | None) -> str | None:
        """Return the code of the unit of this name or alias, successors aside."""
        return self._by_name.get(plain_unit_name(name)) if name else None

    def last_resort(self, *, excluded: frozenset[str] = frozenset()) -> Unit | None:
        """Return the unit that gets what nobody claims: the territorial one of the largest area.

        Without any territorial unit it is the department, then the unit, of the lowest code.

        Parameters
        ----------
        excluded : frozenset of str
            Codes of units that may not be taken.
        """
        return next((unit for unit in self._by_rank if unit.code not in excluded), None)

    @cached_property
    def _by_rank(self) -> tuple[Unit, ...]:
        """The units in the order in which they get what nobody claims."""
        areas = sorted(self._territorial, key=lambda area: (len(area), area))
        rank = {"territorial": 0, "department": 1}
        others = sorted(self.units.values(), key=lambda u: (rank.get(u.kind, 2), u.code))
        units = [self.units[self._territorial[area]] for area in areas] + others
        return tuple(dict.fromkeys(self.successor(unit) for unit in units))


def _holds(since: date | None, as_of: date | None) -> bool:
    return since is None or as_of is None or since <= as_of


def plain_unit_name(name: str) -> str:
    """Return a unit's name in half-width forms, without blanks at its ends.

    Examples
    --------
    >>> plain_unit_name("　市政公司（一部） ")
    '市政公司(一部)'
    """
    return unicodedata.normalize("NFKC", name).strip()
