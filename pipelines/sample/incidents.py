"""What happens in the year: faults of components, events in hot spots and everywhere else."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import shapely

from pipelines.sample.components import Layer
from pipelines.sample.district import District
from pipelines.sample.plan import Array

COMPONENT_WEIGHT = {
    "0101": 2, "0102": 3, "0103": 3, "0104": 3, "0123": 12, "0137": 1.5, "0204": 6, "0217": 8,
    "0301": 6, "0305": 4, "0402": 1.2,
}  # fmt: skip
"""Class -> how much oftener than others one of its components fails."""
EVENTS = {
    "0110": ("暴露垃圾", 14), "0111": ("积存垃圾渣土", 6), "0112": ("道路不洁", 7), "0113": ("道路破损", 5),
    "0117": ("绿地脏乱", 3), "0129": ("露天烧烤", 2), "0136": ("乱堆物堆料", 6), "0201": ("非法小广告", 9),
    "0203": ("违规户外广告", 3), "0302": ("施工占道", 2), "0304": ("工地扬尘", 2), "0305": ("施工废弃料", 2),
    "0401": ("无照经营游商", 9), "0405": ("店外经营", 8), "0406": ("占道经营", 5), "0409": ("机动车乱停放", 9),
    "0410": ("非机动车乱停放", 6), "0501": ("供水管道破裂", 0.5), "0503": ("排水管道堵塞、破裂", 1),
    "0506": ("道路积水", 1), "0507": ("道路积雪、积冰", 1), "0508": ("架空线缆脱落", 1.5),
    "0602": ("临街屠宰", 0.5), "0604": ("门前三包", 2),
}  # fmt: skip
"""Minor class -> name and how often."""
_SEASONS = {"0507": (12, 1, 2), "0506": (6, 7, 8), "0129": (5, 6, 7, 8, 9)}
_HOURS = {"0129": (18, 23), "0401": (7, 22), "0304": (8, 18)}
_Gathering = tuple[str, str, tuple[int, int], tuple[int, int], float]
_SPOTS: tuple[_Gathering, ...] = (
    ("market", "0405", (6, 11), (1, 12), 55.0),
    ("school", "0409", (7, 17), (3, 6), 60.0),
    ("hospital", "0409", (8, 17), (1, 12), 70.0),
    ("station", "0401", (17, 23), (4, 10), 75.0),
    ("mall", "0410", (10, 21), (1, 12), 65.0),
    ("site", "0304", (8, 18), (4, 6), 60.0),
    ("hutong", "0110", (6, 20), (6, 9), 70.0),
    ("hutong", "0401", (17, 22), (5, 10), 55.0),
    ("park", "0129", (18, 23), (6, 8), 80.0),
    ("slab", "0110", (6, 20), (1, 12), 60.0),
)
"""Use of the block, class, hours, months and spread of what gathers there."""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that truly happened."""

    kind: str
    class_code: str
    name: str
    when: datetime
    """Local time."""
    x: float
    y: float
    component_code: str = ""
    index: int = -1
    """Row of the component in its layer."""
    hotspot: str = ""

    def moved(self, x: float, y: float) -> "Incident":
        """Return the same at another place."""
        return replace(self, x=x, y=y)


def happen(
    district: District, layers: tuple[Layer, ...], stream: np.random.Generator, *, count: int
) -> tuple[list[Incident], pd.DataFrame]:
    """Return `count` incidents in order of time, and the hot spots among them."""
    faults = _faults(layers, stream, round(count * 0.45))
    gathered, table = _hotspots(district, stream, round(count * 0.2))
    scattered = _scattered(district, stream, count - len(faults) - len(gathered))
    incidents = sorted(
        [*faults, *gathered, *scattered], key=lambda i: (i.when, i.kind, i.class_code, i.x, i.y)
    )
    return incidents, table


def _faults(layers: tuple[Layer, ...], stream: np.random.Generator, count: int) -> list[Incident]:
    sizes = np.array(
        [len(layer.at) * COMPONENT_WEIGHT.get(layer.class_code, 1.0) for layer in layers]
    )
    chosen = stream.choice(len(layers), count, p=sizes / sizes.sum())
    codes = [layer.codes for layer in layers]
    result = []
    for which in chosen.tolist():
        layer = layers[which]
        row = int(stream.integers(len(layer.at)))
        result.append(
            Incident(
                kind="component",
                class_code=layer.class_code,
                name=layer.name,
                when=_when(stream, (1, 12), (6, 22)),
                x=float(layer.at[row, 0]),
                y=float(layer.at[row, 1]),
                component_code=codes[which][row],
                index=row,
            )
        )
    return result


