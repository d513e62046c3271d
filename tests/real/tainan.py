"""A workspace and a delivery of Tainan: 752 villages 里 and four years of hotline cases.

By hand, from the root of the project::

    python -m tests.real.tainan OUT_DIR
    cd OUT_DIR && wanmi build delivery && wanmi snapshot
    wanmi assign delivery/cases.csv -o decisions.csv

The villages are the communities; the 37 districts 區 stand where streets 街道 stand in a larger
city, and are dissolved from their villages. No unit grids are known, so each village is one grid,
or as many as it has parts. The cases are written as they are, with three columns added: what kind
of case it is, its class, and whence it came.
"""

import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd

from gis.sheets import read_sheet
from gis.vector import read_vector, write_vector

SOURCE = Path(__file__).resolve().parents[2] / "../shared/data/tainan"
CRS = "EPSG:3826"
"""TWD97 / TM2 zone 121, metres."""
CITY = "670000"
COMMUNITY_DIGITS = 12

PROFILE = f"""\
[city]
code = "{CITY}"
name = "臺南市"
crs = "{CRS}"
standard = "GB/T 30428.2-2013"
timezone = "Asia/Taipei"
"""

MANIFEST = """\
[delivery]
name = "tainan-1999-hotline"
as_of = 2018-12-31

[[layer]]
dataset = "areas"
path = "areas.gpkg"

[[layer]]
dataset = "unit_grids"
path = "grids.gpkg"

[[layer]]
dataset = "cases"
path = "cases.csv"
crs = "EPSG:4326"
x_field = "lon"
y_field = "lat"
[layer.fields]
case_id = "id"
reported_at = "time"
address = "addr"
description = "subcat"
"""

CLASSES = {
    "違規停車": ("事件", "0409"),  # 机动车乱停放
    "噪音舉發": ("事件", "0128"),  # 商业噪音
    "髒亂及汙染": ("事件", "0110"),  # 暴露垃圾
    "髒亂及污染": ("事件", "0110"),
    "路燈故障": ("部件", "0137"),  # 路灯
    "道路維修": ("事件", "0113"),  # 道路破损
    "交通運輸": ("部件", "0214"),  # 交通信号灯
    "民生管線": ("事件", "0501"),  # 供水管道破裂
    "動物救援": ("事件", "0138"),  # 擅自饲养家禽家畜
    "騎樓舉發": ("事件", "0406"),  # 占道经营
}
"""Category of the hotline -> kind and minor class; the rare others are 暴露垃圾, the hotline's rest."""
OTHERS = ("事件", "0110")


def write_workspace(folder: Path) -> Path:
    """Write ``wanmi.toml`` and the delivery into `folder`; return the delivery's folder."""
    delivery = folder / "delivery"
    delivery.mkdir(parents=True, exist_ok=True)
    (folder / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    (delivery / "delivery.toml").write_text(MANIFEST, encoding="utf-8")
    villages = read_villages()
    write_vector(areas_of(villages), delivery / "areas.gpkg")
    write_vector(grids_of(villages), delivery / "grids.gpkg")
    read_cases().to_csv(delivery / "cases.csv", index=False)
    return delivery


def read_villages() -> gpd.GeoDataFrame:
    """Read the villages: 12-digit ``code``, ``name``, and the ``town`` they are in."""
    frame = read_vector(SOURCE / "tainan_villages_752.geojson.gz", target_crs=CRS).frame
    # 67000 150 013: county, town, village; the county gets the sixth digit of GB/T 2260.
    code = CITY + frame["VILLCODE"].str.slice(5)
    villages = frame[["geometry"]].assign(code=code, name=frame["VILLNAME"], town=frame["TOWNNAME"])
    return villages.sort_values("code", ignore_index=True)


def areas_of(villages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return city, districts and villages as areas; the wider ones are their villages united."""
    whole = villages.assign(geometry=villages.geometry.make_valid())
    towns = whole.dissolve(by=whole["code"].str.slice(0, 9), aggfunc={"town": "first"})
    city = gpd.GeoDataFrame(
        {"XZQDM": [CITY], "XZQMC": ["臺南市"]}, geometry=[whole.union_all()], crs=CRS
    )
    streets = gpd.GeoDataFrame(
        {"XZQDM": towns.index, "XZQMC": towns["town"].to_numpy()},
        geometry=towns.geometry.to_numpy(),
        crs=CRS,
    )
    communities = villages.rename(columns={"code": "XZQDM", "name": "XZQMC"})
    parts = [city, streets, communities[["XZQDM", "XZQMC", "geometry"]]]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=CRS)


def grids_of(villages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return each part of each village as a unit grid; the one invalid outline is repaired first."""
    whole = villages.assign(geometry=villages.geometry.make_valid(method="structure"))
    parts = whole.explode(ignore_index=True)
    number = parts.groupby("code").cumcount() + 1
    return gpd.GeoDataFrame(
        {
            "DYWGBSM": parts["code"] + number.astype(str).str.zfill(3),
            "DYWGMC": parts["name"],
            "CSRQ": "20140101",
        },
        geometry=parts.geometry,
        crs=CRS,
    )


def read_cases() -> pd.DataFrame:
    """Read the cases as they are, with kind, class and channel added."""
    frame = read_sheet(SOURCE / "cases_1999_2015_2018.csv.gz").frame
    cases = frame.drop(columns=["source_file", "source_row"])
    found = [CLASSES.get(category, OTHERS) for category in cases["cat"]]
    return cases.assign(
        类型=[kind for kind, _ in found], 类别代码=[code for _, code in found], 来源="1999"
    )


if __name__ == "__main__":
    sys.stdout.write(f"{write_workspace(Path(sys.argv[1]))}\n")
