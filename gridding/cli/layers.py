"""What the commands share: layers of grids, live communities, common options."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.errors import BuildError

if TYPE_CHECKING:
    import geopandas as gpd

    from gis.database import Database
    from gis.workspace import Workspace

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="File to write: .gpkg, .shp, .geojson.")
]

_LAYERS = ("unit_grids", "unit_grid", "grids")
"""Names under which the commands write grids beside other layers."""


def read_grids(file: Path, workspace: "Workspace") -> "gpd.GeoDataFrame":
    """Return a layer of unit grids in the city's CRS, its columns by the platform's names."""
    import geopandas as gpd

    from gis.crs import city_crs
    from gis.fields import map_fields
    from gis.vector import read_vector

    target = city_crs(workspace.profile, workspace.root).text
    layer = read_vector(file, target_crs=target, layer=_layer_of(file))
    return gpd.GeoDataFrame(map_fields(layer.frame, dataset="unit_grids").frame)


def _layer_of(file: Path) -> str | None:
    """Return the layer of a proposal or an export that holds the grids; None: the file's only one."""
    from gis.vector import list_layers

    names = list_layers(file) if file.suffix.lower() == ".gpkg" and file.is_file() else []
    found = [name for name in _LAYERS if name in names]
    return found[0] if len(names) > 1 and found else None


def live_communities(database: "Database") -> "gpd.GeoDataFrame":
    """Return the live communities 社区 by code.

    Raises
    ------
    BuildError
        None is loaded.
    """
    import geopandas as gpd

    from gis.builds import live

    areas = live(database, "areas")
    rows = areas[areas["level"] == "community"]
    if rows.empty:
        msg = (
            "No communities are loaded; build a delivery with areas first: `wanmi build DELIVERY`."
        )
        raise BuildError(msg, zh="尚未入库任何社区，请先用 wanmi build 构建含行政区域的交付。")
    return gpd.GeoDataFrame(rows).sort_values("code").reset_index(drop=True)


def carry_sets(database: "Database", *, actor: str) -> None:
    """Carry management and evaluation grids over a change of unit grids that was just made live."""
    from gridding.edits import newest_day
    from gridding.trades.delivered import EVALUATION, MANAGEMENT
    from gridding.trades.store import carry_live

    for sort in (MANAGEMENT, EVALUATION):
        carry_live(database, sort=sort, as_of=newest_day(database), actor=actor)
