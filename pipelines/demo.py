"""``wanmi demo``: workspace, sample district, six databases, snapshot, server, three questions."""

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gis.builds import live
from gis.crs import GEOGRAPHIC, transform_xy
from gis.database import Database, open_database, read_rows
from gis.errors import BuildError
from gis.settings import Settings
from gis.workspace import PROFILE_NAME, open_workspace
from pipelines.delivery import MANIFEST_NAME

HOST = "127.0.0.1"
CITY = "130102"
CRS = "EPSG:4547"
_READY_S = 90.0
_COVERS = "0102"

Echo = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A question to the server, shown as the command that asks it."""

    title: str
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    @property
    def target(self) -> str:
        """Path and query as they go over the wire."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def command(self, port: int) -> str:
        """Return the curl command, Chinese in it readable."""
        address = f"http://{HOST}:{port}"
        if self.body is None and "%" not in self.target:
            return f"curl '{address}{self.target}'"
        if self.body is None:
            words = [f"--data-urlencode {shlex.quote(f'{k}={v}')}" for k, v in self.query.items()]
            return f"curl -G '{address}{self.path}' {' '.join(words)}"
        text = json.dumps(self.body, ensure_ascii=False)
        head = f"curl -X {self.method} '{address}{self.path}'"
        return f"{head} -H 'Content-Type: application/json' -d {shlex.quote(text)}"


def run_demo(
    folder: Path, *, settings: Settings, area_km2: float, port: int, once: bool, echo: Echo
) -> None:
    """Make all that is missing in `folder`, serve it, show three questions with their answers.

    Parameters
    ----------
    folder : Path
        Workspace of the demo; the sample is written inside.
    settings : Settings
        What the environment says.
    area_km2 : float
        Size of a new sample district; one that is there is used as it is.
    port : int
        Port on the loopback address.
    once : bool
        Stop after the answers; else serve until interrupted.
    echo : callable
        Prints a line.

    Raises
    ------
    BuildError
        A step failed; it has printed why.
    """
    started = time.monotonic()
    root = folder.resolve()
    if not (root / PROFILE_NAME).is_file():
        _wanmi(["init", str(root), "--city-code", CITY, "--crs", CRS], echo=echo)
    in_workspace = ["-w", str(root)]
    _wanmi([*in_workspace, "db", "migrate"], echo=echo)
    sample = _write_sample(root / "sample", area_km2=area_km2, echo=echo)
    _wanmi([*in_workspace, "build", str(sample)], echo=echo)
    _wanmi([*in_workspace, "snapshot"], echo=echo)
    _wanmi([*in_workspace, "assign", "--stored"], echo=echo)
    calls = _questions(open_database(open_workspace(root, settings=settings)))
    with _server([*in_workspace, "serve", "--port", str(port)], port=port, echo=echo) as server:
        for call in calls:
            echo(f"\n# {call.title}\n$ {call.command(port)}")
            echo(_ask(call, port=port))
        echo(f"\nReady after {time.monotonic() - started:.0f} s.")
        if not once:
            echo(f"Map page: http://{HOST}:{port}/ (Ctrl-C stops the server)")
            server.wait()


def _wanmi(arguments: Sequence[str], *, echo: Echo) -> None:
    """Run one command of `wanmi` in a process of its own, as the user would."""
    echo(f"$ wanmi {shlex.join(arguments)}")
    code = subprocess.run([sys.executable, "-m", "wanmi", *arguments], check=False).returncode
    if code != 0:
        msg = f"The demo stopped at `wanmi {shlex.join(arguments)}`; its message is above."
        raise BuildError(msg, zh=f"演示在 wanmi {shlex.join(arguments)} 处停止，原因见上。")


def _write_sample(target: Path, *, area_km2: float, echo: Echo) -> Path:
    """Write the sample beside its place and move it there, so that half a sample is never used."""
    if (target / MANIFEST_NAME).is_file():
        echo(f"The sample district in {target} is used again.")
        return target
    partial = target.with_name(f".{target.name}.partial")
    for leftover in (partial, target):
        if leftover.exists():
            shutil.rmtree(leftover)
    _wanmi(["sample", str(partial), "--area-km2", f"{area_km2:g}"], echo=echo)
    partial.rename(target)
    return target


