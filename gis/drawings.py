"""CAD drawings (DXF): entities as rows, block attributes as columns, texts as labels of what they name.

GDAL trusts the code page that the header names, and does not decode names of blocks at all; so the
file is brought to UTF-8 first, by evidence like every other file.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.encoding import EncodingDecision, decide_encoding, decode_values
from gis.errors import FileFormatError
from gis.remarks import Remark

ENTITIES = "entities"
"""The layer that GDAL puts all entities in; the drawing's own layers are a column of it."""
LABEL_DISTANCE_M = 3.0
"""A text farther from a component does not name it."""
_BINARY = b"AutoCAD Binary DXF"
_ESCAPE = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_KEPT = {"Layer": "layer", "BlockName": "block", "EntityHandle": "handle"}
_OWN = (*_KEPT.values(), "label")


@contextmanager
def opened_drawing(path: Path, *, encoding: str | None) -> Iterator[tuple[Path, EncodingDecision]]:
    """Yield a copy of a drawing in UTF-8, and which encoding it was in.

    Raises
    ------
    FileFormatError
        It is a binary drawing, or no drawing.
    EncodingError
        The encoding can not be decided, or the stated one does not fit.
    """
    data = path.read_bytes()
    if data.startswith(_BINARY):
        msg = f"{path.name} is a binary drawing: save it as an ASCII .dxf."
        raise FileFormatError(msg, zh=f"{path.name} 是二进制 DXF：请另存为 ASCII 格式的 .dxf。")
    if b"SECTION" not in data[:4096]:
        msg = f"{path.name} is no drawing, or damaged at its start: save it again as .dxf."
        raise FileFormatError(msg, zh=f"{path.name} 不是 DXF 图形或已损坏：请重新另存为 .dxf。")
    lines = data.split(b"\n")
    decision = decide_encoding(lines, stated=encoding)
    text = "\n".join(decode_values(lines, codec=decision.codec).values)
    text = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    with tempfile.TemporaryDirectory(prefix="wanmi-") as folder:
        plain = Path(folder, "drawing.dxf")
        plain.write_bytes(text.encode("utf-8", errors="replace"))
        yield plain, decision


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Components of a drawing, and what is to be said of the rest."""

    attributes: pd.DataFrame
    """``layer``, ``block``, ``handle``, ``label``, and one column per attribute of blocks."""
    geometry: NDArray[np.object_]
    rows: NDArray[np.int64]
    """1-based position among the drawing's entities."""
    layers: tuple[str, ...]
    """All layers of the drawing that hold more than texts, sorted."""
    warnings: tuple[Remark, ...] = ()


def read_texts(
    entities: pd.DataFrame, geometry: NDArray[np.object_], *, layer: str | None = None
) -> Drawing:
    """Return the texts of a drawing in model space as rows, what they say in column ``text``.

    Parameters
    ----------
    entities, geometry
        As for `read_entities`.
    layer : str or None
        Only this layer of the drawing; None: all.
    """
    in_paper = _column(entities, "PaperSpace").fillna(0).astype(float).eq(1).to_numpy()
    text, names = _column(entities, "Text"), _column(entities, "Layer")
    is_text = (text.notna() & _column(entities, "BlockName").isna()).to_numpy() & ~in_paper
    kept = is_text if layer is None else is_text & names.eq(layer).to_numpy()
    columns: dict[str, Any] = {new: _column(entities, old) for old, new in _KEPT.items()}
    attributes = pd.DataFrame(columns | {"text": text})[kept].reset_index(drop=True)
    return Drawing(
        attributes=attributes.astype(object).where(attributes.notna(), None),
        geometry=geometry[kept],
        rows=np.flatnonzero(kept) + 1,
        layers=tuple(sorted(names[is_text].dropna().astype(str).unique())),
    )


