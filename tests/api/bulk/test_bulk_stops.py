"""Runs that are stopped, disturbed or in each other's way: the output is whole, the same, or not there."""

import threading
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from api.bulk import parts as parts_of_run
from api.bulk.run import Plan, work_through
from gis.errors import LockedError, RequestError
from tests.api.bulk_workspace import numbered

SMALL = Plan(span_rows=10)


class Stopping:
    """Answers like `numbered` until it was asked so often, then raises."""

    def __init__(self, error: BaseException, *, after: int) -> None:
        self.error, self.left = error, after
        self.seen: list[int] = []

    def __call__(self, table: pa.Table, begun: datetime) -> pa.Table:
        if table.num_rows:
            if self.left == 0:
                raise self.error
            self.left -= 1
            self.seen.append(table.num_rows)
        return numbered(table, begun)


def stop_midway(source: Path, target: Path) -> None:
    """Run until two of three spans of ten rows are done, as if Ctrl-C were pressed then."""
    work = Stopping(KeyboardInterrupt(), after=2)
    with pytest.raises(KeyboardInterrupt):
        work_through(source, target, work=work, signature="v1", plan=SMALL)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"case_id": range(25)}).to_csv(path, index=False)
    return path


def test_a_stopped_run_goes_on_where_it_was(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    stop_midway(source, target)
    assert not target.exists()
    again = Stopping(KeyboardInterrupt(), after=9)
    done = work_through(source, target, work=again, signature="v1", plan=SMALL)
    assert (done.rows, done.rows_resumed, again.seen) == (25, 20, [5])
    assert pd.read_csv(target)["twice"].tolist() == [2 * number for number in range(25)]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.csv", "out.csv"]


@pytest.mark.parametrize("change", ["signature", "file", "columns", "suffix"])
def test_parts_of_other_work_are_thrown_away(source: Path, tmp_path: Path, change: str) -> None:
    stop_midway(source, tmp_path / "out.csv")
    if change == "file":
        source.write_text(source.read_text().replace("\n0\n", "\n7\n"))
    done = work_through(
        source,
        tmp_path / ("out.parquet" if change == "suffix" else "out.csv"),
        work=numbered,
        signature="v2" if change == "signature" else "v1",
        plan=Plan(span_rows=10, columns=("twice",)) if change == "columns" else SMALL,
    )
    assert (done.rows, done.rows_resumed) == (25, 0)


def test_the_present_of_a_run_outlives_a_stop(source: Path, tmp_path: Path) -> None:
    """Rows that state no time are asked as of the first beginning, or the bytes would differ."""
    times = []

    def remembering(table: pa.Table, begun: datetime) -> pa.Table:
        times.append(begun)
        if len(times) == 3:
            raise KeyboardInterrupt
        return numbered(table, begun)

    with pytest.raises(KeyboardInterrupt):
        work_through(source, tmp_path / "o.csv", work=remembering, signature="v1", plan=SMALL)
    work_through(source, tmp_path / "o.csv", work=remembering, signature="v1", plan=SMALL)
    assert len(set(times)) == 1


def test_an_existing_output_stays_until_the_new_one_is_whole(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    with pytest.raises(ValueError, match="odd"):
        work_through(
            source, target, work=Stopping(ValueError("odd"), after=1), signature="v1", plan=SMALL
        )
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp.csv")] == []


def test_a_file_that_changes_while_it_is_read(source: Path, tmp_path: Path) -> None:
    def writes(table: pa.Table, begun: datetime) -> pa.Table:
        if table.num_rows:
            with source.open("a") as file:
                file.write("99\n")
        return numbered(table, begun)

    with pytest.raises(RequestError, match="changed"):
        work_through(source, tmp_path / "out.csv", work=writes, signature="v1", plan=SMALL)
    assert not (tmp_path / "out.csv").exists()


def test_the_second_of_two_runs_to_one_target_is_refused(source: Path, tmp_path: Path) -> None:
    inside, leave = threading.Event(), threading.Event()

    def waits(table: pa.Table, begun: datetime) -> pa.Table:
        inside.set()
        assert leave.wait(30)
        return numbered(table, begun)

    first = threading.Thread(
        target=work_through, args=(source, tmp_path / "out.csv"),
        kwargs={"work": waits, "signature": "v1"},
    )  # fmt: skip
    first.start()
    assert inside.wait(30)
    with pytest.raises(LockedError, match="Another run"):
        work_through(source, tmp_path / "out.csv", work=numbered, signature="v2")
    leave.set()
    first.join()
    assert len(pd.read_csv(tmp_path / "out.csv")) == 25


def test_places_that_can_not_be_written(source: Path, tmp_path: Path) -> None:
    def attempt(target: Path) -> None:
        work_through(source, target, work=numbered, signature="v1")

    with pytest.raises(RequestError, match="at once"):
        attempt(source)
    link = tmp_path / "link.csv"
    link.symlink_to(source)
    with pytest.raises(RequestError, match="at once"):
        attempt(link)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RequestError, match="is a folder"):
        attempt(tmp_path / "folder.csv")
    with pytest.raises(RequestError, match="no such folder"):
        attempt(tmp_path / "nowhere" / "out.csv")
    with pytest.raises(RequestError, match=r"use \.csv"):
        attempt(tmp_path / "out.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="name another folder"):
        attempt(tmp_path / "file" / "out.csv")


def test_a_full_disk_is_told_and_the_run_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(28, "No space left on device")
    work = Stopping(full, after=1)
    with pytest.raises(RequestError, match="no room left"):
        work_through(source, tmp_path / "out.csv", work=work, signature="v1", plan=SMALL)

    def fails(path: object) -> int:
        raise full

    with monkeypatch.context() as patch:  # the disk fills up when the note of a part is written
        patch.setattr(parts_of_run.os, "fsync", fails)
        with pytest.raises(RequestError, match="no room left"):
            work_through(source, tmp_path / "out.csv", work=numbered, signature="v1", plan=SMALL)
    done = work_through(source, tmp_path / "out.csv", work=numbered, signature="v1", plan=SMALL)
    assert (done.rows, done.rows_resumed) == (25, 10)


def test_a_run_that_did_nothing_leaves_nothing(source: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(RequestError, match="no answer"):
        work_through(
            source, tmp_path / "o.csv", work=numbered, signature="v1", plan=Plan(columns=("nix",))
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == before
