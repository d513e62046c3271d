"""Pieces of land divided side by side, each result kept so that a stopped run goes on."""

import gc
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from gis.workers import worker_pool
from gridding.options import DivisionOptions
from gridding.scenery import Scene

EDITION = 3
"""Edition of the method: results of another edition are not taken over."""
_AHEAD = 3
"""Tasks waiting for each worker: enough to keep it busy, few enough to bound memory."""

Division = Callable[..., list[shapely.Polygon]]


@dataclass(frozen=True, kw_only=True)
class LandTask:
    """One piece of land to divide."""

    number: int
    """Which community it is of."""
    land: shapely.Polygon
    scene: Scene
    """What of the topography touches it."""


@dataclass(frozen=True, kw_only=True)
class Memo:
    """Results on disk, named by a hash of all that goes into them."""

    folder: Path | None

    @classmethod
    def at(cls, folder: Path | None) -> "Memo":
        """Return the memo in a folder, made if need be; None: nothing is kept."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        return cls(folder=folder)

    def path(self, task: LandTask, options: DivisionOptions) -> Path | None:
        """Return where a task's result is kept."""
        if self.folder is None:
            return None
        digest = hashlib.blake2b(f"{EDITION} {options!r}".encode(), digest_size=16)
        digest.update(shapely.to_wkb(task.land))
        scene = task.scene
        for shapes in (
            scene.lines.lines,
            scene.buildings,
            scene.kept_whole,
            scene.water,
            scene.zones,
        ):
            for shape in shapely.to_wkb(shapes):
                digest.update(shape)
        numbers = (scene.lines.kind, scene.lines.rank, scene.lines.price, scene.zone_target_m2)
        for values in (*numbers, scene.points, scene.loads):
            digest.update(np.ascontiguousarray(values).tobytes())
        return self.folder / f"{digest.hexdigest()}.wkb"

    @staticmethod
    def read(path: Path | None) -> list[shapely.Polygon] | None:
        """Return a kept result; None where there is none, or a failing disk left none to be read."""
        if path is None:
            return None
        try:
            packed = path.read_bytes()
        except FileNotFoundError:
            return None
        kept = shapely.from_wkb(packed, on_invalid="ignore")
        return None if kept is None else list(shapely.get_parts(kept))

    @staticmethod
    def write(path: Path | None, grids: list[shapely.Polygon]) -> None:
        """Keep a result; a reader sees the whole of it or nothing."""
        if path is None:
            return
        partial = path.with_suffix(f".{os.getpid()}.partial")
        # Another run that ends meanwhile may tidy up at any moment: then this result is not kept.
        with suppress(FileNotFoundError, FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(shapely.to_wkb(shapely.geometrycollections(grids)))
            partial.replace(path)


@contextmanager
def run_tasks(
    tasks: Iterable[LandTask],
    divide_land: Division,
    *,
    options: DivisionOptions,
    workers: int,
    memo: Memo,
) -> Iterator[Iterator[tuple[int, list[shapely.Polygon]]]]:
    """Divide pieces of land and give their grids in the order of the tasks.

    At most a few tasks for each worker are held at once, so that memory does not grow with the city. With
    one worker all is done in this process. On leaving, workers finish what they are at and stop.

    Parameters
    ----------
    tasks : iterable of LandTask
        Asked for as they are needed.
    divide_land : callable
        ``divide_land(land, scene, options=…)``; a function of a module, so that workers find it.
    options : DivisionOptions
        Targets and prices.
    workers : int
        Processes.
    memo : Memo
        Where results are kept.
    """
    if workers < 2:
        yield _one_by_one(tasks, divide_land, options, memo)
        return
    with worker_pool(workers) as pool:
        try:
            yield _side_by_side(pool, tasks, divide_land, options, (workers, memo))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _uncollected(
    divide_land: Division, task: LandTask, options: DivisionOptions
) -> list[shapely.Polygon]:
    """Divide a piece of land without the collection of cycles, of which it makes few: a twentieth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return divide_land(task.land, task.scene, options=options)
    finally:
        if was_enabled:
            gc.enable()


def _one_by_one(
    tasks: Iterable[LandTask], divide_land: Division, options: DivisionOptions, memo: Memo
) -> Iterator[tuple[int, list[shapely.Polygon]]]:
    for task in tasks:
        path = memo.path(task, options)
        grids = memo.read(path)
        if grids is None:
            grids = _uncollected(divide_land, task, options)
            memo.write(path, grids)
        yield task.number, grids


def _side_by_side(
    pool: ProcessPoolExecutor,
    tasks: Iterable[LandTask],
    divide_land: Division,
    options: DivisionOptions,
    how: tuple[int, Memo],
) -> Iterator[tuple[int, list[shapely.Polygon]]]:
    workers, memo = how
    waiting: deque[
        tuple[int, Path | None, list[shapely.Polygon] | None, Future[list[shapely.Polygon]] | None]
    ] = deque()

    def take_first() -> tuple[int, list[shapely.Polygon]]:
        number, path, grids, future = waiting.popleft()
        if future is not None:
            grids = future.result()
            memo.write(path, grids)
        return number, grids or []

    for task in tasks:
        path = memo.path(task, options)
        grids = memo.read(path)
        future = None
        if grids is None:
            future = pool.submit(_uncollected, divide_land, task, options)
        waiting.append((task.number, path, grids, future))
        if len(waiting) >= _AHEAD * workers:
            yield take_first()
    while waiting:
        yield take_first()
