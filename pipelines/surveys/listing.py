"""Conflicts for people and programs: documents, and a layer to look at on a map."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd

from census.merging.wording import shown
from gis.outputs import appearing
from gis.vector import write_vector

_COLUMNS = (
    "conflict_id",
    "status",
    "kind",
    "code",
    "live_code",
    "base_code",
    "field",
    "delivery",
    "build_id",
    "base_build_id",
    "source_file",
    "source_row",
    "found_at",
    "decision",
    "because",
    "decided_by",
    "decided_at",
    "applied_build_id",
    "is_stale",
)
_SIDES = ("base", "live", "delivered")


def conflict_documents(conflicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Return conflicts as documents: ``…_value`` in full and ``…_text`` in short for each side."""
    documents = []
    for entry in conflicts.to_dict("records"):
        document = {name: _plain(entry[name]) for name in _COLUMNS}
        for side in _SIDES:
            value = entry[f"{side}_value"]
            document[f"{side}_value"] = value
            document[f"{side}_text"] = shown(value)
        documents.append(document)
    return documents


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, pd.Timestamp) else value


def write_conflict_layer(conflicts: gpd.GeoDataFrame, path: Path) -> None:
    """Write conflicts as a layer ``conflicts`` in the city's CRS, values as text, whole or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    documents = conflict_documents(conflicts)
    for document in documents:
        for side in _SIDES:
            document[f"{side}_value"] = orjson.dumps(document[f"{side}_value"]).decode()
    columns = [*_COLUMNS, *(f"{side}_{form}" for side in _SIDES for form in ("text", "value"))]
    table = pd.DataFrame(documents, columns=columns)
    layer = gpd.GeoDataFrame(table, geometry=list(conflicts.geometry), crs=conflicts.crs)
    with appearing(path) as partial:
        write_vector(layer, partial, layer="conflicts")
