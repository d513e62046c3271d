"""How fast cases are decided: the grid alone, in bulk, one by one; opening; geocoding."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import shapely
from rapidfuzz import process

from api import Case, Position, open_snapshot
from api.geocoding.geocode import geocode
from tests.benchmarks.city import City, make_cases
from tests.benchmarks.measure import Figure, best_of, quantiles_us

_PEER_CASES = 50_000
"""Cases the joins are timed with: they keep nothing between calls, so their rate is that of any number."""


def measure(city: City, *, cases: int) -> Iterator[Figure]:
    """Yield the figures of one city."""
    frame = make_cases(city, count=cases)
    yield from _grid(city, frame)
    yield from _bulk(city, frame)
    yield from _single(city, frame)
    yield from _opening(city)
    yield from _geocoding(city)


def _grid(city: City, frame: pd.DataFrame) -> Iterator[Figure]:
    index = open_snapshot(city.folder).edition().grids.index
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    index.locate(x[:1000], y[:1000])
    ours, found = best_of(lambda: index.locate(x, y))
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y))
    cells = gpd.GeoDataFrame(city.grids[["code"]], geometry=city.grids["geometry"])
    peer, joined = best_of(lambda: gpd.sjoin(points, cells, predicate="intersects"))
    wanted = joined.groupby(level=0)["code"].min()
    inside = np.flatnonzero(found.distance_m == 0.0)
    codes = np.asarray(index.codes, dtype=object)
    same = (codes[found.position[inside]] == wanted.reindex(inside).to_numpy()).sum()
    differences = len(inside) - same + abs(len(wanted) - len(inside))
    rate, peer_rate = len(x) / ours, len(x) / peer
    yield Figure(
        work=f"grid of {len(x):,} points, {len(index):,} grids", ours=rate, unit="points/s",
        peer="geopandas.sjoin intersects", peers=peer_rate, note=f"{differences} differences",
    )  # fmt: skip
    sigma_m = frame["accuracy_m"].to_numpy()
    spent, _ = best_of(lambda: index.shares(x, y, sigma_m), times=1)
    yield Figure(work="share of the error disc in each grid", ours=len(x) / spent, unit="points/s")


def _bulk(city: City, frame: pd.DataFrame) -> Iterator[Figure]:
    few = frame.dropna(subset=["x"]).head(_PEER_CASES)
    peer, _ = best_of(lambda: _joins(city, few), times=1)
    with tempfile.TemporaryDirectory(prefix="wanmi-cases-") as folder:
        path = Path(folder) / "cases.arrow"
        feather.write_feather(pa.Table.from_pandas(frame), path, compression="uncompressed")
        for threads in (1, 2):
            command = ["tests.benchmarks.deciding_many", city.folder, path, threads]
            run = subprocess.run(
                [sys.executable, "-m", *map(str, command)],
                check=True,
                capture_output=True,
                text=True,
            )
            rate, first_s, peak_mb, grown_mb, answers_mb = map(float, run.stdout.split())
            yield Figure(
                work=f"full decision of {len(frame):,} cases, {threads} core(s)", ours=rate,
                unit="cases/s", peer="geopandas sjoin + sjoin_nearest", peers=len(few) / peer,
                note=f"peer: no shares, plan, reasons; peak {peak_mb:,.0f} MB, of it {grown_mb:,.0f} MB for"
                f" all cases, {answers_mb:,.0f} MB answers; first answers after {first_s:.1f} s",
            )  # fmt: skip
    snapshot = open_snapshot(city.folder)
    snapshot.assign(frame.head(1000))
    ours, _ = best_of(lambda: snapshot.assign(frame), times=2)
    yield Figure(work="the same from a pandas frame", ours=len(frame) / ours, unit="cases/s")


def _joins(city: City, frame: pd.DataFrame) -> pd.DataFrame:
    points = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["x"], frame["y"]))
    cells = gpd.GeoDataFrame(city.grids[["code"]], geometry=city.grids["geometry"])
    located = gpd.sjoin(points, cells.rename(columns={"code": "grid_code"}), how="left")
    parts = []
    for class_code, asked in points[points["kind"] == "component"].groupby("class_code"):
        own = city.components[city.components["class_code"] == class_code]
        own = gpd.GeoDataFrame(own[["code", "maintainer_code"]], geometry=own["geometry"])
        parts.append(gpd.sjoin_nearest(asked, own, how="left", max_distance=30.0))
    return located.join(pd.concat(parts)[["code", "maintainer_code"]])


def _single(city: City, frame: pd.DataFrame) -> Iterator[Figure]:
    snapshot = open_snapshot(city.folder)
    cases = [
        Case(
            kind=row.kind,
            class_code=row.class_code,
            position=Position(x=row.x, y=row.y, crs="city", accuracy_m=row.accuracy_m),
        )
        for row in frame.dropna(subset=["x"]).head(500).itertuples()
    ]
    for case in cases[:50]:
        snapshot.decide(case)
    median, high = quantiles_us(lambda number: snapshot.decide(cases[number]), times=len(cases))
    yield Figure(
        work="one decision with its trace, median", ours=median, unit="µs", note=f"p99 {high:,.0f}"
    )


def _opening(city: City) -> Iterator[Figure]:
    ours, _ = best_of(lambda: open_snapshot(city.folder))

    def first_answer() -> None:
        opened = open_snapshot(city.folder)
        opened.decide(
            Case(position=Position(x=500_050.0, y=4_200_050.0, crs="city"), class_code="0104")
        )

    first, _ = best_of(first_answer, times=2)
    names = [f"{name}.arrow" for name in ("unit_grids", "areas", "components", "places")]

    def read_all() -> None:
        for name in names:
            table = feather.read_table(city.folder / name).to_pandas()
            shapely.from_wkb(table["geometry"].to_numpy())

    peer, _ = best_of(read_all, times=1)
    yield Figure(
        work="open a snapshot", ours=ours * 1e3, unit="ms", peer="read all tables", peers=peer * 1e3
    )
    yield Figure(
        work="open and answer the first case", ours=first * 1e3, unit="ms", peer="read all tables",
        peers=peer * 1e3,
    )  # fmt: skip


def _geocoding(city: City) -> Iterator[Figure]:
    snapshot = open_snapshot(city.folder)
    rng = np.random.default_rng(3)
    rows = rng.integers(len(city.places), size=300)
    asked = city.places.iloc[rows]
    queries = [
        f"{road}{plate}门口" for road, plate in zip(asked["road"], asked["plate"], strict=True)
    ]
    geocode(snapshot, queries[0])
    ours, found = best_of(lambda: [geocode(snapshot, text, limit=1) for text in queries])
    hits = np.mean([bool(f) and f[0].code == c for f, c in zip(found, asked["code"], strict=True)])
    names = city.places["full_address"].tolist()
    few = queries[:15]
    peer, best = best_of(lambda: [process.extractOne(text, names) for text in few], times=1)
    codes = city.places["code"].to_numpy()
    peer_hits = np.mean(
        [codes[b[2]] == c for b, c in zip(best, asked["code"][: len(few)], strict=True)]
    )
    yield Figure(
        work=f"geocode among {len(names):,} plates", ours=len(queries) / ours, unit="texts/s",
        peer="rapidfuzz extractOne", peers=len(few) / peer, note=f"hit@1 {hits:.2f} against {peer_hits:.2f}",
    )  # fmt: skip
