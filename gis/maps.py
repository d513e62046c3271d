"""Maps for notebooks and reports that work without a network: every script is in the page.

Folium's own pages load Leaflet and four more libraries from a CDN, which a government intranet
does not reach; here Leaflet comes from the libraries that ``make`` copied, written into the page.
"""

from pathlib import Path

import folium
import geopandas as gpd
from branca.element import Element, Figure

from gis.errors import WorkspaceError

LIBRARIES = Path(__file__).resolve().parents[1] / "api" / "static" / "vendor"
"""Folder of the browser libraries."""

COLOURS = {"hot": "#c2185b", "cold": "#1565c0", "none": "#eceff1"}
"""Fill per verdict; the pair is told apart by colour-blind readers too."""

_WORDS = {"hot": "hot spot 热点", "cold": "cold spot 冷点", "none": "not significant 不显著"}


def offline_map(
    *, bounds: tuple[float, float, float, float], libraries: Path = LIBRARIES
) -> folium.Map:
    """Return an empty map of `bounds` that loads nothing from outside.

    Parameters
    ----------
    bounds : tuple
        West, south, east, north in degrees.
    libraries : Path
        Folder that holds ``leaflet/dist``.

    Raises
    ------
    WorkspaceError
        The libraries were not copied yet.
    """
    leaflet = libraries / "leaflet" / "dist"
    try:
        script = (leaflet / "leaflet.js").read_text(encoding="utf-8")
        style = (leaflet / "leaflet.css").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        msg = f"The map libraries are not in {libraries}: run `make demo` or `python -m api.static.vendor` once."
        raise WorkspaceError(
            msg, zh=f"{libraries} 中没有地图脚本：请先运行一次 make demo。"
        ) from error
    page = folium.Map(tiles=None, control_scale=True, attributionControl=False)
    page.default_js = []
    page.default_css = []
    header = _figure(page).header
    header.add_child(Element(f"<script>{script}</script>"), name="leaflet")
    header.add_child(Element(f"<style>{style}</style>"), name="leaflet_css")
    west, south, east, north = bounds
    page.fit_bounds([[south, west], [north, east]])
    return page


def hotspot_map(
    cells: gpd.GeoDataFrame,
    *,
    backdrop: gpd.GeoDataFrame | None = None,
    libraries: Path = LIBRARIES,
) -> folium.Map:
    """Draw the cells of ``gis.hotspots.find_hotspots`` with a legend.

    Parameters
    ----------
    cells : GeoDataFrame
        ``code, value, z, p, verdict`` in any CRS; pointing at a cell shows them.
    backdrop : GeoDataFrame or None
        Lines or areas drawn thinly over the cells for orientation, as road centrelines; points are left out.
    libraries : Path
        Folder of the browser libraries.
    """
    shown = cells.to_crs(4326)
    shown["z"] = shown["z"].round(2)
    shown["p"] = shown["p"].round(4)
    page = offline_map(bounds=tuple(shown.total_bounds), libraries=libraries)
    folium.GeoJson(
        shown,
        name="unit grids",
        style_function=lambda feature: {
            "fillColor": COLOURS[feature["properties"]["verdict"]],
            "fillOpacity": 0.35 if feature["properties"]["verdict"] == "none" else 0.75,
            "color": "#90a4ae",
            "weight": 0.5,
        },
        tooltip=folium.GeoJsonTooltip(fields=["code", "value", "z", "p", "verdict"]),
    ).add_to(page)
    if backdrop is not None:
        # A point would become a marker, whose picture is one more file to load.
        drawn = backdrop[~backdrop.geom_type.isin(["Point", "MultiPoint"])]
        folium.GeoJson(
            drawn[["geometry"]].to_crs(4326),
            name="backdrop",
            interactive=False,
            style_function=lambda _: {"color": "#546e7a", "weight": 1, "fill": False},
        ).add_to(page)
    _figure(page).html.add_child(Element(_legend()))
    return page


def _figure(page: folium.Map) -> Figure:
    root = page.get_root()
    assert isinstance(root, Figure)
    return root


def _legend() -> str:
    rows = "".join(
        f'<div><span style="display:inline-block;width:14px;height:14px;margin-right:6px;'
        f'border:1px solid #90a4ae;background:{COLOURS[name]}"></span>{words}</div>'
        for name, words in _WORDS.items()
    )
    return (
        '<div style="position:fixed;bottom:24px;right:12px;z-index:9999;background:#fff;'
        'padding:8px 12px;border-radius:4px;box-shadow:0 1px 4px #0004;font:13px sans-serif">'
        f"{rows}</div>"
    )
