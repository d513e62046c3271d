"""Several processes and real kills: the bytes are those of a run that nobody disturbed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest

from api.bulk.run import Plan, work_through
from api.bulk.work import Deciding, opened, version_folder
from api.snapshot import Snapshot, open_snapshot
from gis.errors import RequestError, SnapshotError
from tests.api.bulk_workspace import make_workspace, numbered
from tests.api.district import X0, Y0

ROOT = Path(__file__).resolve().parents[3]
ROWS, SPAN = 3_000, 100
PAUSE_S = 0.05
PROGRAM = f"""
import signal
import sys
import time
from pathlib import Path
from api.bulk.run import Plan, work_through
from api.bulk.work import Deciding
from api.snapshot import open_snapshot

source, target, workers, scheduler, pause_s = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
snapshot = open_snapshot(Path(source).parent)
work = Deciding(folder=str(snapshot.folder.resolve()), version=snapshot.version)
plan = Plan(crs=snapshot.crs, span_rows={SPAN}, workers=int(workers), scheduler=scheduler or None)
done = work_through(
    Path(source), Path(target), work=work, signature=repr(work), plan=plan,
    advance=lambda _: time.sleep(float(pause_s)),
)
print(done.rows, done.rows_resumed)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("city"))
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "案件编号": [f"{number:06d}" for number in range(ROWS)],
            "类型": rng.choice(["部件", "事件"], ROWS),
            "类别代码": "0104",
            "X": (X0 + rng.uniform(0, 200, ROWS)).round(2),
            "Y": (Y0 + rng.uniform(0, 200, ROWS)).round(2),
            "坐标系": "city",
            "备注": "有人反映\n此处",
        }
    )
    frame.to_csv(folder / "in.csv", index=False, encoding="gb18030")
    return folder / "in.csv"


@pytest.fixture(scope="module")
def snapshot(source: Path) -> Snapshot:
    return open_snapshot(source.parent)


