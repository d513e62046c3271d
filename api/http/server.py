"""Runs the workers: one address, a stop that lets requests finish."""

import errno
import gc
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from multiprocessing import parent_process
from pathlib import Path

import structlog
from fastapi import FastAPI
from granian import Granian
from granian.constants import Interfaces

from api.http.app import create_app
from api.http.deaths import Deaths
from api.http.live import Live
from api.http.logs import configure_logs
from api.http.options import ServerOptions
from gis.errors import RequestError
from gis.workspace import Workspace

logger = structlog.get_logger(__name__)

STOP_S = 20
"""Longest time for which a stop waits for requests under way."""
_LOOK_S = 1.0
"""Seconds between two looks of a worker whether the first process is there."""
_opened: dict[Path, Live] = {}
"""Workspace -> its snapshot as the first process opened it."""
_LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"_granian": {"level": "WARNING", "propagate": True, "handlers": []}},
}


def is_loopback(host: str) -> bool:
    """Say whether an address reaches this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_port(host: str, port: int) -> None:
    """Refuse an address that another program listens on, or that is not this machine's.

    Raises
    ------
    RequestError
        What is wrong with the address, and what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                msg = f"Port {port} is in use; choose another with --port, or stop what uses it."
                zh = f"端口 {port} 已被占用，请用 --port 另选，或停止占用它的程序。"
            elif error.errno == errno.EACCES:
                msg = f"Port {port} needs root; choose one from 1024 up with --port."
                zh = f"端口 {port} 需要 root 权限，请用 --port 选择 1024 以上的端口。"
            else:
                msg = f"{host} is no address of this machine; use 127.0.0.1 or 0.0.0.0."
                zh = f"{host} 不是本机地址，请用 127.0.0.1 或 0.0.0.0。"
            raise RequestError(msg, zh=zh) from error


def load_app(options: ServerOptions) -> FastAPI:
    """Return the application, in a worker process of its own."""
    gc.enable()
    configure_logs(options.workspace.settings.log_level)
    if (first := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(first.pid,), daemon=True).start()
    return create_app(options, _opened.pop(options.workspace.root, None))


def _end_with(first: int | None) -> None:
    """Stop this worker when the first process was killed: else it would keep the port for good."""
    while os.getppid() == first:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def open_ahead(workspace: Workspace) -> None:
    """Open the snapshot in the first process: workers are forked from it and share what it holds.

    A worker that takes a dead one's place begins as quickly; if the snapshot was replaced meanwhile
    it opens the new one itself. What can not be opened is told by the workers.
    """
    live = Live(workspace)
    live.refresh()
    _opened[workspace.root] = live
    # What is there now stays: collecting it would copy the pages that are shared.
    gc.freeze()


def read_words_ahead() -> None:
    """Read the words of addresses in the first process; if they can not be read workers go on without."""
    for live in _opened.values():
        try:
            live.read_words()
        except Exception as error:
            logger.error("words of addresses not read", exc_info=error)
    gc.freeze()


class _Forks:
    """What happens around each fork of a worker.

    The first worker answers as soon as it can; before the second one is forked the words of addresses
    are read, once for all that follow. A worker is forked with the first process's ears for signals: a
    stop that came before it has its own would be heard by nobody, and the worker be killed when all
    patience is over. So signals wait until it has let go of these ears, and then end it.
    """

    _STOPS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, *, workers: int) -> None:
        self._workers = workers
        self._forks = 0

    def before(self) -> None:
        self._forks += 1
        if self._forks == 2 <= self._workers:
            read_words_ahead()
        signal.pthread_sigmask(signal.SIG_BLOCK, self._STOPS)

    def in_first(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._STOPS)

    def in_worker(self) -> None:
        for stop in self._STOPS:
            signal.signal(stop, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._STOPS)

    def watch(self) -> None:
        """Be called around every fork of this process from now on."""
        os.register_at_fork(
            before=self.before,
            after_in_parent=self.in_first,
            after_in_child=self.in_worker,
        )


def serve(
    options: ServerOptions,
    *,
    host: str,
    port: int,
    workers: int,
    on_start: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a SIGINT or SIGTERM; requests under way are finished first.

    Parameters
    ----------
    options : ServerOptions
        How each worker serves; the folder they share is made here.
    host, port : str, int
        Address; see `check_port`.
    workers : int
        Processes.
    on_start : callable
        Called when the address is taken and the workers are about to start.
    """
    with tempfile.TemporaryDirectory(prefix="wanmi-serve-") as folder:
        shared = replace(options, shared=Path(folder))
        server = Granian(
            "api.http.server:load_app",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            workers=workers,
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_S,
            log_dictconfig=_LOG,
        )
        server.respawned_wrks = Deaths(workers=workers)  # type: ignore[assignment]
        configure_logs(options.workspace.settings.log_level)
        open_ahead(options.workspace)
        _Forks(workers=workers).watch()
        server.on_startup(on_start)
        server.serve(target_loader=partial(load_app, shared), wrap_loader=False)
