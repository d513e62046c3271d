"""What the README shows works as shown, on the sample district."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import Snapshot
from tests.command_forks import command_forks
from tests.sample_fixtures import BuiltSample
from tests.server_fixtures import serving

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sample(built_sample: BuiltSample, sample_snapshot: Snapshot) -> BuiltSample:
    """With its snapshot."""
    return built_sample


def test_first_lookup_answers(sample: BuiltSample) -> None:
    lines = re.findall(r"^curl (.+)$", README, flags=re.MULTILINE)
    urls = [shlex.split(line)[0] for line in lines]
    assert len(urls) == 2
    with serving(sample.workspace) as server:
        asked = [url.replace("http://127.0.0.1:8000", server.url) for url in urls]
        answers = [httpx.get(url, timeout=60) for url in (*asked, f"{asked[0]}&trace=true")]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    lookup = answers[0].json()
    assert lookup["owner"]["unit_name"]
    assert re.fullmatch(r"130102\d{9}", lookup["grid"]["code"])
    assert lookup["trace"] == []
    assert answers[2].json()["trace"]
    assert isinstance(answers[1].json(), list)


def test_first_notebook_lines_answer(
    sample: BuiltSample, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "demo").symlink_to(sample.workspace.root)
    monkeypatch.chdir(tmp_path)
    source = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert source
    *lines, last = source[1].strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)  # the reader's own lines
    answer = eval(last, names)
    assert list(answer.columns) == ["grid_code", "unit_name", "probability", "reasons"]
    assert answer["unit_name"].notna().all()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_city_of_ones_own(sample_delivery: Path, tmp_path: Path) -> None:
    (tmp_path / "deliveries").mkdir()
    (tmp_path / "deliveries" / "2026-spring-census").symlink_to(sample_delivery)
    (tmp_path / "hotline.csv").write_text("事发地址\n裕华路12号\n", encoding="utf-8")
    (tmp_path / "cases.csv").write_text("x,y\n114.4668,38.0573\n", encoding="utf-8")
    for path in (sample_delivery / "09职责分解方案").iterdir():
        (tmp_path / path.name).symlink_to(path)
    lines = [shlex.split(line) for line in re.findall(r"^wanmi .+$", README, flags=re.MULTILINE)]
    assert lines[0][1] == "init"
    assert [line[-1] for line in lines].count("serve") == 1
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WANMI_")}
    environ["PYTHONPATH"] = str(ROOT)
    try:
        with command_forks(tmp_path, environ) as wanmi:
            for _, *arguments in lines:
                if arguments[-1] == "serve":
                    continue  # runs until it is stopped; the first lookup asks it
                done = wanmi(*arguments)
                told = done.stdout + done.stderr
                # The faults planted in a district this small are enough to reject it, and its plan.
                is_rejected = "check" in arguments and "is rejected" in done.stderr
                is_not_accepted = "plan" in arguments and re.search("(NOT|is not) accepted", told)
                is_verdict = is_rejected or (done.returncode == 1 and is_not_accepted)
                assert done.returncode == 0 or is_verdict, f"{arguments}: {told}"
    finally:
        down = [sys.executable, "-m", "wanmi", "-w", "changan", "db", "down"]
        subprocess.run(down, cwd=tmp_path, env=environ, check=True, capture_output=True)
    written = re.findall(r"-o (\S+\.(?:xlsx|html|csv|gpkg|parquet|pdf|toml))", README)
    assert len(written) > 12
    for name in written:
        assert (tmp_path / name).is_file(), name
    assert list((tmp_path / "changan" / "snapshots").iterdir())
    assert (tmp_path / "atlas.pdf").read_bytes().startswith(b"%PDF")


def test_pictures_are_there() -> None:
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / name).is_file()
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / name).exists(), name
