"""Images of a delivery: rectified, checked and catalogued; bad ones told in one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from affine import Affine
from rio_cogeo.cogeo import cog_validate

from gis.builds import live
from gis.crs import city_crs, transform_xy
from gis.database import Database
from gis.errors import DeliveryError, FileFormatError
from gis.faults import Outcome
from gis.raster import RasterReader, write_raster
from gis.rpc import RpcModel, to_tags
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from pipelines.build import build_delivery
from pipelines.context import BuildContext, References
from pipelines.imagery import transform
from pipelines.manifest import read_manifest

CRS = "EPSG:4547"
EAST, NORTH = 540_000.0, 4_210_000.0
SIZE = 301


def camera(*, shift: tuple[float, float] = (0.0, 0.0)) -> RpcModel:
    """A camera of about 1 m pixels over (540 000, 4 210 000), looking down a slope of 2 m to 1 pixel."""
    (lon,), (lat,) = transform_xy([EAST], [NORTH], source=CRS, target="EPSG:4326")
    one = (1.0, *[0.0] * 19)
    return RpcModel(
        line_off=150 + shift[1], samp_off=150 + shift[0], lat_off=lat, long_off=lon, height_off=60,
        line_scale=150, samp_scale=150, lat_scale=150 / 111_000, long_scale=150 / 87_900,
        height_scale=300, line_num_coeff=(0.0, 0.0, -1.0, *[0.0] * 17), line_den_coeff=one,
        samp_num_coeff=(0.0, 1.0, 0.0, 1.0, *[0.0] * 16), samp_den_coeff=one,
    )  # fmt: skip


def write_points(path: Path, *, height_m: float = 60.0, roles: str = "cccckkk") -> None:
    rng = np.random.default_rng(4)
    east, north = rng.uniform(-110, 110, (2, len(roles)))
    x, y = EAST + east, NORTH + north
    lon, lat = transform_xy(x, y, source=CRS, target="EPSG:4326")
    col, row = camera().project(lon, lat, 60.0)
    rows = {
        "id": [f"P{k}" for k in range(len(roles))],
        "col": col, "row": row, "x": x, "y": y, "h": height_m,
        "role": ["control" if role == "c" else "check" for role in roles],
    }  # fmt: skip
    pd.DataFrame(rows).to_csv(path, index=False)


def options(**changes: Any) -> str:
    values: dict[str, Any] = {
        "code": "orb-1", "gcps": "gcps.csv", "dem": "dem.tif", "height_datum": "ellipsoid",
        "acquired_on": "2026-05-18", "scale": 2000, "resolution_m": 1.0,
    } | changes  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines)


Order = Callable[..., Path]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """Write a delivery of one image whose model is off by (5, -3) pixels."""
    folder = tmp_path / "delivery"

    def write(
        *, image: np.ndarray | None = None, model: RpcModel | None = None, **changes: Any
    ) -> Path:
        folder.mkdir(exist_ok=True)
        pixels = np.full((2, SIZE, SIZE), 90, dtype=np.uint8) if image is None else image
        used = model or camera(shift=(5.0, -3.0))
        write_raster(folder / "raw.tif", pixels, crs=None, transform=None, rpcs=used)
        dem = np.full((120, 120), 60.0, dtype=np.float32)
        write_raster(
            folder / "dem.tif", dem, crs=CRS, transform=Affine(5, 0, EAST - 300, 0, -5, NORTH + 300)
        )
        write_points(folder / "gcps.csv")
        (folder / "delivery.toml").write_text(
            '[delivery]\nname = "image"\nas_of = 2026-05-31\n[[layer]]\ndataset = "imagery"\n'
            f'path = "raw.tif"\n[layer.options]\n{options(**changes)}\n'
        )
        return folder

    return write


def bring(folder: Path) -> Outcome:
    root = folder.parent / "city"
    root.mkdir(exist_ok=True)
    (root / "wanmi.toml").write_text(f'[city]\ncode = "130102"\ncrs = "{CRS}"\n')
    workspace = open_workspace(root, settings=Settings())
    delivery = read_manifest(folder)
    context = BuildContext(
        workspace=workspace,
        database=Database(url="", crs=CRS, srid=4547),
        crs=city_crs(workspace.profile, root),
        profile=workspace.profile,
        as_of=delivery.as_of,
        delivery=delivery,
        references=References(None),
    )
    return transform(pd.DataFrame(), context)


def cogs(folder: Path) -> list[Path]:
    return sorted((folder.parent / "city/imagery").glob("*"))


def test_an_image_is_rectified_and_shown_to_be_right(order: Order) -> None:
    folder = order()
    outcome = bring(folder)
    assert outcome.faults.empty
    row = outcome.accepted.iloc[0]
    assert (row["code"], row["model"], row["bands"], row["dtype"]) == (
        "orb-1",
        "rpc_gcp",
        2,
        "uint8",
    )
    assert row["acquired_on"] == date(2026, 5, 18)
    assert (row["height_source"], row["height_datum"], row["gsd_m"]) == (
        "dem.tif",
        "ellipsoid",
        1.0,
    )
    assert (row["check_points"], row["rmse_limit_m"], row["is_accepted"]) == (3, 1.0, True)
    assert row["rmse_m"] < 0.05
    assert row["report"]["correction"] == pytest.approx([-5, 1, 0, 3, 0, 1], abs=0.1)
    assert row["geometry"].area == pytest.approx(SIZE * SIZE, rel=0.03)
    image, report = cogs(folder)[1], cogs(folder)[0]
    assert report.suffix == ".json"
    assert row["path"] == f"imagery/{image.name}"
    assert cog_validate(image, quiet=True)[0]
    with RasterReader(image) as raster:
        assert set(np.unique(raster.read()[:, raster.read_mask() > 0])) == {90}


def test_the_same_input_is_not_made_again_and_other_options_make_another_file(order: Order) -> None:
    folder = order()
    first = bring(folder)
    times = [path.stat().st_mtime_ns for path in cogs(folder)]
    again = bring(folder)
    assert [path.stat().st_mtime_ns for path in cogs(folder)] == times
    assert again.accepted["path"].tolist() == first.accepted["path"].tolist()
    finer = bring(order(resolution_m=2.0))
    assert finer.accepted["path"].iloc[0] != first.accepted["path"].iloc[0]
    assert len(cogs(folder)) == 4


def test_normal_heights_with_their_undulation(order: Order) -> None:
    folder = order(height_datum="CGVD1985", undulation_m=-20.0)
    dem = np.full((120, 120), 80.0, dtype=np.float32)
    place = Affine(5, 0, EAST - 300, 0, -5, NORTH + 300)
    write_raster(folder / "dem.tif", dem, crs=CRS, transform=place)
    write_points(folder / "gcps.csv", height_m=80.0)
    outcome = bring(folder)
    assert outcome.faults.empty
    assert outcome.accepted["rmse_m"].iloc[0] < 0.05


def test_a_wrong_datum_shows_at_the_check_points(order: Order) -> None:
    folder = order()
    write_raster(
        folder / "dem.tif", np.full((120, 120), 80.0, dtype=np.float32), crs=CRS,
        transform=Affine(5, 0, EAST - 300, 0, -5, NORTH + 300),
    )  # fmt: skip
    outcome = bring(folder)
    # 20 m of height are 10 pixels of 1 m.
    assert outcome.accepted["rmse_m"].iloc[0] == pytest.approx(10, abs=0.5)
    assert not outcome.accepted["is_accepted"].iloc[0]
    assert outcome.faults["rule"].tolist() == ["IM01", "IM04"]


def test_without_check_points_nothing_is_claimed(order: Order) -> None:
    folder = order(gcps=None)
    row = bring(folder)
    assert row.faults["rule"].tolist() == ["IM05"]
    accepted = row.accepted.iloc[0]
    assert (accepted["model"], accepted["is_accepted"], accepted["rmse_m"]) == ("rpc", None, None)


def test_an_rpc_file_goes_before_the_tags(order: Order) -> None:
    folder = order(rpc="a_RPC.TXT", gcps=None)
    lines = [
        f"{key}: {value}"
        for key, text in to_tags(camera()).items()
        for key, value in (
            [(key, text)]
            if " " not in text
            else [(f"{key}_{k}", word) for k, word in enumerate(text.split(), start=1)]
        )
    ]
    (folder / "a_RPC.TXT").write_text("\n".join(lines))
    outline = bring(folder).accepted["geometry"].iloc[0]
    assert outline.centroid.x == pytest.approx(EAST, abs=1.5)
    assert outline.centroid.y == pytest.approx(NORTH, abs=1.5)


def test_a_finished_orthophoto_is_checked_and_taken(order: Order) -> None:
    folder = order(gcps=None, dem=None, height_datum=None, resolution_m=None)
    lon, lat = transform_xy([EAST], [NORTH], source=CRS, target="EPSG:4490")
    place = Affine(1e-5, 0, float(lon[0]), 0, -1e-5, float(lat[0]))
    write_raster(
        folder / "raw.tif", np.full((90, 90), 9, np.uint8), crs="EPSG:4490", transform=place
    )
    outcome = bring(folder)
    row = outcome.accepted.iloc[0]
    assert (row["model"], row["height_source"], row["is_accepted"]) == ("affine", "none", None)
    assert outcome.faults.empty
    assert row["geometry"].bounds[0] == pytest.approx(EAST, abs=3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"height_datum": None}, "height datum of dem.tif is not stated"),
        ({"height_datum": "CGVD1985"}, "need the undulation"),
        ({"dem": None}, "needs a terrain model"),
        ({"scale": 1500}, "No accuracy is known for scale 1500"),
        ({"acquired_on": "May"}, "give a day"),
        ({"resolution_m": "fine"}, "give a number"),
        ({"resolution_m": 0.0}, "pixel size in metres"),
    ],
)
def test_wrong_options(order: Order, changes: dict[str, Any], words: str) -> None:
    folder = order(**changes)
    with pytest.raises(DeliveryError, match=words):
        bring(folder)
    assert cogs(folder) == []


def test_points_that_can_not_be_used(order: Order) -> None:
    folder = order()
    table = pd.read_csv(folder / "gcps.csv")
    for change, words in (
        ({"col": 400.0}, "Point P0 of gcps.csv at col 400, row .* lies outside the image"),
        ({"x": None}, "missing or no number"),
        ({"role": "spare"}, "'spare' in gcps.csv is not known"),
    ):
        bad = table.astype(object)
        for name, value in change.items():
            bad.loc[0, name] = value
        bad.to_csv(folder / "gcps.csv", index=False)
        with pytest.raises(DeliveryError, match=words):
            bring(folder)
    table.drop(columns=["h", "id"]).to_csv(folder / "gcps.csv", index=False)
    with pytest.raises(DeliveryError, match="has no column id, h"):
        bring(folder)


def test_files_that_can_not_be_used(order: Order) -> None:
    folder = order()
    plain = np.full((SIZE, SIZE), 5, dtype=np.uint8)
    write_raster(folder / "raw.tif", plain, crs=None, transform=None)
    with pytest.raises(DeliveryError, match="neither a CRS nor an RPC"):
        bring(folder)
    order(image=np.zeros((SIZE, SIZE)))
    with pytest.raises(DeliveryError, match="samples of float64"):
        bring(folder)
    noise = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE), dtype=np.uint8)
    order(image=noise)
    whole = (folder / "raw.tif").read_bytes()
    (folder / "raw.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFormatError, match="cut short"):
        bring(folder)
    order()
    half = np.full((120, 30), 60.0, dtype=np.float32)
    place = Affine(5, 0, EAST - 300, 0, -5, NORTH + 300)
    write_raster(folder / "dem.tif", half, crs=CRS, transform=place)
    with pytest.raises(DeliveryError, match=r"dem.tif does not cover|knows the height of only"):
        bring(folder)
    order(model=replace(camera(), line_num_coeff=(0.0,) * 20))
    with pytest.raises(DeliveryError):
        bring(folder)
    assert cogs(folder) == []


def test_two_images_of_one_code_are_refused(order: Order) -> None:
    folder = order()
    manifest = folder / "delivery.toml"
    text = manifest.read_text()
    manifest.write_text(text + text[text.index("[[layer]]") :])
    with pytest.raises(DeliveryError, match="same code orb-1"):
        bring(folder)


def test_a_build_catalogues_the_image_and_the_second_changes_nothing(
    order: Order, workspace: Workspace, database: Database
) -> None:
    folder = order()
    assert [item.status for item in build_delivery(folder, workspace=workspace)] == ["built"]
    row = live(database, "imagery").iloc[0]
    assert (workspace.root / row["path"]).is_file()
    assert row["is_accepted"]
    assert row["report"]["refinement"] in ("shift", "affine")
    assert [item.status for item in build_delivery(folder, workspace=workspace)] == ["unchanged"]
