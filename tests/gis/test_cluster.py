"""The embedded cluster with real servers: what users do to it and what machines do to it."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from gis import cluster, postgres, process, server
from gis.database import Database
from gis.errors import ClusterError, DatabaseError, WorkspaceError
from gis.server import Server

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="needs root to act as other users")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the server's user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="wanmi-cluster-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        for record in path.glob("**/cluster.json"):
            cluster.down(record.parents[1])


@pytest.fixture(scope="module")
def kept(folder: Path) -> Path:
    """A workspace folder with a cluster and the table ``t`` with one row."""
    root = folder / "城市 数据"
    root.mkdir()
    running = cluster.up(root, is_durable=False)
    execute(running, "CREATE TABLE t AS SELECT 7 AS n")
    return root


def execute(running: Server, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def start(root: Path) -> Server:
    return cluster.up(root, is_durable=False)


def test_a_path_with_spaces_and_chinese_characters(kept: Path) -> None:
    running = start(kept)
    assert execute(running, "SELECT n FROM t") == [(7,)]
    assert running.sockets.is_relative_to(kept)


def test_only_a_socket_closed_to_others_and_checked_data(kept: Path) -> None:
    running = start(kept)
    settings = dict(
        execute(
            running,
            "SELECT name, setting FROM pg_settings WHERE name IN "
            "('listen_addresses', 'data_checksums', 'server_encoding', 'unix_socket_permissions')",
        )
    )
    assert settings == {
        "listen_addresses": "",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "unix_socket_permissions": "0700",
    }
    for private in (running.home, running.sockets, running.data):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert execute(running, "SELECT type, auth_method FROM pg_hba_file_rules") == [
        ("local", "peer")
    ]


@needs_root
def test_other_users_do_not_get_in(kept: Path) -> None:
    running = start(kept)
    nobody = process.find_account("nobody")
    assert nobody is not None
    psql = shutil.which("psql") or str(postgres.find_binaries().program("psql"))
    command = [psql, running.url("postgres"), "-c", "SELECT 1"]
    refused = process.run(command, account=nobody, check=False)
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr
    # Even with the folders open the kernel tells the server who it is.
    opened = [running.sockets, running.home, running.sockets / ".s.PGSQL.5432"]
    modes = [path.stat().st_mode for path in opened]
    try:
        for path in opened:
            path.chmod(0o777)
        refused = process.run(command, account=nobody, check=False)
    finally:
        for path, mode in zip(opened, modes, strict=True):
            path.chmod(stat.S_IMODE(mode))
    assert refused.returncode != 0
    assert "Peer authentication failed" in refused.stderr


def test_up_twice_is_one_server_and_down_twice_is_harmless(kept: Path) -> None:
    start(kept)
    first = cluster.state(kept).pid
    start(kept)
    assert cluster.state(kept).pid == first
    assert cluster.down(kept) is True
    assert cluster.down(kept) is False
    assert cluster.state(kept).state == "stopped"


def test_no_cluster_is_told_without_making_one(tmp_path: Path) -> None:
    assert cluster.state(tmp_path).state == "absent"
    assert cluster.down(tmp_path) is False
    assert cluster.describe(tmp_path) == {"state": "absent"}
    assert list(tmp_path.iterdir()) == []


def test_a_killed_server_is_started_again(kept: Path) -> None:
    running = start(kept)
    pid = cluster.state(kept).pid
    assert pid is not None
    with closing(psycopg.connect(running.url("postgres"), autocommit=True)) as connection:
        # A backend in a long statement outlives the killed server and holds its shared memory.
        backend = connection.info.backend_pid
        connection.pgconn.send_query(
            b"DO $$ DECLARE n bigint := 0; BEGIN LOOP n := n + 1; END LOOP; END $$"
        )
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert process.is_alive(backend)
        assert cluster.state(kept).state == "stopped"
        running = start(kept)
        assert not process.is_alive(backend)
    assert execute(running, "SELECT n FROM t") == [(7,)]


def test_a_server_whose_socket_is_gone_is_started_again(kept: Path) -> None:
    running = start(kept)
    pid = cluster.state(kept).pid
    for part in running.sockets.iterdir():
        part.unlink()
    running = start(kept)
    assert cluster.state(kept).pid != pid
    assert execute(running, "SELECT n FROM t") == [(7,)]


def test_a_pid_file_whose_number_was_given_to_another_process(kept: Path) -> None:
    running = start(kept)
    pid = cluster.state(kept).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    other = process.launch(["sleep", "60"], log=running.log, account=running.account)
    try:
        path = running.data / "postmaster.pid"
        lines = path.read_text("utf-8").split("\n")
        process.write_text(path, "\n".join([str(other), *lines[1:]]), account=running.account)
        assert cluster.state(kept).state == "stopped"
        assert execute(start(kept), "SELECT n FROM t") == [(7,)]
        assert process.is_alive(other)
    finally:
        os.kill(other, signal.SIGKILL)


def test_a_shell_in_the_data_folder_is_left_alone(kept: Path) -> None:
    running = start(kept)
    pid = cluster.state(kept).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    command = ["/bin/sh", "-c", 'cd "$1" && sleep 60', "sh", str(running.data)]
    shell = process.launch(command, log=running.log, account=running.account)
    try:
        assert execute(start(kept), "SELECT n FROM t") == [(7,)]
        assert process.is_alive(shell)
    finally:
        os.killpg(os.getpgid(shell), signal.SIGKILL)


@pytest.mark.parametrize("text", ["", "12", "not a number\n/somewhere\n"])
def test_a_pid_file_cut_off(kept: Path, text: str) -> None:
    running = start(kept)
    pid = cluster.state(kept).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    process.write_text(running.data / "postmaster.pid", text, account=running.account)
    assert execute(start(kept), "SELECT n FROM t") == [(7,)]


def test_two_commands_at_once_start_one_server(folder: Path) -> None:
    root = folder / "twice"
    root.mkdir()
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from gis import cluster; "
        "cluster.up(Path(sys.argv[2]), is_durable=False); print(cluster.state(Path(sys.argv[2])).pid)"
    )
    command = [sys.executable, "-c", program, str(ROOT), str(root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate()[0].strip() for process in both}
    assert answers == {str(cluster.state(root).pid)}


def test_a_path_too_long_for_a_socket_and_with_every_sign(folder: Path) -> None:
    root = folder / ("很长的路径" * 10) / 'it\'s "50%" a,b $HOME `x`'
    root.mkdir(parents=True)
    running = start(root)
    try:
        assert execute(running, "SELECT 1") == [(1,)]
        assert not running.sockets.is_relative_to(root)
        assert stat.S_IMODE(running.sockets.stat().st_mode) == 0o700
        assert running.sockets.stat().st_uid == running.account.uid
        # The system's cleaner took the socket's folder: the next command gets in again.
        shutil.rmtree(running.sockets)
        again = start(root)
        assert again.sockets != running.sockets
        assert execute(again, "SELECT 1") == [(1,)]
    finally:
        cluster.down(root)
    assert not again.sockets.exists()


def test_a_moved_workspace_keeps_its_database(folder: Path) -> None:
    root = folder / "before"
    root.mkdir()
    execute(cluster.up(root), "CREATE TABLE t AS SELECT 8 AS n")
    # Moved while its server runs from the old path, then while it is down.
    moved = root.rename(folder / "after")
    assert cluster.state(moved).state == "running"
    assert execute(cluster.up(moved), "SELECT n FROM t") == [(8,)]
    cluster.down(moved)
    again = moved.rename(folder / "again")
    assert execute(cluster.up(again), "SELECT n FROM t") == [(8,)]
    cluster.down(again)


@needs_root
def test_a_workspace_in_a_closed_home_folder(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    root = home / "city"
    root.mkdir()
    running = start(root)
    try:
        assert running.home.parent == Path("/var/lib/wanmi")
        execute(running, "CREATE TABLE t AS SELECT 9 AS n")
        cluster.down(root)
        assert execute(start(root), "SELECT n FROM t") == [(9,)]
        # A copy would write into the original's database.
        shutil.copytree(root, home / "copy")
        with pytest.raises(ClusterError, match=r"is a copy of .*wanmi db backup"):
            start(home / "copy")
        # Moved, it keeps its database.
        moved = root.rename(home / "moved")
        assert execute(start(moved), "SELECT n FROM t") == [(9,)]
        cluster.down(moved)
    finally:
        for place in (home / "moved", home / "city"):
            cluster.down(place)
        shutil.rmtree(running.home)


def test_a_server_that_does_not_start_tells_why(folder: Path) -> None:
    root = folder / "broken"
    root.mkdir()
    running = start(root)
    cluster.down(root)
    with (running.data / "postgresql.conf").open("a") as conf:
        conf.write("work_mem = 'plenty'\n")
    with pytest.raises(
        ClusterError, match=r"does not start: .*configuration file .* contains errors"
    ):
        start(root)


def test_data_of_another_version_names_the_package(folder: Path) -> None:
    root = folder / "old"
    root.mkdir()
    running = start(root)
    cluster.down(root)
    process.write_text(running.data / "PG_VERSION", "12\n", account=running.account)
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 12, installed here: \d+.*install"):
        start(root)


@contextmanager
def small_disk(place: Path, *, size: str) -> Iterator[None]:
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    try:
        yield
    finally:
        cluster.down(place)
        subprocess.run(["umount", str(place)], check=True)


@needs_root
def test_a_disk_too_small_for_a_cluster_is_told(folder: Path) -> None:
    root = folder / "small disk"
    with small_disk(root, size="20m"):
        with pytest.raises(ClusterError, match=r"The disk that holds .* is full: free some space"):
            start(root)
        left = [path.name for path in (root / "database" / "server").iterdir()]
        assert not [name for name in left if name.startswith("data")]


@needs_root
def test_a_disk_that_fills_up_later_loses_nothing(folder: Path) -> None:
    root = folder / "filling disk"
    with small_disk(root, size="90m"):
        running = cluster.up(root)
        execute(running, "CREATE TABLE t AS SELECT 7 AS n")
        database = Database(url=running.url("postgres"), crs="EPSG:4547", srid=4547)

        def fill() -> None:
            with database.connect() as connection:
                connection.execute("INSERT INTO t SELECT n FROM generate_series(1, 3000000) AS n")

        # A full disk of tables is told by the server; one that stops its log ends the server.
        with pytest.raises(
            DatabaseError, match=r"disk of the database is full|connection .* was lost"
        ):
            fill()
        cluster.down(root)
        block = root / "block"
        subprocess.run(["dd", "if=/dev/zero", f"of={block}"], capture_output=True, check=False)
        with pytest.raises(ClusterError, match=r"The disk that holds .* is full: free some space"):
            cluster.up(root)
        block.unlink()
        assert execute(cluster.up(root), "SELECT n FROM t") == [(7,)]


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "cluster.json").write_text('{"home": ')
    with pytest.raises(ClusterError, match=r"cluster\.json is damaged"):
        start(tmp_path)


def test_folders_whose_names_are_no_utf8_are_read_from_the_record(tmp_path: Path) -> None:
    sockets = os.fsdecode(b"/run/" + "城市".encode("gbk"))
    user = process.own_account().name
    record = {"home": "server", "sockets": sockets, "server_user": user, "client_user": user}
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "cluster.json").write_text(json.dumps(record))
    found = cluster.find(tmp_path)
    assert found is not None
    assert os.fsencode(found.sockets) == b"/run/" + "城市".encode("gbk")
    assert found.home == tmp_path / "server"
    (tmp_path / "database" / "cluster.json").write_text('{"home": 1}')
    with pytest.raises(ClusterError, match=r"cluster\.json is damaged"):
        cluster.find(tmp_path)


def test_a_workspace_whose_path_is_no_utf8(folder: Path) -> None:
    root = folder / os.fsdecode("城市".encode("gbk"))
    root.mkdir()
    try:
        assert execute(start(root), "SELECT 1") == [(1,)]
        assert cluster.state(root).state == "running"
    finally:
        cluster.down(root)
    shutil.rmtree(root)


def test_the_cluster_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "cluster.json").write_text(
        '{"home": "h", "sockets": "s", "server_user": "root", "client_user": "somebody"}'
    )
    with pytest.raises(ClusterError, match="belongs to the user somebody"):
        start(tmp_path)


def test_a_workspace_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "database").write_text("in the way")
    with pytest.raises(WorkspaceError, match="can not be written: File exists"):
        start(tmp_path)


@needs_root
def test_a_socket_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    nobody = process.find_account("nobody")
    assert nobody is not None
    place = tmp_path / "taken"
    place.mkdir()
    os.chown(place, nobody.uid, nobody.gid)
    with pytest.raises(ClusterError, match="belongs to another user"):
        server.private_folder(place, process.own_account())
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ClusterError, match="belongs to another user"):
        server.private_folder(tmp_path / "link", process.own_account())


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 180
    while process.is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)
