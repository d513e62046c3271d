"""Tasks in processes of this machine, which share the memory of the snapshot they map."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

import pyarrow as pa

from api.bulk.parts import Done
from api.bulk.tasks import Task, run_task
from gis.errors import RequestError
from gis.workers import worker_pool

_AHEAD = 2
"""Tasks handed out per worker: one at work, one waiting."""
_PATIENCE = 3
"""A task at whose time so many pools broke is given up."""


def run_here(tasks: Iterator[Task]) -> Iterator[Done]:
    """Run the tasks one after the other in this process."""
    return map(run_task, tasks)


def run_in_processes(tasks: Iterator[Task], *, workers: int) -> Iterator[Done]:
    """Run the tasks in so many processes; yields them as they are done.

    A single task is run here: starting processes would take longer. When a process dies, what it was
    at is done again by new ones.

    Raises
    ------
    RequestError
        Processes die again and again.
    """
    backlog = deque(islice(tasks, 2))
    if len(backlog) < 2:
        yield from run_here(iter(backlog))
        return
    deaths = 0
    while True:
        at_work: dict[Future[Done], Task] = {}
        try:
            with worker_pool(workers, prepare=_use_one_thread) as pool:
                try:
                    for done in _drained(pool, (backlog, tasks), at_work, ahead=workers * _AHEAD):
                        deaths = 0
                        yield done
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
            return
        except BrokenProcessPool as error:
            deaths += 1
            if deaths >= _PATIENCE:
                raise _dying(workers) from error
            backlog.extendleft(sorted(at_work.values(), key=lambda task: -task.span.number))


def _drained(
    pool: ProcessPoolExecutor,
    tasks: tuple[deque[Task], Iterator[Task]],
    at_work: dict[Future[Done], Task],
    *,
    ahead: int,
) -> Iterator[Done]:
    backlog, others = tasks
    while True:
        while len(at_work) < ahead:
            if not backlog:
                backlog.extend(islice(others, 1))
            if not backlog:
                break
            at_work[pool.submit(run_task, backlog[0])] = backlog[0]
            backlog.popleft()
        if not at_work:
            return
        ready, _ = wait(at_work, return_when=FIRST_COMPLETED)
        for future in ready:
            done = future.result()
            del at_work[future]
            yield done


def _use_one_thread() -> None:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def _dying(workers: int) -> RequestError:
    msg = (
        f"Worker processes end by themselves again and again, most likely for lack of memory: run the "
        f"same command with fewer --workers than {workers}; it goes on where it was."
    )
    return RequestError(
        msg,
        zh=f"工作进程反复异常结束，多半是内存不足：请用少于 {workers} 的 --workers 重新运行同一命令。",
    )
