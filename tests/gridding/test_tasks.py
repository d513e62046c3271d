"""Division side by side and after a stop: what comes out is always the same, and nothing is done twice."""

import multiprocessing
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, box

from gridding.division import Run, divide, divide_land
from gridding.options import DivisionOptions
from gridding.scene import Scene, read_scene
from gridding.tasks import LandTask, Memo, run_tasks

CRS = "EPSG:4547"
ROOT = Path(__file__).resolve().parents[2]
COUNT = 6


def communities() -> gpd.GeoDataFrame:
    shapes = [box(k * 400.0, 0, (k + 1) * 400.0, 400) for k in range(COUNT)]
    codes = [f"130102001{number:03d}" for number in range(1, COUNT + 1)]
    return gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=CRS)


def features() -> gpd.GeoDataFrame:
    rng = np.random.default_rng(3)
    halls = [box(x, y, x + 14, y + 11) for x, y in rng.uniform(0, [2400, 400], (400, 2)).round(2)]
    roads = [LineString([(0, y), (2400, y + 9)]) for y in (120.0, 260.0)]
    roads += [LineString([(x, 0), (x + 7, 400)]) for x in range(150, 2400, 310)]
    classes = ["310300"] * len(halls) + ["430503"] * len(roads)
    return gpd.GeoDataFrame({"feature_class": classes}, geometry=[*halls, *roads], crs=CRS)


def as_list(grids: gpd.GeoDataFrame) -> list[tuple[str, bytes]]:
    shapes = shapely.to_wkb(grids.geometry.to_numpy())
    return list(zip(grids["community_code"], shapes, strict=True))


def kept_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {f.name: (f.stat().st_mtime_ns, f.read_bytes()) for f in folder.glob("*.wkb")}


@pytest.fixture(scope="module")
def plain() -> list[tuple[str, bytes]]:
    return as_list(divide(communities(), features=features()))


def stuck_run(folder: Path) -> None:
    """Divide the town and stay at its first community until ended from outside."""

    def wait(done: int) -> None:
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)  # noqa: T201
        time.sleep(600.0)

    run = Run(workers=2, memo=folder, progress=wait)
    divide(communities(), features=features(), run=run)


def killed_run(folder: Path) -> list[int]:
    """Kill a run after its first community and return the numbers of the workers it had."""
    script = "import sys, pathlib; from tests.gridding.test_tasks import stuck_run; "
    script += "stuck_run(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [int(number) for number in process.stdout.readline().split()]
        process.kill()
    return workers


def is_running(number: int) -> bool:
    status = Path(f"/proc/{number}/stat")
    return (
        status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    )


