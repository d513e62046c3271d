"""A year of cases 案件: where, when and how they were reported, and what they truly are about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gis.crs import transform_xy
from pipelines.sample.components import Layer
from pipelines.sample.district import District
from pipelines.sample.incidents import Incident, happen
from pipelines.sample.plan import CRS, Array
from pipelines.sample.spoken import Speaker
from pipelines.sample.truth import Judge, Verdict

COLUMNS = (
    "案件编号", "类型", "类别代码", "上报时间", "来源", "描述", "地址", "X", "Y", "坐标系", "精度", "部件编码",
    "结案时间",
)  # fmt: skip
_CHANNELS = ("监督员上报", "公众APP", "12345热线", "视频智能")
_SHARES = {"component": (0.62, 0.18, 0.12, 0.08), "event": (0.48, 0.2, 0.24, 0.08)}
_SYSTEMS = {"监督员上报": "EPSG:4490", "公众APP": "GCJ-02", "视频智能": CRS}
_ACCURACY_M = {"监督员上报": (3, 5, 5, 8), "公众APP": (8, 12, 20, 30), "视频智能": (2,)}
_FAULTS = ("破损", "缺失", "倾斜", "松动", "堵塞", "不亮", "移位")
_SPOKEN = ("plate", "building", "crossing", "crossing_offset", "poi", "poi_opposite", "alias")
_SPOKEN_SHARES = (0.34, 0.2, 0.12, 0.14, 0.12, 0.04, 0.04)


@dataclass(frozen=True, kw_only=True)
class CaseBook:
    """The cases as reported, the answers beside them, row by row, and the hot spots."""

    reported: pd.DataFrame
    answers: pd.DataFrame
    hotspots: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Census:
    """The components that can be the subject of a case, and the delivered row of each."""

    layers: tuple[Layer, ...]
    rows: dict[str, list[dict[str, str | None]]]
    """Class -> rows in the layer's order."""
    tables: dict[str, cKDTree]
    """Class -> tree of the representative points."""


def make_census(layers: list[Layer], tables: dict[str, pd.DataFrame]) -> Census:
    """Return the census of `layers` with their delivered attributes."""
    return Census(
        layers=tuple(layers),
        rows={
            code: table.astype(object).where(table.notna(), None).to_dict("records")
            for code, table in tables.items()
        },
        tables={layer.class_code: cKDTree(layer.at) for layer in layers},
    )


def report_cases(
    district: District, census: Census, speaker: Speaker, judge: Judge, *, count: int
) -> CaseBook:
    """Report `count` cases of 2025, about half on components, with clusters of events."""
    stream = district.plan.stream("cases")
    incidents, hotspots = happen(district, census.layers, stream, count=count)
    reports, truths = [], []
    for incident in incidents:
        channel = str(stream.choice(_CHANNELS, p=_SHARES[incident.kind]))
        if channel == "12345热线" and incident.kind == "event" and not incident.hotspot:
            said = speaker.say(str(stream.choice(_SPOKEN, p=_SPOKEN_SHARES)), stream)
            report = _Report(incident.moved(said.x, said.y), channel, said.text, said.how, 0.0)
        else:
            told = channel == "12345热线" or stream.uniform() < 0.3
            plate, off_m = speaker.nearest_plate(incident.x, incident.y) if told else ("", 0.0)
            report = _Report(incident, channel, f"{plate}附近" if plate else "", "", off_m)
        reports.append(report)
        truths.append((reports[-1].incident.x, reports[-1].incident.y))
    at = np.array(truths)
    communities = district.areas.locate(at)
    rows = np.flatnonzero(communities != "")
    reports = [reports[row] for row in rows]
    table = _table(reports, at[rows], stream)
    edges = _border_distance(district, at[rows])
    answers = [
        _answer(report, row, community, edge, judge, census)
        for report, row, community, edge in zip(
            reports, table.to_dict("records"), communities[rows].tolist(), edges, strict=True
        )
    ]
    return CaseBook(reported=table, answers=pd.DataFrame(answers), hotspots=hotspots)


@dataclass(frozen=True)
class _Report:
    incident: Incident
    channel: str
    address: str
    how: str
    """Kind of address that says the place by itself; "" for one that only says what is near."""
    off_m: float
    """How far the door plate is that was said to be near."""


