"""Writes the sample district: a delivery folder with its answers beside it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from gis.errors import DeliveryError
from pipelines.sample.address_faults import address_faults, mark_faults
from pipelines.sample.addresses import Gazetteer, address_table, number_plates
from pipelines.sample.answers import owner_table, write_answers, write_history
from pipelines.sample.cases import make_census, report_cases
from pipelines.sample.component_faults import (
    CUT_WIDTH,
    LONG_POSITION,
    component_faults,
    mixed_layer,
    spoil_in_place,
    whole_files,
)
from pipelines.sample.components import Layer, component_table, place_components
from pipelines.sample.district import District, make_district
from pipelines.sample.faults import fault_table, plant
from pipelines.sample.history import live_through
from pipelines.sample.imagery import write_imagery
from pipelines.sample.manifest import write_manifest
from pipelines.sample.marks import FILE as MARKS
from pipelines.sample.marks import mark_table
from pipelines.sample.odd_components import MIXED, odd_layers
from pipelines.sample.odd_names import LABELS_FILE, label_layer, place_name_faults
from pipelines.sample.placenames import place_name_table
from pipelines.sample.plan import CRS
from pipelines.sample.planbook import write_plan_book
from pipelines.sample.responsibility import make_plan_table
from pipelines.sample.shapefiles import Patch, write_shapefile
from pipelines.sample.spoken import Speaker
from pipelines.sample.table_faults import (
    case_faults,
    plan_faults,
    topography_faults,
    unit_faults,
)
from pipelines.sample.tables import write_csv, write_workbook
from pipelines.sample.topography import topography_layers
from pipelines.sample.trade_grids import evaluation_grid_table, management_grid_table
from pipelines.sample.truth import Judge
from pipelines.sample.units import make_directory

logger = logging.getLogger(__name__)

CASES_PER_KM2 = 1_500
MOST_CASES = 200_000
_NO_PRJ = ("围墙", "0305垃圾箱")
_CUT = (
    Patch(placeholder=b"@" * CUT_WIDTH, content=("a" + LONG_POSITION).encode("gbk")[:CUT_WIDTH]),
)
FIRST_ROW = 2
"""The first row below a table's header, as a person counts them."""
Record = tuple[str, int, str, str, str]


@dataclass(frozen=True, kw_only=True)
class SampleReport:
    """What was written."""

    folder: Path
    """The delivery, with ``answers/`` inside."""
    area_km2: float
    counts: dict[str, int]
    """Rows per dataset."""


