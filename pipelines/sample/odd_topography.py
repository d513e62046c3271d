"""A base map of a careless subcontractor: a tidy town of streets and houses with every fault planted once."""

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.sample.areas import DISTRICT
from pipelines.sample.faults import fault_table
from pipelines.sample.plan import CRS, Array
from pipelines.sample.shapefiles import write_shapefile

X0, Y0 = 541_000.0, 4_213_000.0
EAST_M, NORTH_M = 2000.0, 800.0
STREETS_X, STREETS_Y = (100, 300, 500, 700, 900), (100, 300, 500, 700)
HOUSE_M = 30.0
HOUSES = (20, 80, 140)
"""Where the houses of a block begin, from its south-west corner."""
CONTOURS = (65, 125, 185)
"""Where contours run between the houses of a block."""
LOWEST_M = 70.0
_POND_BLOCK = (700, 500)
_HOLE = (1380.0, 220.0, 1760.0, 600.0)
"""Nothing was surveyed here: west, south, east, north."""
_TOP = 790.0
_HEAD = '[delivery]\nname = "2026-基础测绘"\nas_of = 2026-06-30\n'
NOT_HERE = {
    "TP11": "off unless the city wants it",
    "TP29": "off unless the city wants it",
}
"""Rule -> why it is not planted here; their own tests plant them."""
Record = tuple[str, int, str, str, str]


class _Survey:
    """Files that grow row by row, with the faults that were planted in them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.records: list[Record] = []

    def add(
        self, file: str, shape: shapely.Geometry, feature_class: str | None, **more: Any
    ) -> None:
        """Add a sound row; local metres become those of the city."""
        rows = self.rows.setdefault(file, [])
        code = f"G{list(self.rows).index(file) + 1:02d}{len(rows) + 1:06d}"
        placed = shapely.transform(shape, _placed, include_z=bool(shape.has_z))
        rows.append({"OBJID": code, "FCODE": feature_class, "geometry": placed} | more)

    def spoil(
        self, file: str, rule: str, note: str, *, row: int | None = None, **changes: Any
    ) -> None:
        """Write down that a row breaks a rule: the last one, or that of position `row`; change it first."""
        rows = self.rows[file]
        at = len(rows) - 1 if row is None else row
        rows[at] |= changes
        expected = "refused" if rule in ("TP01", "TP20") else "warned"
        self.records.append((f"{file}.shp", at + 1, expected, rule, note))


def write_odd_topography(folder: Path) -> pd.DataFrame:
    """Write the delivery: areas and base map; return what the platform should say, as ``faults.csv``.

    Parameters
    ----------
    folder : pathlib.Path
        Empty folder.
    """
    survey = _Survey()
    _town(survey)
    for plant in (_classes, _attributes, _houses, _lines, _ground, _layers, _roads):
        plant(survey)
    manifest = [_HEAD, '[[layer]]\ndataset = "areas"\npath = "行政区划.shp"\n']
    write_shapefile(_areas(), folder / "行政区划.shp")
    for file, rows in survey.rows.items():
        frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=CRS)
        write_shapefile(frame, folder / f"{file}.shp")
        manifest.append(f'[[layer]]\ndataset = "topography"\npath = "{file}.shp"\n')
    (folder / "delivery.toml").write_text("\n".join(manifest), encoding="utf-8")
    return fault_table(survey.records)


def _placed(points: Array) -> Array:
    shift = np.zeros(points.shape[1])
    shift[:2] = X0, Y0
    return points + shift


def _line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(points)


def _areas() -> gpd.GeoDataFrame:
    ground = shapely.transform(shapely.box(0, 0, EAST_M, NORTH_M), _placed)
    codes = [DISTRICT, f"{DISTRICT}001", f"{DISTRICT}001001"]
    names = ["长安区", "建北街道", "翠屏社区"]
    return gpd.GeoDataFrame({"XZQDM": codes, "XZQMC": names}, geometry=[ground] * 3, crs=CRS)


def height(east: float) -> float:
    """Return the ground's height: contours of 1 m in their places, straight slopes between, flat beyond."""
    at = [block + each for block in STREETS_X[:-1] for each in CONTOURS]
    return float(np.interp(east, at, LOWEST_M + np.arange(len(at))))


