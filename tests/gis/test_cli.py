"""The commands as they are typed, on an embedded database and on one named by URL."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gis.cli
from gis import cluster
from gis.command import make_app
from gis.database import Database
from gis.errors import DatabaseError, WanmiError
from gis.migrations import revisions

app = make_app()
gis.cli.register(app)


def run(*words: str, **environment: str) -> str:
    """Run a command line; return what it printed, or raise its error."""
    result = CliRunner().invoke(app, list(words), env=environment)
    if isinstance(result.exception, WanmiError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def run_json(*words: str, **environment: str) -> Any:
    return json.loads(run(*words, "--json", **environment))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A workspace that a server of another user can reach."""
    with tempfile.TemporaryDirectory(prefix="wanmi-cli-") as name:
        path = Path(name)
        path.chmod(0o755)
        run("init", str(path), "--city-code", "130102", "--name", "长安区")
        yield path
        cluster.down(path)


def test_the_life_of_an_embedded_database(folder: Path, tmp_path: Path) -> None:
    at = ("--workspace", str(folder))
    assert run_json(*at, "db", "status")["state"] == "absent"
    health = run_json(*at, "db", "up")
    assert (health["kind"], health["state"]) == ("embedded", "running")
    assert health["pending"] == revisions()
    with pytest.raises(DatabaseError, match="run `wanmi db migrate`"):
        run(*at, "db", "backup", str(tmp_path / "early.dump"))
    assert run_json(*at, "db", "migrate") == {"applied": revisions()}
    assert run_json(*at, "db", "migrate") == {"applied": []}
    health = run_json(*at, "db", "status")
    assert health["pending"] == []
    assert health["has_api_role"] is True
    assert health["postgis"] >= "3.3"
    assert health["size_bytes"] > 1_000_000
    assert health["place"] == str(folder / "database" / "server" / "run")
    file = tmp_path / "a.dump"
    assert run_json(*at, "db", "backup", str(file))["size_bytes"] == file.stat().st_size
    assert run_json(*at, "db", "restore", str(file)) == {"file": str(file), "applied": []}
    assert run_json(*at, "db", "down") == {"was_running": True}
    assert run(*at, "db", "down") == "It was not running.\n"
    shown = run(*at, "db", "status")
    assert "embedded, stopped" in shown
    assert cluster.state(folder).state == "stopped"


def test_a_database_by_url_shows_no_password(folder: Path, database: Database) -> None:
    url = database.url.replace("wanmi@", "wanmi:secret@")
    shown = run("--workspace", str(folder), "db", "status", WANMI_DATABASE_URL=url)
    assert "url, running" in shown
    assert "up to date" in shown
    assert "secret" not in shown
    assert not (folder / "database").exists()


def test_init_prints_the_next_step(tmp_path: Path) -> None:
    shown = run("init", str(tmp_path / "city"), "--city-code", "130102", "--crs", "EPSG:4526")
    assert shown.endswith(f"Next: cd {tmp_path / 'city'} && wanmi db migrate\n")
    assert 'crs = "EPSG:4526"' in (tmp_path / "city" / "wanmi.toml").read_text("utf-8")


def test_the_dictionary_is_written(tmp_path: Path) -> None:
    document = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"
    run("db", "dictionary", "-o", str(tmp_path / "d.md"))
    assert (tmp_path / "d.md").read_text("utf-8") == document.read_text("utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("init",),
        *(
            ("db", name)
            for name in ("up", "down", "status", "migrate", "backup", "restore", "dictionary")
        ),
    ],
)
def test_help_shows_an_example(words: tuple[str, ...]) -> None:
    shown = " ".join(run(*words, "--help").split())
    assert f"Example: wanmi {' '.join(words)}" in shown
