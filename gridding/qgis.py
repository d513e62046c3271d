"""A QGIS project for editing unit grids: topological editing, snapping and no overlaps, set up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Tree

from gis.crs import parse_crs

PROJECT = "grids"
_VERSION = "3.22.0"


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a layer is drawn; colours are ``r,g,b,a``."""

    title: str
    shape: str
    """Polygon or Line."""
    line: str
    width_mm: float
    fill: str = "0,0,0,0"
    label: str | None = None
    """Column written on each feature."""


STYLES: Mapping[str, Style] = {
    "unit_grid": Style(
        title="unit grids 单元网格",
        shape="Polygon",
        line="230,0,126,255",
        width_mm=0.4,
        label="substr(code, 13)",
    ),
    "lock": Style(title="locked borders 锁定边界", shape="Line", line="0,0,0,255", width_mm=0.8),
    "community": Style(title="communities 社区", shape="Polygon", line="200,0,0,255", width_mm=0.8),
    "road": Style(title="roads 道路", shape="Line", line="150,150,150,255", width_mm=0.3),
    "building": Style(
        title="buildings 房屋",
        shape="Polygon",
        line="120,120,120,255",
        width_mm=0.1,
        fill="205,205,205,255",
    ),
}
"""The layers, the topmost first."""


def project_text(
    file_name: str, layers: Sequence[str], *, crs: str, extent: tuple[float, float, float, float]
) -> str:
    """Return the ``.qgs`` text of a project over layers of a GeoPackage beside it.

    Only ``unit_grid`` can be edited. Vertices that two grids share move together (topological
    editing), new polygons do not overlap old ones, and the cursor snaps to vertices and segments of
    all layers within 12 pixels.

    Parameters
    ----------
    file_name : str
        Name of the GeoPackage.
    layers : sequence of str
        Keys of `STYLES`.
    crs : str
        The city's CRS.
    extent : tuple of float
        West, south, east, north, m.

    Examples
    --------
    >>> text = project_text("a.gpkg", ["unit_grid"], crs="EPSG:4547", extent=(0, 0, 9, 9))
    >>> Tree.fromstring(text).findtext("properties/Digitizing/TopologicalEditing")
    '1'
    """
    root = Tree.Element("qgis", projectname="Wanmi unit grids", version=_VERSION)
    _crs(Tree.SubElement(root, "projectCrs"), crs)
    tree = Tree.SubElement(root, "layer-tree-group")
    for name in layers:
        Tree.SubElement(
            tree,
            "layer-tree-layer",
            id=_id(name),
            name=STYLES[name].title,
            checked="Qt::Checked",
            expanded="0",
            providerKey="ogr",
            source=_source(file_name, name),
        )
    snapping = Tree.SubElement(
        root,
        "snapping-settings",
        enabled="1",
        mode="2",
        type="3",
        tolerance="12",
        unit="1",
        attrib={"intersection-snapping": "1", "self-snapping": "1"},
    )
    Tree.SubElement(snapping, "individual-layer-settings")
    canvas = Tree.SubElement(root, "mapcanvas", name="theMapCanvas")
    _text(canvas, "units", "meters")
    box = Tree.SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        _text(box, name, f"{value:.2f}")
    _crs(Tree.SubElement(canvas, "destinationsrs"), crs)
    shown = Tree.SubElement(root, "projectlayers")
    for name in layers:
        _layer(shown, name, file_name=file_name, crs=crs)
    properties = Tree.SubElement(root, "properties")
    _editing(properties)
    # Without it QGIS leaves the project without a CRS, whatever <projectCrs> says.
    _text(Tree.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", "1", type="int")
    Tree.indent(root)
    head = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + Tree.tostring(root, encoding="unicode")


def style_text(name: str) -> str:
    """Return the QML of a layer's style."""
    root = Tree.Element("qgis", version=_VERSION, labelsEnabled="1")
    _drawn(root, STYLES[name])
    return Tree.tostring(root, encoding="unicode")


def _editing(properties: Tree.Element) -> None:
    digitizing = Tree.SubElement(properties, "Digitizing")
    _text(digitizing, "TopologicalEditing", "1", type="int")
    _text(digitizing, "AvoidIntersectionsMode", "2", type="int")
    avoided = Tree.SubElement(digitizing, "AvoidIntersectionsList", type="QStringList")
    _text(avoided, "value", _id("unit_grid"))


def _layer(parent: Tree.Element, name: str, *, file_name: str, crs: str) -> None:
    style = STYLES[name]
    layer = Tree.SubElement(
        parent,
        "maplayer",
        type="vector",
        geometry=style.shape,
        readOnly="0" if name == "unit_grid" else "1",
        labelsEnabled="1",
    )
    _text(layer, "id", _id(name))
    _text(layer, "datasource", _source(file_name, name))
    _text(layer, "layername", style.title)
    _crs(Tree.SubElement(layer, "srs"), crs)
    _text(layer, "provider", "ogr", encoding="UTF-8")
    _drawn(layer, style)


def _drawn(parent: Tree.Element, style: Style) -> None:
    renderer = Tree.SubElement(parent, "renderer-v2", type="singleSymbol")
    symbols = Tree.SubElement(renderer, "symbols")
    kind = "fill" if style.shape == "Polygon" else "line"
    symbol = Tree.SubElement(symbols, "symbol", name="0", type=kind, alpha="1")
    width = f"{style.width_mm:g}"
    if kind == "fill":
        options = {
            "color": style.fill,
            "style": "solid" if style.fill != "0,0,0,0" else "no",
            "outline_color": style.line,
            "outline_width": width,
            "outline_width_unit": "MM",
        }
        drawn = Tree.SubElement(symbol, "layer", attrib={"class": "SimpleFill", "enabled": "1"})
    else:
        options = {"line_color": style.line, "line_width": width, "line_width_unit": "MM"}
        drawn = Tree.SubElement(symbol, "layer", attrib={"class": "SimpleLine", "enabled": "1"})
    table = Tree.SubElement(drawn, "Option", type="Map")
    for key, value in options.items():
        Tree.SubElement(table, "Option", name=key, value=value, type="QString")
    if style.label is not None:
        labelling = Tree.SubElement(parent, "labeling", type="simple")
        settings = Tree.SubElement(labelling, "settings")
        Tree.SubElement(
            settings,
            "text-style",
            fieldName=style.label,
            isExpression="1",
            fontSize="8",
            textColor=style.line,
        )


def _crs(parent: Tree.Element, crs: str) -> None:
    known = parse_crs(crs)
    system = Tree.SubElement(parent, "spatialrefsys", nativeFormat="Wkt")
    _text(system, "wkt", known.to_wkt())
    code = known.to_epsg()
    if code is not None:
        _text(system, "srid", str(code))
        _text(system, "authid", f"EPSG:{code}")


def _id(name: str) -> str:
    """Return the id of a layer: QGIS gives another to one of ten letters or fewer, and loses it."""
    return f"wanmi_layer_{name}"


def _source(file_name: str, layer: str) -> str:
    return f"./{file_name}|layername={layer}"


def _text(parent: Tree.Element, name: str, text: str, **attributes: str) -> None:
    Tree.SubElement(parent, name, attrib=attributes).text = text
