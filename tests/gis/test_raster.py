"""Raster files: written, read back, made COG, and told when they are broken."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rio_cogeo.cogeo import cog_validate
from shapely import box

from gis.errors import CrsError, FileFormatError
from gis.raster import RasterReader, read_crs, warp_to_cog, write_cog, write_raster

CRS = "EPSG:4547"
TRANSFORM = Affine(2.0, 0, 540_000.0, 0, -2.0, 4_210_000.0)


def picture(rows: int = 600, columns: int = 700) -> np.ndarray:
    values = np.add.outer(np.arange(rows), np.arange(columns)) % 251
    return np.stack([values, 255 - values, values // 2]).astype(np.uint8)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "影像.tif"
    write_raster(path, picture(), crs=CRS, transform=TRANSFORM, nodata=0, tags={"MAKER": "普查队"})
    with RasterReader(path) as raster:
        info = raster.info
        assert (info.width, info.height, info.bands, info.dtype) == (700, 600, 3, "uint8")
        assert (info.nodata, info.rpc, info.transform) == (0, None, TRANSFORM)
        part = raster.read((10, 20, 5, 7))
        assert np.array_equal(part, picture()[:, 10:15, 20:27])
    with rasterio.open(path) as raw:
        assert raw.tags()["MAKER"] == "普查队"
    assert [file.name for file in tmp_path.iterdir()] == ["影像.tif"]


def test_a_cog_with_overviews_and_its_footprint(tmp_path: Path) -> None:
    pixels = picture()
    pixels[:, :, :200] = 0
    write_raster(tmp_path / "a.tif", pixels, crs=CRS, transform=TRANSFORM, nodata=0)
    write_cog(tmp_path / "a.tif", tmp_path / "c.tif")
    assert cog_validate(tmp_path / "c.tif", quiet=True)[0]
    with RasterReader(tmp_path / "c.tif") as raster:
        outline = raster.footprint()
    wanted = box(540_400, 4_208_800, 541_400, 4_210_000)
    assert outline.symmetric_difference(wanted).area < 0.01 * wanted.area


def test_warping_to_the_citys_crs(tmp_path: Path) -> None:
    flat = np.full((1, 400, 400), 7, dtype=np.uint8)
    degrees = Affine(1e-5, 0, 114.0, 0, -1e-5, 38.0)
    write_raster(tmp_path / "lonlat.tif", flat, crs="EPSG:4490", transform=degrees)
    warp_to_cog(tmp_path / "lonlat.tif", tmp_path / "out.tif", crs=CRS, resolution_m=1.0)
    with RasterReader(tmp_path / "out.tif") as raster:
        transform = raster.info.transform
        assert transform is not None
        assert (transform.a, transform.e) == (1.0, -1.0)
        assert transform.c % 1 == 0
        inside = raster.read()[0][raster.read_mask() > 0]
        assert set(np.unique(inside)) == {7}
        # 0.004 degrees at latitude 38: 351 m by 444 m.
        assert raster.footprint().area == pytest.approx(351.2 * 444.0, rel=0.02)


@pytest.mark.parametrize("size", [0, 100, 60_000])
def test_files_cut_short_are_told(tmp_path: Path, size: int) -> None:
    whole = tmp_path / "whole.tif"
    noise = np.random.default_rng(1).integers(0, 255, (3, 600, 700), dtype=np.uint8)
    write_raster(whole, noise, crs=CRS, transform=TRANSFORM)
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[:size])
    sentence = rf"cut.tif \({size} bytes\) is empty, cut short"
    with pytest.raises(FileFormatError, match=sentence), RasterReader(cut) as raster:
        raster.read()
    with pytest.raises(FileFormatError, match="cut short"):
        write_cog(cut, tmp_path / "c.tif")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cut.tif", "whole.tif"]
    with pytest.raises(FileFormatError, match="is not there"):
        RasterReader(tmp_path / "none.tif")


def test_arrays_and_crs_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="can not be written"):
        write_raster(tmp_path / "a.tif", np.zeros((0, 5)), crs=None, transform=None)
    with pytest.raises(CrsError, match="no known CRS"):
        read_crs("EPSG:1")
