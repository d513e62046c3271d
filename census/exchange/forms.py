"""QGIS styles and project of an export: forms with value lists, code fields locked, colours by condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from xml.etree import ElementTree as Tree

from census.exchange.columns import ExchangeColumn, word_list, write_word
from gis.qgis import VERSION, ProjectLayer, add_text, project_tree, write_tree

PROJECT = "components"
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
    root = Tree.Element("qgis", version=VERSION, styleCategories="Symbology|Fields|Forms")
    _describe(root, layer=layer)
    return write_tree(root)


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
    shown = [
        ProjectLayer(
            name=layer.name,
            title=layer.title,
            shape=layer.shape,
            is_locked=False,
            describe=partial(_describe, layer=layer),
        )
        for layer in layers
    ]
    return write_tree(project_tree("Wanmi components", file_name, shown, crs=crs, extent=extent))


def _describe(parent: Tree.Element, *, layer: FormLayer) -> None:
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
    add_text(parent, "editorlayout", "generatedlayout")
    key = next((n for n, c in layer.columns.items() if c is not None and c.role == "key"), None)
    if key is not None:
        add_text(parent, "previewExpression", f'"{key}"')


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