def _town(survey: _Survey) -> None:
    """Add streets cut at their crossings, houses, a pond, greens, contours, heights and the border."""
    _streets(survey)
    for x, y in product(STREETS_X[:-1], STREETS_Y[:-1]):
        if (x, y) != _POND_BLOCK:
            for east, north in product(HOUSES, HOUSES):
                _house(survey, x + east, y + north)
        survey.add("植被", shapely.box(x + 20, y + 176, x + 180, y + 194), "820000")
    for x, each in product(STREETS_X[:-1], CONTOURS):
        shape = _line((x + each, 10), (x + each, 300 + each / 10), (x + each, _TOP))
        survey.add("等高线", shape, "710000", ELEV=height(x + each))
    survey.add("水系", shapely.box(740, 540, 860, 660), "230000", NAME="翠湖")
    survey.add("路面", shapely.box(100, 94, 900, 106), "430500")
    border = shapely.LineString(shapely.box(0, 0, EAST_M, NORTH_M).exterior.coords)
    survey.add("境界", border, "650000")
    _heights(survey)


def _streets(survey: _Survey) -> None:
    for number, y in enumerate(STREETS_Y):
        for west, east in pairwise(STREETS_X):
            name = f"东{'一二三四'[number]}路"
            survey.add("道路", _line((west, y), (east, y)), "430503", NAME=name, WIDTH=12.0)
    for number, x in enumerate(STREETS_X):
        for south, north in pairwise(STREETS_Y):
            name = f"北{'一二三四五'[number]}街"
            survey.add("道路", _line((x, south), (x, north)), "430503", NAME=name, WIDTH=12.0)


def _heights(survey: _Survey) -> None:
    """Add a spot height every 40 m, but for the hole."""
    for east, north in product(range(30, int(EAST_M), 40), range(17, int(NORTH_M), 40)):
        if not (_HOLE[0] < east < _HOLE[2] and _HOLE[1] < north < _HOLE[3]):
            value = round(height(east), 2)
            point = shapely.Point(float(east), float(north), value)
            survey.add("高程点", point, "720000", ELEV=value)
    survey.records.append(("高程点.shp", 0, "warned", "TP60", "a hole of 380 m, told at its edge"))


def _house(survey: _Survey, west: float, south: float, **more: Any) -> None:
    shape = shapely.box(west, south, west + HOUSE_M, south + HOUSE_M)
    survey.add("房屋", shape, "310300", **({"FLOORS": 6, "MATERIAL": "混"} | more))


def _odd_house(survey: _Survey, *box: float) -> None:
    survey.add("房屋", shapely.box(*box), "310300", FLOORS=1, MATERIAL="砖")


def _classes(survey: _Survey) -> None:
    """Spoil classes; what has no place elsewhere lies north of the streets."""
    survey.add("其他", _line((910, 720), (930, 720)), "XYZ")
    survey.spoil("其他", "TP01", "letters instead of a class")
    survey.spoil("房屋", "TP02", "sub-class that the table lacks", row=1, FCODE="310399")
    survey.spoil("房屋", "TP03", "no identifier", row=2, OBJID=None)
    survey.add("其他", _line((910, 724), (930, 724)), "围墙")
    survey.spoil("其他", "TP04", "class in words")
    survey.add("植被", shapely.box(910, 730, 930, 734), "230000")
    survey.spoil("植被", "TP05", "a pond among the greens")
    survey.add("其他", _line((910, 740), (930, 740), (930, 744)), "310300", FLOORS=2, MATERIAL="混")
    survey.spoil("其他", "TP06", "three walls of a house")
    survey.add(
        "其他",
        _line((910, 750), (930, 750), (930, 754), (910, 750)),
        "310300",
        FLOORS=2,
        MATERIAL="混",
    )
    survey.spoil("其他", "TP07", "a house as a closed line")
    survey.add("植被", shapely.box(910, 760, 930, 764), None)
    survey.spoil("植被", "TP08", "no class, but the layer's name")


def _attributes(survey: _Survey) -> None:
    survey.spoil("房屋", "TP10", "floors left empty", row=4, FLOORS=None)
    survey.spoil("房屋", "TP12", "a house of 999 floors", row=5, FLOORS=999)
    survey.add("等高线", _line((950, 300), (950, 600)), "710000", ELEV=None)
    survey.spoil("等高线", "TP13", "a contour without its figure")
    point = survey.rows["高程点"][7]["geometry"]
    wrong = shapely.Point(point.x, point.y, point.z + 0.5)
    survey.spoil("高程点", "TP14", "Z half a metre off the attribute", row=7, geometry=wrong)
    for east in (940, 960):
        shape = shapely.box(east, 620, east + 10, 630)
        survey.add("新建房屋", shape, "310300", FLOORS=3, MATERIAL=None)
    survey.spoil("新建房屋", "TP17", "no structure in the whole file", row=0)


def _houses(survey: _Survey) -> None:
    """Spoil houses of the first blocks, counted from the south."""
    _house(survey, 120, 120)
    survey.spoil("房屋", "TP20", "the first house once more under another code")
    _house(survey, 180.3, 120)
    survey.spoil("房屋", "TP21", "a house digitised twice, 0.3 m apart")
    _house(survey, 240, 145)
    survey.spoil("房屋", "TP22", "two houses share a strip of 5 m")
    survey.add("植被", shapely.box(910, 770, 910.2, 770.2), "820000")
    survey.spoil("植被", "TP25", "a scrap of 0.04 m²")
    survey.add("植被", shapely.box(910, 775, 930, 775.05), "820000")
    survey.spoil("植被", "TP31", "a sliver 5 cm wide")


