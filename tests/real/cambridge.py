"""A workspace and a delivery of Cambridge, Massachusetts: a whole city's real municipal data.

By hand, from the root of the project::

    python -m tests.real.cambridge OUT_DIR
    cd OUT_DIR && wanmi build delivery && wanmi snapshot && wanmi serve

The city has no Chinese codes, so they are invented: district 999901, the 13 neighbourhoods as
streets 街道, the 117 police response districts as communities 社区 and as their territorial units.
Most files go in as the city publishes them and only the manifest says what they are; what a
manifest can not say (classes by a column's value, tables of units) is written here.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import shapely

from gis.sheets import read_sheet
from gis.vector import read_vector, write_vector

SOURCE = Path(__file__).resolve().parents[2] / "../shared/data/cambridge"
CRS = "EPSG:26986"
"""NAD83 / Massachusetts Mainland, metres."""
DISTRICT = "999901"

PROFILE = f"""\
[city]
code = "{DISTRICT}"
name = "Cambridge"
crs = "{CRS}"
standard = "GB/T 30428.2-2013"
timezone = "America/New_York"

[[extension_class]]
kind = "component"
code = "0299"
name = "路缘坡道"
accuracy = "A"
geometry = "point"
"""

HEAD = """\
[delivery]
name = "cambridge"
as_of = 2026-05-31

[[layer]]
dataset = "areas"
path = "areas.gpkg"

[[layer]]
dataset = "topography"
path = "centrelines.gpkg"

[[layer]]
dataset = "topography"
path = "ASSESSING_ParcelsFY2013.topojson.gz"
crs = "EPSG:4326"
class_code = "310600"           # compounds 院落
[layer.fields]
code = "GlobalID"
parcel_kind = "FCODE"           # not the feature class that its name suggests

[[layer]]
dataset = "topography"
path = "BASEMAP_Roads.topojson.gz"
crs = "EPSG:4326"
class_code = "430500"

[[layer]]
dataset = "topography"
path = "HYDRO_WaterBodies.geojson.gz"
class_code = "230000"

[[layer]]
dataset = "topography"
path = "RECREATION_OpenSpace.geojson.gz"
class_code = "820000"
[layer.fields]
code = "GlobalID"
green_kind = "FCODE"

[[layer]]
dataset = "place_names"
path = "place_names.csv"
x_field = "lon"
y_field = "lat"
crs = "EPSG:4326"

[[layer]]
dataset = "addresses"
path = "addresses.csv"
x_field = "lon"
y_field = "lat"
crs = "EPSG:4326"

[[layer]]
dataset = "units"
path = "responsibility.xlsx"
sheet = "单位"

[[layer]]
dataset = "responsibility"
path = "responsibility.xlsx"
sheet = "职责"

[[layer]]
dataset = "components"
path = "ramps.gpkg"
class_code = "0299"             # an extension class: the standard has none for kerb ramps
"""

COMPONENTS: dict[str, tuple[str, dict[str, str]]] = {
    "INFRA_Hydrants.geojson.gz": ("0113", {"owner_name": "ContractAuthority"}),
    "INFRA_Drainage.geojson": ("0126", {}),
    "INFRA_UtilityFacilities.geojson": ("0128", {"name": "SITE_NAME", "location_note": "ADDRESS"}),
    "INFRA_StreetLights.geojson.gz": (
        "0137",
        {"owner_name": "Owner", "location_note": "Intersection"},
    ),
    "INFRA_ParkLights.geojson.gz": (
        "0139",
        {"owner_name": "Owner", "location_note": "ParkName"},
    ),
    "BASEMAP_ParkingLots.topojson.gz": ("0201", {}),
    "TRAFFIC_MeteredParkingSpaces.geojson.gz": ("0203", {"remark": "Status"}),
    "TRANS_BusShelters.geojson": ("0204", {"name": "STOP_NAME"}),
    "BASEMAP_Bridges.geojson": ("0209", {"name": "BridgeDetails"}),
    "INFRA_OverheadSigns.geojson": ("0210", {}),
    "TRAFFIC_Signals.geojson": (
        "0214",
        {"owner_name": "Jurisdiction", "location_note": "Location"},
    ),
    "DPW_LitterBarrels.geojson.gz": ("0305", {"location_note": "LOCATION"}),
    "INFRA_Billboards.geojson": ("0306", {}),
    "INFRA_ParkBenches.geojson.gz": ("0407", {}),
}
"""File as published -> class of GB/T 30428.2-2013, platform column -> the file's column."""

