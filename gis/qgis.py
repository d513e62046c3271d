"""QGIS projects over the layers of a GeoPackage that lies beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Tree

from gis.crs import parse_crs

VERSION = "3.22.0"
"""Version that projects and styles are written for; later ones read them."""
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


@dataclass(frozen=True, kw_only=True)
class ProjectLayer:
    """A layer of a project."""

    name: str
    """Layer in the GeoPackage."""
    title: str
    """Name for people."""
    shape: str
    """Point, Line or Polygon."""
    is_locked: bool
    """It can be looked at but not edited."""
    describe: Callable[[Tree.Element], None]
    """Adds symbols, labels and forms to the layer's element."""

    @property
    def key(self) -> str:
        """Id in the project: QGIS gives another to one of ten letters or fewer, and loses the layer."""
        return f"wanmi_layer_{self.name}"


def project_tree(
    title: str,
    file_name: str,
    layers: Sequence[ProjectLayer],
    *,
    crs: str,
    extent: tuple[float, float, float, float],
) -> Tree.Element:
    """Return a project over layers of a GeoPackage beside it.

    Parameters
    ----------
    title : str
        Title of the project.
    file_name : str
        Name of the GeoPackage.
    layers : sequence of ProjectLayer
        The layers, the topmost first.
    crs : str
        The city's CRS.
    extent : tuple of float
        West, south, east, north of what is shown first, m.
    """
    root = Tree.Element("qgis", projectname=title, version=VERSION)
    _crs(Tree.SubElement(root, "projectCrs"), crs)
    tree = Tree.SubElement(root, "layer-tree-group")
    for layer in layers:
        Tree.SubElement(
            tree,
            "layer-tree-layer",
            id=layer.key,
            name=layer.title,
            checked="Qt::Checked",
            expanded="0",
            providerKey="ogr",
            source=_source(file_name, layer),
        )
    canvas = Tree.SubElement(root, "mapcanvas", name="theMapCanvas")
    add_text(canvas, "units", "meters")
    box = Tree.SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        add_text(box, name, f"{value:.2f}")
    _crs(Tree.SubElement(canvas, "destinationsrs"), crs)
    shown = Tree.SubElement(root, "projectlayers")
    for layer in layers:
        _add_layer(shown, layer, file_name=file_name, crs=crs)
    properties = Tree.SubElement(root, "properties")
    # Without it QGIS leaves the project without a CRS, whatever <projectCrs> says.
    reference = Tree.SubElement(properties, "SpatialRefSys")
    add_text(reference, "ProjectionsEnabled", "1", type="int")
    return root


def write_tree(root: Tree.Element) -> str:
    """Return the text of a project or style."""
    Tree.indent(root)
    return _DOCTYPE + Tree.tostring(root, encoding="unicode")


def add_text(parent: Tree.Element, name: str, text: str, **attributes: str) -> None:
    """Add an element that holds a text."""
    Tree.SubElement(parent, name, attrib=attributes).text = text


def _add_layer(parent: Tree.Element, layer: ProjectLayer, *, file_name: str, crs: str) -> None:
    entry = Tree.SubElement(
        parent,
        "maplayer",
        type="vector",
        geometry=layer.shape,
        readOnly="1" if layer.is_locked else "0",
        labelsEnabled="1",
    )
    add_text(entry, "id", layer.key)
    add_text(entry, "datasource", _source(file_name, layer))
    add_text(entry, "layername", layer.title)
    _crs(Tree.SubElement(entry, "srs"), crs)
    add_text(entry, "provider", "ogr", encoding="UTF-8")
    layer.describe(entry)


def _crs(parent: Tree.Element, crs: str) -> None:
    known = parse_crs(crs)
    system = Tree.SubElement(parent, "spatialrefsys", nativeFormat="Wkt")
    add_text(system, "wkt", known.to_wkt())
    code = known.to_epsg()
    if code is not None:
        add_text(system, "srid", str(code))
        add_text(system, "authid", f"EPSG:{code}")


def _source(file_name: str, layer: ProjectLayer) -> str:
    return f"./{file_name}|layername={layer.name}"