def _when(stream: np.random.Generator, months: tuple[int, ...], hours: tuple[int, int]) -> datetime:
    """Return a moment within months (first to last) and hours; at night little is seen."""
    first, last = months[0], months[-1]
    start = datetime(2025, first, 1)  # noqa: DTZ001
    end = datetime(2026, 1, 1) if last == 12 else datetime(2025, last + 1, 1)  # noqa: DTZ001
    day = start + timedelta(days=int(stream.integers((end - start).days)))
    low, high = (0, 24) if stream.uniform() < 0.04 else hours
    return day + timedelta(seconds=int(stream.integers(low * 3600, high * 3600)))


def _hotspots(
    district: District, stream: np.random.Generator, count: int
) -> tuple[list[Incident], pd.DataFrame]:
    wanted = max(3, min(60, round(district.plan.area_km2 * 1.5)))
    blocks = {spot[0]: [b for b in district.blocks if b.use == spot[0]] for spot in _SPOTS}
    spots: list[tuple[_Gathering, Array]] = []
    for number in range(wanted * 3):
        gathering = _SPOTS[number % len(_SPOTS)]
        free = blocks[gathering[0]]
        if free and len(spots) < wanted:
            block = free.pop(int(stream.integers(len(free))))
            centre = np.array([[block.land.centroid.x, block.box[1]]])
            spots.append((gathering, district.plan.warp.forward(centre)[0]))
    share = np.array([1.0 / (rank + 2) for rank in range(len(spots))])
    sizes = np.maximum(8, np.round(count * share / share.sum())).astype(int)
    incidents, rows = [], []
    land = district.areas.district.land.buffer(-3)
    for number, ((gathering, at), size) in enumerate(zip(spots, sizes.tolist(), strict=True), 1):
        use, class_code, hours, months, spread = gathering
        points = at + stream.normal(size=(size, 2)) * spread
        points = np.round(points[shapely.contains_xy(land, points[:, 0], points[:, 1])], 3)
        name = f"H{number:02d}"
        incidents += [
            Incident(
                kind="event", class_code=class_code, name=EVENTS[class_code][0],
                when=_when(stream, months, hours), x=float(x), y=float(y), hotspot=name,
            )
            for x, y in points
        ]  # fmt: skip
        rows.append(
            (name, class_code, use, f"{at[0]:.3f}", f"{at[1]:.3f}", f"{spread:g}",
             f"2025-{months[0]:02d}", f"2025-{months[1]:02d}", f"{hours[0]:02d}:00",
             f"{hours[1]:02d}:00", len(points))
        )  # fmt: skip
    columns = ["hotspot", "class_code", "use", "x", "y", "sigma_m", "from_month", "to_month",
               "from_hour", "to_hour", "cases"]  # fmt: skip
    return incidents, pd.DataFrame(rows, columns=columns)


def _scattered(district: District, stream: np.random.Generator, count: int) -> list[Incident]:
    """Events on the pavements and in the yards of the whole district."""
    codes = list(EVENTS)
    weights = np.array([EVENTS[code][1] for code in codes], dtype=float)
    chosen = stream.choice(len(codes), count, p=weights / weights.sum())
    points = _pavements(district, stream, count)
    return [
        Incident(
            kind="event",
            class_code=codes[which],
            name=EVENTS[codes[which]][0],
            when=_when(
                stream,
                _month(stream, _SEASONS.get(codes[which])),
                _HOURS.get(codes[which], (6, 22)),
            ),
            x=float(x),
            y=float(y),
        )
        for which, (x, y) in zip(chosen.tolist(), points, strict=True)
    ]


def _month(stream: np.random.Generator, months: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the whole year, or one of the class's months (seldom another)."""
    if months is None or stream.uniform() < 0.1:
        return (1, 12)
    month = int(stream.choice(months))
    return (month, month)


def _pavements(district: District, stream: np.random.Generator, count: int) -> Array:
    """Return points near the roads, more where the roads are denser."""
    lengths = shapely.length(district.roads)
    road = stream.choice(len(lengths), count * 2, p=lengths / lengths.sum())
    along = stream.uniform(0, 1, count * 2) * lengths[road]
    at = shapely.get_coordinates(shapely.line_interpolate_point(district.roads[road], along))
    reach = 6.0 + 14.0 * (3 - district.network.ranks[road])
    at = at + stream.uniform(-1, 1, at.shape) * reach[:, None] * 0.7
    land = district.areas.district.land.buffer(-1)
    shapely.prepare(land)
    inside = at[shapely.contains_xy(land, at[:, 0], at[:, 1])]
    result: Array = np.round(inside[:count], 3)
    assert len(result) == count, "twice as many points are tried as are needed"
    return result
