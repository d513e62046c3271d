"""A workspace and a delivery of Shanghai: 28 k points of interest and the 16 districts.

By hand, from the root of the project::

    python -m tests.real.shanghai OUT_DIR
    cd OUT_DIR && wanmi build delivery && wanmi snapshot
    wanmi geocode FILE

The addresses go in as they are written in the source; nothing is split or mended here. No streets
街道, communities 社区 and unit grids are known, so each district stands as one of each, under names
that no address has (全域), and each of its parts is one grid.
"""

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.sheets import read_sheet
from gis.vector import read_vector, write_vector

SOURCE = Path(__file__).resolve().parents[2] / "../shared/data/shanghai_poi"
CRS = "EPSG:4549"
"""CGCS2000, 3-degree Gauss-Kruger zone of 120 E, metres."""
FILES = ("food", "hospital", "school", "urban")

PROFILE = f"""\
[city]
code = "310000"
name = "上海市"
crs = "{CRS}"
standard = "GB/T 30428.2-2013"
timezone = "Asia/Shanghai"
"""

MANIFEST = """\
[delivery]
name = "shanghai-points-of-interest"
as_of = 2020-12-31

[[layer]]
dataset = "areas"
path = "areas.gpkg"

[[layer]]
dataset = "unit_grids"
path = "grids.gpkg"

[[layer]]
dataset = "addresses"
path = "addresses.csv"
crs = "EPSG:4326"
x_field = "lon"
y_field = "lat"
"""


def write_workspace(folder: Path, *, pois: pd.DataFrame | None = None) -> Path:
    """Write ``wanmi.toml`` and the delivery of some points of interest, all if none are given."""
    delivery = folder / "delivery"
    delivery.mkdir(parents=True, exist_ok=True)
    (folder / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    (delivery / "delivery.toml").write_text(MANIFEST, encoding="utf-8")
    areas = read_areas()
    write_vector(areas, delivery / "areas.gpkg")
    write_vector(grids_of(areas), delivery / "grids.gpkg")
    rows = read_pois() if pois is None else pois
    table = pd.DataFrame(
        {
            "编号": rows["code"],
            "类型": "兴趣点",
            "名称": rows["name"],
            "区县": rows["district"],
            "详细地址": rows["address"].where(rows["address"] != "[]", ""),
            "lon": rows["lon"],
            "lat": rows["lat"],
        }
    )
    table.to_csv(delivery / "addresses.csv", index=False)
    return delivery


def read_areas() -> gpd.GeoDataFrame:
    """Return the districts, each once more as street and as community."""
    districts = read_vector(SOURCE / "shanghai_boundary.geojson", target_crs=CRS).frame
    whole = districts.geometry.make_valid()
    code = districts["县代码"].astype(float).astype(int).astype(str)
    name = districts["县名"]
    layers = (("", ""), ("001", "全域街道"), ("001001", "全域社区"))
    rows = {
        "XZQDM": [c + digits for digits, _ in layers for c in code],
        "XZQMC": [n + suffix for _, suffix in layers for n in name],
    }
    return gpd.GeoDataFrame(rows, geometry=[*whole] * len(layers), crs=CRS)


def grids_of(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return each part of each community as a unit grid."""
    parts = areas[areas["XZQDM"].str.len() == 12].explode(ignore_index=True)
    number = parts.groupby("XZQDM").cumcount() + 1
    return gpd.GeoDataFrame(
        {"DYWGBSM": parts["XZQDM"] + number.astype(str).str.zfill(3), "CSRQ": "20200101"},
        geometry=parts.geometry,
        crs=CRS,
    )


def read_pois() -> pd.DataFrame:
    """Read the points of interest, each once: code, name, address, district, lon, lat."""
    sheets = [read_sheet(SOURCE / f"shanghai_{name}.csv").frame for name in FILES]
    rows = pd.concat(sheets, ignore_index=True).rename(columns={"adname": "district"})
    rows = rows.drop_duplicates(["name", "address", "district"], ignore_index=True)
    rows["lon"], rows["lat"] = rows["lon"].astype(float), rows["lat"].astype(float)
    rows["code"] = [f"SH{number:06d}" for number in range(1, len(rows) + 1)]
    return rows[["code", "name", "address", "district", "lon", "lat"]]


def held_out(pois: pd.DataFrame, *, share: float = 0.2, seed: int = 1) -> NDArray[np.bool_]:
    """Choose rows to ask for, the others are built from."""
    return np.random.default_rng(seed).uniform(size=len(pois)) < share


if __name__ == "__main__":
    sys.stdout.write(f"{write_workspace(Path(sys.argv[1]))}\n")
