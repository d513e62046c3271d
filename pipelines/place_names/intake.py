"""What a delivery brings of place names: rows of tables, labels of maps, and what is live."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.remarks import Remark
from pipelines.context import BuildContext
from pipelines.place_names.annotations import is_annotation, read_annotations
from pipelines.place_names.labels import plain_text
from pipelines.place_names.texts import each
from pipelines.values import code_of, name_of, text_of

DATASET = "place_names"
TABLE, LABELS, MAP = "table", "labels", "map"
SOURCES = {
    TABLE: "rows of tables",
    LABELS: "layers of labels 注记图层",
    MAP: "annotations among the base topography",
}
"""Where a place name is from."""
SAME_PLACE_M = 300.0
"""A label of the name of a row of a table, no farther from it, names the same place."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Rows to judge."""

    frame: gpd.GeoDataFrame
    """Rows of tables as delivered, then one row per name read from labels; ``source``,
    ``feature_code`` and ``feature_name`` added."""
    live: pd.DataFrame
    """Place names that hold so far."""
    sources: tuple[str, ...]
    """Sources of which this is all: live rows of them that it lacks end."""
    remarks: tuple[Remark, ...]


def gather(frame: gpd.GeoDataFrame, context: BuildContext) -> Delivered:
    """Return what is to be judged: rows delivered, and names read from labels that no row has yet."""
    labelled = _flag(frame, "is_annotation")
    table = frame[~labelled].assign(source=TABLE, feature_code=None, feature_name=None)
    features = context.features("topography")
    written = features[is_annotation(features["feature_class"])]
    sources = ((LABELS, frame[labelled]), (MAP, written))
    parts, remarks = [table], []
    for source, texts in sources:
        if texts.empty:
            continue
        reading = read_annotations(_texts(texts), features)
        names = _tied(reading.names.assign(source=source), parts)
        parts.append(names)
        remarks.append(
            Remark(
                en=f"{reading.texts} labels of the map gave {len(reading.names)} names; {reading.no_names} are "
                "no names (heights, materials, kinds of ground).",
                zh=f"地图上的 {reading.texts} 条注记得出 {len(reading.names)} 个地名；"
                f"{reading.no_names} 条不是地名（高程、材料、地类）。",
            )
        )
    whole = pd.concat(parts, ignore_index=True) if len(parts) > 1 else table.reset_index(drop=True)
    given = [TABLE] * bool(len(table)) + [LABELS] * bool(labelled.any()) + [MAP]
    return Delivered(
        frame=gpd.GeoDataFrame(whole, geometry="geometry", crs=frame.crs),
        live=_live(context),
        sources=tuple(given),
        remarks=tuple(remarks),
    )


def _flag(frame: pd.DataFrame, column: str) -> "pd.Series[bool]":
    if column not in frame:
        return pd.Series(False, index=frame.index)
    return frame[column].eq(True)


def _texts(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return labels with the class they have: their own, else that of their layer."""
    own, of_layer = code_of(frame, "feature_class"), code_of(frame, "class_code")
    feature_class = own.where(own.notna(), of_layer)
    return gpd.GeoDataFrame(
        {
            "name": text_of(frame, "name"),
            "feature_class": feature_class,
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )


def _tied(names: gpd.GeoDataFrame, known: list[pd.DataFrame]) -> gpd.GeoDataFrame:
    """Return the names that no known row has at that place; the others tie their row to its feature."""
    new = pd.Series(True, index=names.index)
    for part in known:
        if part.empty or names.empty:
            continue
        text = each(name_of(part, "name"), plain_text)
        rows: dict[str, list[object]] = {}
        for row, value in text.dropna().items():
            rows.setdefault(value, []).append(row)
        for label in names.index[new]:
            at = _nearest(
                part.geometry, rows.get(names.at[label, "name"], []), names.geometry[label]
            )
            if at is not None:
                new[label] = False
                part.loc[at, "feature_code"] = names.at[label, "feature_code"]
    return names[new]


def _nearest(geometry: gpd.GeoSeries, rows: list[object], shape: shapely.Geometry) -> object | None:
    if not rows:
        return None
    apart = shapely.distance(geometry.loc[rows].to_numpy(), shape)
    apart = np.where(np.isnan(apart), np.inf, apart)
    best = int(np.argmin(apart))
    return rows[best] if apart[best] <= SAME_PLACE_M else None


def _live(context: BuildContext) -> pd.DataFrame:
    return context.rows(DATASET)
