"""The demo as a newcomer runs it: a workspace, a database of its own, a server, three answers."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gis.errors import BuildError
from gis.settings import Settings
from pipelines.demo import Call, refuse_taken, run_demo

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def demo(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("WANMI_")
    }
    words = ["demo", str(folder), "--once", "--area-km2", "1", "--port", str(port)]
    return subprocess.run(
        [sys.executable, "-m", "wanmi", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def answers(output: str) -> list[object]:
    """The JSON documents after the three curl commands."""
    decoder = json.JSONDecoder()
    texts = output.split("$ curl ")[1:]
    return [decoder.raw_decode(text.partition("\n")[2])[0] for text in texts]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_demo_answers_and_ends_and_uses_again_what_is_there(tmp_path):
    folder, port = tmp_path / "演 示", free_port()
    try:
        first = demo(folder, port)
        assert first.returncode == 0, first.stderr
        lookup, decision, places = answers(first.stdout)
        assert lookup["component"]["class_code"] == "0102"
        assert decision["component"]["code"] == lookup["component"]["code"]
        assert decision["owner"]["principle"] == "owner_first"
        assert decision["owner"]["unit_code"]
        assert places[0]["kind"] == "plate"
        with socket.socket() as probe:  # the server it started is gone
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        second = demo(folder, port)
        assert second.returncode == 0, second.stderr
        assert "is used again" in second.stdout
        assert "built" not in second.stdout
        assert answers(second.stdout)[2] == places
    finally:
        subprocess.run(
            [sys.executable, "-m", "wanmi", "-w", str(folder), "db", "down"], cwd=ROOT, check=False
        )


def test_a_port_in_use_is_told_before_a_server_is_started():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BuildError, match=f"Port {port} is in use already"):
            refuse_taken(port)
    refuse_taken(free_port())


def test_a_step_that_fails_ends_the_demo_with_its_name(tmp_path, capfd):
    (tmp_path / "wanmi.toml").write_text("[city]\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"The demo stopped at `wanmi -w .* db migrate`"):
        run_demo(
            tmp_path,
            settings=Settings(),
            area_km2=1.0,
            port=free_port(),
            once=True,
            echo=lambda _: None,
        )
    assert "Error: " in capfd.readouterr().err


def test_a_call_is_shown_as_curl():
    plain = Call(title="t", method="GET", path="/v1/lookup", query={"x": "114.5", "kind": "event"})
    assert plain.command(8000) == "curl 'http://127.0.0.1:8000/v1/lookup?x=114.5&kind=event'"
    place = Call(title="t", method="GET", path="/v1/geocode", query={"q": "裕华路1号"})
    assert place.command(80) == (
        "curl -G 'http://127.0.0.1:80/v1/geocode' --data-urlencode 'q=裕华路1号'"
    )
    assert place.target == "/v1/geocode?q=%E8%A3%95%E5%8D%8E%E8%B7%AF1%E5%8F%B7"
    call = Call(title="t", method="POST", path="/v1/assign", body={"address": "裕华路's"})
    assert call.command(8000) == (
        "curl -X POST 'http://127.0.0.1:8000/v1/assign' -H 'Content-Type: application/json' "
        """-d '{"address": "裕华路'"'"'s"}'"""
    )
