"""What an export says of the version it was made from, so that edits to it can be merged three ways.

Every exported row has `BASE_BUILD` and `BASE_HASH`: ``build_id`` and ``content_hash`` of the version in
``components.component`` that was written. With the row's code the hash names one version in the history,
also after a roll back: that is the base of a three-way merge. A row without hash was made in the field.
Neither column is an attribute of a component: a load drops both.

A GeoPackage has in its table ``wanmi_stamp`` (`gis.geopackage.read_stamp`) what holds of all rows:
``kind`` (`KIND`), ``build_id`` (newest live build of components, empty: none), ``data_version`` (hash over
the live versions of what was exported), ``as_of``, ``exported_at``, ``city``, ``standard``, ``crs``,
``rows``, ``layers`` (comma separated), ``classes`` and ``districts`` (what was asked for; empty: all). The other
formats have the same as JSON in a file beside them, named by `stamp_path`.
"""

from pathlib import Path

BASE_BUILD = "base_build"
"""Build that wrote the exported version of the row."""
BASE_HASH = "base_hash"
"""``content_hash`` of the exported version of the row."""
KIND = "components"
"""What a stamp says in ``kind`` when its file is an export of components."""


def stamp_path(path: Path) -> Path:
    """Return where the stamp of an export lies that is no GeoPackage.

    Examples
    --------
    >>> stamp_path(Path("out/components.shp")).as_posix()
    'out/components.wanmi.json'
    """
    return path.with_suffix(".wanmi.json")
