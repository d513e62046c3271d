"""``make grid-bench``: towns divided by Wanmi and by simpler ways, with the figures of each side by side.

By hand: ``python -m tests.benchmarks.grids snezhinsk wuhan-16 --no-rivals``.
"""

import argparse
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import psutil
import shapely

from gis.vector import write_vector
from gridding.division import Run, divide
from gridding.numbering import number
from gridding.options import DivisionOptions
from gridding.quality import Quality, measure
from tests.benchmarks.rivals import RIVALS
from tests.benchmarks.stability import measure_stability
from tests.real.towns import Town, is_here, load

TOWNS = ("sample-4", "snezhinsk", "bund", "cambridge", "wuhan-16", "wuhan-100", "wuhan-529")
_RIVALS_UP_TO_KM2 = 20.0
_STABLE = ("snezhinsk",)

COLUMNS: dict[str, Callable[[Quality], str]] = {
    "grids": lambda q: f"{q.grids:,}",
    "median (IQR) m²": lambda q: f"{q.median_m2:,.0f} ({q.iqr_m2[0]:,.0f}-{q.iqr_m2[1]:,.0f})",
    "0.5-1.5 T": lambda q: f"{q.share_within:.3f}",
    "0.7-1.3 T": lambda q: f"{q.share_near:.3f}",
    "buildings cut": lambda q: f"{q.buildings_cut} of {q.buildings:,}" if q.buildings else "–",
    "PP median / p10": lambda q: f"{q.compactness:.3f} / {q.compactness_p10:.3f}",
    "on features": lambda q: f"{q.border_on_features:.3f}",
    "clear": lambda q: f"{q.border_clear:.3f}",
    "open": lambda q: f"{q.border_open:.3f}",
    "main roads": lambda q: _both(q.main_roads_on_borders, q.main_roads_served),
    "comp. < 0.5 m": lambda q: _both(q.components_on_borders, q.components_on_own_borders),
    "comp. CV": lambda q: _or_dash(q.component_variation),
    "vertices": lambda q: f"{q.vertices:.1f}",
    "patrol m": lambda q: f"{q.patrol_m:.0f}",
    "walk m": lambda q: f"{q.longest_walk_m:.0f}",
    "gaps m²": lambda q: f"{q.gaps_m2:.1f}",
    "overlaps m²": lambda q: f"{q.overlaps_m2:.1f}",
}

_BESIDE = ("clear", "patrol m", "walk m", "gaps m²", "overlaps m²")
"""Columns of the second table, which stands in the documentation below the first."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One way to divide one town."""

    town: str
    way: str
    quality: Quality
    seconds_per_km2: float
    """CPU seconds of all processes."""
    wall_s: float
    mb_per_km2: float


