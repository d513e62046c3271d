"""The figures as the generated block of ``docs/geocoding.md``."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gis.errors import SettingsError
from tests.benchmarks.geocoding.disturbing import WAYS
from tests.benchmarks.geocoding.scoring import Scores

START, END = "<!-- figures of make geocode-bench -->", "<!-- end -->"
_HEAD = (
    "| | asked | hit@1 | hit@5 | median m | 95 % within m | right district | right community "
    "| right grid | sure (≥ 0.8) and wrong | calibration error |"
)


class Line(NamedTuple):
    """One line of a table."""

    title: str
    name: str
    scores: Scores


def write_block(page: Path, lines: Sequence[Line]) -> None:
    """Put the tables between the markers of a page.

    Raises
    ------
    SettingsError
        The page has no such block.
    """
    text = page.read_text(encoding="utf-8")
    head, found, rest = text.partition(START)
    _, ended, tail = rest.partition(END)
    if not (found and ended):
        msg = f"{page} has no block for the figures: write the lines {START} and {END} into it."
        raise SettingsError(msg, zh=f"{page} 中没有放置指标的位置：请写入 {START} 与 {END} 两行。")
    page.write_text(f"{head}{START}\n\n{block(lines)}\n\n{END}{tail}", encoding="utf-8")


def block(lines: Sequence[Line]) -> str:
    """Return the tables: a line per set and group, then a line per way of spoiling."""
    plain = [line for line in lines if line.name not in WAYS]
    rows = [_HEAD, "|---" + "|---:" * 10 + "|"]
    title = ""
    for line in plain:
        if line.title != title and not line.title.startswith(" "):
            rows.append(f"| **{line.title}** |" + " |" * 10)
        title = line.title
        name = line.title.strip() if line.title.startswith(" ") else line.name.strip()
        name = f"*{name}: {line.name.strip()}*" if line.title.startswith(" ") else name
        rows.append(f"| {name} | {' | '.join(_cells(line.scores))} |")
    spoilt = {line.name: line for line in reversed(lines) if line.name in WAYS}
    ways = ["| spoilt by | example | asked | hit@1 | wrong when sure |", "|---|---|---:|---:|---:|"]
    for name in (name for name in WAYS if name in spoilt):
        said, _, what = (WAYS[name].__doc__ or "").strip(".").partition(": ")
        found = spoilt[name].scores
        ways.append(
            f"| {what} | {said} | {found.rows:,} | {_share(found.hit1)} | "
            f"{_share(found.wrong_when_sure)} |"
        )
    return "\n".join([*rows, "", *ways] if spoilt else rows)


def _cells(scores: Scores) -> list[str]:
    areas = (scores.in_district, scores.in_community, scores.in_grid)
    return [
        f"{scores.rows:,}",
        _share(scores.hit1),
        _share(scores.hit5),
        _metres(scores.median_m),
        _metres(scores.p95_m),
        *map(_share, areas),
        _share(scores.wrong_when_sure),
        _share(scores.calibration_error),
    ]


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _metres(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:,.0f}"
