"""A workspace and a delivery of Tainan's addresses: apartment buildings and standardised addresses.

By hand, from the root of the project::

    python -m tests.real.tainan_addresses OUT_DIR
    cd OUT_DIR && wanmi build delivery && wanmi snapshot
    wanmi geocode FILE

Both sources are written in traditional characters with lanes 巷 and alleys 弄 below the road; the
addresses go in whole. An apartment building goes in under the name of its management committee.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.sheets import read_sheet
from gis.vector import write_vector
from tests.real.tainan import PROFILE, SOURCE, areas_of, grids_of, read_villages

MANIFEST = """\
[delivery]
name = "tainan-addresses"
as_of = 2018-12-31

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
_NEIGHBOURHOOD = re.compile(r"(?<=[里村])\d+鄰")
_DISTRICT = re.compile(r"^(?:臺南市)?(.{1,3}?區)")


def write_workspace(folder: Path, *, official: pd.DataFrame | None = None) -> Path:
    """Write ``wanmi.toml`` and the delivery: all apartments, some official addresses or all."""
    delivery = folder / "delivery"
    delivery.mkdir(parents=True, exist_ok=True)
    (folder / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    (delivery / "delivery.toml").write_text(MANIFEST, encoding="utf-8")
    villages = read_villages()
    write_vector(areas_of(villages), delivery / "areas.gpkg")
    write_vector(grids_of(villages), delivery / "grids.gpkg")
    rows = read_standardised() if official is None else official
    plates = pd.DataFrame(
        {
            "编号": rows["code"],
            "类型": "门牌",
            "详细地址": rows["official"].str.replace(_NEIGHBOURHOOD, "", regex=True),
            "lon": rows["lon"],
            "lat": rows["lat"],
        }
    ).drop_duplicates("详细地址")
    table = pd.concat([plates, read_apartments()], ignore_index=True)
    district = table["详细地址"].str.extract(_DISTRICT, expand=False)
    table.assign(区县=district).to_csv(delivery / "addresses.csv", index=False)
    return delivery


def write_lanes(folder: Path) -> Path:
    """Write the delivery with the addresses in lanes 巷 that cases of the hotline were reported at, too.

    Nothing of the file of narrow lanes goes in: they are only asked for.
    """
    cases = read_cases()
    in_lanes = cases[cases["addr"].str.contains("巷") & cases["addr"].str.endswith("號")]
    distinct = in_lanes.drop_duplicates("addr", ignore_index=True)
    rows = pd.DataFrame(
        {
            "code": [f"HL{number:05d}" for number in range(1, len(distinct) + 1)],
            "official": distinct["addr"],
            "lon": distinct["lon"],
            "lat": distinct["lat"],
        }
    )
    official = pd.concat([read_standardised(), rows], ignore_index=True)
    return write_workspace(folder, official=official)


def read_lanes() -> pd.DataFrame:
    """Read the narrow lanes: ``address`` as district and lane, and ``squad``, the fire squad that answers."""
    lanes = read_sheet(SOURCE / "narrow_roads_110.csv").frame
    name = lanes["巷道名稱"].fillna("").str.replace(r"[\s（(].*$", "", regex=True)
    return pd.DataFrame(
        {
            "address": "臺南市" + lanes["行政區"] + name,
            "district": lanes["行政區"],
            "squad": lanes["轄區分隊"],
            "is_lane": name.str.contains("[路街道].*[巷弄]$|[路街道]$"),
        }
    )


def read_standardised() -> pd.DataFrame:
    """Read the pairs: raw address, official address, remark, lon, lat.

    The file's last column is a remark without a heading, and one line holds two records.
    """
    names = ["raw", "official", "lon", "lat", "remark", *(f"more{n}" for n in range(5))]
    path = SOURCE / "address_standardisation.csv"
    rows = pd.read_csv(path, names=names, skiprows=1, dtype=str, keep_default_na=False)
    rows = rows.drop_duplicates(["raw", "official"], ignore_index=True)
    rows["lon"], rows["lat"] = rows["lon"].astype(float), rows["lat"].astype(float)
    rows["code"] = [f"TN{number:05d}" for number in range(1, len(rows) + 1)]
    return rows[["code", "raw", "official", "remark", "lon", "lat"]]


def read_apartments() -> pd.DataFrame:
    """Read the apartment buildings as delivered rows; those without an address are left out."""
    with (SOURCE / "apartment_buildings_points.geojson").open(encoding="utf-8") as file:
        features = json.load(file)["features"]
    rows = [
        {
            "编号": f"AP{int(number):05d}",
            "类型": "小区",
            "名称": properties["管理委員會"],
            "详细地址": properties["建築物地址"],
            "lon": point[0],
            "lat": point[1],
        }
        for number, (properties, point) in enumerate(
            ((f["properties"], f["geometry"]["coordinates"]) for f in features), 1
        )
        if properties["建築物地址"] and properties["管理委員會"]
    ]
    return pd.DataFrame(rows)


def read_cases() -> pd.DataFrame:
    """Read the hotline's cases that have an address: text, district, lon, lat."""
    cases = read_sheet(SOURCE / "cases_1999_2015_2018.csv.gz").frame
    cases = cases[cases["addr"].notna() & cases["lon"].notna()].reset_index(drop=True)
    return cases.assign(lon=cases["lon"].astype(float), lat=cases["lat"].astype(float))


def held_out(rows: pd.DataFrame, *, share: float = 0.2, seed: int = 1) -> NDArray[np.bool_]:
    """Choose official addresses to ask for, whole addresses at a time."""
    distinct = np.sort(rows["official"].unique())
    chosen = np.random.default_rng(seed).uniform(size=len(distinct)) < share
    is_held: NDArray[np.bool_] = rows["official"].isin(distinct[chosen]).to_numpy()
    return is_held


if __name__ == "__main__":
    sys.stdout.write(f"{write_workspace(Path(sys.argv[1]))}\n")
