"""A file worked through: spans handed to workers, parts put together in order, resumed after any stop."""

import contextlib
import errno
import os
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from api.bulk.cluster import run_on_cluster
from api.bulk.columns import Asking, Options, asking
from api.bulk.lines import changed_meanwhile
from api.bulk.outputs import Output, assemble, kind_of, plan_output
from api.bulk.packed import kind_suffix
from api.bulk.parts import TOLD, Done, Parts, opened_parts, state_of
from api.bulk.processes import run_here, run_in_processes
from api.bulk.spans import SPAN_ROWS, Chunk, Source
from api.bulk.staging import KINDS, open_source
from api.bulk.tasks import Job, Task, Work
from gis.errors import RequestError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a file is to be read and written, beside the work itself."""

    crs: str = "EPSG:4326"
    """The city's CRS, in which points are written."""
    options: Options = field(default_factory=Options)
    columns: tuple[str, ...] = ()
    """Answers to write; none: all."""
    encoding: str | None = None
    layer: str | None = None
    workers: int = 1
    scheduler: str | None = None
    """Address of a Dask scheduler, or ``local:N``; None: processes of this machine."""
    span_rows: int = SPAN_ROWS


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """What was written."""

    rows: int
    rows_resumed: int
    """Rows of parts that an earlier, stopped run had finished."""
    path: str
    rows_troubled: dict[str, int]
    """Reason -> rows that could not be read as they should be; they are in the output all the same."""
    lines_troubled: tuple[tuple[int, str], ...]
    """The first of them: line in the file, and reason."""
    rows_doubted: dict[str, int]
    """``unlocated`` -> rows without a place, ``needs_review`` -> rows that a person is to look at."""
    notes: tuple[str, ...] = ()
    """What is to be said of the file."""


Adjust = Callable[[Asking, Source], tuple[Asking, str | None]]
"""Looks at the file before it is read and may change what its columns ask."""


