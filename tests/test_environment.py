"""The environment is written in three places; they agree."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What conda gives beside the Python packages, and the names that differ there.
CONDA_ONLY = {"python", "pip", "make", "nodejs", "postgresql", "postgis"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def split(requirement: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?(.*)", requirement.strip())
    assert found, requirement
    return found[1].lower(), found[2].strip()


def declared() -> dict[str, str]:
    groups = PROJECT["dependency-groups"]
    listed = [*PROJECT["project"]["dependencies"], *groups["build"], *groups["dev"]]
    return dict(split(requirement) for requirement in listed)


def conda() -> dict[str, str]:
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    start = lines.index("dependencies:")
    entries = [line.strip()[2:] for line in lines[start + 1 :] if line.strip().startswith("- ")]
    entries = [entry for entry in entries if entry != "pip:" and not entry.startswith("--no-deps")]
    return dict(split(entry) for entry in entries)


def test_conda_environment_agrees_with_the_project() -> None:
    wanted = declared()
    # psycopg's C library and pool are extras on PyPI, a dependency and a package of their own in conda.
    wanted["psycopg-pool"] = wanted["psycopg"]
    found = conda()
    assert {name: bound for name, bound in found.items() if name not in CONDA_ONLY} == wanted
    assert found["python"] == PROJECT["project"]["requires-python"]


def test_locks_pin_every_requirement_with_hashes_and_no_address() -> None:
    runtime = {split(text)[0] for text in PROJECT["project"]["dependencies"]}
    for name, wanted in (
        ("requirements.lock", runtime),
        ("requirements-dev.lock", set(declared())),
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        pinned = set(re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==", text, flags=re.MULTILINE))
        assert wanted <= pinned, wanted - pinned
        blocks = re.split(r"\n(?=[a-z0-9])", text)
        assert all("--hash=sha256:" in block for block in blocks if "==" in block.split("\n")[0])
        assert "://" not in text
