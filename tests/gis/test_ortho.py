"""Orthorectification against real images, against GDAL, and against a hill made for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.warp import reproject
from scipy.interpolate import RegularGridInterpolator

from gis.accuracy import check_accuracy, limit_of
from gis.crs import transform_xy
from gis.errors import DeliveryError
from gis.heights import HeightDatum, Terrain, height_datum
from gis.ortho import ground_points, own_gsd, plan_frame, rectify
from gis.raster import RasterReader, write_raster
from gis.refinement import GroundPoints
from gis.rpc import RpcModel

DATA = Path(__file__).resolve().parents[2] / "../shared/data/imagery"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared imagery is not here")
CRS = "EPSG:4547"
ELLIPSOID = HeightDatum(text="ellipsoid", offset_m=0.0)
EAST, NORTH = 540_000.0, 4_210_000.0


def tilted() -> RpcModel:
    """A camera over (540 000, 4 210 000): pixels of about 1 m, half a pixel east per metre of height."""
    (lon,), (lat,) = transform_xy([EAST], [NORTH], source=CRS, target="EPSG:4326")
    one = (1.0, *[0.0] * 19)
    return RpcModel(
        line_off=250, samp_off=250, lat_off=lat, long_off=lon, height_off=50,
        line_scale=250, samp_scale=250, lat_scale=250 / 111_000, long_scale=250 / 87_900, height_scale=500,
        line_num_coeff=(0.0, 0.0, -1.0, *[0.0] * 17), line_den_coeff=one,
        samp_num_coeff=(0.0, 1.0, 0.0, 1.0, *[0.0] * 16), samp_den_coeff=one,
    )  # fmt: skip


def hill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 50.0 + 60.0 * np.exp(-((x - EAST) ** 2 + (y - NORTH) ** 2) / (2 * 120.0**2))


def write_dem(path: Path, *, lift_m: float = 0.0, half: float = 600.0, step: float = 5.0) -> Path:
    at = np.arange(-half + step / 2, half, step)
    x, y = np.meshgrid(EAST + at, NORTH - at)
    transform = Affine(step, 0, EAST - half, 0, -step, NORTH + half)
    write_raster(path, (hill(x, y) + lift_m).astype(np.float32), crs=CRS, transform=transform)
    return path


def write_image(path: Path) -> Path:
    """An image whose pixel values tell the ground: a board of 20 m squares on the hill."""
    ticks = np.arange(0.0, 501.0, 5.0)
    col, row = np.meshgrid(ticks, ticks)
    height = np.full(col.shape, 50.0)
    for _ in range(40):
        lon, lat = tilted().ground(col, row, height)
        x, y = transform_xy(lon.ravel(), lat.ravel(), source="EPSG:4326", target=CRS)
        x, y = x.reshape(height.shape), y.reshape(height.shape)
        height = 0.5 * height + 0.5 * hill(x, y)
    pixels = np.stack(np.meshgrid(np.arange(501.0), np.arange(501.0), indexing="ij"), axis=-1)
    x, y = (RegularGridInterpolator((ticks, ticks), axis)(pixels) for axis in (x, y))
    board = (np.floor(x / 20) + np.floor(y / 20)) % 2
    write_raster(path, (60 + 140 * board).astype(np.uint8), crs=None, transform=None, rpcs=tilted())
    return path


def ortho(
    image: Path, dem: Path, target: Path, **options: str
) -> tuple[np.ndarray, np.ndarray, Affine]:
    terrain = Terrain(dem, datum=ELLIPSOID, crs=CRS)
    with RasterReader(image) as raw:
        model = raw.info.rpc
        assert model is not None
        frame = plan_frame(model, terrain, size=(501, 501), crs=CRS, gsd_m=1.0)
        rectify(raw, target, model=model, terrain=terrain, frame=frame, **options)
    terrain.close()
    with RasterReader(target) as result:
        return result.read()[0].astype(float), result.read_mask() > 0, frame.transform


def misplaced(pixels: np.ndarray, valid: np.ndarray, transform: Affine) -> float:
    """Return the share of pixels, away from the squares' borders, that show the wrong square."""
    rows, columns = np.nonzero(valid)
    x = transform.c + columns + 0.5
    y = transform.f - rows - 0.5
    clear = np.minimum.reduce([x % 20, 20 - x % 20, y % 20, 20 - y % 20]) > 2.0
    board = (np.floor(x / 20) + np.floor(y / 20)) % 2
    return float(((pixels[valid] > 130) != (board > 0))[clear].mean())


