"""The faults of a delivery as a GeoPackage that QGIS opens drawn."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from census.report.document import clean
from census.report.ground import Geometries, is_finite, spots_of
from census.report.judgement import Judgement
from gis.geopackage import write_stamp, write_styles
from gis.outputs import appearing
from gis.vector import write_vector

_COLOURS = {"error": (200, 0, 26), "warning": (245, 155, 0)}
_LABELS = {"error": "不合格 refused", "warning": "存疑 warning"}
_COLUMNS = (
    "number",
    "severity",
    "rule",
    "reason_zh",
    "fix_zh",
    "reason_en",
    "fix_en",
    "dataset",
    "source_file",
    "source_row",
    "code",
    "class_code",
)


def write_faults(judgement: Judgement, path: Path) -> None:
    """Write the faults to a ``.gpkg`` with styles: layers ``faults`` (points), ``lines``, ``polygons``.

    Every fault is in ``faults``, without geometry where it has no place; those of lines and areas are
    also in the layer of their shape. The delivered row is in ``record`` of ``faults``, as JSON. The
    file appears whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    table = _table(judgement)
    shapes = judgement.faults.geometry.to_numpy(dtype=object)
    dimension = np.where(is_finite(shapes), shapely.get_dimensions(shapes), -1)
    crs = judgement.faults.crs
    layers: dict[str, tuple[pd.DataFrame, Geometries]] = {"faults": (table, spots_of(shapes))}
    for name, number in (("lines", 1), ("polygons", 2)):
        chosen = dimension == number
        if chosen.any():
            rows = table[chosen].drop(columns="record")
            layers[name] = (rows, one_kind(shapes[chosen]))
    with appearing(path) as partial:
        for name, (rows, geometry) in layers.items():
            series = gpd.GeoSeries(geometry, index=rows.index, crs=crs)
            write_vector(gpd.GeoDataFrame(rows, geometry=series), partial, layer=name)
        styles = {"faults": "marker", "lines": "line", "polygons": "fill"}
        write_styles(partial, {name: style_of(styles[name]) for name in layers})
        write_stamp(partial, {"delivery": judgement.delivery, "verdict": judgement.verdict.level})


def _table(judgement: Judgement) -> pd.DataFrame:
    faults = judgement.faults
    table = pd.DataFrame(faults.drop(columns="geometry"))
    for name in ("fix_zh", "fix_en"):
        texts = {code: getattr(rule, name) for code, rule in judgement.rules.items()}
        table[name] = faults["rule"].map(texts).astype(object)
    records = [
        json_text(record) if isinstance(record, dict) else None for record in faults["record"]
    ]
    texts = table[list(_COLUMNS)].drop(columns=["number", "source_row"]).astype(object).map(clean)
    return table[list(_COLUMNS)].assign(
        **texts, record=pd.Series(records, index=faults.index, dtype=object)
    )


def json_text(record: dict[str, Any]) -> str:
    """Return a delivered row as JSON; what UTF-8 can not hold becomes ``?``."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(record, default=str, option=options).decode()
    except TypeError:
        return orjson.dumps(clean(record), default=str, option=options).decode()


def one_kind(shapes: Geometries) -> Geometries:
    """Return lines as MultiLineString and areas as MultiPolygon; of collections, those parts."""
    dimension = int(shapely.get_dimensions(shapes).max())
    parts, owner = shapely.get_parts(shapes, return_index=True)
    keep = shapely.get_dimensions(parts) == dimension
    make = shapely.multilinestrings if dimension == 1 else shapely.multipolygons
    if dimension == 1:
        parts = np.array([shapely.LineString(part.coords) for part in parts[keep]], dtype=object)
    else:
        parts = parts[keep]
    result: Geometries = make(parts, indices=owner[keep])
    return result


def style_of(kind: str) -> str:
    """Return a QGIS style (QML) that colours by severity; points bear the number of the fault."""
    values = {name: (_LABELS[name], colour) for name, colour in _COLOURS.items()}
    return coloured_style(kind, "severity", values, labeling=_NUMBERS if kind == "marker" else "")


def coloured_style(
    kind: str,
    column: str,
    values: Mapping[str, tuple[str, tuple[int, int, int]]],
    *,
    labeling: str = "",
) -> str:
    """Return a QGIS style (QML) that colours a layer by a column.

    Parameters
    ----------
    kind : str
        ``marker``, ``line`` or ``fill``.
    column : str
        Column.
    values : mapping
        Value -> what the legend calls it, colour.
    labeling : str
        Labels as QGIS writes them; empty: none.
    """
    categories, symbols = [], []
    for place, (value, (label, colour)) in enumerate(values.items()):
        categories.append(
            f'<category render="true" symbol="{place}" value="{value}" label="{label}"/>'
        )
        symbols.append(_symbol(kind, place, colour))
    renderer = (
        f'<renderer-v2 type="categorizedSymbol" attr="{column}" enableorderby="0" forceraster="0">'
        f"<categories>{''.join(categories)}</categories><symbols>{''.join(symbols)}</symbols>"
        "</renderer-v2>"
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        '<qgis version="3.22" styleCategories="Symbology|Labeling">'
        f"{renderer}{labeling}</qgis>"
    )


def _symbol(kind: str, place: int, colour: tuple[int, int, int]) -> str:
    red, green, blue = colour
    solid, thin = f"{red},{green},{blue},255", f"{red},{green},{blue},80"
    outline = {"outline_color": solid, "outline_width": "0.5", "outline_width_unit": "MM"}
    layer, options = {
        "marker": (
            "SimpleMarker",
            {"name": "circle", "color": thin, "size": "3", "size_unit": "MM", **outline},
        ),
        "line": (
            "SimpleLine",
            {"line_color": solid, "line_width": "0.7", "line_width_unit": "MM"},
        ),
        "fill": ("SimpleFill", {"color": thin, "style": "solid", **outline}),
    }[kind]
    rows = "".join(
        f'<Option type="QString" name="{name}" value="{value}"/>' for name, value in options.items()
    )
    old = "".join(f'<prop k="{name}" v="{value}"/>' for name, value in options.items())
    return (
        f'<symbol type="{kind}" name="{place}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{rows}</Option>{old}</layer></symbol>'
    )


_NUMBERS = (
    '<labeling type="simple"><settings><text-style fieldName="number" fontSize="8" fontWeight="75" '
    'textColor="0,0,0,255"><text-buffer bufferDraw="1" bufferSize="0.7" bufferColor="255,255,255,255"/>'
    '</text-style><placement placement="6" dist="0.5"/></settings></labeling>'
)
