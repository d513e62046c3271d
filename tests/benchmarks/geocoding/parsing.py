"""How many delivered addresses are read right, and how fast, beside three known parsers.

``python -m tests.benchmarks.geocoding.parsing``. The rivals are no dependencies: each is installed
into an environment of its own that ends with the run, or left out with the reason.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gis.addresses.levels import AreaNames, split_levels
from gis.addresses.spelling import normalise

ROOT = Path(__file__).resolve().parents[3]
GOLD = ROOT / "tests/gis/addresses"
CODES = ROOT / "../shared/data/china_codes"
AREA_LEVELS = ("province", "city", "district")
LEVELS = (
    *AREA_LEVELS,
    *("street", "community", "road", "plate", "block", "building", "poi"),
    *("orientation", "supplement"),
)
_SECONDS = 2.0
_INSTALL_S, _RUN_S = 300, 300
_NO_CITY = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")


class Rival(NamedTuple):
    """A parser to compare with."""

    name: str
    licence: str
    packages: tuple[str, ...]
    """What to install: the parser and what it forgets to ask for."""
    call: str
    """Python that defines ``read(text) -> (province, city, district, detail)``."""


RIVALS = (
    Rival(
        "jionlp",
        "Apache-2.0",
        ("jionlp",),
        "import jionlp\n"
        "def read(text):\n"
        "    found = jionlp.parse_location(text, town_village=True, change2new=False)\n"
        "    return [found[key] for key in ('province', 'city', 'county', 'detail')]\n",
    ),
    Rival(
        "cpca",
        "MIT",
        ("cpca",),
        "import cpca\ndef read(text):\n    return cpca.transform([text]).iloc[0, :4].tolist()\n",
    ),
    Rival(
        "addressparser",
        "MIT",
        ("addressparser", "six", "jieba"),
        "import addressparser\n"
        "def read(text):\n"
        "    return addressparser.transform([text]).iloc[0, :4].tolist()\n",
    ),
)
_PROGRAM = """
import contextlib, io, json, sys, time, warnings
warnings.simplefilter("ignore")
texts = json.load(sys.stdin)
with contextlib.redirect_stdout(io.StringIO()):
{call}
    read("北京市朝阳区建国路1号")
    answers = []
    for text in texts:
        try:
            answers.append([str(part or "") for part in read(text)])
        except Exception as error:
            answers.append(["failed", "", "", type(error).__name__])
    start, asked = time.process_time(), 0
    while time.process_time() - start < {seconds}:
        for text in texts:
            with contextlib.suppress(Exception):
                read(text)
        asked += len(texts)
    speed = asked / (time.process_time() - start)
json.dump({{"answers": answers, "speed": speed}}, sys.stdout)
"""


def gold() -> list[dict[str, str]]:
    """Return the strings with their levels worked out by hand."""
    with (GOLD / "gold.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["text"]]


def area_names() -> AreaNames:
    """Return the areas of the whole country where the tables are at hand, else the test's own."""
    names: dict[str, str] = {}
    for level in ("provinces", "cities", "areas", "streets"):
        path = CODES / f"modood_{level}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                names |= {row["code"]: row["name"] for row in csv.DictReader(file)}
    with (GOLD / "areas.csv").open(encoding="utf-8", newline="") as file:
        names |= {row["code"]: row["name"] for row in csv.DictReader(file)}
    return AreaNames.of(names)


def rows() -> list[dict[str, object]]:
    """Return a row for each parser: share of areas right, of roads kept, of all levels right; speed.

    Texts a second are of processor time on one core, one text at a call, caches as they come.
    """
    asked = gold()
    return [_ours(asked), *(_rival(rival, asked) for rival in RIVALS)]


def _ours(asked: Sequence[dict[str, str]]) -> dict[str, object]:
    areas = area_names()
    found = [split_levels(row["text"], areas) for row in asked]
    answers = [(one.province, one.city, one.district, one.rest) for one in found]
    whole = sum(
        all(getattr(one, level) == row[level] for level in LEVELS)
        for one, row in zip(found, asked, strict=True)
    )
    speed = _speed(lambda text: split_levels(text, areas), [row["text"] for row in asked])
    judged = _judged("wanmi", "Apache-2.0", asked, answers, speed)
    return judged | {"all_levels": round(whole / len(asked), 3)}


def _speed(read: Callable[[str], object], texts: Sequence[str]) -> float:
    start, count = time.process_time(), 0
    while time.process_time() - start < _SECONDS:
        for text in texts:
            read(text)
        count += len(texts)
    return count / (time.process_time() - start)


def _rival(rival: Rival, asked: Sequence[dict[str, str]]) -> dict[str, object]:
    texts = [row["text"] for row in asked]
    try:
        told = _run(rival, texts)
    except (subprocess.SubprocessError, OSError, json.JSONDecodeError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return _row(rival.name, rival.licence) | {"note": f"left out: {(reason or ['?'])[-1][:80]}"}
    answers = [tuple(answer) for answer in told["answers"]]
    return _judged(rival.name, rival.licence, asked, answers, told["speed"])


def _run(rival: Rival, texts: Sequence[str]) -> dict[str, Any]:
    """Ask a rival in an environment of its own."""
    with tempfile.TemporaryDirectory(prefix="wanmi-rival-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "bin", "python"))
        _call([python, "-m", "pip", "install", "-q", *rival.packages], "", _INSTALL_S)
        call = "".join(f"    {line}\n" for line in rival.call.splitlines())
        program = _PROGRAM.format(call=call, seconds=_SECONDS)
        told: dict[str, Any] = json.loads(_call([python, "-c", program], json.dumps(texts), _RUN_S))
        return told


def _call(command: list[str], sent: str, seconds: int) -> str:
    done = subprocess.run(
        command, input=sent, capture_output=True, text=True, check=True, timeout=seconds
    )
    return done.stdout


def _judged(
    name: str,
    licence: str,
    asked: Sequence[dict[str, str]],
    answers: Sequence[tuple[str, ...]],
    speed: float,
) -> dict[str, object]:
    right = sum(
        _areas(answer) == tuple(row[level] for level in AREA_LEVELS)
        for row, answer in zip(asked, answers, strict=True)
    )
    roads = [(row["road"], answer[3]) for row, answer in zip(asked, answers, strict=True)]
    roads = [(normalise(road), normalise(rest)) for road, rest in roads if road]
    kept = sum(road in rest for road, rest in roads)
    return _row(name, licence) | {
        "asked": len(asked),
        "areas_right": round(right / len(asked), 3),
        "road_kept": round(kept / len(roads), 3),
        "texts_per_s": round(speed),
    }


def _areas(answer: tuple[str, ...]) -> tuple[str, ...]:
    """Return the areas of an answer in our way: a municipality is its own city."""
    province, city, district = answer[:3]
    if city in _NO_CITY:
        city = province if province.endswith("市") else ""
    if not district and city == province:
        city = ""
    return province, city, district


def _row(name: str, licence: str) -> dict[str, object]:
    columns = ("asked", "areas_right", "road_kept", "all_levels", "texts_per_s", "note")
    row: dict[str, object] = {"parser": name, "licence": licence}
    return row | dict.fromkeys(columns, "")


def main() -> None:
    """Print the table."""
    table = rows()
    lines: list[list[object]] = [list(table[0]), *(list(row.values()) for row in table)]
    for line in lines:
        sys.stdout.write("  ".join(f"{value!s:<14}" for value in line) + "\n")


if __name__ == "__main__":
    main()