def test_relief_displacement_is_removed(tmp_path: Path) -> None:
    image = write_image(tmp_path / "raw.tif")
    pixels, valid, transform = ortho(image, write_dem(tmp_path / "dem.tif"), tmp_path / "o.tif")
    assert valid.sum() > 200_000
    assert misplaced(pixels, valid, transform) < 0.001
    flat = tmp_path / "flat.tif"
    write_raster(
        flat, np.full((240, 240), 50, np.float32), crs=CRS,
        transform=Affine(5, 0, EAST - 600, 0, -5, NORTH + 600),
    )  # fmt: skip
    assert misplaced(*ortho(image, flat, tmp_path / "f.tif")) > 0.05


@pytest.mark.parametrize("method", [Resampling.bilinear, Resampling.cubic])
def test_the_same_pixels_as_gdal(tmp_path: Path, method: Resampling) -> None:
    image, dem = write_image(tmp_path / "raw.tif"), write_dem(tmp_path / "dem.tif")
    pixels, valid, transform = ortho(image, dem, tmp_path / "o.tif", resampling=method.name)
    theirs = np.zeros(pixels.shape, dtype=np.uint8)
    with rasterio.open(image) as raw:
        reproject(
            rasterio.band(raw, 1), theirs, rpcs=raw.rpcs, src_crs="EPSG:4326", dst_crs=CRS,
            dst_transform=transform, resampling=method, tolerance=0.0, RPC_DEM=str(dem),
        )  # fmt: skip
    both = valid & (theirs > 0)
    assert both.sum() > 0.98 * valid.sum()
    assert np.quantile(np.abs(pixels[both] - theirs[both]), 0.99) <= 2


@real_data
def test_two_real_views_agree_on_the_surface_and_not_on_a_flat_one(tmp_path: Path) -> None:
    surface = DATA / "pleiades_triplet/dsm.tif"
    with rasterio.open(surface) as dsm:
        heights = dsm.read(1)
        level = float(np.nanmedian(heights))
        flat = tmp_path / "flat.tif"
        write_raster(
            flat,
            np.where(np.isnan(heights), np.nan, level).astype(np.float32),
            crs="EPSG:32631",
            transform=dsm.transform,
        )
    assert correlation(surface, tmp_path) == pytest.approx(0.987, abs=0.003)
    assert correlation(flat, tmp_path) < 0.9


def correlation(dem: Path, folder: Path) -> float:
    terrain = Terrain(dem, datum=ELLIPSOID, crs="EPSG:32631")
    views, frame = [], None
    for name in ("img_01.tif", "img_02.tif"):
        with RasterReader(DATA / "pleiades_triplet" / name) as raw:
            model, size = raw.info.rpc, (raw.info.width, raw.info.height)
            assert model is not None
            frame = frame or plan_frame(model, terrain, size=size, crs="EPSG:32631", gsd_m=0.5)
            rectify(
                raw, folder / name, model=model, terrain=terrain, frame=frame, resampling="bilinear"
            )
        with RasterReader(folder / name) as view:
            views.append((view.read()[0].astype(float), view.read_mask() > 0))
    terrain.close()
    (one, valid_one), (two, valid_two) = views
    both = valid_one & valid_two
    return float(np.corrcoef(one[both], two[both])[0, 1])


def check_points(model: RpcModel, count: int = 12) -> GroundPoints:
    rng = np.random.default_rng(2)
    x, y = EAST + rng.uniform(-180, 180, count), NORTH + rng.uniform(-180, 180, count)
    lon, lat = transform_xy(x, y, source=CRS, target="EPSG:4326")
    height = hill(x, y)
    col, row = model.project(lon, lat, height)
    ids = tuple(f"K{k}" for k in range(count))
    return GroundPoints(ids=ids, col=col, row=row, lon=lon, lat=lat, height_m=height)


def test_accuracy_sees_the_camera_and_the_height_datum(tmp_path: Path) -> None:
    model = tilted()
    points = check_points(model)
    right = Terrain(write_dem(tmp_path / "dem.tif"), datum=ELLIPSOID, crs=CRS)
    assert check_accuracy(model, right, points, crs=CRS).rmse_m == pytest.approx(0, abs=0.1)
    shifted = replace(model, correction=(3.0, 1.0, 0.0, 4.0, 0.0, 1.0))
    assert check_accuracy(shifted, right, points, crs=CRS).rmse_m == pytest.approx(5, abs=0.5)
    # Heights 28 m too low (a geoid taken for the ellipsoid): half a pixel per metre, about 14 m.
    low = Terrain(write_dem(tmp_path / "low.tif", lift_m=-28.0), datum=ELLIPSOID, crs=CRS)
    accuracy = check_accuracy(model, low, points, crs=CRS)
    assert accuracy.rmse_m == pytest.approx(14, abs=3)
    stated = height_datum("EGM2008", undulation_m=28.0, source="low.tif")
    mended = Terrain(tmp_path / "low.tif", datum=stated, crs=CRS)
    assert check_accuracy(model, mended, points, crs=CRS).rmse_m == pytest.approx(0, abs=0.1)


