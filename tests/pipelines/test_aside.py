"""Work done by a copy of the process: the same result, no change here, and no copy left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import shapely

from gis.builds import live
from gis.codes import Rule
from gis.database import Database
from gis.faults import Faults
from gis.vector import write_vector
from gis.workspace import Workspace
from pipelines.aside import aside
from pipelines.build import build_delivery
from tests.pipelines.town import COMPONENTS_LAYER, components, write_manifest, write_town

JUNE = date(2026, 6, 30)
ROOT = Path(__file__).resolve().parents[2]
RULES = {
    "T1": Rule(code="T1", severity="error", reason_en="{word}", reason_zh="{word}"),
    "T2": Rule(code="T2", severity="warning", reason_en="{word}", reason_zh="{word}"),
}
needs_two_cores = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1, reason="no copy is made here"
)


def two_rows() -> Faults:
    rows = {"source_file": "a.shp", "source_row": [1, 2], "code": ["x", "y"]}
    return Faults(
        pd.DataFrame(rows | {"geometry": [shapely.Point(n, 0) for n in (1, 2)]}), rules=RULES
    )


@pytest.mark.parametrize("is_worth", [True, False])
def test_the_result_comes_back_and_nothing_else(is_worth: bool) -> None:
    seen: list[int] = []

    def work() -> list[int]:
        seen.append(os.getpid())
        return seen

    with aside(work, is_worth=is_worth) as result:
        assert seen == []
        found = result()
    is_copied = found[0] != os.getpid()
    assert seen == ([] if is_copied else found)
    assert is_copied == (is_worth and sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1)


def test_what_fails_aside_is_done_here_where_its_error_is_seen() -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"), aside(fail, is_worth=True) as result:
        result()


@needs_two_cores
def test_a_copy_ends_with_the_block_that_did_not_wait(tmp_path: Path) -> None:
    told = tmp_path / "copy"

    def work() -> None:
        told.write_text(f"{os.getpid()}.", encoding="ascii")
        time.sleep(60)

    start = time.monotonic()
    with aside(work, is_worth=True):
        while not (told.exists() and told.read_text(encoding="ascii").endswith(".")):
            time.sleep(0.01)
    assert time.monotonic() - start < 30
    with pytest.raises(ProcessLookupError):  # neither at work nor waited for
        os.kill(int(told.read_text(encoding="ascii")[:-1]), 0)


@needs_two_cores
@pytest.mark.parametrize("answer", [b"", b"x" * 5_000_000])
def test_what_a_killed_copy_was_to_do_is_done_here(
    caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    here = os.getpid()

    def work() -> tuple[int, bytes]:
        if os.getpid() != here and not answer:
            time.sleep(60)
        return os.getpid(), answer

    others = own_children()
    with aside(work, is_worth=True) as result:
        (copy,) = own_children() - others
        if answer:  # half of the answer waits in the pipe, which holds no more
            time.sleep(0.5)
        os.kill(copy, signal.SIGKILL)
        assert result() == (here, answer)
    assert [record.getMessage() for record in caplog.records] == [
        f"A copy of this process ({copy}) ended before its work was done, as when memory runs out: "
        "its work is done here instead."
    ]


@needs_two_cores
def test_a_copy_that_stands_still_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    here = os.getpid()

    def work() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGSTOP)
        return os.getpid()

    others = own_children()
    with aside(work, is_worth=True, still_s=1.0) as result:
        (copy,) = own_children() - others
        assert result() == here
    assert "has stood still for 1 s" in caplog.text
    with pytest.raises(ProcessLookupError):
        os.kill(copy, 0)


_BUILDING = """
import sys
from pathlib import Path
from gis.settings import Settings
from gis.workspace import open_workspace
from pipelines import components
from pipelines.build import build_delivery

components._MANY_ROWS = 0
root = Path(sys.argv[1])
workspace = open_workspace(root, settings=Settings(workspace=root, database_url=sys.argv[2]))
print(build_delivery(Path(sys.argv[3]), workspace=workspace)[0].rows_opened)
"""


@needs_two_cores
def test_a_build_whose_copy_is_killed_loads_every_row(
    tmp_path: Path, workspace: Workspace, database: Database
) -> None:
    build_delivery(write_town(tmp_path / "may"), workspace=workspace)
    folder = write_town(tmp_path / "june")
    changed = components().assign(ObjState="破损")
    write_vector(changed, folder / "雨水箅子.shp", encoding="gb18030")
    write_manifest(folder, [COMPONENTS_LAYER], as_of=JUNE, name="june")
    arguments = [str(workspace.root), str(workspace.settings.database_url), str(folder)]
    with database.connect() as connection:
        # The copy alone reads the base map, and waits for it.
        connection.execute("LOCK TABLE topography.feature IN ACCESS EXCLUSIVE MODE")
        building = subprocess.Popen(
            [sys.executable, "-c", _BUILDING, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            copy = child_of(building)
            os.kill(copy, signal.SIGKILL)
        except BaseException:
            building.kill()
            raise
    told, errors = building.communicate(timeout=180)
    assert (building.returncode, told) == (0, "3\n")
    assert f"A copy of this process ({copy}) ended before its work was done" in errors
    assert set(live(database, "components")["condition"]) == {"damaged"}


def child_of(process: "subprocess.Popen[str]") -> int:
    """Return the process that another one makes, once it has."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < deadline:
        if found := children.read_text("ascii").split():
            return int(found[0])
        time.sleep(0.01)
    pytest.fail("no copy was made")


def own_children() -> set[int]:
    """Return the processes that this one made and has not waited for: servers of other tests among them."""
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    return set(map(int, children.read_text("ascii").split()))


def test_a_copy_ends_with_a_process_that_is_killed() -> None:
    script = (
        "import os, time\n"
        "from pipelines.aside import aside\n"
        "def work():\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
        "with aside(work, is_worth=True) as result:\n"
        "    result()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        copy = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        # The copy holds the other end of the output: it is read out once the copy has ended too.
        assert process.stdout.read() == ""
    assert copy != process.pid or len(os.sched_getaffinity(0)) == 1


def test_faults_told_apart_are_taken_over_with_what_they_refuse() -> None:
    faults = two_rows()
    apart = faults.copy()
    apart.add("T2", pd.Series([True, False]), word="odd")
    assert not faults.take(apart.since(faults.told))
    apart = faults.copy()
    told = faults.told
    apart.add("T1", pd.Series([False, True]), word="wrong")
    assert faults.refused.tolist() == [False, False]
    assert faults.take(apart.since(told))
    assert faults.refused.tolist() == [False, True]
    assert faults.outcome().faults["reason_en"].tolist() == ["odd", "wrong"]
