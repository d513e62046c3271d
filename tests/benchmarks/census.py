"""``python -m tests.benchmarks.census``: a city's census judged and loaded beside ``ogr2ogr``, which judges nothing.

Both read the same file and write the same rows to the same server by COPY, with the same spatial
index. The machine may have other work, so seconds of processor are shown beside those of the clock:
those of the program and its children, and those of the database server.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from census.taxonomy import read_taxonomy
from gis import cluster
from gis.database import find_database, migrate
from gis.settings import Settings
from gis.workspace import open_workspace
from pipelines.build import build_delivery
from tests.benchmarks.city import CELL_M, X0, Y0, areas_of, cells, codes_of
from tests.benchmarks.measure import Figure, show

CRS = "EPSG:4547"
CLASSES = ("0101", "0102", "0104", "0105", "0106", "0107", "0108", "0109")
UNITS = 40
QGIS_81K_S = 766.0
"""Seconds that QGIS takes for four topology checks of 81,000 polygons (QGIS issue 45498)."""
_STREET_M = 20.0
_GEOQA = "import sys, geoqa; geoqa.profile(sys.argv[1]).summary()"


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a piece of work took."""

    clock_s: float
    cpu_s: float
    """Processor of this program and its children."""
    server_s: float
    """Processor of the database server."""
    memory_gb: float
    """Largest memory of the program that worked."""

    @property
    def both_s(self) -> float:
        """Processor of program and server."""
        return self.cpu_s + self.server_s


