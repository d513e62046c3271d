"""The page: hostile text stays text, nothing runs but its own script, and what is capped is told."""

import base64
import gzip
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from census.report import payload
from census.report.document import as_document
from census.report.ground import empty_ground, is_finite, pack_ground, spots_of
from census.report.judgement import FileJudgement, UnmappedColumn
from census.report.page import page_text, write_page
from census.report.payload import as_page_data, first_of_each_rule
from gis.errors import WorkspaceError
from gis.remarks import Remark
from tests.census.report.judgements import EAST, HOSTILE, NORTH, fault, ground, judgement

NOBODY = FileJudgement(
    path=f"{HOSTILE}.shp",
    dataset="components",
    error=Remark(en=f"It is {HOSTILE}", zh=f"它是 {HOSTILE}"),
)


def data_of(page: str) -> dict[str, Any]:
    kind, text = re.search(
        r'<script type="application/json" id="data" data-kind="(\w+)">(.*?)</script>', page, re.S
    ).groups()  # type: ignore[union-attr]
    raw = gzip.decompress(base64.b64decode(text)) if kind == "gzip" else text.encode()
    found: dict[str, Any] = orjson.loads(raw)
    return found


def test_a_fault_is_told_with_rule_reason_place_and_delivered_row() -> None:
    data = data_of(page_text(judgement([fault(7)]), ground()))
    faults, strings = data["faults"], data["strings"]
    assert data["origin"] == [EAST, NORTH]
    assert faults["at"] == [700, 0]  # 7 m east of the corner, in centimetres
    assert (faults["number"], faults["row"], faults["severity"]) == ([7], [7], [0])
    assert strings[faults["rule"][0]] == "C041"
    assert strings[faults["zh"][0]] == "未填写：主管部门。"
    told = [strings[number] for number in data["records"]["0"]]
    assert told == ["标识码", "1301020101000007", "权属单位", "排水公司"]


def test_hostile_text_from_every_place_stays_text() -> None:
    bad = fault(
        1,
        code=HOSTILE,
        source_file=NOBODY.path,
        class_code=HOSTILE,
        reason_en=HOSTILE,
        reason_zh=HOSTILE,
        record={HOSTILE: HOSTILE},
    )
    whole = judgement(
        [bad],
        delivery=HOSTILE,
        files=[
            NOBODY,
            FileJudgement(
                path="a.shp",
                dataset="components",
                encoding=HOSTILE,
                warnings=(Remark(en=HOSTILE, zh=HOSTILE),),
                unmapped=(UnmappedColumn(name=HOSTILE, suggestion=HOSTILE),),
            ),
        ],
        obstacles=[Remark(en=HOSTILE, zh=HOSTILE)],
    )
    page = page_text(whole, ground())
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 2  # the data and the code
    assert data_of(page)["strings"].count(HOSTILE) == 1


def test_what_is_said_of_a_file_stands_in_both_languages() -> None:
    file = FileJudgement(
        path="a.shp",
        dataset="components",
        encoding="GBK",
        encoding_evidence=Remark(en="by the text itself", zh="由文本本身判定"),
        crs_source="manifest",
        warnings=(Remark(en="The layer has no rows.", zh="图层中没有记录。"),),
    )
    whole = judgement(files=[file])
    page = page_text(whole, ground())
    for en, zh in (
        ("by the text itself", "由文本本身判定"),
        ("The layer has no rows.", "图层中没有记录。"),
        ("manifest", "清单声明"),
    ):
        assert f'<span lang="en">{en}</span><span lang="zh">{zh}</span>' in page
    (told,) = as_document(whole)["files"]
    assert (told["warnings"], told["warnings_zh"]) == (
        ["The layer has no rows."],
        ["图层中没有记录。"],
    )
    assert (told["encoding_evidence"], told["encoding_evidence_zh"]) == (
        "by the text itself",
        "由文本本身判定",
    )