def test_rays_meet_the_hill(tmp_path: Path) -> None:
    terrain = Terrain(write_dem(tmp_path / "dem.tif"), datum=ELLIPSOID, crs=CRS)
    points = check_points(tilted())
    x, y, height = ground_points(tilted(), terrain, points.col, points.row, crs=CRS)
    wanted_x, wanted_y = transform_xy(points.lon, points.lat, source="EPSG:4326", target=CRS)
    assert np.hypot(x - wanted_x, y - wanted_y).max() < 0.15
    assert np.abs(height - points.height_m).max() < 0.15
    assert own_gsd(tilted(), 50.0, size=(501, 501), crs=CRS) == pytest.approx(1.0, abs=0.05)


def test_a_terrain_beside_the_image_is_refused(tmp_path: Path) -> None:
    far = tmp_path / "far.tif"
    write_raster(far, np.zeros((10, 10), np.float32), crs=CRS, transform=Affine(5, 0, 0, 0, -5, 0))
    terrain = Terrain(far, datum=ELLIPSOID, crs=CRS)
    with pytest.raises(DeliveryError, match="does not cover the image at all"):
        plan_frame(tilted(), terrain, size=(501, 501), crs=CRS, gsd_m=None)


def test_sample_types(tmp_path: Path) -> None:
    terrain = Terrain(write_dem(tmp_path / "dem.tif"), datum=ELLIPSOID, crs=CRS)
    frame = plan_frame(tilted(), terrain, size=(501, 501), crs=CRS, gsd_m=4.0)
    for dtype, value in (("uint16", 4000), ("int16", -7), ("float32", 0.25)):
        path = tmp_path / f"{dtype}.tif"
        flat = np.full((2, 501, 501), value, dtype=dtype)
        write_raster(path, flat, crs=None, transform=None, rpcs=tilted())
        with RasterReader(path) as raw:
            rectify(raw, tmp_path / "o.tif", model=tilted(), terrain=terrain, frame=frame)
        with RasterReader(tmp_path / "o.tif") as result:
            assert result.info.dtype == dtype
            assert set(result.read()[:, result.read_mask() > 0].ravel()) == {value}
    write_raster(tmp_path / "f8.tif", np.zeros((501, 501)), crs=None, transform=None, rpcs=tilted())
    with RasterReader(tmp_path / "f8.tif") as raw, pytest.raises(DeliveryError, match="float64"):
        rectify(raw, tmp_path / "o.tif", model=tilted(), terrain=terrain, frame=frame)


@pytest.mark.parametrize(
    ("text", "undulation", "words"),
    [
        (None, None, "is not stated"),
        ("  ", 3.0, "is not stated"),
        ("CGVD1985", None, "need the undulation"),
        ("CGVD1985", 500.0, "need the undulation"),
        ("ellipsoid", -7.0, "need no undulation"),
        ("Baltic 1977", 1.0, "is not known"),
    ],
)
def test_height_datums_left_open_are_refused(
    text: str | None, undulation: float | None, words: str
) -> None:
    with pytest.raises(DeliveryError, match=words):
        height_datum(text, undulation_m=undulation, source="dem.tif")


@real_data
def test_a_dem_that_contradicts_the_stated_datum_is_refused() -> None:
    dem = DATA / "aerial_dem/dem.tif"
    with pytest.raises(DeliveryError, match="EGM2008 height"):
        Terrain(dem, datum=ELLIPSOID, crs="EPSG:32735")
    stated = height_datum("EGM2008", undulation_m=28.0, source="dem.tif")
    terrain = Terrain(dem, datum=stated, crs="EPSG:4326")
    raised = terrain.heights(np.array([24.41948062]), np.array([-33.65426900]))
    # The surveyed ellipsoidal height of that point is 214.75 m.
    assert raised == pytest.approx([214.75], abs=6.0)
    terrain.close()


def test_limits_of_scales() -> None:
    assert [limit_of(scale).rmse_m for scale in (500, 1000, 2000, 5000)] == [0.3, 0.5, 1.0, 2.5]
    with pytest.raises(DeliveryError, match="use 500, 1000, 2000"):
        limit_of(1500)