def main() -> None:
    """Measure and show the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.grids", description=__doc__)
    parser.add_argument("towns", nargs="*", default=list(TOWNS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--no-shuffle", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the grids, as GeoPackages")
    chosen = parser.parse_args()
    lines: list[Line] = []
    for name in chosen.towns:
        if not is_here(name):
            _say(f"{name}: its data is not on this machine")
            continue
        town = load(name)
        area = float(town.communities.area.sum() / 1e6)
        line, grids = _ours(town, "Wanmi", DivisionOptions(), workers=chosen.workers)
        lines.append(line)
        if chosen.keep:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            write_vector(grids, chosen.keep / f"{town.name}.gpkg")
        if len(town.components):
            balanced = DivisionOptions(balance_weight=2.0)
            lines.append(_ours(town, "Wanmi, balanced", balanced, workers=chosen.workers)[0])
        if not chosen.no_rivals and area < _RIVALS_UP_TO_KM2:
            lines += [_rival(town, way) for way in RIVALS]
        if not chosen.no_shuffle and area < _RIVALS_UP_TO_KM2:
            _say(f"{name}: shuffled input gives the same output: {_is_repeatable(town, grids)}")
        if name in _STABLE:
            _say(f"{name}: {_stability(town, grids)}")
    _show(lines)


def _ours(
    town: Town, way: str, options: DivisionOptions, *, workers: int
) -> tuple[Line, gpd.GeoDataFrame]:
    with _Meter(area_km2=float(town.communities.area.sum() / 1e6)) as meter:
        grids = divide(
            town.communities,
            features=town.features,
            components=town.components,
            options=options,
            run=Run(workers=workers),
        )
    return meter.line(town, way, _measured(grids, town, options)), grids


def _rival(town: Town, way: str) -> Line:
    with _Meter(area_km2=float(town.communities.area.sum() / 1e6)) as meter:
        grids = RIVALS[way](town)
    return meter.line(town, way, _measured(grids, town, DivisionOptions()))


def _measured(grids: gpd.GeoDataFrame, town: Town, options: DivisionOptions) -> Quality:
    return measure(
        grids,
        features=town.features,
        components=town.components,
        communities=town.communities,
        options=options,
    )


class _Meter:
    """CPU seconds of this process and its workers, and the most memory they had on top of before."""

    def __init__(self, *, area_km2: float) -> None:
        self._area_km2 = area_km2
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._peak = 0

    def __enter__(self) -> "_Meter":
        self._before = _memory(self._process)
        self._cpu_s, self._start = _cpu_s(self._process), time.perf_counter()
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.perf_counter() - self._start
        self.cpu_s = _cpu_s(self._process) - self._cpu_s
        self._stop.set()
        self._watch.join()
        self.mb = max(0, self._peak - self._before) / 1e6

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self._peak = max(self._peak, _memory(self._process))

    def line(self, town: Town, way: str, quality: Quality) -> Line:
        return Line(
            town=town.name,
            way=way,
            quality=quality,
            seconds_per_km2=self.cpu_s / self._area_km2,
            wall_s=self.wall_s,
            mb_per_km2=self.mb / self._area_km2,
        )


def _memory(process: psutil.Process) -> int:
    total = int(process.memory_info().rss)
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += int(child.memory_info().rss)
    return total


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _is_repeatable(town: Town, grids: gpd.GeoDataFrame) -> bool:
    features = town.features.sample(frac=1.0, random_state=3)
    turned = features.set_geometry(shapely.reverse(features.geometry.to_numpy()))
    shuffled = replace(
        town,
        features=turned.set_crs(town.features.crs, allow_override=True),
        communities=town.communities.iloc[::-1],
        components=town.components.iloc[::-1],
    )
    _, again = _ours(shuffled, "again", DivisionOptions(), workers=1)
    same = shapely.to_wkb(grids.geometry.to_numpy()) == shapely.to_wkb(again.geometry.to_numpy())
    return bool(np.all(same))


def _stability(town: Town, grids: gpd.GeoDataFrame) -> str:
    coded = grids.assign(code=number(grids, code_length=15))
    found = measure_stability(coded, town.features, edits=30, seed=1)
    return (
        f"{found.edits} edits: {found.touched:.1f} grids touched and {found.changed:.1f} changed per edit, "
        f"{found.beyond} changed beyond those touched, {found.unsound} left an invalid coverage, "
        f"{found.seconds:.2f} s per edit (slowest {found.slowest_s:.2f} s)"
    )


def _both(all_borders: float, own: float) -> str:
    return "–" if np.isnan(all_borders) else f"{all_borders:.3f} / {own:.3f}"


def _or_dash(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _show(lines: list[Line]) -> None:
    """Write both tables as they stand in ``docs/gridding.md``."""
    first = [name for name in COLUMNS if name not in _BESIDE]
    _table(lines, first, [])
    _table(lines, list(_BESIDE), ["CPU s/km²", "s in all", "MB/km²"])


def _table(lines: list[Line], columns: list[str], more: list[str]) -> None:
    head = ["town", "way", *columns, *more]
    _say("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for line in lines:
        cells = [line.town, line.way, *(COLUMNS[name](line.quality) for name in columns)]
        if more:
            cells += [f"{line.seconds_per_km2:.2f}", f"{line.wall_s:.1f}", f"{line.mb_per_km2:.1f}"]
        _say("| " + " | ".join(cells) + " |")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
