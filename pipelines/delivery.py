"""A delivery 交付: a folder of files and the ``delivery.toml`` that says what each of them is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

MANIFEST_NAME = "delivery.toml"

Mode = Literal["replace", "update", "patch"]

DATASETS = (
    "areas",
    "topography",
    "unit_grids",
    "place_names",
    "units",
    "management_grids",
    "evaluation_grids",
    "responsibility",
    "components",
    "addresses",
    "cases",
    "imagery",
)
"""Datasets of a delivery in the order in which they are built: each needs only earlier ones."""

TEXT_KEYS = (
    "dataset",
    "path",
    "class_code",
    "class_field",
    "crs",
    "encoding",
    "layer",
    "sheet",
    "x_field",
    "y_field",
    "mode",
)
"""Keys of a layer whose values are text."""
LAYER_KEYS = (*TEXT_KEYS, "fields", "options")
"""All keys of a layer."""


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One ``[[layer]]`` of the manifest."""

    dataset: str
    """One of `DATASETS`."""
    path: str
    """File, folder or pattern (``*``, ``?``, ``**``) relative to the delivery's folder."""
    class_code: str | None = None
    """Class of all rows, for component layers of one class."""
    class_field: str | None = None
    """The file's column with the class of each row."""
    crs: str | None = None
    """CRS where the file states none, and of ``x_field``, ``y_field``."""
    encoding: str | None = None
    """Overrides the detection."""
    layer: str | None = None
    """Layer inside a GeoPackage, a FileGDB or a drawing."""
    sheet: str | None = None
    """Sheet of a workbook."""
    x_field: str | None = None
    """Column with east or longitude, for tables of points."""
    y_field: str | None = None
    """Column with north or latitude."""
    mode: Mode = "replace"
    """``replace``: live rows in the layer's reach that are not delivered are closed;
    ``update``: only delivered rows change; ``patch`` (topography): within the patch's extent alone
    live rows that are not delivered are closed."""
    fields: Mapping[str, str]
    """Platform column -> the file's column, where the spelling is not a known one."""
    options: Mapping[str, Any]
    """Settings of one dataset alone, such as the DEM of an image."""
    files: tuple[Path, ...] = ()
    """The files that `path` stands for, absolute, sorted."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A manifest that was read and whose files are all there."""

    name: str
    as_of: date
    """Day whose state the files describe."""
    root: Path
    """Absolute path of the folder."""
    layers: tuple[LayerSpec, ...]
    base: int | None = None
    """Build of components whose state the survey began from, for merging; None: the files may say."""
    source: Path | None = None
    """Absolute path of what was delivered: the folder, or the archive it was unpacked from."""
    unpacked: Path | None = None
    """Folder with what was in archives below `root`, each at its own path."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """Datasets delivered, in building order."""
        delivered = {layer.dataset for layer in self.layers}
        return tuple(name for name in DATASETS if name in delivered)

    def layers_of(self, dataset: str) -> tuple[LayerSpec, ...]:
        """Return the layers of `dataset` in the manifest's order."""
        return tuple(layer for layer in self.layers if layer.dataset == dataset)

    def name_of(self, path: Path) -> str:
        """Return `path` as the manifest would write it: relative, with forward slashes."""
        if self.unpacked is not None and path.is_relative_to(self.unpacked):
            return path.relative_to(self.unpacked).as_posix()
        return path.relative_to(self.root).as_posix()

    def source_name(self, layer: LayerSpec, path: Path) -> str:
        """Return what rows call the file they are from: with its layer or sheet where several are read."""
        name, part = self.name_of(path), layer.layer or layer.sheet
        shared = sum(path in other.files for other in self.layers_of(layer.dataset)) > 1
        return f"{name}|{part}" if part and shared else name
