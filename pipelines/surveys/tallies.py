"""What was judged, counted by file and by class."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from census.report.judgement import ClassTally, FileJudgement, UnmappedColumn
from census.taxonomy import read_taxonomy
from gis.classification import place_name_categories, topography_classes
from gis.fields import known_spellings
from gis.suggestions import suggest_columns
from pipelines.attributes import is_attribute
from pipelines.context import BuildContext
from pipelines.judging import Judged
from pipelines.layers import evidence_of, warnings_of

_PLACE = ["source_file", "source_row"]
_DISTRICT_DIGITS = 6
_SEQUENCE_DIGITS = 6
_CODE_LENGTHS = (16, 17)
_CLASS_COLUMNS = {
    "components": "class_code",
    "topography": "feature_class",
    "place_names": "category_code",
    "addresses": "kind",
}
"""Dataset -> its column that tells what a row is."""


def judge_files(judged: Judged) -> list[FileJudgement]:
    """Return the files that were read, with their rows refused and doubted, in the delivery's order."""
    faults = judged.outcome.faults
    refused = _rows_by_file(faults[faults["severity"] == "error"])
    faulty = _rows_by_file(faults)
    files = []
    for path, told in judged.request.files.items():
        entry: Any = told
        unmapped = [
            _unmapped(str(name), judged.step.dataset, taken=entry["columns"])
            for name in entry["unmapped"]
            if not (judged.step.dataset == "topography" and is_attribute(str(name)))
        ]
        files.append(
            FileJudgement(
                path=path,
                dataset=judged.step.dataset,
                rows=int(entry["rows"]),
                refused=refused.get(path, 0),
                doubted=faulty.get(path, 0) - refused.get(path, 0),
                driver=entry["driver"],
                encoding=entry["encoding"],
                encoding_evidence=evidence_of(entry),
                crs=entry["crs"],
                crs_source=entry["crs_source"],
                warnings=warnings_of(entry),
                unmapped=tuple(unmapped),
            )
        )
    return files


def _unmapped(name: str, dataset: str, *, taken: Mapping[str, str]) -> UnmappedColumn:
    known = [pair for pair in known_spellings(dataset) if pair[0] not in taken]
    guesses = suggest_columns(name, known, limit=1)
    return UnmappedColumn(name=name, suggestion=guesses[0].column if guesses else "")


def _rows_by_file(faults: pd.DataFrame) -> dict[str, int]:
    rows = faults[_PLACE].drop_duplicates()
    return {str(path): int(count) for path, count in rows["source_file"].value_counts().items()}


def classify(judged: Judged, context: BuildContext) -> pd.DataFrame:
    """Return the faults with ``class_code``: as decided, else as the layer, the row or its code says.

    Of a dataset without classes it is None.
    """
    faults = judged.outcome.faults
    accepted = judged.outcome.accepted
    column = _CLASS_COLUMNS.get(judged.step.dataset)
    if column is None or column not in accepted:
        return faults.assign(class_code=None)
    # A patch brings live rows too, after its own: they may have stood at the same place of a file.
    own = accepted.drop_duplicates(_PLACE)
    decided = own[[*_PLACE, column]].rename(columns={column: "class_code"})
    found = faults.merge(decided, on=_PLACE, how="left", validate="m:1")
    found.index = faults.index
    blank = found["class_code"].isna()
    of_layer = {
        context.delivery.source_name(layer, path): layer.class_code
        for layer in context.delivery.layers_of(judged.step.dataset)
        for path in layer.files
    }
    files: Any = judged.request.files
    column_of = {path: entry["columns"].get(column) for path, entry in files.items()}
    said = [
        of_layer.get(file)
        or _text(record.get(column_of.get(file)))
        or (_class_of_code(code) if judged.step.dataset == "components" else None)
        for file, record, code in zip(
            found.loc[blank, "source_file"],
            found.loc[blank, "record"],
            found.loc[blank, "code"],
            strict=True,
        )
    ]
    found.loc[blank, "class_code"] = pd.Series(said, index=found.index[blank], dtype=object)
    return found


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _class_of_code(code: object) -> str | None:
    """Return the class inside a component code.

    Examples
    --------
    >>> _class_of_code("1301020104000001"), _class_of_code("x")
    ('0104', None)
    """
    text = str(code)
    is_code = text.isascii() and text.isdigit() and len(text) in _CODE_LENGTHS
    return text[_DISTRICT_DIGITS:-_SEQUENCE_DIGITS] if is_code else None


def tally_classes(
    work: Iterable[Judged], faults: pd.DataFrame, *, dataset: str, names: Mapping[str, str]
) -> tuple[ClassTally, ...]:
    """Return the rows of a dataset by class: delivered, refused, doubted; the unknown ones last."""
    column = _CLASS_COLUMNS.get(dataset, "")
    accepted = [item.outcome.accepted for item in work if item.step.dataset == dataset]
    rows = faults[faults["dataset"] == dataset]
    rows = rows[[*_PLACE, "class_code", "severity"]].drop_duplicates()
    rows = rows.assign(class_code=rows["class_code"].fillna(""))
    is_error = rows["severity"] == "error"
    refused = rows[is_error].drop_duplicates(_PLACE)
    warned = rows[~is_error].drop_duplicates(_PLACE)
    warned = warned.merge(refused[_PLACE], on=_PLACE, how="left", indicator=True, validate="1:1")
    warned = warned[warned["_merge"] == "left_only"]
    counts = {
        "refused": refused["class_code"].value_counts(),
        "doubted": warned["class_code"].value_counts(),
    }
    loaded = pd.concat(
        [frame[column].fillna("") for frame in accepted if column in frame]
        or [pd.Series(dtype=object)]
    ).value_counts()
    codes = sorted({*loaded.index, *counts["refused"].index}, key=lambda code: (code == "", code))
    return tuple(
        ClassTally(
            class_code=code,
            class_name=names.get(code, ""),
            rows=int(loaded.get(code, 0)) + int(counts["refused"].get(code, 0)),
            refused=int(counts["refused"].get(code, 0)),
            doubted=int(counts["doubted"].get(code, 0)),
        )
        for code in codes
    )


def class_names(context: BuildContext, dataset: str = "components") -> dict[str, str]:
    """Return the names of a dataset's classes by code."""
    if dataset == "topography":
        return {code: entry.name for code, entry in topography_classes().items()}
    if dataset == "place_names":
        return {code: entry.name for code, entry in place_name_categories().items()}
    return _component_classes(context) if dataset == "components" else {}


def _component_classes(context: BuildContext) -> dict[str, str]:
    """Return the names of the city's component classes by code; other generations after its own."""
    names: dict[str, str] = {}
    city = context.profile.city.standard
    stated = {
        str(layer.options["standard"])
        for layer in context.delivery.layers_of("components")
        if "standard" in layer.options
    }
    for ref in (city, *sorted(stated - {city})):
        extensions = context.profile.extension_class if ref == city else ()
        for entry in read_taxonomy(ref, extensions).all("component"):
            names.setdefault(entry.code, entry.name)
    return names
