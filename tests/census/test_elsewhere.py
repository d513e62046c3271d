"""A file, and a whole delivery, of another city."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from census.elsewhere import judge_elsewhere
from gis.codes import read_rules
from gis.errors import DeliveryError
from gis.faults import Faults

CITY = shapely.box(540_000, 4_210_000, 550_000, 4_220_000)


def survey(*parts):
    """Files of so many points around a middle."""
    files = np.repeat([f"{n}.shp" for n in range(len(parts))], [count for count, _ in parts])
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.uniform(-900, 900, (count, 2)) + at for count, at in parts])
    return gpd.GeoDataFrame(
        {
            "code": [f"1101050104{n:06d}" for n in range(1, len(points) + 1)],
            "source_file": files,
            "source_row": range(1, len(points) + 1),
        },
        geometry=shapely.points(points),
        crs="EPSG:4547",
    )


def judge(rows, share=0.5, within=CITY):
    faults = Faults(rows, rules=read_rules("census"))
    found = judge_elsewhere(rows, faults, within=within, share=share, crs=CRS("EPSG:4547"))
    return found, faults.outcome().faults


HERE, THERE = (545_000, 4_215_000), (745_000, 4_415_000)


def test_a_file_of_another_city_is_refused_with_one_text():
    found, table = judge(survey((30, HERE), (20, THERE)))
    assert found.sum() == 20
    assert table["rule"].tolist() == ["C095"] * 20
    [text] = set(table["reason_en"])
    assert text.startswith(
        "20 of 20 components of 1.shp lie outside the city: it seems to lie near 116."
    )
    assert "283 km NE of the city; its codes are of district 110105." in text
    [text] = set(table["reason_zh"])
    assert "东北方约 283 公里；标识码的行政区为 110105" in text


def test_a_delivery_of_another_city_is_one_error():
    with pytest.raises(DeliveryError, match=r"All 10,000 components of this delivery.* 283 km NE"):
        judge(survey((10_000, THERE)))


def test_single_rows_far_away_are_left_to_be_judged_one_by_one():
    assert not judge(survey((30, HERE), (4, THERE)))[0].any()
    lone = survey((40, HERE))
    lone.loc[:11, "geometry"] = shapely.Point(THERE)
    assert not judge(lone)[0].any()  # twelve of forty are not half of the file
    assert judge(lone, share=0.3)[0].sum() == 12


def test_rows_without_a_place_do_not_count():
    rows = survey((20, THERE))
    rows.loc[4:, "geometry"] = None
    assert not judge(rows)[0].any()
    assert not judge(survey((20, THERE)), within=None)[0].any()
    assert judge(survey((1, HERE)).iloc[:0])[0].empty