def _lines(survey: _Survey) -> None:
    """Spoil walls in the east of the town, each apart from the others."""
    survey.add("其他", _line((1000, 100), (1020, 120), (1020, 100), (1000, 120)), "380201")
    survey.spoil("其他", "TP23", "a wall in the shape of an eight")
    survey.add("其他", _line((1000, 140), (1000.02, 140)), "380201")
    survey.spoil("其他", "TP24", "a wall of 2 cm")
    survey.add(
        "其他", _line((1000, 160), (1010, 160), (1010, 165), (1010.1, 160), (1020, 160)), "380201"
    )
    survey.spoil("其他", "TP26", "a needle in a wall")
    survey.add("其他", _line((1000, 200), (1030, 200)), "380201")
    survey.add("其他", _line((1010, 200.3), (1010, 220)), "380201")
    survey.spoil("其他", "TP27", "a wall 0.3 m short of another")
    survey.add("其他", _line((1025, 199.6), (1025, 220)), "380201")
    survey.spoil("其他", "TP28", "a wall 0.4 m beyond another")
    survey.add("其他", _line((1000, 240), (1020, 240)), "380201")
    survey.add("其他", _line((1010, 240), (1030, 240)), "380201")
    survey.spoil("其他", "TP30", "two walls along each other")


def _ground(survey: _Survey) -> None:
    """Spoil contours and heights."""
    survey.add("等高线", _line((880, 770), (890, 785)), "710000", ELEV=height(885))
    survey.spoil("等高线", "TP33", "two contours cross")
    survey.add("等高线", _line((195, 720), (195, 780)), "710000", ELEV=LOWEST_M + 0.3)
    survey.spoil("等高线", "TP34", "an elevation between the steps")
    survey.spoil("等高线", "TP35", "75 written as 57", row=5, ELEV=57.0)
    heights = survey.rows["高程点"]
    at = {round(row["geometry"].x - X0): number for number, row in enumerate(heights)}
    for rule, east, off, note in (
        ("TP36", 270, 2.0, "2 m above the contours beside it"),
        ("TP37", 1230, 40.0, "a needle of 40 m"),
    ):
        row = heights[at[east] - 9]
        point, value = row["geometry"], round(row["ELEV"] + off, 2)
        shape = shapely.Point(point.x, point.y, value)
        survey.spoil("高程点", rule, note, row=at[east] - 9, geometry=shape, ELEV=value)


def _layers(survey: _Survey) -> None:
    """Spoil what lies on something else."""
    _odd_house(survey, 745, 545, 755, 555)
    survey.spoil("房屋", "TP40", "a house in the pond")
    _odd_house(survey, 150, 93, 160, 98)
    survey.spoil("房屋", "TP41", "a house on the carriageway")
    _odd_house(survey, 395, 296, 405, 304)
    survey.spoil("道路", "TP42", "a street through a house", row=5)
    survey.add("道路", _line((700, 600), (900, 600)), "430600", WIDTH=4.0)
    survey.spoil("道路", "TP43", "a road over the pond without a bridge")
    _odd_house(survey, 220, 157, 230, 167)
    survey.spoil("等高线", "TP44", "a contour through a house", row=1)
    survey.add("植被", shapely.box(515, 325, 525, 345), "820000")
    survey.spoil("植被", "TP45", "green on a house")
    survey.add("境界", _line((950, 50), (1050, 50)), "660000")
    survey.spoil("境界", "TP46", "a border that no area has")
    survey.add("植被", shapely.box(735, 620, 745, 640), "820000")
    survey.spoil("植被", "TP47", "green in the pond")


def _roads(survey: _Survey) -> None:
    """Spoil the network; the streets along come first, four to a row."""
    survey.spoil("道路", "TP50", "no name between two stretches of one street", row=9, NAME=None)
    survey.spoil("道路", "TP51", "two names in one field", row=15, NAME="东四路/建设路")
    survey.add("道路", _line((560, 300.3), (560, 318)), "430503", WIDTH=6.0)
    survey.spoil("道路", "TP52", "a lane 0.3 m short of the street")
    survey.add("道路", _line((950, 760), (990, 760)), "430503", WIDTH=6.0)
    survey.spoil("道路", "TP53", "a street joined to none")
    survey.add("道路", _line((432, 500), (432, 710)), "430503", WIDTH=6.0)
    survey.spoil("道路", "TP54", "a crossing that is not cut")