def read_entities(
    entities: pd.DataFrame, geometry: NDArray[np.object_], *, layer: str | None = None
) -> Drawing:
    """Return the entities of a drawing as rows: those in model space that are no text.

    A text is the label of the block or point that it is nearest to, if that has no nearer text and is
    within `LABEL_DISTANCE_M` drawing units. Texts and paper space are counted, never rows.

    Parameters
    ----------
    entities : pandas.DataFrame
        Columns as GDAL names them, with blocks not taken apart.
    geometry : numpy.ndarray
        Their shapes, in the drawing's units.
    layer : str or None
        Only this layer of the drawing; None: all.
    """
    in_paper = _column(entities, "PaperSpace").fillna(0).astype(float).eq(1).to_numpy()
    text = _column(entities, "Text")
    block = _column(entities, "BlockName")
    is_text = (text.notna() & block.isna()).to_numpy() & ~in_paper
    is_thing = ~is_text & ~in_paper
    names = _column(entities, "Layer")
    layers = tuple(sorted(names[is_thing].dropna().astype(str).unique()))
    label = _labels(geometry, text, is_text=is_text, is_thing=is_thing)
    kept = is_thing if layer is None else is_thing & names.eq(layer).to_numpy()
    columns: dict[str, Any] = {new: _column(entities, old) for old, new in _KEPT.items()}
    columns["label"] = label
    attributes = pd.DataFrame(columns)[kept]
    extra = _block_attributes(_column(entities, "BlockAttributes")[kept])
    attributes = pd.concat([attributes, extra], axis="columns").reset_index(drop=True)
    attributes = attributes.astype(object).where(attributes.notna(), None)
    return Drawing(
        attributes=attributes,
        geometry=geometry[kept],
        rows=np.flatnonzero(kept) + 1,
        layers=layers,
        warnings=tuple(_words(is_text, in_paper, label, kept)),
    )


def _words(
    is_text: NDArray[np.bool_],
    in_paper: NDArray[np.bool_],
    label: "pd.Series[Any]",
    kept: NDArray[np.bool_],
) -> list[Remark]:
    words = []
    if is_text.any():
        count, used = is_text.sum(), label[kept].notna().sum()
        words.append(
            Remark(
                en=f"{count} texts of the drawing are no rows; {used} of them "
                f"label the entity within {LABEL_DISTANCE_M:g} m of them, in column label.",
                zh=f"图中 {count} 个文字不作为记录；其中 {used} 个标注 {LABEL_DISTANCE_M:g} 米内的图元，"
                "写入 label 列。",
            )
        )
    if in_paper.any():
        words.append(
            Remark(
                en=f"{in_paper.sum()} entities lie in paper space and are not read.",
                zh=f"{in_paper.sum()} 个图元位于图纸空间，未读取。",
            )
        )
    return words


def _column(entities: pd.DataFrame, name: str) -> "pd.Series[Any]":
    if name in entities:
        return entities[name].astype(object)
    return pd.Series(None, index=entities.index, dtype=object)


def _labels(
    geometry: NDArray[np.object_],
    text: "pd.Series[Any]",
    *,
    is_text: NDArray[np.bool_],
    is_thing: NDArray[np.bool_],
) -> "pd.Series[Any]":
    """Return for each entity the text that names it; the lowest of equals."""
    label = pd.Series(None, index=text.index, dtype=object)
    is_point = shapely.get_type_id(geometry) == 0
    things = np.flatnonzero(is_thing & is_point)
    texts = np.flatnonzero(is_text & is_point)
    if len(things) == 0 or len(texts) == 0:
        return label
    nearest_thing = _nearest(geometry[texts], geometry[things])
    nearest_text = _nearest(geometry[things], geometry[texts])
    for place, thing in enumerate(nearest_thing):
        if thing >= 0 and nearest_text[thing] == place:
            label.iloc[things[thing]] = text.iloc[texts[place]]
    return label


def _nearest(sources: NDArray[np.object_], targets: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the position of the nearest target of each source; -1: none within the distance."""
    found = np.full(len(sources), -1, dtype=np.int64)
    pairs = shapely.STRtree(targets).query_nearest(
        sources, max_distance=LABEL_DISTANCE_M, all_matches=True
    )
    for source, target in sorted(zip(*pairs.tolist(), strict=True), reverse=True):
        found[source] = target
    return found


def _block_attributes(lists: "pd.Series[Any]") -> pd.DataFrame:
    """Return one column per tag of ``TAG value`` lists; a tag called like an own column stands apart."""
    records = []
    for values in lists:
        pairs = {}
        for entry in values if isinstance(values, list | np.ndarray) else ():
            tag, _, value = str(entry).partition(" ")
            name = f"{tag}_file" if tag.lower() in _OWN else tag
            pairs[name] = value.strip() or None
        records.append(pairs)
    return pd.DataFrame.from_records(records, index=lists.index).astype(object)
