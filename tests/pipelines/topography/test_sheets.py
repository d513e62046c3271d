"""Sheets of a delivery: their ground from numbers, index or features, and what is wrong with them."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from gis.errors import DeliveryError
from gis.remarks import Remark
from gis.vector import write_vector
from pipelines.delivery import Delivery, LayerSpec
from pipelines.topography import intake
from pipelines.topography.sheets import read_corner, sheet_key
from tests.pipelines.town import AS_OF, CRS, X0, Y0, at, context, line, rectangle

# The town is 400 x 200 m from (540000, 4214000): sheets of 250 m begin at 4214.00 and 540.00.
WEST, EAST = "4214.00-540.00", "4214.00-540.25"


def given(tmp_path: Path, *layers: LayerSpec, **judged: pd.DataFrame):
    base = context(tmp_path, **judged)
    delivery = Delivery(name="town", as_of=AS_OF, root=tmp_path, layers=tuple(layers))
    return replace(base, delivery=delivery)


def layer(tmp_path: Path, *files: str, mode: str = "replace", **options) -> LayerSpec:
    paths = tuple(tmp_path / file for file in files)
    return LayerSpec(
        dataset="topography", path="*", mode=mode, fields={}, options=options, files=paths
    )


def rows(*entries):
    """Rows as they come from reading: code, class, file, geometry, and more columns."""
    table = pd.DataFrame(
        [
            {"code": code, "feature_class": kind, "geometry": shape, "source_file": file, **more}
            for code, kind, file, shape, more in entries
        ]
    )
    table["source_row"] = table.groupby("source_file").cumcount() + 1
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def row(code, file, shape, kind="430501", **more):
    return (code, kind, file, shape, more)


def told(outcome) -> list[tuple[str, int, str]]:
    """What is said of sheets, edges and identifiers; other rules have tests of their own."""
    faults = sheetwise(outcome)
    return list(zip(faults["source_file"], faults["source_row"], faults["rule"], strict=True))


def sheetwise(outcome) -> pd.DataFrame:
    faults = outcome.faults
    return faults[faults["rule"].str.fullmatch("TP[789].|P002")]


def folders(tmp_path, *entries, options=None, **kwargs):
    """Judge rows whose files lie in folders named by their sheets."""
    files = sorted({entry[2] for entry in entries})
    spec = layer(tmp_path, *files, **({"sheet_from": "folder"} | (options or {})))
    return intake.judge(rows(*entries), given(tmp_path, spec, **kwargs))


def test_a_road_over_two_sheets_is_one_feature_with_both_sheets(tmp_path):
    outcome = folders(
        tmp_path,
        row("b2", f"{EAST}/道路.shp", line((250, 100), (390, 100)), name="裕华路"),
        row("a1", f"{WEST}/道路.shp", line((10, 100), (250, 100.1)), name="裕华路"),
        row("a2", f"{WEST}/道路.shp", line((10, 150), (90, 150))),
    )
    found = outcome.accepted.set_index("code")
    assert found.index.tolist() == ["a1", "a2"]
    assert found.loc["a1", "sheet"] == f"{WEST};{EAST}"
    assert found.loc["a1", "attributes"] == {"pieces": {WEST: ["a1"], EAST: ["b2"]}}
    assert found.loc["a1", "geometry"].length == pytest.approx(380, abs=0.01)
    assert found.loc["a2", "sheet"] == WEST
    assert told(outcome) == []
    assert outcome.remarks == (
        Remark(
            en="3 features on 2 sheets were joined at 1 places to 2; 0 faults at edges: wanmi topography sheets",
            zh="2 幅图的 3 个要素在 1 处接边，合为 2 个；图边问题 0 处：wanmi topography sheets",
        ),
    )


def test_without_a_word_of_sheets_nothing_is_joined(tmp_path):
    spec = layer(tmp_path, "a.shp")
    pieces = rows(
        row("a", "a.shp", line((10, 100), (250, 100)), sheet=WEST),
        row("b", "a.shp", line((250, 100), (390, 100)), sheet=EAST),
    )
    assert len(intake.judge(pieces, given(tmp_path, spec)).accepted) == 2
    named = layer(tmp_path, "a.shp", scale=500)
    assert len(intake.judge(pieces, given(tmp_path, named)).accepted) == 1


def test_the_whole_file_name_or_a_column_may_tell_the_sheet(tmp_path):
    shapes = line((10, 100), (250, 100)), line((250, 100), (390, 100))
    files = [f"{WEST}_道路.shp", f"{EAST}_道路.shp"]
    spec = layer(tmp_path, *files, sheet_from="file")
    outcome = intake.judge(
        rows(row("a", files[0], shapes[0]), row("b", files[1], shapes[1])), given(tmp_path, spec)
    )
    assert outcome.accepted["code"].tolist() == ["a"]


def test_east_first_is_seen_where_north_first_puts_features_elsewhere(tmp_path):
    swapped = ["540.00-4214.00", "540.25-4214.00"]
    outcome = folders(
        tmp_path,
        row("a", f"{swapped[0]}/道路.shp", line((10, 100), (250, 100))),
        row("b", f"{swapped[1]}/道路.shp", line((250, 100), (390, 100))),
    )
    assert outcome.accepted["code"].tolist() == ["a"]
    assert told(outcome) == []


def test_numbers_with_leading_digits_left_out(tmp_path):
    outcome = folders(
        tmp_path,
        row("a", "14.00-40.00/道路.shp", line((10, 100), (250, 100))),
        row("b", "14.00-40.25/道路.shp", line((250, 100), (390, 100))),
    )
    assert outcome.accepted["code"].tolist() == ["a"]


def test_running_numbers_need_a_scale_and_get_the_lattice(tmp_path):
    entries = (
        row("a", "长-1/道路.shp", line((10, 100), (250, 100))),
        row("b", "长-2/道路.shp", line((250, 100), (390, 100))),
    )
    with pytest.raises(DeliveryError, match="scale of sheet 长-1 can not be told"):
        folders(tmp_path, *entries)
    outcome = folders(tmp_path, *entries, options={"scale": 500})
    assert outcome.accepted["code"].tolist() == ["a"]


def test_the_sheet_index_says_where_sheets_lie(tmp_path):
    index = gpd.GeoDataFrame(
        {"图幅号": ["甲", "乙"]},
        geometry=[rectangle(0, 0, 130, 200), rectangle(130, 0, 400, 200)],
        crs=CRS,
    )
    write_vector(index, tmp_path / "接图表.gpkg")
    outcome = folders(
        tmp_path,
        row("a", "甲/道路.shp", line((10, 100), (130, 100))),
        row("b", "乙/道路.shp", line((130, 100.1), (390, 100))),
        options={"index": "接图表.gpkg", "scale": 500},
    )
    assert outcome.accepted["code"].tolist() == ["a"]
    sheets = outcome.beside.sheets
    assert sheets["number"].tolist() == ["乙", "甲"]
    assert set(sheets["extent_from"]) == {"index"}
    write_vector(index.rename(columns={"图幅号": "x"}), tmp_path / "b.gpkg")
    with pytest.raises(DeliveryError, match="no column of sheet numbers"):
        folders(
            tmp_path,
            row("a", "甲/道路.shp", line((10, 100), (130, 100))),
            options={"index": "b.gpkg"},
        )


def test_sheets_of_50_by_40_cm(tmp_path):
    outcome = folders(
        tmp_path,
        row("a", "4213.80-540.00/道路.shp", line((100, -40), (100, 0))),
        row("b", "4214.00-540.00/道路.shp", line((100, 0), (100, 90))),
    )
    assert outcome.accepted["code"].tolist() == ["a"]
    assert {tuple(shape.bounds) for shape in outcome.beside.sheets.geometry} == {
        (X0, Y0 - 200, X0 + 250, Y0),
        (X0, Y0, X0 + 250, Y0 + 200),
    }


def test_a_feature_beyond_its_sheet_and_one_without_sheet_are_told(tmp_path):
    spec = layer(tmp_path, "a.shp", scale=500)
    pieces = rows(
        row("a", "a.shp", line((10, 100), (251, 100)), sheet=WEST),
        row("b", "a.shp", line((10, 120), (90, 120)), sheet=None),
        row("c", "a.shp", line((10, 140), (90, 140)), sheet=WEST),
    )
    outcome = intake.judge(pieces, given(tmp_path, spec))
    assert told(outcome) == [("a.shp", 1, "TP71"), ("a.shp", 2, "TP70")]
    assert sheetwise(outcome)["reason_en"].iloc[0] == (
        f"The feature reaches 1.00 m beyond its sheet {WEST}."
    )
    assert len(outcome.accepted) == 3


def test_a_sheet_under_a_wrong_number_is_told_once(tmp_path):
    outcome = folders(
        tmp_path,
        row("a", f"{WEST}/道路.shp", line((260, 100), (300, 100))),
        row("b", f"{WEST}/道路.shp", line((260, 150), (300, 150))),
        row("c", f"{EAST}/道路.shp", line((260, 50), (300, 50))),
    )
    assert told(outcome) == [(f"{EAST}/道路.shp", 0, "TP72")] or told(outcome) == [
        (f"{WEST}/道路.shp", 0, "TP72")
    ]
    assert f"they lie on sheet {EAST}" in sheetwise(outcome)["reason_en"].iloc[0]


def test_empty_missing_and_overlapping_sheets_are_told(tmp_path):
    # Eight sheets of 1:500 around one that is not there; the town lies in the lower left two.
    numbers = [
        f"{4214.0 + 0.25 * y:.2f}-{540.0 + 0.25 * x:.2f}"
        for y in range(3)
        for x in range(3)
        if (x, y) != (1, 1)
    ]
    files = [f"{number}/道路.shp" for number in numbers]
    spec = layer(tmp_path, *files, sheet_from="folder")
    outcome = intake.judge(
        rows(row("a", files[0], line((10, 100), (90, 100)))), given(tmp_path, spec)
    )
    rules = outcome.faults["rule"].tolist()
    assert rules.count("TP73") == 7
    assert rules.count("TP75") == 1
    gap = outcome.faults.loc[outcome.faults["rule"] == "TP75"].iloc[0]
    assert "4214.25-540.25 km" in gap["reason_en"]
    assert outcome.beside.sheets["features"].sum() == 1


def test_index_extents_that_overlap_are_told(tmp_path):
    index = gpd.GeoDataFrame(
        {"TFH": ["甲", "乙"]},
        geometry=[rectangle(0, 0, 150, 200), rectangle(130, 0, 400, 200)],
        crs=CRS,
    )
    write_vector(index, tmp_path / "i.gpkg")
    outcome = folders(
        tmp_path,
        row("a", "甲/道路.shp", line((10, 100), (90, 100))),
        row("b", "乙/道路.shp", line((200, 100), (390, 100))),
        options={"index": "i.gpkg"},
    )
    assert [rule for *_, rule in told(outcome)] == ["TP74"]
    assert "overlap by 4000 m²" in sheetwise(outcome)["reason_en"].iloc[0]


def test_the_same_sheet_twice_is_refused_whether_it_is_the_same_or_not(tmp_path):
    road = line((10, 100), (90, 100))
    first, second = f"{WEST}/道路.shp", f"再交/{WEST}/道路.shp"
    same = folders(tmp_path, row("a", first, road), row("a", second, road))
    assert told(same) == [(second, 1, "TP76")]
    other = folders(tmp_path, row("a", first, road), row("a", second, line((10, 101), (90, 101))))
    assert told(other) == [(second, 1, "TP77")]
    assert len(other.accepted) == 1
    # Another layer of the sheet is no second delivery of it.
    more = folders(tmp_path, row("a", first, road), row("b", f"{WEST}/水系.shp", road, "210101"))
    assert told(more) == []


def test_identifiers_numbered_by_sheet_are_told_apart(tmp_path):
    entries = [
        row(str(number), f"{sheet}/房屋.shp", rectangle(x, y, x + 9, y + 9), "310300")
        for sheet, x in ((WEST, 20), (EAST, 300))
        for number, y in enumerate((20, 60, 100), 1)
    ]
    outcome = folders(tmp_path, *entries)
    assert outcome.accepted["code"].tolist() == [
        f"{sheet}/{number}" for sheet in (WEST, EAST) for number in (1, 2, 3)
    ]
    assert [rule for *_, rule in told(outcome)] == ["TP79"]


def test_one_identifier_on_several_sheets_is_one_feature(tmp_path):
    whole = rectangle(240, 20, 260, 40)
    outcome = folders(
        tmp_path,
        # delivered whole on both sheets
        row("h", f"{WEST}/房屋.shp", whole, "310300"),
        row("h", f"{EAST}/房屋.shp", whole, "310300"),
        # two parts that do not meet
        row("w", f"{WEST}/水系.shp", rectangle(200, 100, 230, 110), "230000"),
        row("w", f"{EAST}/水系.shp", rectangle(300, 100, 330, 110), "230000"),
        # cut where it touches, and once more inside the sheet
        row("r", f"{WEST}/道路.shp", line((10, 150), (100, 150))),
        row("r", f"{WEST}/道路.shp", line((100, 150), (250, 150))),
        row("r", f"{EAST}/道路.shp", line((250, 150), (390, 150))),
        options={"ids": "city"},
    )
    found = outcome.accepted.set_index("code").geometry
    assert found.index.tolist() == ["h", "w", "r"]
    assert found["w"].geom_type == "MultiPolygon"
    assert found["r"].wkt == line((10, 150), (100, 150), (250, 150), (390, 150)).wkt
    assert sorted(rule for *_, rule in told(outcome)) == ["P002", "TP71", "TP71", "TP86"]


def test_no_row_is_lost(tmp_path):
    outcome = folders(
        tmp_path,
        row("a", f"{WEST}/道路.shp", line((10, 100), (250, 100))),
        row("b", f"{EAST}/道路.shp", line((250, 100), (390, 100))),
        row("b", f"{EAST}/道路.shp", at(300, 100), "110102"),
        options={"ids": "city"},
    )
    assert told(outcome) == [(f"{EAST}/道路.shp", 2, "P002")]
    pieces = outcome.accepted["attributes"].map(lambda a: sum(map(len, a["pieces"].values())))
    assert pieces.sum() + outcome.refused == 3


def test_days_of_the_survey_decide_whose_end_stands(tmp_path):
    older = layer(tmp_path, f"{WEST}/道路.shp", sheet_from="folder", surveyed_on=date(2024, 1, 1))
    newer = layer(tmp_path, f"{EAST}/道路.shp", sheet_from="folder", surveyed_on=date(2026, 1, 1))
    pieces = rows(
        row("a", f"{WEST}/道路.shp", line((10, 100), (250, 100))),
        row("b", f"{EAST}/道路.shp", line((250, 100.1), (390, 100))),
    )
    outcome = intake.judge(pieces, given(tmp_path, older, newer))
    (shape,) = outcome.accepted.geometry
    assert shape.wkt == line((10, 100), (250, 100.1), (390, 100)).wkt
    assert outcome.beside.sheets["surveyed_on"].tolist() == [date(2024, 1, 1), date(2026, 1, 1)]


def test_unmatched_ends_are_listed_at_their_place(tmp_path):
    outcome = folders(
        tmp_path,
        row("a", f"{WEST}/道路.shp", line((10, 100), (250, 100))),
        row("b", f"{EAST}/道路.shp", line((250, 101), (390, 100))),
    )
    assert told(outcome) == [(f"{WEST}/道路.shp", 1, "TP84")]
    fault = sheetwise(outcome).iloc[0]
    assert fault["severity"] == "warning"
    assert fault["geometry"].equals(at(250, 100))
    assert fault["reason_en"].endswith("nothing there goes on; the nearest, b, is 1.00 m away.")
    (kept,) = outcome.beside.faults.to_dict("records")
    assert (kept["grade"], kept["sheet"], kept["other_sheet"]) == ("error", WEST, EAST)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sheet_from": "name"}, "sheet_from is 'name'"),
        ({"scale": "1:500"}, "scale is '1:500'"),
        ({"scale": 500, "size": "40x50"}, "size is '40x50'"),
        ({"scale": 500, "classes": "31"}, "classes is '31'"),
        ({"scale": 500, "surveyed_on": "2026"}, "surveyed_on is '2026'"),
    ],
)
def test_options_are_judged(tmp_path, options, words):
    spec = layer(tmp_path, "a.shp", **options)
    pieces = rows(row("a", "a.shp", line((10, 100), (90, 100)), sheet=WEST))
    with pytest.raises(DeliveryError, match=words):
        intake.judge(pieces, given(tmp_path, spec))


def test_sheet_numbers_are_compared_as_people_read_them():
    assert sheet_key("4214.25—541.0") == sheet_key(" 4214.250-541.00 ")
    assert read_corner("10.0-21.0").decimals == 1
    assert read_corner("12") is None
