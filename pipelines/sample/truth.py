"""The right owning unit of a case, worked out row by row, with nothing of the platform's code.

Plain loops over the delivered plan and directory, in the words of the decision's rules: components
先属主后属地, events 先属地后属主, the most specific row first.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from pipelines.sample.areas import DISTRICT
from pipelines.sample.units import Directory

_NO_NAMES = ("无主", "不明", "无")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to one case."""

    unit_code: str
    role: str
    principle: str
    tags: tuple[str, ...]
    """Why it is not plain: no_owner, plan_conflict, ownership_disputed, alias, successor …"""


@dataclass(frozen=True, kw_only=True)
class _PlanRow:
    class_code: str
    area: str
    unit: str
    season: str | None
    hours: str | None


class Judge:
    """Answers case after case from one plan and one directory."""

    def __init__(self, plan: pd.DataFrame, directory: Directory) -> None:
        self._directory = directory
        self._rows: dict[tuple[str, str, str], list[_PlanRow]] = defaultdict(list)
        for row in plan.astype(object).where(plan.notna(), None).to_dict("records"):
            self._rows[row["部件或事件"], row["角色"], row["区域代码"]].append(
                _PlanRow(
                    class_code=row["类别代码"], area=row["区域代码"], unit=row["单位代码"],
                    season=row["季节"], hours=row["时段"],
                )
            )  # fmt: skip
        self._by_name = {name: code for code, name in directory.names.items()}
        for code, aliases in directory.aliases.items():
            for alias in aliases:
                self._by_name.setdefault(alias, code)

    def component(
        self, class_code: str, community: str, when: datetime, own: dict[str, str | None]
    ) -> Verdict:
        """Answer a component case; `own` is the component's delivered row."""
        found_in_record = self.recorded(own)
        if found_in_record.unit_code:
            return found_in_record
        tags = [tag for tag in found_in_record.tags if tag != "none"]
        for word, role in (("养护", "maintainer"), ("权属", "owner"), ("主管", "competent")):
            found = self._plan(("部件", word), class_code, community, when)
            if found:
                return self._verdict(found[0], role, "owner_first", [*tags, *found[1]])
        return self._territory("部件", class_code, community, when, [*tags, "no_owner"])

    def event(self, class_code: str, community: str, when: datetime) -> Verdict:
        """Answer an event case."""
        for word, role in (("属地", "territorial"), ("处置", "handler"), ("主管", "competent")):
            found = self._plan(("事件", word), class_code, community, when)
            if found:
                return self._verdict(found[0], role, "territory_first", list(found[1]))
        unit = self._territorial_unit(community)
        return self._verdict(unit, "territorial", "territory_first", ["no_owner"])

    def recorded(self, own: dict[str, str | None]) -> Verdict:
        """Answer from a component's record alone; unit "" when it names none that is known."""
        tags = []
        state = ownership_state(own)
        if state == "none":
            return self._verdict("", "", "owner_first", ["none"])
        for number, role in (("3", "maintainer"), ("2", "owner"), ("1", "competent")):
            unit, how = self._named(own[f"DeptCode{number}"], own[f"DeptName{number}"])
            if how:
                tags.append(how)
            if unit:
                disputed = ["ownership_disputed"] if state == "disputed" else []
                return self._verdict(unit, role, "owner_first", [*tags, *disputed])
        return self._verdict("", "", "owner_first", tags)

    def _territory(
        self, kind: str, class_code: str, community: str, when: datetime, tags: list[str]
    ) -> Verdict:
        found = self._plan((kind, "属地"), class_code, community, when)
        unit = found[0] if found else self._territorial_unit(community)
        return self._verdict(unit, "territorial", "owner_first", tags)

    def _verdict(self, unit: str, role: str, principle: str, tags: list[str]) -> Verdict:
        return Verdict(unit_code=unit, role=role, principle=principle, tags=tuple(tags))

    def _named(self, code: str | None, name: str | None) -> tuple[str, str]:
        """Return the unit a record names, and how it was found when not plainly by its code."""
        unit, how = "", ""
        if code and code in self._directory.names:
            unit = code
        elif name and name not in _NO_NAMES:
            plain = name.replace("（争议）", "").strip()
            unit = self._by_name.get(plain, "")
            how = "unknown_unit"
            if unit:
                how = "by_name" if plain == self._directory.names[unit] else "alias"
        if unit in self._directory.successors:
            return self._directory.successors[unit], "successor"
        return unit, how

    def _plan(
        self, part: tuple[str, str], class_code: str, community: str, when: datetime
    ) -> tuple[str, tuple[str, ...]] | None:
        chain = (community, community[:9], DISTRICT, "*")
        classes = (class_code, class_code[:2], "*")
        best: tuple[int, int, int] | None = None
        units: set[str] = set()
        for row in (row for area in chain for row in self._rows.get((*part, area), ())):
            if row.class_code not in classes:
                continue
            if not (_season_holds(row.season, when) and _hours_hold(row.hours, when)):
                continue
            plain = 0 if row.season or row.hours else 1
            rank = (chain.index(row.area), classes.index(row.class_code), plain)
            if best is None or rank < best:
                best, units = rank, {row.unit}
            elif rank == best:
                units.add(row.unit)
        if best is None:
            return None
        return min(units), ("plan_conflict",) if len(units) > 1 else ()

    def _territorial_unit(self, community: str) -> str:
        for area in (community, community[:9], DISTRICT):
            if area in self._directory.territories:
                return self._directory.territories[area]
        return ""


def ownership_state(own: dict[str, str | None]) -> str:
    """Return none, disputed or confirmed as the delivered row says it."""
    if own["DeptName2"] == "无主":
        return "none"
    if "争议" in (own["DeptName2"] or "") or "争议" in (own["Note"] or ""):
        return "disputed"
    return "confirmed"


def _season_holds(season: str | None, when: datetime) -> bool:
    """Both days are included; a season may wrap the year.

    Examples
    --------
    >>> _season_holds("11-15/03-15", datetime(2025, 3, 15, 9))
    True
    """
    if not season:
        return True
    first, last = season.split("/")
    day = f"{when:%m-%d}"
    return first <= day <= last if first <= last else day >= first or day <= last


def _hours_hold(hours: str | None, when: datetime) -> bool:
    """From is included, to is not; hours may wrap midnight.

    Examples
    --------
    >>> _hours_hold("22:00/06:00", datetime(2025, 1, 1, 6, 0))
    False
    """
    if not hours:
        return True
    first, last = hours.split("/")
    clock = f"{when:%H:%M}"
    return first <= clock < last if first <= last else clock >= first or clock < last
