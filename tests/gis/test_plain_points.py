"""Shapefiles of plain points and codes, read as they lie in the file: the same as GDAL reads."""

import struct

import numpy as np
import pyogrio
import pytest

from gis.shapefile import read_points
from gis.vector import read_vector
from tests.gis.test_vector import CITY, layer, shapefile


def test_plain_points_are_read_as_gdal_reads_them(tmp_path):
    path = shapefile(tmp_path)
    found = read_points(path)
    assert found.tolist() == [[500_000, 4_200_000], [500_010, 4_200_000], [500_020, 4_200_000]]
    gdal = pyogrio.read_dataframe(path).geometry
    assert found.tolist() == np.column_stack([gdal.x, gdal.y]).tolist()


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (100 + 8, struct.pack("<i", 0)),  # a null shape
        (100 + 28 + 12, struct.pack("<d", float("nan"))),
        (100 + 28 + 4, struct.pack(">i", 12)),
        (32, struct.pack("<i", 8)),
    ],
)
def test_points_that_are_not_plain_are_left_to_gdal(tmp_path, offset, value):
    path = shapefile(tmp_path)
    data = bytearray(path.read_bytes())
    data[offset : offset + len(value)] = value
    path.write_bytes(data)
    assert read_points(path) is None


def test_shapes_in_another_order_are_read_by_the_index(tmp_path):
    path = shapefile(tmp_path)
    index = path.with_suffix(".shx")
    data = index.read_bytes()
    index.write_bytes(data[:100] + data[116:124] + data[108:116] + data[100:108])
    assert read_points(path) is None
    points = read_vector(path, target_crs=CITY).frame.geometry
    assert points.x.tolist() == [500_020, 500_010, 500_000]


def test_codes_keep_what_stands_in_them(tmp_path):
    codes = ["0012", " x ", "", "a-b/c_d.e:1", "9" * 80, "Z" * 81, "a(b"]
    frame = layer(names=["路"] * len(codes)).assign(code=codes)
    found = read_vector(shapefile(tmp_path, frame=frame), target_crs=CITY).frame
    assert found["code"].tolist() == ["0012", " x", None, "a-b/c_d.e:1", "9" * 80, "Z" * 81, "a(b"]
    assert found["名称"].tolist() == ["路"] * len(codes)
    alone = layer(names=["路"] * 3).assign(code=["0012", " x ", ""])
    found = read_vector(shapefile(tmp_path, frame=alone, name="两条"), target_crs=CITY).frame
    assert found["code"].tolist() == ["0012", " x", None]
