"""The answers beside the delivery: what the platform should find."""

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.sample.cases import CaseBook
from pipelines.sample.district import District
from pipelines.sample.spoken import HOWS, Saying, Speaker
from pipelines.sample.tables import write_csv
from pipelines.sample.truth import Judge, Verdict

ADDRESS_QUERIES = 400


def write_answers(folder: Path, *, district: District, speaker: Speaker, book: CaseBook) -> None:
    """Write the answers as CSV."""
    folder.mkdir(exist_ok=True)
    write_csv(book.answers, folder / "cases.csv")
    write_csv(book.hotspots, folder / "hotspots.csv")
    write_csv(_addresses(district, speaker), folder / "addresses.csv")


def _addresses(district: District, speaker: Speaker) -> pd.DataFrame:
    """Return queries of all kinds, each once, with the place that is meant."""
    stream = district.plan.stream("queries")
    said: dict[str, Saying] = {}
    for number in range(ADDRESS_QUERIES):
        saying = speaker.say(HOWS[number % len(HOWS)], stream)
        said.setdefault(saying.text, saying)
    sayings = list(said.values())
    codes = district.areas.locate(np.array([(s.x, s.y) for s in sayings]))
    table = pd.DataFrame(
        {
            "query": [s.text for s in sayings],
            "x": [f"{s.x:.3f}" for s in sayings],
            "y": [f"{s.y:.3f}" for s in sayings],
            "code": [s.code for s in sayings],
            "community_code": codes,
            "how": [s.how for s in sayings],
        }
    )
    return table[table["community_code"] != ""]


def owner_table(tables: dict[str, pd.DataFrame], judge: Judge) -> pd.DataFrame:
    """Return what the records of components lead to, for all whose record is not plain."""
    rows = []
    for table in tables.values():
        plain = table.astype(object).where(table.notna(), None)
        known: dict[tuple[str | None, ...], Verdict] = {}
        names = [f"Dept{part}{number}" for number in (1, 2, 3) for part in ("Code", "Name")]
        for own in plain.to_dict("records"):
            key = tuple(own[name] for name in (*names, "Note"))
            if key not in known:
                known[key] = judge.recorded(own)
            verdict = known[key]
            if verdict.tags or verdict.role != "maintainer":
                code = unicodedata.normalize("NFKC", own["ObjID"])
                rows.append((code, verdict.unit_code, verdict.role, ";".join(verdict.tags)))
    return pd.DataFrame(rows, columns=["component_code", "unit_code", "role", "tags"])