def test_only_the_pages_own_script_may_run_and_nothing_is_fetched() -> None:
    page = page_text(judgement([fault(1)]), ground())
    code = page.rsplit("<script>", 1)[1].rsplit("</script>", 1)[0]
    allowed = base64.b64encode(sha256(code.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in page
    assert not re.search(r"""(?:src|href)\s*=|https?://|@import|url\(""", page)


@given(text=st.text(max_size=60))
def test_whatever_text_comes_back_from_the_page_as_it_was(text: str) -> None:
    data = as_page_data(judgement([fault(1, reason_en=text)]), empty_ground())
    assert b"<" not in data
    found = orjson.loads(data)
    assert found["strings"][found["faults"]["en"][0]] == text


def test_text_that_utf8_can_not_hold_is_written_all_the_same(tmp_path: Path) -> None:
    broken = "坏\udcffname"
    bad = fault(1, record={broken: broken})
    path = tmp_path / "report.html"
    write_page(judgement([bad], delivery=broken), path, ground=ground())
    assert "坏?name" in path.read_text(encoding="utf-8")


def test_faults_beyond_the_cap_are_counted_and_every_rule_keeps_its_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(payload, "MOST_FAULTS", 4)
    many = [fault(number) for number in range(1, 11)]
    rare = fault(11, rule="C010", severity="error")
    data = data_of(page_text(judgement([*many, rare]), ground()))
    assert data["total"] == 11
    assert data["faults"]["number"] == [1, 2, 3, 11]


def test_the_first_of_each_rule_come_in_the_tables_order() -> None:
    table = pd.DataFrame({"severity": "error", "rule": list("aabab"), "number": range(5)})
    assert first_of_each_rule(table, most=3)["number"].tolist() == [0, 1, 2]
    assert first_of_each_rule(table, most=9)["number"].tolist() == [0, 1, 2, 3, 4]


def test_big_data_is_compressed_into_the_page() -> None:
    many = [fault(number, reason_zh=f"第 {number} 条" * 10) for number in range(1, 12_001)]
    page = page_text(judgement(many, rows=20_000), ground())
    assert 'data-kind="gzip"' in page
    assert len(page) < 1_500_000
    assert len(data_of(page)["faults"]["number"]) == 12_000


@pytest.mark.parametrize(
    "wkt",
    [
        None,
        "POINT EMPTY",
        "POINT (nan 1)",
        "POINT (inf 1)",
        "POINT (1e300 1e300)",
        "LINESTRING (0 0, nan 1)",
        "POLYGON EMPTY",
    ],
)
def test_a_fault_without_a_place_is_listed_without_one(wkt: str | None) -> None:
    with np.errstate(invalid="ignore"):
        shape = shapely.from_wkt(wkt)
    data = data_of(page_text(judgement([fault(1, geometry=shape), fault(2)]), ground()))
    assert data["faults"]["at"] == [None, None, 200, 0]
    assert data["outlines"] == {}


def test_lines_and_areas_are_drawn_as_they_are() -> None:
    line = shapely.LineString([(EAST, NORTH), (EAST + 4, NORTH)])
    ring = shapely.box(EAST, NORTH, EAST + 2, NORTH + 2)
    bow = shapely.Polygon(
        [(EAST, NORTH), (EAST + 2, NORTH + 2), (EAST + 2, NORTH), (EAST, NORTH + 2)]
    )
    shapes = [line, shapely.MultiPolygon([ring]), bow, shapely.Point(EAST, NORTH)]
    faults = [fault(number, geometry=shape) for number, shape in enumerate(shapes, 1)]
    data = data_of(page_text(judgement(faults), ground()))
    assert data["outlines"]["0"] == [[0, 0, 400, 0]]
    assert sorted(data["outlines"]) == ["0", "1", "2"]
    assert data["faults"]["at"][:2] == [200, 0]  # the middle of the line


def test_a_fault_in_another_country_does_not_shrink_the_city() -> None:
    far = fault(1, geometry=shapely.Point(EAST + 5e6, NORTH))
    data = data_of(page_text(judgement([far, fault(2)]), ground()))
    assert data["extent"] == [0, 0, 200, 100]
    assert data["faults"]["at"] == [500_000_000, 0, 200, 0]


def test_the_ground_is_packed_in_decimetres_and_thinned_where_there_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = pack_ground(ground(), origin=(EAST, NORTH))
    assert packed["roads"] == [[0, 500, 2000, 0]]
    assert packed["components"] == [0, 100, 100, 100, 200, 100]
    monkeypatch.setattr("census.report.ground.MOST_POINTS", 2)
    monkeypatch.setattr("census.report.ground.MOST_VERTICES", 6)
    thin = pack_ground(ground(), origin=(EAST, NORTH))
    assert thin["components"] == [0, 100, 200, 100]
    assert (thin["thinned"], thin["left_out"]) == (True, ["areas"])


def test_spots_of_every_kind_of_shape() -> None:
    shapes = np.array(
        [
            shapely.MultiPoint([(3, 4), (5, 6)]),
            shapely.MultiLineString([[(0, 0), (2, 0)], [(9, 9), (9, 10)]]),
            shapely.GeometryCollection([shapely.Point(1, 1), shapely.box(0, 0, 2, 2)]),
            None,
        ],
        dtype=object,
    )
    spots = spots_of(shapes)
    assert [spot and (spot.x, spot.y) for spot in spots] == [(3, 4), (1, 0), (1, 1), None]
    assert is_finite(shapes).tolist() == [True, True, True, False]


def test_a_report_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("the last one")
    monkeypatch.setattr("pathlib.Path.replace", _full_disk)
    with pytest.raises(WorkspaceError, match="No space left"):
        write_page(judgement([fault(1)]), path, ground=ground())
    assert path.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [path]


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_delivery_without_faults_has_a_page_too() -> None:
    page = page_text(judgement(), empty_ground())
    assert '<section class="verdict accept">' in page
    assert data_of(page)["faults"]["number"] == []
