"""A second table of places, as a map service's export: shops with one text for the address, no codes."""

import numpy as np
import pandas as pd

from gis.crs import GEOGRAPHIC, transform_xy
from pipelines.sample.addresses import Gazetteer, plate_texts
from pipelines.sample.areas import CITY, DISTRICT_NAME, PROVINCE
from pipelines.sample.district import District
from pipelines.sample.plan import CRS

FILE = "商户.csv"
_SHARE = 0.05
_TYPES = ("购物服务;便民商店/便利店;便民商店/便利店", "餐饮服务;快餐厅;快餐厅")


def mark_table(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    """Return shops at every twentieth plate or so: name, address, district, type, longitude, latitude.

    The address is the road and number, now and then after the areas, or with the floor behind.
    """
    stream = district.plan.stream("marks")
    chosen = (gazetteer.plate_building >= 0) & (
        stream.uniform(size=len(gazetteer.plate_building)) < _SHARE
    )
    inside = district.areas.locate(gazetteer.plate_at) != ""
    taken = np.isin(gazetteer.plate_building, list(gazetteer.building_names))
    rows = np.flatnonzero(chosen & inside & ~taken)
    roads, numbers = plate_texts(district, gazetteer)
    before = stream.choice(["", "", DISTRICT_NAME, PROVINCE + CITY + DISTRICT_NAME], len(rows))
    behind = stream.choice(["", "", "", "2层", "(近路口)"], len(rows))
    at = gazetteer.plate_at[rows] + stream.normal(scale=2.0, size=(len(rows), 2))
    lon, lat = transform_xy(at[:, 0], at[:, 1], source=CRS, target=GEOGRAPHIC)
    return pd.DataFrame(
        {
            "name": [district.names.shop(roads[row]) for row in rows],
            "address": [
                f"{first}{roads[row]}{numbers[row]}{last}"
                for row, first, last in zip(rows, before, behind, strict=True)
            ],
            "adname": DISTRICT_NAME,
            "type": stream.choice(list(_TYPES), len(rows)),
            "lon": [f"{value:.7f}" for value in lon],
            "lat": [f"{value:.7f}" for value in lat],
        }
    )
