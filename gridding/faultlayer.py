"""Faults of a grid layer as a GeoPackage that QGIS opens drawn: areas to see, and places to find them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from gis.errors import FileFormatError
from gis.geopackage import write_styles
from gis.outputs import appearing_files
from gis.vector import write_vector
from gridding.checks import Review
from gridding.homes import Geometries, is_finite

_COLOURS = {"error": "#e3001b", "warning": "#f59b00", "note": "#2b78c5"}
_LABELS = {"error": "错误 error", "warning": "警告 warning", "note": "提示 note"}
_POINT_M = 1.0
"""Points are drawn as circles of this radius …"""
_LINE_M = 0.25
"""… and lines as strips of this half width, so that one layer of areas holds all, m."""


def write_faults(review: Review, path: Path) -> None:
    """Write faults to a GeoPackage: layers ``faults`` (areas), ``places`` (points) and ``grids``, styled.

    Points and lines are drawn as small areas; ``x`` and ``y`` say the place. A fault without a place,
    such as one of the whole layer, is in ``places`` without geometry. The file appears whole, in the
    place of one that was there, or not at all.

    Raises
    ------
    FileFormatError
        The file is no ``.gpkg``.
    WorkspaceError
        The file can not be written.
    """
    if path.suffix.lower() != ".gpkg":
        msg = (
            f"Faults are written with their style to .gpkg, not to {path.name}: change the suffix."
        )
        raise FileFormatError(msg, zh=f"问题图层须写入 .gpkg，不能写入 {path.name}：请更改后缀。")
    faults = review.faults
    shapes = faults.geometry.to_numpy()
    spots = places_of(shapes)
    kinds = [None if shape is None else shape.geom_type for shape in shapes]
    columns = faults.assign(shape=kinds, x=shapely.get_x(spots), y=shapely.get_y(spots))
    drawn = columns.set_geometry(gpd.GeoSeries(_areas(shapes), index=faults.index, crs=faults.crs))
    marked = columns.set_geometry(gpd.GeoSeries(spots, index=faults.index, crs=faults.crs))
    styles = {"grids": _grid_style(), "faults": _style("fill"), "places": _style("marker")}
    with appearing_files(path) as partial:
        partial.unlink(missing_ok=True)  # the faults of an earlier check, which are not these
        there = ~shapely.is_missing(drawn.geometry.to_numpy())
        write_vector(drawn[there], partial, layer="faults")
        write_vector(marked, partial, layer="places")
        write_vector(review.grids, partial, layer="grids")
        write_styles(partial, styles)


def places_of(shapes: Geometries) -> Geometries:
    """Return a point on each geometry; None where there is none.

    Examples
    --------
    >>> [place and place.wkt for place in places_of(np.array([shapely.Point(1, 2), None]))]
    ['POINT (1 2)', None]
    """
    there = is_finite(shapes)
    result = np.full(len(shapes), None, dtype=object)
    result[there] = shapely.point_on_surface(shapes[there])
    return result


def _areas(shapes: Geometries) -> Geometries:
    """Return geometries as MultiPolygons."""
    result = np.full(len(shapes), None, dtype=object)
    there = np.flatnonzero(is_finite(shapes))
    parts, owner = shapely.get_parts(shapes[there], return_index=True)
    dimension = shapely.get_dimensions(parts)
    reach = np.select([dimension == 0, dimension == 1], [_POINT_M, _LINE_M], 0.0)
    thick = reach > 0
    parts[thick] = shapely.buffer(parts[thick], reach[thick], quad_segs=4)
    polygons, part = shapely.get_parts(parts, return_index=True)
    rows, turn = np.unique(owner[part], return_inverse=True)
    if len(rows):
        result[there[rows]] = shapely.multipolygons(polygons, indices=turn)
    return result


def _style(symbol: str) -> str:
    """Return a QGIS style by severity; markers bear the number of the fault."""
    categories, symbols = [], []
    for place, (severity, colour) in enumerate(_COLOURS.items()):
        categories.append(
            f'<category render="true" symbol="{place}" value="{severity}" label="{_LABELS[severity]}"/>'
        )
        symbols.append(_fill(place, colour) if symbol == "fill" else _marker(place, colour))
    renderer = (
        '<renderer-v2 type="categorizedSymbol" attr="severity" enableorderby="0" forceraster="0">'
        f"<categories>{''.join(categories)}</categories><symbols>{''.join(symbols)}</symbols></renderer-v2>"
    )
    return _document(renderer + (_NUMBERS if symbol == "marker" else ""))


def _grid_style() -> str:
    """Return the style of grids: magenta 品红 outlines without fill, as DB11/T 2157-2023 draws them."""
    symbol = _symbol("fill", 0, "SimpleFill", {"style": "no", **_outline("#e6007e", 0.3)})
    renderer = f'<renderer-v2 type="singleSymbol"><symbols>{symbol}</symbols></renderer-v2>'
    return _document(renderer)


def _document(content: str) -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.22" styleCategories="Symbology|Labeling">{content}</qgis>'
    )


def _outline(colour: str, width_mm: float) -> dict[str, str]:
    return {
        "outline_color": _rgba(colour),
        "outline_style": "solid",
        "outline_width": str(width_mm),
        "outline_width_unit": "MM",
    }


def _fill(place: int, colour: str) -> str:
    options = {"color": _rgba(colour, 90), "style": "solid", **_outline(colour, 0.5)}
    return _symbol("fill", place, "SimpleFill", options)


def _marker(place: int, colour: str) -> str:
    options = {
        "name": "circle",
        "color": _rgba(colour, 60),
        "size": "3",
        "size_unit": "MM",
        **_outline(colour, 0.5),
    }
    return _symbol("marker", place, "SimpleMarker", options)


def _symbol(kind: str, place: int, layer: str, options: dict[str, str]) -> str:
    rows = "".join(
        f'<Option type="QString" name="{name}" value="{value}"/>' for name, value in options.items()
    )
    old = "".join(f'<prop k="{name}" v="{value}"/>' for name, value in options.items())
    return (
        f'<symbol type="{kind}" name="{place}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{rows}</Option>{old}</layer></symbol>'
    )


def _rgba(colour: str, alpha: int = 255) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"


_NUMBERS = (
    '<labeling type="simple"><settings><text-style fieldName="number" fontSize="8" fontWeight="75" '
    'textColor="0,0,0,255"><text-buffer bufferDraw="1" bufferSize="0.7" bufferColor="255,255,255,255"/>'
    '</text-style><placement placement="6" dist="0.5"/></settings></labeling>'
)