def _questions(database: Database) -> list[Call]:
    """Ask about a manhole cover that has a maintainer, and about an address of the district."""
    with database.connect(read_only=True) as connection:
        rows = read_rows(
            connection,
            "SELECT code, class_code, ST_X(ST_PointOnSurface(geom)) AS x,"
            " ST_Y(ST_PointOnSurface(geom)) AS y FROM components.component"
            " WHERE valid_to IS NULL AND grid_code IS NOT NULL"
            " ORDER BY class_code <> %s, maintainer_code IS NULL, code LIMIT 1",
            [_COVERS],
        )
    if rows.empty:
        msg = (
            "The demo's database holds no components: remove its folder and run `wanmi demo` again."
        )
        raise BuildError(msg, zh="演示数据库中没有部件：请删除演示目录后重新运行 wanmi demo。")
    row = rows.iloc[0]
    lon, lat = transform_xy([row["x"]], [row["y"]], source=database.crs, target="GCJ-02")
    x, y = transform_xy([row["x"]], [row["y"]], source=database.crs, target=GEOGRAPHIC)
    lookup = {
        "x": f"{x[0]:.6f}",
        "y": f"{y[0]:.6f}",
        "kind": "component",
        "class_code": row["class_code"],
    }
    case = {
        "case_id": "demo-1",
        "kind": "component",
        "class_code": row["class_code"],
        "position": {
            "x": round(float(lon[0]), 6),
            "y": round(float(lat[0]), 6),
            "crs": "GCJ-02",
            "accuracy_m": 8,
        },
    }
    address = _an_address(database)
    return [
        Call(
            title="Which grid, which component, whose is it?",
            method="GET",
            path="/v1/lookup",
            query=lookup,
        ),
        Call(
            title="The full decision for a case from a phone (GCJ-02)",
            method="POST",
            path="/v1/assign",
            body=case,
        ),
        Call(
            title=f"Where is {address}?",
            method="GET",
            path="/v1/geocode",
            query={"q": address, "limit": "1"},
        ),
    ]


def _an_address(database: Database) -> str:
    places = live(database, "addresses", columns=["code", "kind", "full_address"])
    plates = places[places["kind"] == "plate"]
    return str((plates if len(plates) else places)["full_address"].iloc[0])


@contextmanager
def _server(
    arguments: Sequence[str], *, port: int, echo: Echo
) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve in a process of its own until the block ends."""
    refuse_taken(port)
    echo(f"$ wanmi {shlex.join(arguments)}")
    server = subprocess.Popen([sys.executable, "-m", "wanmi", *arguments])
    try:
        _wait_until_ready(server, port=port)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def refuse_taken(port: int) -> None:
    """Refuse a port that something listens on.

    Raises
    ------
    BuildError
        It is in use.
    """
    try:
        connection = HTTPConnection(HOST, port, timeout=1)
        connection.connect()
        connection.close()
    except OSError:
        return
    msg = f"Port {port} is in use already: stop what uses it, or choose another with --port."
    raise BuildError(msg, zh=f"端口 {port} 已被占用：请停止占用者，或用 --port 另选端口。")


def _wait_until_ready(server: "subprocess.Popen[bytes]", *, port: int) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            msg = "The server ended before it was ready; its message is above."
            raise BuildError(msg, zh="服务器在就绪前退出，原因见上。")
        try:
            if _request("GET", "/readyz", port=port)[0] == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.2)
    msg = f"The server was not ready after {_READY_S:.0f} s: see its messages above."
    raise BuildError(msg, zh=f"服务器在 {_READY_S:.0f} 秒内未就绪，请查看上面的消息。")


def _request(
    method: str, path: str, *, port: int, body: dict[str, Any] | None = None
) -> tuple[int, str]:
    connection = HTTPConnection(HOST, port, timeout=30)
    try:
        data = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        headers = {"Content-Type": "application/json"} if data is not None else {}
        connection.request(method, path, body=data, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _ask(call: Call, *, port: int) -> str:
    status, text = _request(call.method, call.target, port=port, body=call.body)
    if status != 200:
        msg = f"{call.command(port)} was answered with {status}: {text}"
        raise BuildError(msg, zh=f"{call.command(port)} 返回 {status}：{text}")
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