UNITS: tuple[tuple[str, str, str, str], ...] = (
    ("U01", "Department of Public Works", "主管部门", "CDPW；DPW"),
    ("U02", "Water Department", "主管部门", "CAM"),
    ("U03", "Electrical Department", "主管部门", "City；City of Cambridge"),
    ("U04", "Traffic, Parking and Transportation", "主管部门", ""),
    ("U05", "Community Development Department", "主管部门", ""),
    ("U06", "Inspectional Services", "主管部门", ""),
    (
        "U07",
        "Department of Conservation and Recreation",
        "主管部门",
        "DCR；Massachusetts Dept. Conservation & Recreation",
    ),
    ("U08", "MassDOT", "主管部门", "MAHWY"),
    ("U11", "Harvard University", "企业", "PRIVATE HARVARD；HVD"),
    ("U12", "Massachusetts Institute of Technology", "企业", "PRIVATE MIT；MIT"),
    ("U13", "MBTA", "企业", ""),
    ("U14", "NSTAR Electric", "企业", ""),
)
"""Code, name, kind, and the names by which the city's files call it."""

COMPETENT = {
    "0113": "U02",
    "0126": "U01",
    "0128": "U14",
    "0137": "U03",
    "0139": "U03",
    "02": "U04",
    "0204": "U13",
    "0209": "U08",
    "0299": "U01",
    "03": "U01",
    "0306": "U06",
    "04": "U05",
}
"""Major or minor component class -> competent department, in the whole city."""
HANDLERS = {"01": "U01", "02": "U06", "03": "U06", "04": "U04", "05": "U01"}
"""Major event class -> handler, in the whole city."""


