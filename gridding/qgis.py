"""A QGIS project for editing unit grids: topological editing, snapping and no overlaps, set up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from xml.etree import ElementTree as Tree

from gis.qgis import VERSION, ProjectLayer, add_text, project_tree, write_tree

PROJECT = "grids"
_EDITED = "unit_grid"
_NOT_SNAPPED = ("component",)
_PRECISION_M = "0.01"
"""QGIS keeps the vertices that an editor sets on this grid, as all of ours lie on it."""
_FIELDS = {
    "code": ("单元网格编码", False),
    "community_code": ("社区编码", False),
    "name": ("网格名称", True),
    "land_use": ("用地类别", True),
    "management_grade": ("管理等级", True),
    "responsible_body": ("责任主体", True),
    "remark": ("备注", True),
    "area_m2": ("面积（平方米）", False),
}
"""Columns of the grids: the name that the form shows, and whether it may be changed."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a layer is drawn; colours are ``r,g,b,a``."""

    title: str
    shape: str
    """Polygon, Line or Point."""
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
    "component": Style(
        title="components 部件",
        shape="Point",
        line="255,255,255,255",
        width_mm=0.1,
        fill="11,122,117,255",
    ),
    "community": Style(
        title="communities 社区",
        shape="Polygon",
        line="200,0,0,255",
        width_mm=0.8,
    ),
    "road": Style(title="roads 道路", shape="Line", line="130,130,130,255", width_mm=0.4),
    "wall": Style(
        title="compounds and walls 院落围墙", shape="Line", line="150,110,60,255", width_mm=0.2
    ),
    "building": Style(
        title="buildings 房屋",
        shape="Polygon",
        line="120,120,120,255",
        width_mm=0.1,
        fill="205,205,205,255",
    ),
    "water": Style(
        title="water 水系",
        shape="Polygon",
        line="120,175,215,255",
        width_mm=0.2,
        fill="205,230,245,255",
    ),
    "unit_grids": Style(
        title="unit grids 单元网格",
        shape="Polygon",
        line="230,0,126,255",
        width_mm=0.4,
        label="substr(code, 13)",
    ),
    "exceptions": Style(
        title="exceptions 例外",
        shape="Polygon",
        line="200,0,26,255",
        width_mm=0.6,
        fill="200,0,26,60",
        label="kind",
    ),
    "fixes": Style(
        title="fixes 修正",
        shape="Polygon",
        line="31,98,168,255",
        width_mm=0.6,
        fill="31,98,168,60",
        label="kind",
    ),
}
"""The layers of an export, the topmost first, and those of a proposal."""


def project_text(
    file_name: str, layers: Sequence[str], *, crs: str, extent: tuple[float, float, float, float]
) -> str:
    """Return the ``.qgs`` text of a project over layers of a GeoPackage beside it.

    Only ``unit_grid`` can be edited, and of its columns those that an editor states. Vertices that two
    grids share move together (topological editing), new polygons do not overlap old ones, vertices
    come to lie on whole centimetres, and the cursor snaps to vertices and segments of all layers within
    12 pixels, except to components, which borders keep off.

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
            describe=partial(_describe, name=name),
        )
        for name in layers
    ]
    root = project_tree("Wanmi unit grids", file_name, shown, crs=crs, extent=extent)
    _set_editing(
        root,
        [layer.key for layer in shown if not layer.is_locked],
        {layer.key: layer.name not in _NOT_SNAPPED for layer in shown},
    )
    return write_tree(root)


def style_text(name: str) -> str:
    """Return the QML of a layer's style."""
    root = Tree.Element("qgis", version=VERSION, labelsEnabled="1")
    _describe(root, name=name)
    return Tree.tostring(root, encoding="unicode")


def _set_editing(root: Tree.Element, edited: Sequence[str], snapped: Mapping[str, bool]) -> None:
    """Let shared vertices move together, new polygons not overlap old ones, and the cursor snap."""
    snapping = Tree.SubElement(
        root,
        "snapping-settings",
        enabled="1",
        mode="3",
        type="3",
        tolerance="12",
        unit="1",
        attrib={"intersection-snapping": "1", "self-snapping": "1"},
    )
    layers = Tree.SubElement(snapping, "individual-layer-settings")
    for key, is_snapped in snapped.items():
        Tree.SubElement(
            layers,
            "layer-setting",
            id=key,
            enabled="1" if is_snapped else "0",
            type="3",
            tolerance="12",
            units="1",
            minScale="0",
            maxScale="0",
        )
    properties = root.find("properties")
    digitizing = Tree.SubElement(root if properties is None else properties, "Digitizing")
    add_text(digitizing, "TopologicalEditing", "1", type="int")
    add_text(digitizing, "AvoidIntersectionsMode", "2", type="int")
    avoided = Tree.SubElement(digitizing, "AvoidIntersectionsList", type="QStringList")
    for key in edited:
        add_text(avoided, "value", key)


def _describe(parent: Tree.Element, *, name: str) -> None:
    """Add how a layer is drawn and, of the grids, how they are edited."""
    _draw(parent, style=STYLES[name])
    if name != _EDITED:
        return
    options = Tree.SubElement(
        parent, "geometryOptions", geometryPrecision=_PRECISION_M, removeDuplicateNodes="1"
    )
    checks = Tree.SubElement(options, "activeChecks", type="StringList")
    Tree.SubElement(checks, "Option", type="QString", value="QgsIsValidCheck")
    aliases = Tree.SubElement(parent, "aliases")
    editable = Tree.SubElement(parent, "editable")
    for number, (field, (title, is_stated)) in enumerate(_FIELDS.items(), start=1):
        Tree.SubElement(aliases, "alias", field=field, index=str(number), name=title)
        Tree.SubElement(editable, "field", name=field, editable="1" if is_stated else "0")


def _draw(parent: Tree.Element, *, style: Style) -> None:
    renderer = Tree.SubElement(parent, "renderer-v2", type="singleSymbol")
    symbols = Tree.SubElement(renderer, "symbols")
    kind = {"Polygon": "fill", "Line": "line", "Point": "marker"}[style.shape]
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
    elif kind == "marker":
        options = {
            "name": "circle",
            "size": "1.4",
            "size_unit": "MM",
            "color": style.fill,
            "outline_color": style.line,
            "outline_width": width,
        }
        drawn = Tree.SubElement(symbol, "layer", attrib={"class": "SimpleMarker", "enabled": "1"})
    else:
        options = {"line_color": style.line, "line_width": width, "line_width_unit": "MM"}
        drawn = Tree.SubElement(symbol, "layer", attrib={"class": "SimpleLine", "enabled": "1"})
    table = Tree.SubElement(drawn, "Option", type="Map")
    for key, value in options.items():
        Tree.SubElement(table, "Option", name=key, value=value, type="QString")
    if style.label is not None:
        labelling = Tree.SubElement(parent, "labeling", type="simple")
        settings = Tree.SubElement(labelling, "settings")
        text = Tree.SubElement(
            settings,
            "text-style",
            fieldName=style.label,
            isExpression="1",
            fontSize="8",
            textColor=style.line,
        )
        Tree.SubElement(
            text,
            "text-buffer",
            bufferDraw="1",
            bufferSize="0.8",
            bufferSizeUnits="MM",
            bufferColor="255,255,255,255",
        )