@pytest.fixture(scope="module")
def calm(source: Path, snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process writes that nobody disturbs, as CSV and as GeoPackage."""
    folder = tmp_path_factory.mktemp("calm")
    work = Deciding(folder=version_folder(snapshot.folder), version=snapshot.version)
    for suffix in (".csv", ".gpkg", ".parquet"):
        plan = Plan(crs=snapshot.crs, span_rows=SPAN)
        work_through(source, folder / f"out{suffix}", work=work, signature=repr(work), plan=plan)
    return folder


def start(
    source: Path, target: Path, *, workers: int = 1, scheduler: str = "", pause_s: float = 0.0
) -> "subprocess.Popen[str]":
    """Start a run that rests after each part: one to be disturbed must not be done before."""
    words = [source, target, workers, scheduler, pause_s]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def finished_parts(target: Path) -> int:
    return len(list((target.parent / f".{target.name}.parts").glob("0*.json")))


def wait_for_parts(target: Path, count: int, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 120
    while finished_parts(target) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.005)


def is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def ended(process: "subprocess.Popen[str]") -> list[int]:
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0, told
    return [int(word) for word in told.split()[-2:]]


def here(source: Path, target: Path, *, scheduler: str | None = None) -> list[int]:
    """Do in this process, which has its libraries loaded, what the program would do in another."""
    snapshot = open_snapshot(source.parent)
    work = Deciding(folder=str(snapshot.folder.resolve()), version=snapshot.version)
    plan = Plan(crs=snapshot.crs, span_rows=SPAN, scheduler=scheduler)
    done = work_through(source, target, work=work, signature=repr(work), plan=plan)
    return [done.rows, done.rows_resumed]


def test_after_kill_9_the_same_command_gives_the_same_bytes(
    source: Path, calm: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    process = start(source, target, workers=2, pause_s=PAUSE_S)
    wait_for_parts(target, 3, process)
    process.kill()
    process.communicate()
    assert not target.exists()
    end = time.monotonic() + 20
    while is_there(process.pid):  # with the parent its workers end
        assert time.monotonic() < end
        time.sleep(0.05)
    rows, resumed = ended(start(source, target, workers=2))
    assert rows == ROWS
    assert 3 * SPAN <= resumed < ROWS
    assert target.read_bytes() == (calm / target.name).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_layer_whose_run_was_killed_is_finished_by_another_process(
    source: Path, calm: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.gpkg"
    process = start(source, target, pause_s=PAUSE_S)
    wait_for_parts(target, 3, process)
    process.kill()
    process.communicate()
    assert not target.exists()
    rows, resumed = here(source, target)
    assert rows == ROWS
    assert 3 * SPAN <= resumed < ROWS
    assert target.read_bytes() == (calm / target.name).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_ctrl_c_stops_at_once_and_the_run_goes_on(source: Path, calm: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    process = start(source, target, workers=2, pause_s=PAUSE_S)
    wait_for_parts(target, 3, process)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process
    told, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert told.count("Traceback") == 1, told  # the parent's alone
    rows, resumed = here(source, target)
    assert rows == ROWS
    assert 3 * SPAN <= resumed < ROWS
    assert target.read_bytes() == (calm / target.name).read_bytes()


def test_a_dead_worker_is_replaced(source: Path, calm: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    process = start(source, target, workers=2, pause_s=PAUSE_S)
    wait_for_parts(target, 2, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in map(int, children):
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(child, signal.SIGKILL)
            break
    assert ended(process)[0] == ROWS
    assert target.read_bytes() == (calm / target.name).read_bytes()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A Dask scheduler and two workers, each a process of its own as on several machines."""
    told = tmp_path / "scheduler.json"
    common = [sys.executable, "-m"]
    quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    file = ["--scheduler-file", str(told)]
    local = ["--host", "127.0.0.1"]
    scheduler = subprocess.Popen(
        [*common, "distributed.cli.dask_scheduler", *local, "--port", "0", "--no-dashboard", *file],
        **quiet,
    )
    end = time.monotonic() + 60
    while not told.exists() or not told.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.05)
    address = orjson.loads(told.read_bytes())["address"]
    workers = [
        subprocess.Popen(
            [
                *common, "distributed.cli.dask_worker", address, *local, "--nthreads", "1",
                "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path),
            ],
            **quiet,
        )
        for _ in range(2)
    ]  # fmt: skip
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def test_a_dask_cluster_one_of_whose_workers_is_killed(
    source: Path, calm: Path, tmp_path: Path, cluster: tuple[str, list["subprocess.Popen[bytes]"]]
) -> None:
    address, workers = cluster
    out = tmp_path / "shared"
    out.mkdir()
    process = start(source, out / "out.csv", scheduler=address, pause_s=PAUSE_S)
    wait_for_parts(out / "out.csv", 4, process)
    workers[0].kill()
    assert ended(process) == [ROWS, 0]
    assert (out / "out.csv").read_bytes() == (calm / "out.csv").read_bytes()
    # What was stopped on this machine goes on over there.
    stopped = start(source, out / "out.parquet", pause_s=PAUSE_S)
    wait_for_parts(out / "out.parquet", 3, stopped)
    stopped.kill()
    stopped.communicate()
    rows, resumed = here(source, out / "out.parquet", scheduler=address)
    assert (rows, resumed > 0) == (ROWS, True)
    assert (out / "out.parquet").read_bytes() == (calm / "out.parquet").read_bytes()
    assert sorted(path.name for path in out.iterdir()) == ["out.csv", "out.parquet"]


def test_a_worker_without_the_snapshot_says_so(
    source: Path, snapshot: Snapshot, tmp_path: Path
) -> None:
    folder = version_folder(snapshot.folder)
    with pytest.raises(SnapshotError, match="put a copy of it"):
        opened(str(tmp_path / "nowhere"), snapshot.version)
    with pytest.raises(
        SnapshotError, match=f"holds snapshot {snapshot.version}, this run needs other"
    ):
        opened(folder, "other")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "local:none", "local:0"])
def test_a_scheduler_that_is_not_there(
    source: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bulk.cluster._CONNECT_S", 1)
    with pytest.raises(RequestError, match=r"--scheduler|local:2"):
        work_through(
            source,
            tmp_path / "out.csv",
            work=numbered,
            signature="v1",
            plan=Plan(scheduler=address),
        )