def test_a_run_that_was_killed_goes_on_where_it_was(
    plain: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    folder = tmp_path / "memo"
    workers = killed_run(folder)
    assert len(workers) == 2
    first = kept_in(folder)
    assert len(first) == 1
    # What a kill in the middle of writing leaves behind is not taken for a result.
    (folder / f"{'0' * 32}.99.partial").write_bytes(b"\x01")
    run = Run(memo=folder)
    assert as_list(divide(communities(), features=features(), run=run)) == plain
    now = kept_in(folder)
    assert len(now) == COUNT
    assert first.items() <= now.items()
    assert as_list(divide(communities(), features=features(), run=run)) == plain
    assert kept_in(folder) == now
    # Nor do workers outlive the run.
    until = time.monotonic() + 180
    while any(map(is_running, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, workers))


def test_two_workers_give_what_one_gives(plain: list[tuple[str, bytes]], tmp_path: Path) -> None:
    done: list[int] = []
    run = Run(workers=2, memo=tmp_path / "memo", progress=done.append)
    assert as_list(divide(communities(), features=features(), run=run)) == plain
    assert sum(done) == COUNT


def test_ground_that_was_sent_to_a_worker_is_divided_as_it_is_here() -> None:
    options = DivisionOptions()
    wood = shapely.Polygon([(13.37, 8.11), (391.23, 55.71), (377.77, 301.13), (41.19, 377.03)])
    zoned = gpd.GeoDataFrame({"feature_class": ["810300"]}, geometry=[wood], crs=features().crs)
    scene = read_scene(zoned, options=options)
    land = shapely.normalize(box(0, 0, 400, 400))
    # What is sent forgets the precision grid that it was put on.
    assert shapely.get_precision(scene.zones).tolist() == [options.precision_m]
    sent_land, sent = pickle.loads(pickle.dumps((land, scene.near(land))))
    assert shapely.get_precision(sent.zones).tolist() == [0.0]
    here = divide_land(land, scene.near(land), options=options)
    there = divide_land(sent_land, sent, options=options)
    assert [shape.wkb for shape in here] == [shape.wkb for shape in there]
    assert set(shapely.get_precision(here).tolist()) == {0.0}


def test_a_kept_result_that_is_broken_is_made_anew(
    plain: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    run = Run(memo=tmp_path)
    divide(communities(), features=features(), run=run)
    files = sorted(tmp_path.glob("*.wkb"))
    whole = files[0].read_bytes()
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes()[:-20])
    files[2].write_bytes(b"not geometry")
    assert as_list(divide(communities(), features=features(), run=run)) == plain
    assert files[0].read_bytes() == whole
    assert list(tmp_path.glob("*.partial")) == []


def test_a_result_is_kept_for_the_same_ground_and_wishes_only(tmp_path: Path) -> None:
    options = DivisionOptions()
    scene = read_scene(features(), options=options)
    land = shapely.normalize(box(0, 0, 400, 400))
    task = LandTask(number=0, land=land, scene=scene.near(land))
    memo = Memo.at(tmp_path)
    other_land = shapely.normalize(box(0, 0, 400, 400.01))
    fewer = read_scene(features().iloc[1:], options=options)
    points = gpd.GeoDataFrame(geometry=shapely.points([[5.0, 5.0]]), crs=CRS)
    more = read_scene(features(), components=points, options=options)
    paths = [
        memo.path(task, options),
        memo.path(task, replace(options, neatness=0.6)),
        memo.path(task, replace(options, zone_targets={"81": 50_000.0})),
        memo.path(replace(task, land=other_land), options),
        memo.path(replace(task, scene=more.near(land)), options),
    ]
    assert len(set(paths)) == len(paths)
    # Neither the number of the community nor what lies elsewhere plays a part.
    assert memo.path(replace(task, number=9), options) == paths[0]
    away = shapely.normalize(box(2000, 0, 2400, 400))
    far = LandTask(number=0, land=away, scene=scene.near(away))
    without = replace(far, scene=fewer.near(away))
    first = features().geometry.iloc[0]
    assert not first.intersects(away)
    assert memo.path(far, options) == memo.path(without, options)
    assert Memo.at(None).path(task, options) is None


def broken(
    land: shapely.Polygon, scene: object, *, options: DivisionOptions
) -> list[shapely.Polygon]:
    if land.bounds[0] > 700:
        msg = "no division here"
        raise ValueError(msg)
    return [land]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_comes_out_and_leaves_what_was_done(workers: int, tmp_path: Path) -> None:
    options = DivisionOptions()
    scene = read_scene(features().iloc[:0], options=options)
    tasks = [
        LandTask(number=number, land=land, scene=scene)
        for number, land in enumerate(communities().geometry)
    ]
    memo = Memo.at(tmp_path)
    found = []
    with (
        pytest.raises(ValueError, match="no division here"),
        run_tasks(tasks, broken, options=options, workers=workers, memo=memo) as done,
    ):
        found += list(done)
    assert len(list(tmp_path.glob("*.wkb"))) == 2


def test_tasks_are_asked_for_as_they_are_needed() -> None:
    options = DivisionOptions()
    scene = read_scene(features().iloc[:0], options=options)
    asked = []

    def tasks() -> Iterator[LandTask]:
        for number, land in enumerate(communities().geometry):
            asked.append(number)
            yield LandTask(number=number, land=land, scene=scene)

    with run_tasks(tasks(), divide_land, options=options, workers=1, memo=Memo.at(None)) as done:
        assert asked == []
        number, grids = next(done)
        assert (number, asked) == (0, [0])
        assert sum(grid.area for grid in grids) == pytest.approx(160_000)


def test_worker_loads_no_tables():
    loaded = "import sys, gridding.tasks, gridding.land; print(*sys.modules)"
    command = [sys.executable, "-c", loaded]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(found.stdout.split())
    assert "gridding.partition" in modules
    assert not modules & {"pandas", "geopandas", "pyproj", "pyogrio"}
    assert divide_land.__module__ == "gridding.land"
    assert Scene.__module__ == "gridding.scenery"
