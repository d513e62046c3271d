"""Delivered GeoParquet: read as it is meant, and refused by a sentence where it lies about itself."""

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from gis.errors import FileFormatError
from gis.geoparquet import geometry_of, read_geoparquet

WKB = [shapely.to_wkb(shapely.Point(500_000, 4_200_000))]
GEO: dict[str, Any] = {
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "crs": "EPSG:4547"}},
}


def write(
    path: Path, *, geo: object = GEO, names: pa.Array | None = None, shapes: Any = None
) -> Path:
    told = geo if isinstance(geo, bytes) else orjson.dumps(geo)
    table = pa.table(
        {
            "name": pa.array(["灯"]) if names is None else names,
            "geometry": pa.array(WKB) if shapes is None else shapes,
        }
    )
    pq.write_table(table.replace_schema_metadata({b"geo": told}), path)
    return path


def test_shapes_and_crs_are_read(tmp_path: Path) -> None:
    rows, shapes, crs = read_geoparquet(write(tmp_path / "a.parquet"))
    assert rows["name"].tolist() == ["灯"]
    assert shapes.tolist() == WKB
    assert "CGCS2000" in str(crs)


def test_texts_that_are_no_utf8_are_told_and_no_trace(tmp_path: Path) -> None:
    text = "路灯".encode("gb18030")
    offsets = pa.py_buffer(bytes([0, 0, 0, 0, len(text), 0, 0, 0]))
    damaged = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text))
    with pytest.raises(FileFormatError, match=r"a\.parquet can not be read .*UTF"):
        read_geoparquet(write(tmp_path / "a.parquet", names=damaged))


@pytest.mark.parametrize(
    "geo",
    [
        b"{", [], {}, {"columns": []}, {"columns": {"geometry": GEO["columns"]["geometry"]}},
        {"primary_column": [], "columns": {}}, {"primary_column": "geometry", "columns": {"geometry": 1}},
        {"primary_column": "shape", "columns": {"shape": {"encoding": "WKB"}}},
        {"primary_column": "name", "columns": {"name": {"encoding": "WKB"}}},
    ],
)  # fmt: skip
def test_metadata_that_name_no_shapes_are_told(tmp_path: Path, geo: object) -> None:
    path = write(tmp_path / "a.parquet", geo=geo)
    with pytest.raises(FileFormatError, match="no GeoParquet with WKB geometry"):
        read_geoparquet(path)
    assert geometry_of(pq.read_schema(path)) == (None, None)


@pytest.mark.parametrize("crs", ["EPSG:99999999", {"type": "none"}, 5.5])
def test_a_crs_that_is_none_is_told(tmp_path: Path, crs: object) -> None:
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": crs}}}
    with pytest.raises(FileFormatError, match="names a CRS that is none"):
        read_geoparquet(write(tmp_path / "a.parquet", geo=geo))
