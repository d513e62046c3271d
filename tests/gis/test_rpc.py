"""Camera models: real ones of four vendors, their bias at surveyed points, and bad files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gis.errors import DeliveryError, FileFormatError
from gis.raster import RasterReader
from gis.refinement import GroundPoints, refine, residuals
from gis.rpc import RpcModel, from_tags, parse_rpc, to_tags

DATA = Path(__file__).resolve().parents[2] / "../shared/data/imagery"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared imagery is not here")


def quickbird() -> tuple[RpcModel, GroundPoints, tuple[int, int]]:
    with RasterReader(DATA / "quickbird/qb2_basic1b.tif") as image:
        info = image.info
    assert info.rpc is not None
    features = json.loads((DATA / "quickbird/gcps.geojson").read_text())["features"]
    ji = np.array([feature["properties"]["ji"] for feature in features])
    lon, lat, height = np.array([feature["geometry"]["coordinates"] for feature in features]).T
    names = tuple(feature["properties"]["id"] for feature in features)
    points = GroundPoints(ids=names, col=ji[:, 0], row=ji[:, 1], lon=lon, lat=lat, height_m=height)
    return info.rpc, points, (info.width, info.height)


@real_data
def test_the_known_bias_of_quickbird() -> None:
    model, points, size = quickbird()
    bias = residuals(model, points).mean(axis=0)
    # Published as (3.48, 2.59) against GDAL's coordinates, which count from the pixel's corner.
    assert -bias + 0.5 == pytest.approx([3.48, 2.59], abs=0.01)
    found = refine(model, points, size=size)
    assert found.kind in ("shift", "affine")
    assert np.abs(found.after_px.mean(axis=0)).max() < 1e-9
    assert np.sqrt((found.after_px**2).sum(axis=1).mean()) < 0.11
    assert found.suspects == ()
    assert found.rmse_px is not None
    assert found.rmse_px < 0.2


@real_data
def test_a_point_measured_wrongly_is_named() -> None:
    model, points, size = quickbird()
    col = points.col.copy()
    col[1] += 9.0
    assert refine(model, replace(points, col=col), size=size).suspects == (points.ids[1],)


@real_data
def test_points_of_another_place_are_refused() -> None:
    model, points, size = quickbird()
    with pytest.raises(DeliveryError, match="order of x and y"):
        refine(model, replace(points, lon=points.lat, lat=points.lon), size=size)


@real_data
@pytest.mark.parametrize(
    ("name", "centre"),
    [
        ("20191015_073816_ssc1d3_0011_basic_l1a_panchromatic_dn_RPC.TXT", (49.6688198872119, 25.928587267606)),
        ("rpc_IKONOS.txt", (-56.1722, -34.903)),
        ("rpc_PLANET_L1A.txt", (151.7593, -32.85)),
        ("rpc_PLANET_L1B.txt", (151.7593, -32.85)),
    ],
)  # fmt: skip
def test_vendors_text_files(name: str, centre: tuple[float, float]) -> None:
    model = parse_rpc((DATA / "rpc_text_formats" / name).read_text(), source=name)
    assert (model.long_off, model.lat_off) == centre
    col, row = model.project(*centre, model.height_off)
    lon, lat = model.ground(col, row, model.height_off)
    assert [float(lon), float(lat)] == pytest.approx(centre, abs=1e-8)
    assert from_tags(to_tags(model), source=name) == model


@real_data
def test_rpb_groups_say_the_same() -> None:
    name = "rpc_IKONOS.txt"
    model = parse_rpc((DATA / "rpc_text_formats" / name).read_text(), source=name)

    def entry(key: str, value: float) -> str:
        return f"\t{key} = {value!r};\n"

    def series(key: str, values: tuple[float, ...]) -> str:
        return f"\t{key} = (\n" + ",\n".join(f"\t\t\t{value!r}" for value in values) + ");\n"

    text = 'satId = "GF2";\nBEGIN_GROUP = IMAGE\n\terrBias = 1.0;\n'
    for ours, theirs in (
        ("samp", "samp"),
        ("line", "line"),
        ("lat", "lat"),
        ("long", "long"),
        ("height", "height"),
    ):
        text += entry(f"{theirs}Offset", getattr(model, f"{ours}_off"))
        text += entry(f"{theirs}Scale", getattr(model, f"{ours}_scale"))
    for ours in ("line", "samp"):
        text += series(f"{ours}NumCoef", getattr(model, f"{ours}_num_coeff"))
        text += series(f"{ours}DenCoef", getattr(model, f"{ours}_den_coeff"))
    text += "END_GROUP = IMAGE\nEND;\n"
    assert parse_rpc(text, source="a.rpb") == model


def simple() -> RpcModel:
    """100 x 50 pixels of 0.02 x 0.01 degrees; one pixel to the east per 10 m of height."""
    one = (1.0, *[0.0] * 19)
    return RpcModel(
        line_off=50, samp_off=100, lat_off=38, long_off=114, height_off=0,
        line_scale=50, samp_scale=100, lat_scale=0.01, long_scale=0.02, height_scale=1000,
        line_num_coeff=(0.0, 0.0, -1.0, *[0.0] * 17), line_den_coeff=one,
        samp_num_coeff=(0.0, 1.0, 0.0, 1.0, *[0.0] * 16), samp_den_coeff=one,
    )  # fmt: skip


def test_projection_worked_out_by_hand() -> None:
    col, row = simple().project([114.0, 114.01, 114.0], [38.0, 38.005, 38.0], [0.0, 0.0, 100.0])
    assert col == pytest.approx([100, 150, 110])
    assert row == pytest.approx([50, 25, 50])
    lon, lat = simple().ground([110.0], [50.0], [100.0])
    assert [lon[0], lat[0]] == pytest.approx([114.0, 38.0])


def test_the_other_side_of_the_date_line() -> None:
    model = replace(simple(), long_off=179.999)
    col, _ = model.project([-179.991], [38.0], [0.0])
    assert col == pytest.approx([150.0])


def test_an_affine_needs_four_points_and_must_prove_itself() -> None:
    rng = np.random.default_rng(5)
    ids = tuple(f"P{k}" for k in range(8))
    lon, lat = 114 + rng.uniform(-0.018, 0.018, 8), 38 + rng.uniform(-0.009, 0.009, 8)
    height = rng.uniform(0, 100, 8)
    col, row = simple().project(lon, lat, height)
    points = GroundPoints(ids=ids, col=col, row=row, lon=lon, lat=lat, height_m=height)
    size = (201, 101)
    drifting = replace(points, col=2.0 + 1.01 * col, row=-1.0 + 0.02 * col + row)
    found = refine(simple(), drifting, size=size)
    assert found.kind == "affine"
    assert found.model.correction == pytest.approx((2.0, 1.01, 0.0, -1.0, 0.02, 1.0))
    noisy = replace(points, col=col + 3.0 + rng.normal(0, 0.2, 8), row=row + rng.normal(0, 0.2, 8))
    assert refine(simple(), noisy, size=size).kind == "shift"
    three = drifting.take(np.arange(8) < 3)
    assert refine(simple(), three, size=size).kind == "shift"
    none = drifting.take(np.zeros(8, dtype=bool))
    assert refine(simple(), none, size=size).kind == "none"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"LAT_OFF": ""}, "no complete RPC"),
        ({"LAT_OFF": "north"}, "no complete RPC"),
        ({"SAMP_DEN_COEFF": "1 2 3"}, "has 3 coefficients"),
        ({"HEIGHT_SCALE": "0"}, "scale of zero"),
        ({"LINE_OFF": "nan"}, "not numbers"),
    ],
)
def test_incomplete_models_are_refused(change: dict[str, str], words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        from_tags({**to_tags(simple()), **change}, source="a.tif")


def test_a_model_that_does_not_invert_is_refused() -> None:
    flat = replace(simple(), line_num_coeff=(0.0,) * 20)
    with pytest.raises(FileFormatError, match="can not be inverted"):
        flat.ground([10.0], [10.0], [0.0])
