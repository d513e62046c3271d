"""What the README shows works as shown, on the sample district."""

import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.compile import compile_snapshot
from tests.sample_fixtures import BuiltSample
from tests.server_fixtures import serving

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sample(built_sample: BuiltSample) -> BuiltSample:
    compile_snapshot(built_sample.database, built_sample.workspace)
    return built_sample


def test_first_lookup_answers(sample: BuiltSample) -> None:
    lines = re.findall(r"^curl (.+)$", README, flags=re.MULTILINE)
    urls = [shlex.split(line)[0] for line in lines]
    assert len(urls) == 2
    with serving(sample.workspace) as server:
        answers = [httpx.get(url.replace("http://127.0.0.1:8000", server.url)) for url in urls]
    assert [answer.status_code for answer in answers] == [200, 200]
    lookup = answers[0].json()
    assert lookup["owner"]["unit_name"]
    assert re.fullmatch(r"130102\d{9}", lookup["grid"]["code"])
    assert lookup["trace"]
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


def test_pictures_are_there() -> None:
    root = Path(__file__).resolve().parents[1]
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (root / name).is_file()
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (root / name).exists(), name
