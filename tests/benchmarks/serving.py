"""``python -m tests.benchmarks.serving``: what a question over HTTP costs beside an empty answer.

A real ``wanmi serve`` with one worker on the loopback address, asked by ``wrk`` (a compiled load
generator, Debian package ``wrk``) over 32 connections, each of which asks again as soon as it is
answered. The empty endpoint is ``/healthz`` of the same process: the same server, middleware and
router, and a constant of 18 bytes. Both are asked in turn, so that they meet the same machine.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from tests.benchmarks.city import City, make_cases, make_city
from tests.benchmarks.measure import Figure, show

CONNECTIONS = 32
ROUNDS = 5
_PROFILE = '[city]\ncode = "130102"\nname = "石家庄市"\n'
_NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"
_QUESTIONS = 2_000
_BATCH = 100_000
_PAUSE_S = 0.005
_ARROW = "application/vnd.apache.arrow.stream"
_SCALE = {"us": 1.0, "ms": 1e3, "s": 1e6}
# wrk asks the addresses of a file one after the other, from the first to the last and again.
_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local turn = math.random(#paths)
request = function()
  turn = turn %% #paths + 1
  return wrk.format("GET", paths[turn])
end
"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one run of the load generator saw."""

    per_s: float
    p50_us: float
    p99_us: float
    failures: int


def main() -> None:
    """Measure and show the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--grids", type=int, default=50_000)
    parser.add_argument("--components", type=int, default=1_000_000)
    parser.add_argument("--places", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of the load generator")
    sizes = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("the load generator wrk is missing: apt install wrk")
    with tempfile.TemporaryDirectory(prefix="wanmi-serving-") as folder:
        root = Path(folder)
        (root / "wanmi.toml").write_text(_PROFILE, encoding="utf-8")
        city = make_city(
            root / "snapshots", grids=sizes.grids, components=sizes.components, places=sizes.places
        )
        show(list(measure(root, city, seconds=sizes.seconds)))


def measure(root: Path, city: City, *, seconds: int) -> Iterator[Figure]:
    """Yield the figures of a workspace whose snapshot is that of `city`."""
    frame = make_cases(city, count=_BATCH)
    with serving(root, workers=1) as server:
        yield from _lookups(root, server.url, _faultless(city, frame), seconds=seconds)
        yield _batches(server.url, frame)
        yield Figure(
            work="from the start of wanmi serve to its first answer", ours=server.first_s * 1e3, unit="ms",
            note=f"{server.first_cpu_s:.2f} processor seconds of all its processes",
        )  # fmt: skip
        yield _replacement(server)
    for workers in (1, 2, 4):
        with serving(root, workers=workers) as server:
            _ask_all(server.url, _faultless(city, frame).head(400))
            private, shared = memory_mib(server.process.pid)
        yield Figure(
            work=f"memory of {workers} worker(s) and the first process, PSS", ours=private + shared,
            unit="MiB", note=f"anonymous {private:,.0f}, of files {shared:,.0f}",
        )  # fmt: skip


def _faultless(city: City, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the cases that a single question may ask: the faults of the others are refused."""
    north = shapely.get_y(city.components["geometry"]).max()
    is_whole = frame["x"].notna() & (frame["y"] <= north) & (frame["accuracy_m"] > 0)
    return frame[is_whole & (frame["class_code"] != "9999")]


def _lookups(root: Path, url: str, frame: pd.DataFrame, *, seconds: int) -> Iterator[Figure]:
    plain = _paths(root / "lookup.txt", frame, trace=False)
    traced = _paths(root / "traced.txt", frame, trace=True)
    for path in (plain, traced):
        _check(url, path)
        wrk(url, path, seconds=2)
    empty, lookup, trace = [], [], []
    nothing = root / "empty.txt"
    nothing.write_text("/healthz\n", encoding="utf-8")
    for _ in range(ROUNDS):
        empty.append(wrk(url, nothing, seconds=seconds))
        lookup.append(wrk(url, plain, seconds=seconds))
        trace.append(wrk(url, traced, seconds=seconds))
    base = _middle(empty)
    yield Figure(
        work="GET /healthz, the empty endpoint", ours=base.per_s, unit="req/s", note=_spread(base)
    )
    for name, runs in (("GET /v1/lookup", lookup), ("GET /v1/lookup?trace=true", trace)):
        found = _middle(runs)
        yield Figure(
            work=f"{name}, {CONNECTIONS} connections", ours=found.per_s, unit="req/s",
            peer="the empty endpoint", peers=base.per_s,
            note=f"{_spread(found)}, p99 {found.p99_us / base.p99_us:.2f}x",
        )  # fmt: skip


