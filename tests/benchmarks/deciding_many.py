"""``python -m tests.benchmarks.deciding_many SNAPSHOT CASES THREADS``: one process, bulk decisions, its memory."""

import resource
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather

from api import open_snapshot
from api.assign import assign_table

_WARM = 20_000


def main(folder: Path, cases: Path, threads: int) -> None:
    """Write cases per second, seconds to the first answers, and peak memory of the work, MB."""
    table = feather.read_table(cases, memory_map=True)
    start = time.perf_counter()
    snapshot = open_snapshot(folder)
    assign_table(snapshot, table.slice(0, _WARM), threads=threads)
    first = time.perf_counter() - start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        answers: pa.Table = assign_table(snapshot, table, threads=threads)
        rates.append(table.num_rows / (time.perf_counter() - start))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = (max(rates), first, after / 1024, (after - before) / 1024, answers.nbytes / 2**20)
    sys.stdout.write(" ".join(f"{value:.3f}" for value in told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
