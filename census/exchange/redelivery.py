"""The ``delivery.toml`` beside an export, with which `wanmi build` loads the files again."""

from collections.abc import Mapping
from pathlib import Path

import orjson
import pandas as pd

from census.exchange.rows import ExportRows
from census.exchange.writing import Written
from gis.errors import DeliveryError
from gis.fields import map_fields

MANIFEST = "delivery.toml"


def write_manifest(
    folder: Path, rows: ExportRows, *, written: Written, stamp: Mapping[str, str], name: str
) -> bool:
    """Write the manifest and return True; None is written where a load would lose or change something.

    That is so where texts were cut, where the columns are those of a standard that knows no attributes,
    where shapes are only in words, where there are no rows, and where the name of an attribute would be
    taken for a column's.

    The delivery is called by `name`, that of the folder as it will be: a conflict then says whose it is.
    """
    is_derived = any(column.role == "derived" for column in rows.columns.values())
    if is_derived or not written.is_whole or rows.table.empty:
        return False
    fields = {
        column.column: name
        for name, column in rows.columns.items()
        if column.role != "stamp" and name != column.column
    }
    fields |= {key: name for key, name in rows.attributes.items() if key != name.lower()}
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in rows.table})
    try:
        map_fields(empty, dataset="components", stated=fields)
    except DeliveryError:
        return False
    title = f"{name}, export of build {stamp['build_id'] or 'none'}"
    parts = [
        "# Written by an export: `wanmi build` of this folder changes nothing that was not edited.\n"
        f"[delivery]\nname = {_quoted(title)}\nas_of = {stamp['as_of']}\n"
    ]
    parts += [_layer_text(file, layer, stamp["crs"], fields) for file, layer, _ in written.layers]
    (folder / MANIFEST).write_text("\n".join(parts), encoding="utf-8")
    return True


def _layer_text(file: str, layer: str, crs: str, fields: Mapping[str, str]) -> str:
    text = f'[[layer]]\ndataset = "components"\npath = {_quoted(file)}\n'
    if layer:
        text += f"layer = {_quoted(layer)}\n"
    if file.endswith(".csv"):
        text += f'x_field = "x"\ny_field = "y"\ncrs = {_quoted(crs)}\n'
    if fields:
        pairs = "".join(f"{_quoted(key)} = {_quoted(name)}\n" for key, name in fields.items())
        text += f"[layer.fields]\n{pairs}"
    return text


def _quoted(text: str) -> str:
    """Return a TOML string; JSON's escapes are TOML's."""
    return orjson.dumps(text).decode()
