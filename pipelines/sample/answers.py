"""The answers beside the delivery: what the platform should find."""

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.sample.cases import CaseBook
from pipelines.sample.district import District
from pipelines.sample.history import History
from pipelines.sample.spoken import HOWS, Saying, Speaker
from pipelines.sample.tables import write_csv
from pipelines.sample.truth import Judge, Verdict

ADDRESS_QUERIES = 400
_README = """# 标准答案 / Answers

The district is invented; nothing in it is a real place, unit or person. The answers were worked out while it was made,
by plain loops of their own (`pipelines/sample/truth.py`), not by the platform. Coordinates: EPSG:4547, m.

| file | one row per | columns |
|---|---|---|
| `cases.csv` | case | `true_x`, `true_y`: where it happened; `component_code`: component it is about; `community_code` by that place; `unit_code`, `role`, `principle`: owning unit 责任单位; `tags` |
| `faults.csv` | planted fault | `file` (`#sheet`), `source_row` (1-based; sheets count their header; 0: the whole file), `expected`: refused, warned, fixed; `rule` that should speak; `note` |
| `addresses.csv` | query | `x`, `y`: place meant; `code`: address row, empty for a crossing; `community_code`; `how`: kind of query |
| `owners.csv` | component whose record is not plain | `unit_code`: unit the record leads to, empty for none; `role`; `tags`: alias, by_name, successor, unknown_unit, none, ownership_disputed |
| `hotspots.csv` | cluster of events | centre, `sigma_m` (standard deviation per axis), months and hours in which it is fed, number of cases |
| `plan_rules.csv` | row of `09职责分解方案/职责分解方案.xlsx` (next year's plan, not part of the delivery) that is refused or doubted | `rule` that should speak |
| `plan_findings.csv` | hole, gap, conflict, overlap or row that never wins in that plan | `kind`, `classes`, `areas`, `rows` (`;` between), `times` |
| `causes.csv` | planted cause of returns 退件 | `kind`: plan_row (a row that names the wrong unit), stale_owner (records of a class in a street), border (a stretch drawn on the wrong side); `unit_code` gets the cases, `to_unit_code` handles them; `cases`; `stretch` as WKT |
| `returns.csv` | case that was sent back | `unit_code` was asked first, `handled_by` handled it; `cause`: a kind of causes.csv, noise (sent back, handled all the same), stray (handled by anybody) |
| `duplicates.csv` | pair of reports of one incident 重复案件 | `case_id` came first |
| `check_points.csv` | held-out check point of the image | ground place, ellipsoidal height |

Tags of `cases.csv`: the first is how the case came: the CRS of its position, or `address:HOW` for a call without one (`near_plate`: only a
plate nearby was said). `near_border`: the reported place may lie in another community; `ambiguous_component`: another component of the class is as near;
`component_code`: the report names it; `hotspot:H01`; `repeat`: a second report of an incident; then what made the owner special: `successor`, `alias`, `by_name`, `unknown_unit`,
`ownership_disputed`, `plan_conflict`, `no_owner` 无责任主体. A platform should get every case right that has neither `near_border` nor
`ambiguous_component`, but for what honest noise does: positions err by a normal distribution with the stated accuracy per axis.
"""  # noqa: E501 (a table's row is one line)


def write_answers(folder: Path, *, district: District, speaker: Speaker, book: CaseBook) -> None:
    """Write the answers as CSV."""
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(_README, encoding="utf-8")
    write_csv(book.answers, folder / "cases.csv")
    write_csv(book.hotspots, folder / "hotspots.csv")
    write_csv(_addresses(district, speaker), folder / "addresses.csv")


def write_history(folder: Path, history: History) -> None:
    """Write why cases were sent back, and which came in twice."""
    write_csv(history.causes, folder / "causes.csv")
    write_csv(history.returns, folder / "returns.csv")
    write_csv(history.repeats, folder / "duplicates.csv")


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