def write_sample(
    folder: Path,
    *,
    area_km2: float = 4.0,
    seed: int = 1,
    cases_per_km2: int = CASES_PER_KM2,
    imagery: bool = True,
    progress: Callable[[int], None] = lambda _: None,
) -> SampleReport:
    """Write a synthetic district as contractors deliver it, with the right answers beside it.

    The same arguments give the same bytes. `progress` is called once per step with 1.

    Parameters
    ----------
    folder : Path
        Folder to write; made when missing, must be empty else.
    area_km2 : float
        Size of the district, from 1 to 1,000 km².
    seed : int
        Seed of all randomness.
    cases_per_km2 : int
        Cases of the year per km², at most 200,000 in all.
    imagery : bool
        Also write a raw image of the district's centre with RPC, control points and DEM.
    progress : callable
        Told about finished steps.

    Raises
    ------
    DeliveryError
        The area is out of range, or the folder is not empty.
    """
    _check(folder, area_km2)
    district = make_district(area_km2=area_km2, seed=seed)
    progress(1)
    gazetteer = number_plates(district)
    addresses = address_table(district, gazetteer)
    directory = make_directory(district.areas)
    plan = make_plan_table(district.areas, directory)
    layers = place_components(district)
    tables = {x.class_code: component_table(district, x, directory) for x in layers}
    spoil_in_place(tables)
    progress(1)
    speaker = Speaker(district, gazetteer, addresses)
    book = report_cases(
        district,
        make_census(layers, tables),
        speaker,
        Judge(plan, directory),
        count=min(MOST_CASES, round(area_km2 * cases_per_km2)),
    )
    history = live_through(book, district=district, plan=plan, directory=directory)
    book = history.book
    progress(1)
    records: list[Record] = []
    counts = _write_maps(folder, district, gazetteer, records)
    counts["components"] = _write_components(folder, layers, tables, records)
    odd = odd_layers(district, next(x for x in layers if x.class_code == "0137"), directory)
    for name, (frame, planted) in odd.items():
        write_shapefile(frame, folder / "05部件" / f"{name}.shp")
        counts["components"] += len(frame)
        records += planted
    for layer in layers:
        file, table = f"{name_of(layer)}.shp", tables[layer.class_code]
        records += whole_files(table, file=file, directory=directory)
    progress(1)
    sheets = {
        "place_names": place_name_table(district, gazetteer),
        "addresses": addresses,
        "units": directory.table,
        "responsibility": plan,
        "cases": book.reported,
    }
    counts |= _write_tables(folder, sheets, records)
    counts["place_names"] += _write_labels(folder, district, records)
    counts["addresses"] += _write_marks(folder, mark_table(district, gazetteer), records)
    grids = {
        "management_grids": management_grid_table(district.areas, directory),
        "evaluation_grids": evaluation_grid_table(district.areas, directory),
    }
    titles = dict(zip(grids, ("管理网格", "评价网格"), strict=True))
    write_workbook(
        {titles[dataset]: table for dataset, table in grids.items()},
        folder / "06责任" / "行业与评价网格.xlsx",
    )
    counts |= {dataset: len(table) for dataset, table in grids.items()}
    if imagery:
        checks = write_imagery(folder / "07影像", district=district, layers=layers)
        write_csv(checks, folder / "answers" / "check_points.csv")
        counts["imagery"] = 1
    names = [*(name_of(x) for x in layers), *(name for name in odd if name != MIXED)]
    write_manifest(folder, layers=names, imagery=imagery)
    answers = folder / "answers"
    write_answers(answers, district=district, speaker=speaker, book=book)
    write_history(answers, history)
    write_csv(fault_table(records), answers / "faults.csv")
    write_csv(owner_table(tables, Judge(plan, directory)), answers / "owners.csv")
    write_plan_book(folder, district, directory)
    progress(1)
    return SampleReport(folder=folder, area_km2=area_km2, counts=counts)


def _check(folder: Path, area_km2: float) -> None:
    if not 1.0 <= area_km2 <= 1000.0:
        msg = f"A sample district of {area_km2:g} km² can not be made: choose 1 to 1,000 km²."
        raise DeliveryError(msg, zh=f"无法生成 {area_km2:g} 平方公里的示例区：请取 1 至 1000。")
    if folder.exists() and any(folder.iterdir()):
        msg = f"{folder} is not empty: name a new folder for the sample, or empty it first."
        raise DeliveryError(msg, zh=f"{folder} 不是空目录：请指定新的目录或先清空。")
    for name in (
        "01基础地形",
        "02行政区划",
        "03地名",
        "04地理编码",
        "05部件",
        "06责任",
        "08案件",
        "answers",
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)


def name_of(layer: Layer) -> str:
    """Return the file name of a component layer, without suffix.

    Brackets and alternatives in a class name are no part of a file name.
    """
    return layer.class_code + layer.name.split("（")[0]


