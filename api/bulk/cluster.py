"""Tasks on a Dask cluster: existing scheduler and workers, parts written by the workers themselves."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.bulk.parts import Done
from api.bulk.tasks import Task, run_task
from gis.errors import RequestError

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 4
"""Tasks handed out per thread of the cluster."""
_RETRIES = 3
_CONNECT_S = 15
_LOCAL = "local:"


def run_on_cluster(tasks: Iterator[Task], *, address: str) -> Iterator[Done]:
    """Run the tasks on the workers of a Dask scheduler; yields them as they are done.

    A worker that dies costs the tasks it was at: the scheduler gives them to another. A part is
    renamed into place when it is whole, so one that was written twice is there once.

    Parameters
    ----------
    tasks : iterator of Task
        Handed out as workers are free for them.
    address : str
        ``tcp://host:8786``, ``tls://…``, or ``local:N`` for N worker processes of this machine.

    Raises
    ------
    RequestError
        There is no scheduler, or a part is not to be seen from here.
    """
    from distributed import CancelledError, KilledWorker, as_completed

    with _client(address) as client:
        run = uuid.uuid4().hex
        started = as_completed(loop=client.loop)
        at_work: dict[Any, Task] = {}

        def hand_out(count: int) -> None:
            for task in islice(tasks, count):
                key = f"wanmi-{run}-{task.span.number:06d}"
                # Not pure: its effect is a file.
                future = client.submit(run_task, task, key=key, pure=False, retries=_RETRIES)
                at_work[future] = task
                started.add(future)

        hand_out(max(2, _AHEAD * sum(client.nthreads().values())))
        try:
            for future in started:
                done: Done = future.result()
                _check_seen(Path(at_work.pop(future).job.folder), done)
                yield done
                hand_out(1)
        except (KilledWorker, CancelledError, TimeoutError) as error:
            raise _lost(address) from error
        finally:
            if at_work:
                client.cancel(list(at_work), force=True)


def _lost(address: str) -> RequestError:
    msg = (
        f"The cluster at {address} gave up: its workers end again and again, or its scheduler is gone. "
        "Look at their logs and run the same command again; it goes on where it was."
    )
    return RequestError(
        msg,
        zh=f"{address} 的集群无法继续：工作节点反复退出或调度器已停止。请查看日志后重新运行同一命令。",
    )


def _check_seen(folder: Path, done: Done) -> None:
    if not (folder / f"{done.number:06d}.json").is_file():
        msg = f"A worker wrote into {folder}, but not the folder that is seen here: it must be shared."
        raise RequestError(
            msg, zh=f"工作节点写入的 {folder} 与本机的不是同一文件夹：须为共享文件夹。"
        )


@contextmanager
def _client(address: str) -> Iterator["Client"]:
    from distributed import Client, LocalCluster

    if address.startswith(_LOCAL):
        with (
            LocalCluster(
                n_workers=_count(address), threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        msg = f"No Dask scheduler answers at {address}: start one with `dask scheduler`, or correct --scheduler."
        raise RequestError(
            msg,
            zh=f"{address} 没有 Dask 调度器应答：请用 `dask scheduler` 启动，或更正 --scheduler。",
        ) from error
    with client:
        yield client


def _count(address: str) -> int:
    text = address.removeprefix(_LOCAL)
    if not text.isdigit() or int(text) < 1:
        msg = f"{address} names no number of workers: write local:2."
        raise RequestError(msg, zh=f"{address} 没有给出工作进程数：请写 local:2。")
    return int(text)
