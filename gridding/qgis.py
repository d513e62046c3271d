"""A QGIS project for editing unit grids: topological editing, snapping and no overlaps, set up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from xml.etree import ElementTree as Tree

from gis.qgis import VERSION, ProjectLayer, add_text, project_tree, write_tree

PROJECT = "grids"
_EDITED = "unit_grid"


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
    shown = [
        ProjectLayer(
            name=name,
            title=STYLES[name].title,
            shape=STYLES[name].shape,
            is_locked=name != _EDITED,
            describe=partial(_draw, style=STYLES[name]),
        )
        for name in layers
    ]
    root = project_tree("Wanmi unit grids", file_name, shown, crs=crs, extent=extent)
    _set_editing(root, [layer.key for layer in shown if not layer.is_locked])
    return write_tree(root)


def style_text(name: str) -> str:
    """Return the QML of a layer's style."""
    root = Tree.Element("qgis", version=VERSION, labelsEnabled="1")
    _draw(root, style=STYLES[name])
    return Tree.tostring(root, encoding="unicode")


def _set_editing(root: Tree.Element, edited: Sequence[str]) -> None:
    """Let shared vertices move together, new polygons not overlap old ones, and the cursor snap."""
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
    properties = root.find("properties")
    digitizing = Tree.SubElement(root if properties is None else properties, "Digitizing")
    add_text(digitizing, "TopologicalEditing", "1", type="int")
    add_text(digitizing, "AvoidIntersectionsMode", "2", type="int")
    avoided = Tree.SubElement(digitizing, "AvoidIntersectionsList", type="QStringList")
    for key in edited:
        add_text(avoided, "value", key)


def _draw(parent: Tree.Element, *, style: Style) -> None:
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