def write_workspace(folder: Path) -> Path:
    """Write ``wanmi.toml`` and the delivery into `folder`; return the delivery's folder."""
    delivery = folder / "delivery"
    delivery.mkdir(parents=True, exist_ok=True)
    (folder / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    layers = [HEAD, *(_component_layer(name, *what) for name, what in COMPONENTS.items())]
    (delivery / "delivery.toml").write_text("\n".join(layers), encoding="utf-8")
    published = [line.split('"')[1] for line in HEAD.splitlines() if ".gz" in line]
    for name in (*published, *COMPONENTS):
        shutil.copyfile(SOURCE / name, delivery / name)
    areas = read_areas()
    write_vector(areas, delivery / "areas.gpkg")
    write_vector(read_centrelines(), delivery / "centrelines.gpkg")
    write_vector(read_ramps(), delivery / "ramps.gpkg")
    parcels = read_parcels()
    addresses = read_addresses(parcels)
    addresses.to_csv(delivery / "addresses.csv", index=False)
    read_place_names(addresses).to_csv(delivery / "place_names.csv", index=False)
    write_plan(delivery / "responsibility.xlsx", areas)
    return delivery


def _component_layer(path: str, class_code: str, fields: Mapping[str, str]) -> str:
    lines = [
        "[[layer]]",
        'dataset = "components"',
        f'path = "{path}"',
        f'class_code = "{class_code}"',
    ]
    if "topojson" in path:
        lines.append('crs = "EPSG:4326"')
    if fields:
        lines += ["[layer.fields]", *(f'{name} = "{column}"' for name, column in fields.items())]
    return "\n".join(lines) + "\n"


def _read(name: str, *, crs: str | None = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(read_vector(SOURCE / name, target_crs=CRS, crs=crs).frame)


def read_areas() -> gpd.GeoDataFrame:
    """Return district, streets and communities; a community is in the street that holds most of it."""
    district = _read("BOUNDARY_CityBoundary.geojson")[["geometry"]]
    district = district.assign(XZQDM=DISTRICT, XZQMC="Cambridge")
    streets = _read("BOUNDARY_CDDNeighborhoods.geojson.gz")
    numbers = streets["N_HOOD"].astype(int).map("{:03d}".format)
    streets = streets[["geometry"]].assign(XZQDM=DISTRICT + numbers, XZQMC=streets["NAME"])
    parts = _read("PUBLICSAFETY_PoliceResponseDistricts.geojson.gz").sort_values("CADRA")
    shared = [
        shapely.area(shapely.intersection(streets.geometry.to_numpy(), shape))
        for shape in parts.geometry
    ]
    street = streets["XZQDM"].to_numpy()[[area.argmax() for area in shared]]
    communities = parts[["geometry"]].assign(
        XZQMC="Response District " + parts["CADRA"].astype(str), street=street
    )
    number = communities.groupby("street").cumcount() + 1
    communities["XZQDM"] = communities["street"] + number.map("{:03d}".format)
    columns = ["XZQDM", "XZQMC", "geometry"]
    frames = [frame[columns] for frame in (district, streets, communities)]
    result = pd.concat(frames, ignore_index=True).sort_values("XZQDM", ignore_index=True)
    return gpd.GeoDataFrame(result, geometry="geometry", crs=CRS)


def read_centrelines() -> gpd.GeoDataFrame:
    """Return street centrelines with class and name: major roads 1 主干路, 2 次干路, others 支线."""
    frame = _read("TRANS_Centerlines.geojson.gz")
    classes = frame["MajorRoad"].map({1.0: "430501", 2.0: "430502"}).fillna("430503")
    return frame[["geometry"]].assign(OBJID=frame["GlobalID"], FCODE=classes, NAME=frame["Street"])


def read_ramps() -> gpd.GeoDataFrame:
    """Return kerb ramps; excellent, good and fair are 完好, poor is 破损."""
    frame = _read("DPW_PedestrianRamps.geojson.gz")
    words = {"E": "完好", "G": "完好", "F": "完好", "P": "破损"}
    return frame[["geometry"]].assign(
        ObjState=frame["CONDITION"].map(words),
        ObjPos=frame["LOCATION"],
        ORDate=frame["date"].where(frame["date"].str.fullmatch(r"\d{8}") == True),  # noqa: E712
        Material=frame["MATERIAL_T"],
    )


def read_parcels() -> pd.DataFrame:
    """Return ``lon`` and ``lat`` inside the first parcel of each map and lot, by ``MapLot``."""
    path = SOURCE / "ASSESSING_ParcelsFY2013.topojson.gz"
    frame = read_vector(path, target_crs="EPSG:4326", crs="EPSG:4326").frame
    frame = frame[frame["ML"].notna()].drop_duplicates("ML")
    points = shapely.point_on_surface(frame.geometry.make_valid().to_numpy())
    places = {
        "MapLot": frame["ML"].to_numpy(),
        "lon": shapely.get_x(points),
        "lat": shapely.get_y(points),
    }
    return pd.DataFrame(places)


def read_addresses(parcels: pd.DataFrame) -> pd.DataFrame:
    """Return one door plate per address, at its parcel; an address without parcel has no place.

    The city's table repeats an address for every building on its lot; the first is kept.
    """
    frame = read_sheet(SOURCE / "Master_Address_Database_with_MapLot_and_BldgID.csv.gz").frame
    frame = frame.drop_duplicates("address_id")
    frame = frame.merge(parcels, on="MapLot", how="left", validate="m:1")
    names = frame[["street_name", "street_suffix"]].fillna("")
    number = frame["street_number"].fillna("") + frame["street_number_suffix"].fillna("")
    return pd.DataFrame(
        {
            "编号": frame["address_id"],
            "类型": "门牌",
            "名称": frame["full_address"],
            "街巷": names["street_name"].str.title() + " " + names["street_suffix"].str.title(),
            "门牌": number,
            "lon": frame["lon"],
            "lat": frame["lat"],
        }
    )


def read_place_names(addresses: pd.DataFrame) -> pd.DataFrame:
    """Return the points of interest that have an address with a parcel."""
    places = read_sheet(SOURCE / "Master_Address_Points_of_Interest.csv").frame
    known = addresses[["编号", "lon", "lat"]]
    found = places.merge(known, left_on="address_id", right_on="编号", validate="m:1")
    found = found[found["lon"].notna()]
    return pd.DataFrame(
        {
            "地名代码": "P" + found["poi_id"],
            "标准名称": found["Point_of_interest_name"],
            "lon": found["lon"],
            "lat": found["lat"],
        }
    )


def write_plan(path: Path, areas: gpd.GeoDataFrame) -> None:
    """Write the unit directory and the responsibility plan."""
    communities = areas[areas["XZQDM"].str.len() == 12]
    book = openpyxl.Workbook()
    units = book.active
    units.title = "单位"
    units.append(["单位代码", "单位名称", "类型", "别名", "属地代码"])
    for code, name, kind, aliases in UNITS:
        units.append([code, name, kind, aliases, None])
    for code, name in zip(communities["XZQDM"], communities["XZQMC"], strict=True):
        units.append([territorial_unit(code), f"Police {name}", "属地", None, code])
    plan = book.create_sheet("职责")
    plan.append(
        ["序号", "部件或事件", "类别代码", "区域代码", "角色", "单位代码", "时限", "时限单位"]
    )
    rows = [("部件", code, "*", "主管", unit, "3", "工作日") for code, unit in COMPETENT.items()]
    rows += [("事件", code, "*", "处置", unit, "1", "工作日") for code, unit in HANDLERS.items()]
    for kind in ("部件", "事件"):
        rows += [
            (kind, "*", code, "属地", territorial_unit(code), "2", "工作日")
            for code in communities["XZQDM"]
        ]
    for number, row in enumerate(rows, start=1):
        plan.append([f"{number:04d}", *row])
    book.save(path)


def territorial_unit(community_code: str) -> str:
    """Return the code of the territorial unit of a community."""
    return f"T{community_code[6:]}"


if __name__ == "__main__":
    sys.stdout.write(f"{write_workspace(Path(sys.argv[1]))}\n")
