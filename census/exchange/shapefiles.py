"""Exports as shapefiles: GBK with its ``.cpg``, names of 10 bytes, nothing cut in silence."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from census.exchange.columns import cut_text
from census.exchange.rows import ExportRows, arrow_table
from census.exchange.writing import LAYER_KINDS, Part, Written
from gis.vector import write_table

TEXT_BYTES = 254
"""What a DBF keeps of a text."""
LONG_TEXTS = "long_texts.csv"
NAMES = "names.csv"


def write_shapefiles(
    rows: ExportRows, folder: Path, *, parts: list[Part], crs: str, encoding: str
) -> Written:
    """Write one shapefile per part, with ``.cpg`` and ``.prj``, and the table of names beside.

    Text of more than 254 bytes is cut at a whole character and listed whole in ``long_texts.csv``;
    characters that the encoding does not have make all files UTF-8, which is told.
    """
    warnings: list[str] = []
    bad = first_unwritable(rows, encoding)
    if bad is not None:
        warnings.append(f"{encoding} can not write {bad}: the shapefiles are UTF-8.")
        encoding = "UTF-8"
    table, long = _cut_texts(rows, encoding)
    cut = ExportRows(**{**vars(rows), "table": table})
    for part in parts:
        write_table(
            arrow_table(cut, part.mask),
            folder / f"{part.name}.shp",
            layer=part.name,
            kind=LAYER_KINDS[part.kind],
            crs=crs,
            encoding=encoding,
        )
    _write_names(rows, folder / NAMES)
    if long:
        _write_csv(folder / LONG_TEXTS, ("code", "column", "text"), long)
        warnings.append(
            f"{len(long):,} texts have more than {TEXT_BYTES} bytes: cut in the shapefile, whole in {LONG_TEXTS}."
        )
    return Written(
        layers=tuple((f"{part.name}.shp", "", int(part.mask.sum())) for part in parts),
        warnings=tuple(warnings),
        is_whole=not long,
        encoding=encoding,
    )


def first_unwritable(rows: ExportRows, encoding: str) -> str | None:
    """Return which text an encoding can not write first, with its row; None: it writes all."""
    for name in rows.table.columns:
        for value in rows.table[name].dropna().unique():
            if isinstance(value, str) and not value.isascii():
                try:
                    value.encode(encoding)
                except UnicodeEncodeError as error:
                    first = rows.table.loc[rows.table[name].eq(value), rows.key].iloc[0]
                    return f"{value[error.start]} ({name} of {first})"
    return None


def _cut_texts(rows: ExportRows, encoding: str) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Return the table with texts cut to 254 bytes, and code, column and text of those that were."""
    table, long = rows.table.copy(), []
    for name in table.columns:
        values = table[name].copy()
        if values.dtype != object:
            continue
        # No character takes more than four bytes, so shorter texts need no encoding to be measured.
        texts = [
            v for v in values.dropna().unique() if isinstance(v, str) and len(v) * 4 > TEXT_BYTES
        ]
        candidates = values[values.isin(texts)] if texts else values.iloc[:0]
        for index, text in candidates.items():
            short = cut_text(text, TEXT_BYTES, encoding)
            if short != text:
                long.append((str(table.at[index, rows.key]), str(name), text))
                values.at[index] = short
        table[name] = values
    return table, long


def _write_names(rows: ExportRows, path: Path) -> None:
    """Write which platform column or attribute each column of the files is."""
    lines = [
        (name, column.column, column.title_zh, column.title_en)
        for name, column in rows.columns.items()
    ]
    lines += [
        (written, attribute, "", "attribute") for attribute, written in rows.attributes.items()
    ]
    _write_csv(path, ("column", "platform_column", "title_zh", "title_en"), lines)


def _write_csv(path: Path, head: tuple[str, ...], lines: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(lines)