def _paths(path: Path, frame: pd.DataFrame, *, trace: bool) -> Path:
    lines = [
        f"/v1/lookup?x={row.x:.3f}&y={row.y:.3f}&crs=EPSG:4547&kind={row.kind}"
        f"&class_code={row.class_code}&accuracy_m={row.accuracy_m:g}" + "&trace=true" * trace
        for row in frame.head(_QUESTIONS).itertuples()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _check(url: str, path: Path) -> None:
    """Fail when a question is not answered with an owner: speed of errors is of no interest."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for line in path.read_text(encoding="utf-8").splitlines()[:50]:
            client.get(line).raise_for_status().json()["owner"]["unit_code"]


def _middle(runs: list[Load]) -> Load:
    """Return the medians of some runs."""
    return Load(
        per_s=float(np.median([run.per_s for run in runs])),
        p50_us=float(np.median([run.p50_us for run in runs])),
        p99_us=float(np.median([run.p99_us for run in runs])),
        failures=sum(run.failures for run in runs),
    )


def _spread(load: Load) -> str:
    failures = f", {load.failures} FAILED" if load.failures else ""
    return f"p50 {load.p50_us / 1e3:.1f} ms, p99 {load.p99_us / 1e3:.1f} ms{failures}"


def wrk(url: str, paths: Path, *, seconds: int) -> Load:
    """Ask the addresses of a file over `CONNECTIONS` connections for some seconds."""
    script = paths.with_suffix(".lua")
    script.write_text(_SCRIPT % paths, encoding="utf-8")
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    per_s = re.search(r"Requests/sec:\s+([\d.]+)", told)
    p50, p99 = (re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", told) for share in (50, 99))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    if per_s is None or p50 is None or p99 is None:
        msg = f"wrk said nothing that is known: {told}"
        raise RuntimeError(msg)
    return Load(
        per_s=float(per_s[1]),
        p50_us=float(p50[1]) * _SCALE[p50[2]],
        p99_us=float(p99[1]) * _SCALE[p99[2]],
        failures=int(failed[1]) if failed else 0,
    )


def _batches(url: str, frame: pd.DataFrame) -> Figure:
    """Send the cases as Arrow and read the answers, one batch after the other."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body = sink.getvalue().to_pybytes()
    seconds = []
    with httpx.Client(base_url=url, timeout=300, headers={"Content-Type": _ARROW}) as client:
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            answer = client.post("/v1/assign/batch", content=body).raise_for_status()
            seconds.append(time.perf_counter() - start)
            answered = pa.ipc.open_stream(answer.content).read_all().num_rows
            if answered != len(frame):
                msg = f"{answered} answers to {len(frame)} cases"
                raise RuntimeError(msg)
    return Figure(
        work=f"batches of {len(frame):,} cases as Arrow", ours=len(frame) / float(np.median(seconds[1:])),
        unit="cases/s", note=f"{len(body) / 2**20:.1f} MiB sent, first {seconds[0]:.2f} s",
    )  # fmt: skip


def _ask_all(url: str, frame: pd.DataFrame) -> None:
    """Ask over many connections, so that every worker answers some."""
    for row in frame.itertuples():
        question = {"x": row.x, "y": row.y, "crs": "EPSG:4547", "class_code": "0104"}
        httpx.get(f"{url}/v1/lookup", params=question, timeout=60).raise_for_status()


def _replacement(server: "Server") -> Figure:
    """Kill the one worker and ask until another one answers in its place."""
    (worker,) = _workers(server.process.pid)
    start = time.perf_counter()
    os.kill(worker, signal.SIGKILL)
    while _workers(server.process.pid) in ([worker], []):
        time.sleep(_PAUSE_S)
    _wait_for(server.url, server.process)
    return Figure(
        work="from the end of a killed worker to the answer of a new one", unit="ms",
        ours=(time.perf_counter() - start) * 1e3,
    )  # fmt: skip


def memory_mib(pid: int) -> tuple[float, float]:
    """Return the anonymous and the file-backed proportional memory of a server's processes, MiB."""
    told = [
        Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")
        for one in (pid, *_workers(pid))
    ]

    def total(name: str) -> float:
        return sum(int(re.search(rf"^{name}:\s+(\d+)", page, re.M)[1]) for page in told) / 1024  # type: ignore[index]

    return total("Pss_Anon"), total("Pss_File") + total("Pss_Shmem")


def _workers(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    # Beside its workers the server has a process of Python's that counts semaphores.
    return [
        int(child)
        for child in children
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def _processor_s(pid: int) -> float:
    told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers."""

    url: str
    process: "subprocess.Popen[bytes]"
    first_s: float
    """From the start of the process to its first answered question."""
    first_cpu_s: float
    """Processor seconds of all its processes until then."""


@contextmanager
def serving(root: Path, *, workers: int) -> Iterator[Server]:
    """Serve a workspace without a database until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "wanmi", "-w", str(root), "serve", "--port", str(port)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"WANMI_DATABASE_URL": _NO_DATABASE},
        cwd=Path(__file__).resolve().parents[2],
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process)
        first_s = time.perf_counter() - start
        cpu_s = sum(map(_processor_s, (process.pid, *_workers(process.pid))))
        yield Server(url=url, process=process, first_s=first_s, first_cpu_s=cpu_s)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + 300
    question = {"x": 500_500, "y": 4_200_500, "crs": "EPSG:4547", "class_code": "0104"}
    while process.poll() is None and time.monotonic() < ends:
        try:
            if httpx.get(f"{url}/v1/lookup", params=question, timeout=60).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(_PAUSE_S)
    msg = f"the server did not start ({process.poll()})"
    raise RuntimeError(msg)


if __name__ == "__main__":
    main()
