"""What became of the cases: which unit handled each, what was sent back and why, what came in twice.

Most returns have a cause that is planted and known: a row of the plan that names the wrong unit,
components whose records name a maintainer of former times, a stretch of a street border that is
drawn on the wrong side. A few returns are noise. The answers by the book stay as they are.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.typing import NDArray

from gis.crs import transform_xy
from pipelines.sample.cases import CaseBook
from pipelines.sample.district import District
from pipelines.sample.plan import CRS
from pipelines.sample.units import Directory, unit_code

COLUMNS = ("退件次数", "退件原因", "首派单位", "处置单位")
"""Columns that the history adds to the exported cases."""
CAUSES = ("cause", "kind", "rule", "class_code", "area_code", "other_area_code", "unit_code",
          "to_unit_code", "cases", "stretch")  # fmt: skip
_ROW_CLASSES = (("0302", "101", "106"), ("0304", "107", "102"))
_REASONS = {
    "plan_row": "不属我单位职责",
    "stale_owner": "该设施已移交，非我单位养护",
    "border": "不在本辖区",
}
_NOISE = ("现场未发现问题", "不属我单位职责", "描述不清", "已处理")
_NOISE_SHARE, _STRAY_SHARE, _TWICE_SHARE = 0.012, 0.004, 0.01
_BORDER_M, _STRETCH_M = 25.0, 300.0
_MAJORS = ("01", "02", "04")
_DELAY_H = {"04": (0.3, 4.0), "05": (0.3, 8.0)}
_SYSTEMS = {"EPSG:4490": 8, "GCJ-02": 8, CRS: 3}


@dataclass(frozen=True, kw_only=True)
class History:
    """The cases with their history, and the answers to it."""

    book: CaseBook
    """Reported cases with `COLUMNS`, repeats among them; answers by the book, a row for each."""
    causes: pd.DataFrame
    """One row per planted cause, with `CAUSES`."""
    returns: pd.DataFrame
    """case_id, unit_code (asked first), handled_by, cause; of all cases sent back or strayed."""
    repeats: pd.DataFrame
    """case_id, duplicate_case_id: reports of one incident."""


@dataclass(frozen=True, kw_only=True)
class _Cause:
    kind: str
    rows: tuple[int, ...]
    """Cases it sent to the wrong unit."""
    unit: str
    to_unit: str
    class_code: str = ""
    rule: str = ""
    area: str = ""
    other_area: str = ""
    stretch: str = ""


def live_through(
    book: CaseBook, *, district: District, plan: pd.DataFrame, directory: Directory
) -> History:
    """Let the cases of a year happen: asked units, returns with their reasons, repeats.

    The random stream is its own: cases and their answers are what they were without a history.
    """
    stream = district.plan.stream("history")
    book, repeats = _report_again(book, stream)
    answers = book.answers.merge(
        book.reported[["案件编号", "类型", "类别代码"]],
        left_on="case_id", right_on="案件编号", validate="1:1",
    )  # fmt: skip
    causes: list[_Cause] = []
    for find in (_wrong_row, _stale_owner, _wrong_border):
        cause = find(answers, district, plan, directory, causes)
        if cause is not None:
            causes.append(cause)
    return _told(book, repeats, causes, directory=directory, stream=stream)


def _report_again(book: CaseBook, stream: np.random.Generator) -> tuple[CaseBook, pd.DataFrame]:
    """Add second reports of some incidents, while the first are open, by whoever came by."""
    reported, answers = book.reported, book.answers
    spots = answers["tags"].str.contains("hotspot").to_numpy()
    usable = np.flatnonzero((reported["坐标系"] != "").to_numpy() & ~spots)
    chosen = np.sort(
        stream.choice(usable, min(len(usable), round(len(reported) * _TWICE_SHARE)), replace=False)
    )
    rows, told = list[dict[str, str]](), list[dict[str, str]]()
    pairs = list[tuple[str, str]]()
    for row in chosen.tolist():
        case, answer = reported.iloc[row].to_dict(), answers.iloc[row].to_dict()
        first = datetime.fromisoformat(case["上报时间"])
        open_h = (datetime.fromisoformat(case["结案时间"]) - first).total_seconds() / 3600
        least, most = _DELAY_H.get(case["类别代码"][:2], (0.3, 60.0))
        if case["类型"] == "部件":
            least, most = 0.5, 120.0
        most = min(most, 0.8 * open_h)
        if most <= least:
            continue
        number = f"CG2025{len(reported) + len(rows) + 1:07d}"
        case |= {
            "案件编号": number,
            "上报时间": f"{first + timedelta(hours=float(stream.uniform(least, most))):%Y-%m-%d %H:%M:%S}",
            "部件编码": "",
            "地址": "",
            **_seen_again(case, answer, stream),
        }
        rows.append(case)
        tags = [case["坐标系"], *answer["tags"].split(";")[1:], "repeat"]
        told.append(
            {
                **answer,
                "case_id": number,
                "tags": ";".join(t for t in tags if t != "component_code"),
            }
        )
        pairs.append((reported["案件编号"].iloc[row], number))
    more = replace(
        book,
        reported=pd.concat(
            [reported, pd.DataFrame(rows, columns=reported.columns)], ignore_index=True
        ),
        answers=pd.concat(
            [answers, pd.DataFrame(told, columns=answers.columns)], ignore_index=True
        ),
    )
    return more, pd.DataFrame(pairs, columns=["case_id", "duplicate_case_id"])


def _seen_again(
    case: dict[str, str], answer: dict[str, str], stream: np.random.Generator
) -> dict[str, str]:
    """Return the place as another witness reports it: the truth with the same kind of error."""
    sigma = float(case["精度"])
    east, north = np.array([[float(answer["true_x"])], [float(answer["true_y"])]]) + (
        stream.normal(size=(2, 1)) * sigma
    )
    x, y = transform_xy(east, north, source=CRS, target=case["坐标系"])
    digits = _SYSTEMS[case["坐标系"]]
    return {"X": f"{x[0]:.{digits}f}", "Y": f"{y[0]:.{digits}f}"}


def _free(answers: pd.DataFrame, causes: list[_Cause]) -> NDArray[np.bool_]:
    free = np.ones(len(answers), dtype=bool)
    for cause in causes:
        free[list(cause.rows)] = False
    return free


def _wrong_row(
    answers: pd.DataFrame,
    district: District,
    plan: pd.DataFrame,
    directory: Directory,
    causes: list[_Cause],
) -> _Cause | None:
    """Return the row for a class of events that another unit handles in truth, all over the city."""
    del district, directory
    found: list[_Cause] = []
    for class_code, short, to_short in _ROW_CLASSES:
        rows = plan[
            (plan["部件或事件"] == "事件") & (plan["类别代码"] == class_code)
            & (plan["区域代码"] == "*") & (plan["单位代码"] == unit_code(short))
        ]  # fmt: skip
        hit = (
            _free(answers, causes) & (answers["类型"] == "事件")
            & (answers["类别代码"] == class_code) & (answers["unit_code"] == unit_code(short))
        ).to_numpy()  # fmt: skip
        if len(rows) == 1 and hit.any():
            found.append(
                _Cause(
                    kind="plan_row", rows=tuple(np.flatnonzero(hit).tolist()), class_code=class_code,
                    rule=str(rows["序号"].iloc[0]), area="*",
                    unit=unit_code(short), to_unit=unit_code(to_short),
                )
            )  # fmt: skip
    return max(found, key=lambda cause: len(cause.rows), default=None)


def _stale_owner(
    answers: pd.DataFrame,
    district: District,
    plan: pd.DataFrame,
    directory: Directory,
    causes: list[_Cause],
) -> _Cause | None:
    """Return the class and street whose components were given to another maintainer since.

    In a district of one street the street says nothing more, and is left blank.
    """
    del plan, directory
    maintained = answers[
        _free(answers, causes) & (answers["类型"] == "部件") & (answers["role"] == "maintainer")
    ]
    if maintained.empty:
        return None
    keys = [maintained["类别代码"], maintained["community_code"].str[:9], maintained["unit_code"]]
    groups = maintained.groupby(keys).indices
    class_code, street, unit = max(groups, key=lambda key: (len(groups[key]), key))
    rows = maintained.index[groups[class_code, street, unit]]
    other = "212" if unit != unit_code("212") else "211"
    return _Cause(
        kind="stale_owner", rows=tuple(rows.tolist()), class_code=class_code,
        area=street if len(district.areas.streets) > 1 else "", unit=unit, to_unit=unit_code(other),
    )  # fmt: skip


def _wrong_border(
    answers: pd.DataFrame,
    district: District,
    plan: pd.DataFrame,
    directory: Directory,
    causes: list[_Cause],
) -> _Cause | None:
    """Return the stretch of a border between streets along which the other street's office cleans."""
    del plan
    majors = answers["类别代码"].str[:2].isin(_MAJORS).to_numpy()
    free = _free(answers, causes) & majors & (answers["类型"] == "事件").to_numpy()
    at = shapely.points(answers["true_x"].astype(float), answers["true_y"].astype(float))
    best: tuple[tuple[int, ...], _Cause] | None = None
    by_community: dict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(free).tolist():
        by_community[answers["community_code"].iloc[row]].append(row)
    tree = shapely.STRtree([area.land for area in district.areas.communities])
    for number, other in tree.query([a.land for a in district.areas.communities], "touches").T:
        area, beyond = (district.areas.communities[k] for k in (number, other))
        office, to_office = (directory.territories.get(a.code[:9], "") for a in (area, beyond))
        mine = [r for r in by_community[area.code] if answers["unit_code"].iloc[r] == office]
        if area.code[:9] == beyond.code[:9] or not mine:
            continue
        line = shapely.line_merge(shapely.intersection(area.land, beyond.land))
        if line.geom_type != "LineString":
            continue
        near = [r for r in mine if shapely.distance(at[r], line) <= _BORDER_M]
        along = shapely.line_locate_point(line, at[near]) if near else np.zeros(0)
        for start in along.tolist():
            inside = (along >= start) & (along <= start + _STRETCH_M)
            rows = tuple(r for r, within in zip(near, inside, strict=True) if within)
            if best is None or len(rows) > len(best[0]):
                stretch = shapely.ops.substring(line, start, start + _STRETCH_M)
                best = rows, _Cause(
                    kind="border", rows=rows, area=area.code, other_area=beyond.code,
                    unit=office, to_unit=to_office,
                    stretch=shapely.to_wkt(stretch, rounding_precision=3),
                )  # fmt: skip
    return best[1] if best else None