def write_census(folder: Path, *, components: int, suffix: str, seed: int = 1) -> Path:
    """Write a delivery of a square city: areas, grids, plan, units and so many components.

    One component in a thousand is at fault in one way or another. The same seed gives the same city.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    side = max(10, round(np.sqrt(components / 100) / 10) * 10)
    shapes = cells(side, rng)
    codes, communities = codes_of(side)
    grids = pd.DataFrame({"code": codes, "community_code": communities, "geometry": shapes})
    areas = areas_of(grids)
    _write(areas[["code", "name", "geometry"]], folder / "areas.gpkg")
    plain = grids[["code", "geometry"]].assign(CSRQ="20250101")
    _write(plain, folder / "grids.gpkg")
    _write(_plan(side), folder / "plan.gpkg")
    _units().to_csv(folder / "units.csv", index=False)
    points = _points(components, side, rng)
    holder = shapely.STRtree(shapes).query(points, predicate="intersects")
    grid = np.full(components, None, dtype=object)
    grid[holder[0]] = np.asarray(codes, dtype=object)[holder[1]]
    rows = _components(points, grid, rng)
    options = {"encoding": "GB18030"} if suffix == ".shp" else {}
    _write(rows, folder / f"components{suffix}", **options)
    layers = {
        "areas": "areas.gpkg",
        "topography": "plan.gpkg",
        "unit_grids": "grids.gpkg",
        "units": "units.csv",
        "components": f"components{suffix}",
    }
    lines = ["[delivery]", 'name = "city"', "as_of = 2026-05-31"]
    for dataset, path in layers.items():
        lines += ["[[layer]]", f'dataset = "{dataset}"', f'path = "{path}"']
        lines += ['class_field = "XLDM"'] if dataset == "components" else []
    (folder / "delivery.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _write(rows: pd.DataFrame, path: Path, **options: Any) -> None:
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    pyogrio.write_dataframe(frame, path, **options)


def _points(count: int, side: int, rng: np.random.Generator) -> Any:
    """Points along the streets, which part the cells."""
    size = side * CELL_M
    along = rng.uniform(30, size - 30, count)
    line = rng.integers(1, side, count) * CELL_M
    across = rng.uniform(-_STREET_M / 2, _STREET_M / 2, count)
    is_east = rng.uniform(size=count) < 0.5
    x = np.where(is_east, along, line + across)
    y = np.where(is_east, line + across, along)
    return shapely.points(X0 + x, Y0 + y)


def _components(points: Any, grid: Any, rng: np.random.Generator) -> pd.DataFrame:
    count = len(points)
    known = np.array(CLASSES, dtype=object)
    taxonomy = read_taxonomy("GB/T 30428.2-2013")
    named = {code: taxonomy.get("component", code).name for code in CLASSES}
    classes = known[rng.integers(len(known), size=count)]
    number = pd.Series(classes).groupby(classes).cumcount().to_numpy() + 1
    codes = np.array(
        [f"130102{c}{n % 999_999 + 1:06d}" for c, n in zip(classes, number, strict=True)],
        dtype=object,
    )
    units = np.array([f"W{n:02d}" for n in range(UNITS)], dtype=object)
    names = np.array([f"市政第{n:02d}管理处" for n in range(UNITS)], dtype=object)
    who = rng.integers(UNITS, size=(3, count))
    days = pd.date_range("2015-01-01", "2026-04-30").strftime("%Y%m%d").to_numpy(dtype=object)
    states = np.array(["完好", "破损", "丢失"], dtype=object)
    frame = pd.DataFrame(
        {
            "ObjID": codes,
            "XLDM": classes,
            "ObjName": pd.Series(classes).map(named).to_numpy(dtype=object),
            "DeptCode1": units[who[0]],
            "DeptName1": names[who[0]],
            "DeptCode2": units[who[1]],
            "DeptName2": names[who[1]],
            "DeptCode3": units[who[2]],
            "DeptName3": names[who[2]],
            "BGID": grid,
            "ObjState": states[np.minimum(rng.geometric(0.9, count) - 1, 2)],
            "ORDate": days[rng.integers(len(days), size=count)],
            "DataSource": "实测",
            "ObjPos": [f"解放路{n}号旁" for n in rng.integers(1, 3000, count)],
        }
    )
    bad = rng.choice(count, size=max(8, count // 1000), replace=False)
    parts = np.array_split(bad, 4)
    frame.loc[parts[0], "ObjID"] = codes[parts[0] - 1]
    frame.loc[parts[1], "XLDM"] = "0999"
    frame.loc[parts[2], "ORDate"] = "20299999"
    frame.loc[parts[3], "ObjID"] = "13010401"
    return frame.assign(geometry=points)


def _plan(side: int) -> pd.DataFrame:
    """Four buildings in the middle of each cell, and a river along the south."""
    rows, columns = np.divmod(np.arange(side * side), side)
    west, south = X0 + columns * CELL_M, Y0 + rows * CELL_M
    boxes = [
        shapely.box(west + dx, south + dy, west + dx + 20, south + dy + 20)
        for dx in (25, 55)
        for dy in (25, 55)
    ]
    houses = np.concatenate(boxes)
    size = side * CELL_M
    river = shapely.box(X0, Y0 - 40, X0 + size, Y0 - 12)
    return pd.DataFrame(
        {
            "OBJID": [f"H{n}" for n in range(len(houses))] + ["R1"],
            "FCODE": ["310300"] * len(houses) + ["210101"],
            "geometry": [*houses, river],
        }
    )


def _units() -> pd.DataFrame:
    numbers = range(UNITS)
    return pd.DataFrame(
        {
            "code": [f"W{n:02d}" for n in numbers],
            "name": [f"市政第{n:02d}管理处" for n in numbers],
            "kind": "部门",
        }
    )


def spent_on(command: list[str], *, server_pid: int, **environment: str) -> tuple[Spent, str]:
    """Return what a command took, and what it printed."""
    server, start = _server_cpu(server_pid), time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdout=output, env=os.environ | environment, cwd=Path(__file__).parents[2]
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        clock = time.perf_counter() - start
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        text = output.read().decode()
    time.sleep(0.5)  # a backend that has ended is counted once the server has noticed
    return (
        Spent(
            clock_s=clock,
            cpu_s=used.ru_utime + used.ru_stime,
            server_s=_server_cpu(server_pid) - server,
            memory_gb=used.ru_maxrss / 2**20,
        ),
        text,
    )


def _server_cpu(pid: int) -> float:
    """Return seconds of processor that a server's ended and running backends have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "stat").read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        if int(entry.name) == pid:
            total += sum(int(word) for word in words[11:15])
        elif int(words[1]) == pid:
            total += sum(int(word) for word in words[11:13])
    return total / ticks


def copy_by_ogr(file: Path, url: str) -> list[str]:
    """Return the command that loads a file with ``ogr2ogr``: COPY, spatial index, nothing checked."""
    return [
        "ogr2ogr", "-f", "PostgreSQL", f"PG:{url}", str(file), "-nln", "peer.component", "-overwrite",
        "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=GIST", "-gt", "65536",
        "--config", "PG_USE_COPY", "YES",
    ]  # fmt: skip


