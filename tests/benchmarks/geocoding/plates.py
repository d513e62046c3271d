"""The plainest rival: a table of road and number, read by one expression, nearest number if unknown.

It shows what anybody gets in an afternoon; the expression is its own and uses nothing of Wanmi.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

_PLATE = re.compile(
    r"([^\d\s,，;；()（）、]{1,10}?(?:路|街|大道|公路|道|巷|弄))(\d+)(?:号|弄|$|[^\d])"
)
_AREA = re.compile(r"^.{1,8}?(?:省|市|区|县|镇|街道)")


def road_and_number(address: str) -> tuple[str, int] | None:
    """Return road and number of an address; None where there is no such pair.

    Examples
    --------
    >>> road_and_number("南京西路170号"), road_and_number("江桥镇曹安公路１２弄3号")
    (('南京西路', 170), ('曹安公路', 12))
    >>> road_and_number("品星路与青灵路交叉口东100米")
    """
    found = _PLATE.search(unicodedata.normalize("NFKC", address))
    if not found:
        return None
    road = found[1]
    if "与" in road or "和" in road[1:-1]:
        return None
    stripped = _AREA.sub("", road)
    return (stripped if len(stripped) > 1 else road), int(found[2][:9])


@dataclass(frozen=True)
class PlateTable:
    """District, road -> its numbers with the mean place of each."""

    numbers: dict[tuple[str, str], list[int]]
    at: dict[tuple[str, str, int], tuple[float, float]]

    def knows_road(self, district: str, road: str) -> bool:
        """Tell whether any number of the road is known."""
        return (district, road) in self.numbers

    def knows_plate(self, district: str, road: str, number: int) -> bool:
        """Tell whether the number is known."""
        return (district, road, number) in self.at

    def find(self, district: str, road: str, number: int) -> tuple[float, float] | None:
        """Return the place of the number, else of the nearest known one of the road."""
        numbers = self.numbers.get((district, road))
        if not numbers:
            return None
        place = bisect_left(numbers, number)
        near = min(numbers[max(0, place - 1) : place + 1], key=lambda known: abs(known - number))
        return self.at[district, road, near]


def plate_table(rows: Iterable[tuple[str, str, float, float]]) -> PlateTable:
    """Return the table of addresses given as district, address, x, y; a plate stands at their median."""
    seen: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    for district, address, x, y in rows:
        found = road_and_number(address)
        if found:
            seen.setdefault((district, *found), []).append((x, y))
    at = {plate: (float(np.median(xs)), float(np.median(ys))) for plate, (xs, ys) in _columns(seen)}
    numbers: dict[tuple[str, str], list[int]] = {}
    for district, road, number in sorted(at):
        numbers.setdefault((district, road), []).append(number)
    return PlateTable(numbers, at)


def _columns(
    seen: dict[tuple[str, str, int], list[tuple[float, float]]],
) -> Iterable[tuple[tuple[str, str, int], tuple[list[float], list[float]]]]:
    return ((key, ([x for x, _ in at], [y for _, y in at])) for key, at in seen.items())


def apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two places, m."""
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))
