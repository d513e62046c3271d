"""A reproducible random sample of components for field checking 外业抽样检查.

Each class is a lot 批; a lot is divided among communities, so that no place is left out. Whether a
component is drawn depends on the seed and its code alone, not on the order or number of other rows:
the same seed draws the same sample again, on any machine.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import pandas as pd

from gis.codes import read_table
from gis.errors import RequestError

NO_COMMUNITY = "-"
"""Stands for the community of components that lie in none."""


@dataclass(frozen=True, kw_only=True)
class SamplePlan:
    """How many components are drawn, and by which lot."""

    seed: int = 1
    least: int = 24
    """Components per class at least, as far as there are so many: 20 to be judged, and a reserve."""
    most: int = 100
    """Components per class at most."""

    def __post_init__(self) -> None:
        """Refuse limits that contradict.

        Raises
        ------
        RequestError
            `least` or `most` is not positive, or `most` is less than `least`.
        """
        if self.least < 1 or self.most < self.least:
            msg = f"At least {self.least} and at most {self.most} per class can not be: give 1 <= least <= most."
            raise RequestError(
                msg, zh=f"每类最少 {self.least}、最多 {self.most} 不成立：应为 1 <= 最少 <= 最多。"
            )


def lot_sample_size(lot: int) -> int:
    """Return how many of a lot are checked by the table of GB/T 24356-2009 样本量确定表.

    A lot of more than 200 is divided into as few even parts of at most 200 as possible, each with
    its own sample. The table is recalled, not verified (``lots.csv``), and the edition of 2023 has
    changed the drawing of samples.

    Examples
    --------
    >>> [lot_sample_size(lot) for lot in (0, 2, 20, 21, 200, 201, 1000)]
    [0, 2, 3, 5, 15, 21, 75]
    """
    table = _lots()
    largest = table[-1][1]
    parts = max(1, math.ceil(lot / largest))
    sizes = [lot // parts + (number < lot % parts) for number in range(parts)]
    return sum(min(size, _size_of(size)) for size in sizes)


def _size_of(lot: int) -> int:
    return next((sample for _, last, sample in _lots() if lot <= last), 0) if lot else 0


@cache
def _lots() -> tuple[tuple[int, int, int], ...]:
    rows = read_table("census.accuracy", "lots.csv")
    return tuple(sorted((int(row["first"]), int(row["last"]), int(row["sample"])) for row in rows))


def class_sample_size(lot: int, plan: SamplePlan) -> int:
    """Return how many components of a class are drawn: by the table, at least `least`, at most `most`.

    Examples
    --------
    >>> [class_sample_size(lot, SamplePlan()) for lot in (5, 150, 300, 100_000)]
    [5, 24, 26, 100]
    """
    return min(lot, plan.most, max(lot_sample_size(lot), plan.least))


def allot(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """Return how many are drawn from each community: one each, the rest in proportion.

    Where there are more communities than components to draw, the ones with most components get one.
    What proportions leave over goes to the largest remainders, ties to the lower code.

    Parameters
    ----------
    counts : mapping
        Community -> components.
    size : int
        Components to draw, at most as many as there are.

    Examples
    --------
    >>> allot({"a": 60, "b": 30, "c": 10}, 10)
    {'a': 6, 'b': 3, 'c': 1}
    >>> allot({"a": 1, "b": 5, "c": 3}, 2)
    {'b': 1, 'c': 1}
    """
    order = sorted(counts, key=lambda code: (-counts[code], code))
    given = dict.fromkeys(order[:size], 1)
    left = size - len(given)
    while left > 0:
        total = sum(counts.values())
        open_ = [code for code in order if given[code] < counts[code]]
        # Who is farthest below the proportional share gets the next one.
        behind = min(open_, key=lambda code: (given[code] - size * counts[code] / total, code))
        given[behind] += 1
        left -= 1
    return {code: given[code] for code in sorted(given)}


def draw_sample(components: pd.DataFrame, plan: SamplePlan) -> pd.DataFrame:
    """Return the rows drawn, by class, community and code.

    Parameters
    ----------
    components : pandas.DataFrame
        ``code`` (unique), ``class_code``, ``community_code`` (missing: in none).
    plan : SamplePlan
        How many.

    Raises
    ------
    RequestError
        There are no components to draw from.

    Examples
    --------
    >>> rows = pd.DataFrame({"code": list("abc"), "class_code": "0101", "community_code": None})
    >>> draw_sample(rows, SamplePlan(least=1, most=2))["code"].tolist()
    ['a', 'c']
    """
    if components.empty:
        msg = "There are no components to draw from: build a delivery first, or name other classes."
        raise RequestError(msg, zh="没有可抽样的部件：请先入库，或更换类别。")
    community = components["community_code"].fillna(NO_COMMUNITY).astype(str)
    rows = pd.DataFrame(
        {
            "class_code": components["class_code"].astype(str),
            "community": community,
            "code": components["code"].astype(str),
        }
    )
    rows["lot"] = [_draw_number(code, plan.seed) for code in rows["code"]]
    rows = rows.sort_values(["class_code", "community", "lot", "code"])
    rank = rows.groupby(["class_code", "community"], sort=False).cumcount()
    sizes = rows.groupby(["class_code", "community"]).size()
    quota = {
        (name, where): number
        for name, group in sizes.groupby(level="class_code")
        for where, number in _quota(group.droplevel("class_code"), plan).items()
    }
    allowed = [
        quota.get((name, where), 0)
        for name, where in zip(rows["class_code"], rows["community"], strict=True)
    ]
    drawn = rows[rank < pd.Series(allowed, index=rows.index)]
    return components.loc[drawn.sort_values(["class_code", "community", "code"]).index]


def _quota(counts: "pd.Series[int]", plan: SamplePlan) -> dict[str, int]:
    per_community = {str(code): int(count) for code, count in counts.items()}
    return allot(per_community, class_sample_size(sum(per_community.values()), plan))


def _draw_number(code: str, seed: int) -> int:
    return int.from_bytes(blake2b(f"{seed}:{code}".encode(), digest_size=8).digest())
