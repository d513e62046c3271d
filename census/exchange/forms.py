"""QGIS styles and project of an export: forms with value lists, code fields locked, colours by condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Tree

from census.exchange.columns import ExchangeColumn, word_list, write_word
from gis.crs import parse_crs

PROJECT = "components"
_VERSION = "3.22.0"
_COLOURS = {
    "intact": "46,125,50,255",
    "damaged": "239,108,0,255",
    "lost": "198,40,40,255",
    "abandoned": "97,97,97,255",
    "removed": "189,189,189,255",
    "occupied": "106,27,154,255",
    "unknown": "21,101,192,255",
}
_SYMBOLS = {"Point": "marker", "Line": "line", "Polygon": "fill"}


@dataclass(frozen=True, kw_only=True)
class FormLayer:
    """One layer of an export as QGIS shows it."""

    name: str
    title: str
    shape: str
    """Point, Line or Polygon."""
    columns: Mapping[str, ExchangeColumn | None]
    """Written name -> column, None: an attribute; in order."""
    domains: Mapping[str, Mapping[str, str]]
    """Domain -> value as written -> what it means."""
    is_chinese: bool = False
    """Words are written in Chinese."""


def style_text(layer: FormLayer) -> str:
    """Return the QML of a layer: colours by condition, and the form of a field team.

    Columns with a domain are chosen from a list; component code, grid, community and standard are shown
    but locked, because the platform gives them; columns of the base version are hidden.
    """
    root = Tree.Element("qgis", version=_VERSION, styleCategories="Symbology|Fields|Forms")
    _describe(root, layer)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + Tree.tostring(
        root, encoding="unicode"
    )


def project_text(
    file_name: str,
    layers: Sequence[FormLayer],
    *,
    crs: str,
    extent: tuple[float, float, float, float],
) -> str:
    """Return the ``.qgs`` text of a project over the layers of a GeoPackage beside it.

    Parameters
    ----------
    file_name : str
        Name of the GeoPackage.
    layers : sequence of FormLayer
        The layers, the topmost first.
    crs : str
        The city's CRS.
    extent : tuple of float
        West, south, east, north, m.
    """
    root = Tree.Element("qgis", projectname="Wanmi components", version=_VERSION)
    _crs(Tree.SubElement(root, "projectCrs"), crs)
    tree = Tree.SubElement(root, "layer-tree-group")
    for layer in layers:
        Tree.SubElement(
            tree,
            "layer-tree-layer",
            id=layer.name,
            name=layer.title,
            checked="Qt::Checked",
            expanded="0",
            providerKey="ogr",
            source=_source(file_name, layer),
        )
    canvas = Tree.SubElement(root, "mapcanvas", name="theMapCanvas")
    _text(canvas, "units", "meters")
    box = Tree.SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        _text(box, name, f"{value:.2f}")
    _crs(Tree.SubElement(canvas, "destinationsrs"), crs)
    shown = Tree.SubElement(root, "projectlayers")
    for layer in layers:
        entry = Tree.SubElement(
            shown, "maplayer", type="vector", geometry=layer.shape, readOnly="0"
        )
        _text(entry, "id", layer.name)
        _text(entry, "datasource", _source(file_name, layer))
        _text(entry, "layername", layer.title)
        _crs(Tree.SubElement(entry, "srs"), crs)
        _text(entry, "provider", "ogr", encoding="UTF-8")
        _describe(entry, layer)
    Tree.indent(root)
    head = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + Tree.tostring(root, encoding="unicode")


def _describe(parent: Tree.Element, layer: FormLayer) -> None:
    _renderer(parent, layer)
    configuration = Tree.SubElement(parent, "fieldConfiguration")
    aliases = Tree.SubElement(parent, "aliases")
    editable = Tree.SubElement(parent, "editable")
    for number, (name, column) in enumerate(layer.columns.items()):
        entry = Tree.SubElement(configuration, "field", name=name, configurationFlags="None")
        _widget(entry, column, layer)
        title = name if column is None else column.title_zh
        Tree.SubElement(aliases, "alias", field=name, index=str(number), name=title)
        locked = column is not None and column.is_read_only
        Tree.SubElement(editable, "field", name=name, editable="0" if locked else "1")
    _text(parent, "editorlayout", "generatedlayout")
    key = next((n for n, c in layer.columns.items() if c is not None and c.role == "key"), None)
    if key is not None:
        _text(parent, "previewExpression", f'"{key}"')


def _widget(entry: Tree.Element, column: ExchangeColumn | None, layer: FormLayer) -> None:
    """Add the widget that a column is edited with."""
    domain = layer.domains.get(column.domain) if column is not None else None
    if column is not None and column.role == "stamp":
        _config(Tree.SubElement(entry, "editWidget", type="Hidden"))
    elif domain:
        config = _config(Tree.SubElement(entry, "editWidget", type="ValueMap"))
        values = Tree.SubElement(config, "Option", name="map", type="List")
        for value, meaning in domain.items():
            pair = Tree.SubElement(values, "Option", type="Map")
            label = meaning if meaning == value else f"{meaning} {value}"
            Tree.SubElement(pair, "Option", name=label, value=value, type="QString")
    elif column is not None and column.kind == "date":
        config = _config(Tree.SubElement(entry, "editWidget", type="DateTime"))
        for name, value in (("field_format", "yyyy-MM-dd"), ("display_format", "yyyy-MM-dd")):
            Tree.SubElement(config, "Option", name=name, value=value, type="QString")
        for name in ("calendar_popup", "allow_null"):
            Tree.SubElement(config, "Option", name=name, value="true", type="bool")
    else:
        _config(Tree.SubElement(entry, "editWidget", type="TextEdit"))


def _config(widget: Tree.Element) -> Tree.Element:
    return Tree.SubElement(Tree.SubElement(widget, "config"), "Option", type="Map")


def _renderer(parent: Tree.Element, layer: FormLayer) -> None:
    column = next(n for n, c in layer.columns.items() if c is not None and c.domain == "condition")
    renderer = Tree.SubElement(
        parent, "renderer-v2", type="categorizedSymbol", attr=column, enableorderby="0"
    )
    categories = Tree.SubElement(renderer, "categories")
    symbols = Tree.SubElement(renderer, "symbols")
    for number, (value, colour) in enumerate(_COLOURS.items()):
        written = str(write_word("condition", value)) if layer.is_chinese else value
        Tree.SubElement(
            categories,
            "category",
            symbol=str(number),
            value=written,
            label=word_list("condition")[value],
            render="true",
        )
        _symbol(symbols, str(number), colour, _SYMBOLS[layer.shape])


def _symbol(symbols: Tree.Element, name: str, colour: str, kind: str) -> None:
    symbol = Tree.SubElement(symbols, "symbol", name=name, type=kind, alpha="1")
    options = {
        "marker": {
            "name": "circle",
            "color": colour,
            "size": "2",
            "size_unit": "MM",
            "outline_color": "255,255,255,255",
        },
        "line": {"line_color": colour, "line_width": "0.6", "line_width_unit": "MM"},
        "fill": {
            "color": colour.replace(",255", ",90"),
            "style": "solid",
            "outline_color": colour,
            "outline_width": "0.4",
        },
    }[kind]
    drawing = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}[kind]
    drawn = Tree.SubElement(symbol, "layer", attrib={"class": drawing, "enabled": "1"})
    table = Tree.SubElement(drawn, "Option", type="Map")
    for key, value in options.items():
        Tree.SubElement(table, "Option", name=key, value=value, type="QString")


def _crs(parent: Tree.Element, crs: str) -> None:
    known = parse_crs(crs)
    system = Tree.SubElement(parent, "spatialrefsys", nativeFormat="Wkt")
    _text(system, "wkt", known.to_wkt())
    code = known.to_epsg()
    if code is not None:
        _text(system, "srid", str(code))
        _text(system, "authid", f"EPSG:{code}")


def _source(file_name: str, layer: FormLayer) -> str:
    return f"./{file_name}|layername={layer.name}"


def _text(parent: Tree.Element, name: str, text: str, **attributes: str) -> None:
    Tree.SubElement(parent, name, attrib=attributes).text = text