def work_through(
    source: Path,
    target: Path,
    *,
    work: Work,
    signature: str,
    plan: Plan | None = None,
    adjust: Adjust | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> BulkResult:
    """Apply `work` to a file; every row comes out, in order, with its answers; the output appears whole.

    The same file and work give the same bytes, however many workers there are and however often the
    run was stopped.

    Parameters
    ----------
    source, target : Path
        Files; their suffixes say what they are.
    work : callable
        Gets the columns that the platform knows, under its names, and the present; can be sent to
        other processes if there are any.
    signature : str
        What the answers depend on besides the file; parts of another one are thrown away.
    plan : Plan or None
        How to read, write and share out the work.
    adjust : callable or None
        Settles from the file's content what its columns ask.
    advance : callable
        Told the number of rows done.

    Raises
    ------
    RequestError
        A file is of another kind, can not be read or written, or the disk is full.
    LockedError
        Another run writes the same target.
    """
    plan = plan or Plan()
    _check_paths(source, target)
    told = f"{signature}:{target.suffix}:{plan.options}:{plan.columns}:{plan.encoding}:{plan.layer}:{plan.span_rows}"
    with opened_parts(source, target, work=told) as parts, _room_told(target):
        state = state_of(source)
        opened = open_source(
            source,
            folder=parts.folder,
            city_crs=plan.crs,
            span_rows=plan.span_rows,
            crs=plan.options.crs,
            encoding=plan.encoding,
            layer=plan.layer,
        )
        how, note = asking(opened, plan.options), None
        if adjust is not None:
            how, note = adjust(how, opened)
        output = _output(opened, how, (source, target), work, plan, parts)
        job = Job(
            source=opened, path=str(source.resolve()), state=state, asking=how, work=work,
            begun=parts.begun, output=output, folder=str(parts.folder.resolve()),
        )  # fmt: skip
        result = _worked(job, parts, plan, advance)
        if state_of(source) != state:
            raise changed_meanwhile(str(source))
        _appear(_temporary(target), target)
    notes = () if note is None else (note,)
    return BulkResult(path=str(target), notes=notes, **result)


def _check_paths(source: Path, target: Path) -> None:
    kind_of(target)
    if kind_suffix(source) not in KINDS:
        shown = ", ".join(KINDS)
        msg = f"{source.name} is of a kind that is not read here: use {shown}."
        raise RequestError(msg, zh=f"{source.name} 的格式不支持：请使用 {shown}。")
    if target.is_dir():
        msg = f"{target} is a folder: name the file to write."
        raise RequestError(msg, zh=f"{target} 是文件夹：请指定要写出的文件。")
    if source.exists() and target.exists() and source.samefile(target):
        msg = f"{target.name} would be read and written at once: name another output."
        raise RequestError(msg, zh=f"输入与输出是同一文件 {target.name}：请指定其他输出文件。")
    if source.is_dir():
        msg = f"{source} is a folder: name a file."
        raise RequestError(msg, zh=f"{source} 是文件夹：请指定文件。")


def _output(
    source: Source, how: Asking, paths: tuple[Path, Path], work: Work, plan: Plan, parts: Parts
) -> Output:
    rows = source.empty()
    answers = work(how.table(Chunk(table=rows)), parts.begun)
    return plan_output(
        paths[1],
        (rows, answers),
        crs=plan.crs,
        geometry=source.geometry,
        columns=plan.columns,
        moment=datetime.fromtimestamp(paths[0].stat().st_mtime, UTC),
    )


def _worked(job: Job, parts: Parts, plan: Plan, advance: Callable[[int], None]) -> dict[str, Any]:
    """Run the tasks that are left, and put the whole together as their parts come."""
    finished: dict[int, Done] = {}
    rows_resumed = 0
    total = 0

    def left() -> Iterator[Task]:
        nonlocal rows_resumed, total
        for span in job.source.spans():
            total += 1
            known = parts.done(span.number)
            if known is not None and known.rows == span.rows:
                rows_resumed += known.rows
                finished[span.number] = known
                advance(known.rows)
            else:
                yield Task(job=job, span=span)

    temporary = _temporary(job.output.path)
    _remove(temporary)
    with _Sequel(job.output, parts.folder, temporary) as sequel:
        for done in _runner(plan)(left()):
            finished[done.number] = done
            advance(done.rows)
            sequel.follow(finished)
        sequel.follow(finished)
        sequel.finish()
    troubles: dict[str, int] = {}
    doubts: dict[str, int] = {}
    told: list[tuple[int, str]] = []
    for number in sorted(finished):
        for doubt, count in finished[number].doubts.items():
            doubts[doubt] = doubts.get(doubt, 0) + count
        for reason, count in finished[number].troubles.items():
            troubles[reason] = troubles.get(reason, 0) + count
        told += finished[number].told
    return {
        "rows": sum(done.rows for done in finished.values()),
        "rows_resumed": rows_resumed,
        "rows_troubled": troubles,
        "lines_troubled": tuple(told[:TOLD]),
        "rows_doubted": doubts,
    }


def _runner(plan: Plan) -> Callable[[Iterator[Task]], Iterator[Done]]:
    if plan.scheduler is not None:
        address = plan.scheduler
        return lambda tasks: run_on_cluster(tasks, address=address)
    if plan.workers > 1:
        return lambda tasks: run_in_processes(tasks, workers=plan.workers)
    return run_here


class _Sequel:
    """Puts the output together in a thread of its own, part after part as they are there."""

    def __init__(self, output: Output, folder: Path, path: Path) -> None:
        self._output, self._folder, self._path = output, folder, path
        self._ready: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._next = 0
        self._failure: BaseException | None = None
        self._is_whole = False
        self._thread = threading.Thread(target=self._run, name="wanmi-output", daemon=True)

    def __enter__(self) -> "_Sequel":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        if not self._is_whole:
            self._ready.put(-1)
            self._thread.join()
            _remove(self._path)

    def follow(self, finished: dict[int, Done]) -> None:
        """Hand on the parts that are next in order."""
        if self._failure is not None:
            raise self._failure
        while self._next in finished:
            self._ready.put(self._next)
            self._next += 1

    def finish(self) -> None:
        """Wait until the last part is in the file."""
        self._ready.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        self._is_whole = True

    def _run(self) -> None:
        try:
            assemble(self._output, self._parts(), self._path)
        except BaseException as error:
            self._failure = error

    def _parts(self) -> Iterator[Path]:
        while True:
            number = self._ready.get()
            if number is None:
                return
            if number < 0:
                raise InterruptedError
            yield self._folder / f"{number:06d}{self._output.part_suffix}"


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.stem}.tmp{target.suffix}")


def _remove(path: Path) -> None:
    for ending in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _appear(temporary: Path, target: Path) -> None:
    temporary.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _room_told(target: Path) -> Iterator[None]:
    """Say plainly that the disk is full."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        number = getattr(error, "errno", None)
        if number in _FULL or "No space left" in str(error):
            msg = (
                f"There is no room left in {target.absolute().parent}: make room and run the same command "
                "again, it goes on where it was."
            )
            raise RequestError(
                msg,
                zh=f"{target.absolute().parent} 所在磁盘已满：请清理空间后重新运行同一命令，将从中断处继续。",
            ) from error
        raise
