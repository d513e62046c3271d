"""Drawn areas of one size that overlap: neither is the more specific, so their rows are equals."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import isclose

from census.plan.coverage import Coverage
from census.plan.findings import Finding
from census.plan.rows import ANYWHERE, PlanRow

_SAME_SIZE = 1e-6
"""Sizes are equal to this share: one outline drawn twice, perhaps from another vertex."""


def find_ties(
    coverage: Coverage, rows: Sequence[PlanRow], *, sizes: Mapping[str, float]
) -> list[Finding]:
    """Return the rows that name different units in overlapping drawn areas of the same size.

    At a case the area of the lower code is taken, which nobody meant: it is a conflict.

    Parameters
    ----------
    coverage : Coverage
        The plan, judged.
    rows : sequence of PlanRow
        Its rows.
    sizes : mapping
        Drawn area -> its size, m².
    """
    shared: dict[tuple[str, str], list[int]] = {}
    for number, place in enumerate(coverage.places):
        for pair in combinations(sorted(place.plan_areas), 2):
            first, second = (sizes.get(code, 0.0) for code in pair)
            if isclose(first, second, rel_tol=_SAME_SIZE):
                shared.setdefault(pair, []).append(number)
    by_area: dict[str, list[PlanRow]] = {}
    for row in rows:
        by_area.setdefault(row.area_code, []).append(row)
    found = [
        Finding(
            what="conflict",
            kind=one.kind,
            classes=(max(one.class_code, other.class_code, key=_narrowness),),
            areas=pair,
            rows=tuple(sorted((one.code, other.code))),
            role=one.role,
            times=tuple(coverage.moments.told(bits)),
            places=tuple(places),
        )
        for pair, places in shared.items()
        for one, other, bits in _clashes(by_area, pair, coverage.row_bits)
    ]
    return sorted(found, key=lambda item: (item.kind, item.rows))


def _clashes(
    by_area: Mapping[str, Sequence[PlanRow]], pair: tuple[str, str], held: Mapping[str, int]
) -> Iterator[tuple[PlanRow, PlanRow, int]]:
    for one in by_area.get(pair[0], ()):
        for other in by_area.get(pair[1], ()):
            bits = held[one.code] & held[other.code]
            is_same = (one.kind, one.role) == (other.kind, other.role)
            if is_same and bits and one.unit_code != other.unit_code and _meet(one, other):
                yield one, other, bits


def _meet(one: PlanRow, other: PlanRow) -> bool:
    narrow, wide = sorted((one.class_code, other.class_code), key=_narrowness, reverse=True)
    return wide == ANYWHERE or narrow.startswith(wide)


def _narrowness(class_code: str) -> int:
    return 0 if class_code == ANYWHERE else len(class_code)
