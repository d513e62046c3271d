"""Judgements made by hand, for the tests of what is written of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.report.ground import Ground, empty_ground
from census.report.judgement import (
    FAULT_COLUMNS,
    ClassTally,
    FileJudgement,
    Judgement,
    UnmappedColumn,
)
from census.report.verdict import Tally, Verdict, decide
from gis.codes import read_rules
from gis.remarks import Remark

CRS = "EPSG:4547"
EAST, NORTH = 540_000.0, 4_214_000.0
HOSTILE = "</script><script>document.title='broken in'</script><img src=x onerror=alert(1)>"


def fault(number: int, **given: Any) -> dict[str, Any]:
    """Return a fault of component C041 at EAST + number m; `given` says what is else."""
    usual = {
        "number": number,
        "dataset": "components",
        "source_file": "05部件/0101上水井盖.shp",
        "source_row": number,
        "code": f"1301020101{number:06d}",
        "class_code": "0101",
        "rule": "C041",
        "severity": "warning",
        "reason_en": "Not filled: competent department.",
        "reason_zh": "未填写：主管部门。",
        "record": {"标识码": f"1301020101{number:06d}", "权属单位": "排水公司"},
        "geometry": shapely.Point(EAST + number, NORTH),
    }
    return usual | given


def judgement(
    faults: Sequence[Mapping[str, Any]] = (),
    *,
    rows: int = 100,
    files: Sequence[FileJudgement] = (),
    obstacles: Sequence[Remark] = (),
    delivery: str = "2026-春季普查",
) -> Judgement:
    """Return the judgement of a delivery with `rows` components and these faults."""
    table = pd.DataFrame(list(faults), columns=list(FAULT_COLUMNS))
    frame = gpd.GeoDataFrame(
        table.drop(columns="geometry"),
        geometry=gpd.GeoSeries(table["geometry"].to_numpy(dtype=object), crs=CRS),
    )
    refused = int((frame["severity"] == "error").sum())
    tally = Tally(dataset="components", read=rows, refused=refused, doubted=len(frame) - refused)
    rules = {**read_rules("census"), **read_rules("gis.codes")}
    return Judgement(
        delivery=delivery,
        as_of=date(2026, 5, 31),
        city="长安区",
        crs=CRS,
        checked_at=datetime(2026, 6, 1, 8, 0, tzinfo=UTC),
        seconds=1.25,
        verdict=_verdict(tally, files, obstacles),
        obstacles=tuple(obstacles),
        tallies=(tally,),
        skipped=("cases",),
        files=tuple(files) or (read_file(rows),),
        classes=(
            ClassTally(
                class_code="0101", class_name="上水井盖", rows=rows, refused=refused, doubted=0
            ),
        ),
        faults=frame,
        rules={code: rules[code] for code in frame["rule"].unique()},
    )


def _verdict(tally: Tally, files: Sequence[FileJudgement], obstacles: Sequence[Remark]) -> Verdict:
    unread = sum(file.error is not None for file in files)
    return decide([tally], refused_limit=0.01, unread=unread, obstacles=len(obstacles))


def read_file(rows: int) -> FileJudgement:
    """Return a file that was read, with a column that nobody knows."""
    return FileJudgement(
        path="05部件/0101上水井盖.shp",
        dataset="components",
        rows=rows,
        driver="ESRI Shapefile",
        encoding="GBK",
        encoding_evidence=Remark(
            en="the DBF language byte says 0x4D", zh="DBF 语言字节声明为 0x4D"
        ),
        crs=CRS,
        crs_source="file",
        unmapped=(UnmappedColumn(name="GuanJing", suggestion="name"),),
    )


def ground() -> Ground:
    """Return two communities side by side, a grid, a road and 3 components."""
    west = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)
    east = shapely.box(EAST + 100, NORTH, EAST + 200, NORTH + 100)
    road = shapely.LineString([(EAST, NORTH + 50), (EAST + 200, NORTH + 50)])
    points = shapely.points([[EAST + 10 * k, NORTH + 10] for k in range(3)])
    return Ground(
        areas=np.array([west, east]),
        grids=np.array([west]),
        roads=np.array([road]),
        components=points,
    )


__all__ = [
    "CRS",
    "EAST",
    "HOSTILE",
    "NORTH",
    "empty_ground",
    "fault",
    "ground",
    "judgement",
    "read_file",
]