def measure(
    folder: Path, *, components: int, suffix: str, geoqa: str | None = None
) -> Iterator[Figure]:
    """Load a city by ogr2ogr and by a build, and yield the lines of the table."""
    # In a process of its own: what this one holds would count as memory of those it starts.
    with get_context("spawn").Pool(1) as pool:
        sizes = {"components": components, "suffix": suffix}
        delivery = pool.apply(write_census, (folder / "delivery",), sizes)
    file = delivery / f"components{suffix}"
    root = folder / "workspace"
    root.mkdir()
    (root / "wanmi.toml").write_text(
        '[city]\ncode = "130102"\nname = "石家庄市"\ncrs = "EPSG:4547"\n', encoding="utf-8"
    )
    workspace = open_workspace(root, settings=Settings(workspace=root))
    server = cluster.up(root)
    try:
        database = find_database(workspace)
        migrate(database)
        pid = cluster.state(root).pid
        assert pid is not None
        with database.connect() as connection:
            connection.execute("CREATE SCHEMA peer")
        build_delivery(_without_components(delivery), workspace=workspace)
        peer = None
        if shutil.which("ogr2ogr"):
            command = copy_by_ogr(file, database.url)
            peer, _ = spent_on(command, server_pid=pid, SHAPE_ENCODING="GB18030")
        build = [sys.executable, "-m", "wanmi", "-w", str(root), "build", "--json"]
        build.append(str(_components_alone(delivery)))
        ours, text = spent_on(build, server_pid=pid)
        again, _ = spent_on(build, server_pid=pid)
        rival = spent_on([geoqa, "-c", _GEOQA, str(file)], server_pid=pid)[0] if geoqa else None
    finally:
        cluster.down(root)
        shutil.rmtree(server.home, ignore_errors=True)
    reports = json.loads(text)
    yield from _figures(ours, peer, rival, what=f"load {components:,} components, {suffix}")
    report = next(report for report in reports if report["dataset"] == "components")
    yield Figure(
        work="  the same delivery again",
        ours=again.clock_s,
        unit="s",
        note=f"changes nothing: {report['rows_accepted']:,} loaded + {report['rows_rejected']:,} refused before",
    )


def _figures(
    ours: Spent, peer: Spent | None, rival: Spent | None, *, what: str
) -> Iterator[Figure]:
    name = "ogr2ogr COPY, no checks" if peer else "ogr2ogr is not installed"
    yield Figure(
        work=f"{what}, all checks",
        ours=ours.clock_s,
        unit="s",
        peer=name,
        peers=peer and peer.clock_s,
    )
    split = f"ours {ours.cpu_s:.1f} + {ours.server_s:.1f}"
    yield Figure(
        work="  processor, program and server",
        ours=ours.both_s,
        unit="s",
        peer=name,
        peers=peer and peer.both_s,
        note=split + (f", peer {peer.cpu_s:.1f} + {peer.server_s:.1f}" if peer else ""),
    )
    yield Figure(
        work="  largest memory",
        ours=ours.memory_gb,
        unit="GB",
        peer=name,
        peers=peer and peer.memory_gb,
    )
    yield Figure(
        work="  processor, the program alone",
        ours=ours.cpu_s,
        unit="s",
        peer="geoqa, profile without load" if rival else "geoqa is not given",
        peers=rival and rival.cpu_s,
        note=f"QGIS, 4 topology checks of 81,000 polygons: {QGIS_81K_S:.0f} s (QGIS issue 45498)",
    )


def _components_alone(delivery: Path) -> Path:
    return _part(delivery, "alone", lambda dataset: dataset == "components")


def _without_components(delivery: Path) -> Path:
    return _part(delivery, "rest", lambda dataset: dataset != "components")


def _part(delivery: Path, name: str, wanted: Callable[[str], bool]) -> Path:
    """Return a delivery of some of the layers, whose files are the same."""
    folder = delivery.with_name(name)
    if not folder.exists():
        shutil.copytree(delivery, folder, copy_function=os.link)
        (folder / "delivery.toml").unlink()
        head, *layers = (delivery / "delivery.toml").read_text(encoding="utf-8").split("[[layer]]")
        kept = [layer for layer in layers if wanted(layer.split('"')[1])]
        text = "[[layer]]".join([head, *kept])
        (folder / "delivery.toml").write_text(text, encoding="utf-8")
    return folder


def main() -> None:
    """Measure and show the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.census", description=__doc__)
    parser.add_argument("--components", type=int, default=1_000_000)
    parser.add_argument("--suffix", choices=[".shp", ".gpkg"], default=".shp")
    parser.add_argument("--geoqa", help="a Python that has geoqa, to run it on the same file")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wanmi-census-") as folder:
        Path(folder).chmod(0o755)
        figures = measure(
            Path(folder), components=sizes.components, suffix=sizes.suffix, geoqa=sizes.geoqa
        )
        show(list(figures))


if __name__ == "__main__":
    main()
