"""Unit grids of the town replaced by others, as an edit by hand replaces them."""

from datetime import date

import geopandas as gpd
import pandas as pd
import shapely

from gis.builds import live
from gis.database import Database
from gridding.edits import EditRequest, publish_edit
from gridding.lineage import overlaps, succession


def replace_grids(
    database: Database, out: list[str], put: dict[str, shapely.Polygon], *, day: date
) -> None:
    """Replace grids by others, as an edit by hand does."""
    old = live(database, "unit_grids").reset_index(drop=True)
    community = out[0][:12]
    drawn = gpd.GeoDataFrame(
        {"code": list(put), "community_code": community}, geometry=list(put.values()), crs=old.crs
    )
    kept = old.loc[~old["code"].isin(out), ["code", "community_code", "geometry"]]
    new = gpd.GeoDataFrame(pd.concat([kept, drawn], ignore_index=True), crs=old.crs)
    pairs = overlaps(old.geometry.to_numpy(), new.geometry.to_numpy())
    publish_edit(
        database,
        old,
        new,
        succeeded=succession(pairs, counts=(len(old), len(new))),
        request=EditRequest(
            kind="edit", actor="tests", reason="a new road", as_of=day, inputs_hash=f"{day}"
        ),
    )