def _table(
    reports: list[_Report],
    at: Array,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Write the reports as the workflow system exports them: positions with noise, in their CRS."""
    table = pd.DataFrame(
        {
            "案件编号": [f"CG2025{number:07d}" for number in range(1, len(reports) + 1)],
            "类型": ["部件" if r.incident.kind == "component" else "事件" for r in reports],
            "类别代码": [r.incident.class_code for r in reports],
            "上报时间": [f"{r.incident.when:%Y-%m-%d %H:%M:%S}" for r in reports],
            "来源": [r.channel for r in reports],
            "描述": [_words(r.incident, stream) for r in reports],
            "地址": [r.address for r in reports],
        }
    )
    accuracy = np.array([_accuracy(r, stream) for r in reports])
    noisy = at + stream.normal(size=at.shape) * np.nan_to_num(accuracy)[:, None]
    table["X"], table["Y"], table["坐标系"] = "", "", ""
    for channel, system in _SYSTEMS.items():
        rows = np.flatnonzero((table["来源"] == channel) & ~np.isnan(accuracy))
        x, y = transform_xy(noisy[rows, 0], noisy[rows, 1], source=CRS, target=system)
        digits = 3 if system == CRS else 8
        table.loc[rows, "X"] = [f"{value:.{digits}f}" for value in x]
        table.loc[rows, "Y"] = [f"{value:.{digits}f}" for value in y]
        table.loc[rows, "坐标系"] = system
    table["精度"] = ["" if np.isnan(value) else f"{value:g}" for value in accuracy]
    named = stream.uniform(size=len(reports)) < 0.12
    table["部件编码"] = [
        r.incident.component_code if has and r.channel == "监督员上报" else ""
        for r, has in zip(reports, named, strict=True)
    ]
    hours = stream.exponential(30.0, len(reports)) + 0.5
    table["结案时间"] = [
        f"{r.incident.when + timedelta(hours=float(h)):%Y-%m-%d %H:%M:%S}"
        for r, h in zip(reports, hours, strict=True)
    ]
    return table


def _accuracy(report: _Report, stream: np.random.Generator) -> float:
    """Return the standard deviation per axis that the device states, NaN without a position."""
    if report.channel not in _ACCURACY_M or report.how:
        return float("nan")
    return float(stream.choice(_ACCURACY_M[report.channel]))


def _words(incident: Incident, stream: np.random.Generator) -> str:
    if incident.kind == "component":
        return f"{incident.name}{stream.choice(_FAULTS)}"
    return f"{stream.choice(['发现', '群众反映', '巡查发现'])}{incident.name}"


def _border_distance(district: District, at: Array) -> Array:
    borders = shapely.boundary([area.land for area in district.areas.communities])
    tree = shapely.STRtree(borders)
    _, distance = tree.query_nearest(shapely.points(at), all_matches=False, return_distance=True)
    result: Array = distance
    return result


def _answer(
    report: _Report,
    row: dict[str, str],
    community: str,
    edge_m: float,
    judge: Judge,
    census: Census,
) -> dict[str, str]:
    incident = report.incident
    when = incident.when
    if incident.kind == "component":
        own = census.rows[incident.class_code][incident.index]
        verdict = judge.component(incident.class_code, community, when, own)
    else:
        verdict = judge.event(incident.class_code, community, when)
    return {
        "case_id": row["案件编号"],
        "true_x": f"{incident.x:.3f}",
        "true_y": f"{incident.y:.3f}",
        "component_code": incident.component_code,
        "community_code": community,
        "unit_code": verdict.unit_code,
        "principle": verdict.principle,
        "role": verdict.role,
        "tags": ";".join(_tags(report, row, edge_m, verdict, census)),
    }


def _tags(
    report: _Report, row: dict[str, str], edge_m: float, verdict: Verdict, census: Census
) -> Iterator[str]:
    """Say how the case came, and what makes its answer doubtful from what was reported."""
    incident = report.incident
    yield f"address:{report.how or 'near_plate'}" if not row["坐标系"] else row["坐标系"]
    if row["部件编码"]:
        yield "component_code"
    reach = 3 * float(row["精度"]) if row["精度"] else 30.0 + report.off_m
    if edge_m < reach:
        yield "near_border"
    if incident.kind == "component" and not row["部件编码"]:
        tree = census.tables[incident.class_code]
        others = len(tree.query_ball_point((incident.x, incident.y), max(2 * reach, 4.0))) - 1
        if others:
            yield "ambiguous_component"
    if incident.hotspot:
        yield f"hotspot:{incident.hotspot}"
    yield from verdict.tags