def _told(
    book: CaseBook,
    repeats: pd.DataFrame,
    causes: list[_Cause],
    *,
    directory: Directory,
    stream: np.random.Generator,
) -> History:
    """Write what the export says of each case, and the answers."""
    count = len(book.reported)
    first = book.answers["unit_code"].to_numpy(dtype=object).copy()
    final, why, cause_of = (
        first.copy(),
        np.full(count, "", dtype=object),
        np.full(count, "", dtype=object),
    )
    for cause in causes:
        rows = list(cause.rows)
        final[rows], why[rows], cause_of[rows] = cause.to_unit, _REASONS[cause.kind], cause.kind
    draw, pick = stream.uniform(size=count), stream.integers(len(_NOISE), size=count)
    companies = sorted(
        code for code in directory.names if code[6:8] == "02" and code not in directory.successors
    )
    stray = stream.choice(companies, size=count)
    plain = cause_of == ""
    noisy = plain & (draw < _NOISE_SHARE)
    why[noisy], cause_of[noisy] = np.array(_NOISE, dtype=object)[pick[noisy]], "noise"
    strays = plain & ~noisy & (draw < _NOISE_SHARE + _STRAY_SHARE) & (stray != first)
    final[strays], why[strays], cause_of[strays] = stray[strays], "不属我单位职责", "stray"
    sent_back = why != ""
    reported = book.reported.assign(
        退件次数=np.where(sent_back, "1", "0"),
        退件原因=why,
        首派单位=[
            directory.names[code] if back else ""
            for code, back in zip(first, sent_back, strict=True)
        ],
        处置单位=[directory.names[code] for code in final],
    )
    answers = pd.DataFrame(
        {
            "case_id": book.answers["case_id"].to_numpy()[sent_back],
            "unit_code": first[sent_back],
            "handled_by": final[sent_back],
            "cause": cause_of[sent_back],
        }
    )
    told = [
        (f"C{number}", c.kind, c.rule, c.class_code, c.area, c.other_area, c.unit, c.to_unit,
         str(len(c.rows)), c.stretch)
        for number, c in enumerate(causes, start=1)
    ]  # fmt: skip
    return History(
        book=replace(book, reported=reported),
        causes=pd.DataFrame(told, columns=list(CAUSES)),
        returns=answers,
        repeats=repeats,
    )