def _write_maps(
    folder: Path, district: District, gazetteer: Gazetteer, records: list[Record]
) -> dict[str, int]:
    counts = {"topography": 0}
    for name, layer in topography_layers(district, gazetteer).items():
        frame, planted = plant(layer, topography_faults(name, layer), file=f"{name}.shp")
        records += planted
        counts["topography"] += len(frame)
        path = folder / "01基础地形" / f"{name}.shp"
        write_shapefile(frame, path, has_prj=name not in _NO_PRJ)
    records += [
        (
            "高程点.shp",
            0,
            "fixed",
            "",
            "heights in the geometry, every row: the same as the attribute",
        ),
        ("围墙.shp", 0, "fixed", "", "no .prj; the manifest states the coordinate system"),
    ]
    levels = {
        "区县": (district.areas.district,),
        "街道": district.areas.streets,
        "社区": district.areas.communities,
    }
    for name, areas in levels.items():
        frame = gpd.GeoDataFrame(
            {"XZQDM": [a.code for a in areas], "XZQMC": [a.name for a in areas]},
            geometry=[a.land for a in areas],
            crs=CRS,
        )
        write_shapefile(frame, folder / "02行政区划" / f"{name}.shp", marks_language=name != "街道")
    counts["areas"] = sum(len(areas) for areas in levels.values())
    return counts


def _write_components(
    folder: Path, layers: list[Layer], tables: dict[str, pd.DataFrame], records: list[Record]
) -> int:
    count = 0
    for layer in layers:
        frame = gpd.GeoDataFrame(tables[layer.class_code], geometry=layer.geometry, crs=CRS)
        if layer.class_code == "0305":
            frame = frame.set_geometry(shapely.force_3d(frame.geometry.to_numpy(), 0.0), crs=CRS)
        name = name_of(layer)
        faults = component_faults(frame, layer.class_code)
        spoilt, planted = plant(frame, faults, file=f"{name}.shp")
        records += planted
        path = folder / "05部件" / f"{name}.shp"
        patches = _CUT if any("@" in str(f.changes.get("ObjPos")) for f in faults) else ()
        write_shapefile(spoilt, path, has_prj=name not in _NO_PRJ, patches=patches)
        count += len(spoilt)
        if layer.class_code == "0407":
            mixed, planted = mixed_layer(tables, frame)
            records += planted
            write_shapefile(mixed, folder / "05部件" / "补测部件.shp")
            count += len(mixed)
    records.append(("0305垃圾箱.shp", 0, "fixed", "", "Z-aware file without .prj, heights all 0"))
    return count


def _write_labels(folder: Path, district: District, records: list[Record]) -> int:
    """Write the labels of the map, as points with a text."""
    labels, planted = label_layer(district)
    records += planted
    write_shapefile(labels, folder / "03地名" / LABELS_FILE)
    return len(labels)


def _write_marks(folder: Path, marks: pd.DataFrame, records: list[Record]) -> int:
    """Write the table of shops, without codes or kinds, as a map service exports it."""
    spoilt, planted = plant(marks, mark_faults(marks), file=MARKS, header_rows=1)
    records += planted
    records.append((MARKS, FIRST_ROW, "warned", "AD03", "no column of kinds: taken for marks"))
    write_csv(spoilt, folder / "04地理编码" / MARKS)
    return len(spoilt)


def _write_tables(
    folder: Path, sheets: dict[str, pd.DataFrame], records: list[Record]
) -> dict[str, int]:
    faults = {
        "place_names": ("标准地名.csv", place_name_faults),
        "addresses": ("门楼牌与兴趣点.xlsx", address_faults),
        "units": ("单位与职责.xlsx#单位", unit_faults),
        "responsibility": ("单位与职责.xlsx#职责", plan_faults),
        "cases": ("2025年案件.csv", case_faults),
    }
    spoilt = {}
    for dataset, (file, make) in faults.items():
        spoilt[dataset], planted = plant(
            sheets[dataset], make(sheets[dataset]), file=file, header_rows=1
        )
        records += planted
    write_csv(spoilt["place_names"], folder / "03地名" / "标准地名.csv", encoding="gb18030")
    write_workbook({"地址": spoilt["addresses"]}, folder / "04地理编码" / "门楼牌与兴趣点.xlsx")
    write_workbook(
        {"单位": spoilt["units"], "职责": spoilt["responsibility"]},
        folder / "06责任" / "单位与职责.xlsx",
    )
    write_csv(spoilt["cases"], folder / "08案件" / "2025年案件.csv", encoding="utf-8-sig")
    return {dataset: len(table) for dataset, table in spoilt.items()}
