"""Answers as a table: one row per case, built column by column from a solution."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from api.arrow import Pieces, coded, floats, joined_texts, pieces_of
from api.cells import whole
from api.doubts import Bits, names_of
from api.edition import LEVELS, Edition
from api.numbering import number_values
from api.owning.owner_table import COMPONENT_LEVEL
from api.placing.locate import SOURCES
from api.solution import Solution

LEAST_ALTERNATIVE = 0.005
"""Another unit less probable than this is not told."""
_TEXT = pa.string()
_MANY = 1_000
"""Texts of a coded column that are sorted out for those in use."""
_BY_RECORD = "component:"
_SOURCES = (*SOURCES, "none")
_CODED = pa.dictionary(pa.int32(), _TEXT)
ANSWER_SCHEMA = pa.schema(
    {
        "grid_code": _CODED,
        "grid_probability": pa.float64(),
        "district_code": _CODED,
        "street_code": _CODED,
        "community_code": _CODED,
        "component_code": _TEXT,
        "component_distance_m": pa.float64(),
        "unit_code": _CODED,
        "unit_name": _CODED,
        "role": _CODED,
        "rule": _TEXT,
        "limit_value": pa.float64(),
        "limit_unit": _CODED,
        "probability": pa.float64(),
        "alternative_unit_code": _CODED,
        "alternative_probability": pa.float64(),
        "needs_review": pa.bool_(),
        "reasons": _CODED,
        "location_source": _CODED,
        "location_x": pa.float64(),
        "location_y": pa.float64(),
        "data_version": _CODED,
    }
)
"""Columns of a table of answers: the same whatever the cases are, and for none."""
PLAIN_SCHEMA = pa.schema(
    [field.with_type(_TEXT) if field.type == _CODED else field for field in ANSWER_SCHEMA]
)
"""The same with every text written out."""


def plain(answers: pa.Table) -> pa.Table:
    """Return answers with every text written out.

    Examples
    --------
    >>> plain(ANSWER_SCHEMA.empty_table()).schema == PLAIN_SCHEMA
    True
    """
    return answers.cast(PLAIN_SCHEMA)


def tabulate(solution: Solution, *, order: NDArray[np.intp] | None = None) -> pa.Table:
    """Return a solution as a table of `ANSWER_SCHEMA`, one row per case.

    Parameters
    ----------
    solution : Solution
        The cases decided.
    order : ndarray or None
        Row of each case of the solution; None: they lie in the order of the rows.
    """
    edition, owners = solution.edition, solution.owners
    back = slice(None) if order is None else _inverse(order)
    arrays, number, placed = owners.arrays, solution.number[back], solution.placed
    unit, role, limit_unit = arrays.unit[number], arrays.role[number], arrays.limit_unit[number]
    is_told = solution.other_probability >= LEAST_ALTERNATIVE
    other = np.where(is_told, solution.mixtures.other, -1)[back]
    units = pa.array(owners.units.texts, type=_TEXT)
    source = placed.source_number[back]
    columns: dict[str, Any] = {
        "grid_code": coded(solution.grid.position[back], _codes_of(edition, "grid")),
        "grid_probability": solution.grid_probability[back],
        **_areas(solution, back),
        **_component(solution, number, back),
        "unit_code": coded(unit, units),
        "unit_name": coded(unit, pa.array(owners.unit_names, type=_TEXT)),
        "role": coded(role, pa.array(owners.roles.texts, type=_TEXT)),
        "limit_value": floats(arrays.limit_value[number]),
        "limit_unit": coded(limit_unit, pa.array(owners.limit_units.texts, type=_TEXT)),
        "probability": solution.probability[back],
        "alternative_unit_code": coded(other, units),
        "alternative_probability": floats(solution.other_probability[back], known=other >= 0),
        "needs_review": solution.needs_review[back],
        "reasons": _reasons(solution.doubts[back]),
        "location_source": coded(np.where(source < 0, len(SOURCES), source), pa.array(_SOURCES)),
        "location_x": floats(placed.x[back]),
        "location_y": floats(placed.y[back]),
        "data_version": coded(np.zeros_like(number), pa.array([edition.snapshot.version])),
    }
    arrays_of = [pa.array(columns[name]) for name in ANSWER_SCHEMA.names]
    return pa.Table.from_arrays(arrays_of, schema=ANSWER_SCHEMA)


def _inverse(order: NDArray[np.intp]) -> NDArray[np.intp]:
    inverse = np.empty(len(order), dtype=np.intp)
    inverse[order] = np.arange(len(order))
    return inverse


def joined(parts: Sequence[pa.Table]) -> pa.Table:
    """Return tables of answers as one, coded columns with few texts that are not in use."""
    columns = [
        _joined([part.column(number) for part in parts], field.type)
        for number, field in enumerate(ANSWER_SCHEMA)
    ]
    return pa.Table.from_arrays(columns, schema=ANSWER_SCHEMA)


def _joined(columns: Sequence[pa.ChunkedArray], kind: pa.DataType) -> pa.ChunkedArray:
    chunks = [chunk for column in columns for chunk in column.chunks]
    whole = pa.chunked_array(chunks, type=kind)
    if kind != _CODED or not chunks:
        return whole
    dictionaries = [chunk.dictionary for chunk in chunks]
    # Texts that lie in one place are equal: most blocks share those of the edition.
    if len({tuple(_places(texts)) for texts in dictionaries}) > 1:
        whole = whole.unify_dictionaries()
    return _compact(whole)


def _places(texts: pa.StringArray) -> Iterator[int]:
    yield from (len(texts), texts.offset)
    yield from (buffer.address if buffer else 0 for buffer in texts.buffers())


def _compact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column coded by many texts with only those in use, in their order."""
    texts = column.chunk(column.num_chunks - 1).dictionary
    if len(texts) < _MANY:
        return column
    numbers = [_numbers(chunk) for chunk in column.chunks]
    is_used = np.zeros(len(texts) + 1, dtype=bool)
    for number in numbers:
        is_used[number] = True
    used = np.flatnonzero(is_used[:-1])
    if len(used) == len(texts):
        return column
    place = np.full(len(is_used), -1, dtype=np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    kept = texts.take(pa.array(used))
    return pa.chunked_array([coded(place[number], kept) for number in numbers], type=_CODED)


def _numbers(column: pa.DictionaryArray) -> NDArray[np.int32]:
    """Return the numbers of the texts of a coded column, -1 where one is missing."""
    numbers = column.indices
    if numbers.null_count:
        numbers = pc.fill_null(numbers, -1)
    found: NDArray[np.int32] = numbers.to_numpy(zero_copy_only=False)
    return found


def _codes_of(edition: Edition, level: str) -> pa.StringArray:
    """Return the codes of the unit grids or of the areas of a level, by position."""

    def made() -> pa.StringArray:
        cells = edition.grids if level == "grid" else edition.areas[level]
        return cells.codes.column

    codes: pa.StringArray = edition.kept(("codes", level), made)
    return codes


def _areas(solution: Solution, back: Any) -> dict[str, Any]:
    columns = {}
    for level in LEVELS:
        located = solution.areas[level]
        inside = np.where(located.distance_m == 0.0, located.position, -1)[back]
        columns[f"{level}_code"] = coded(inside, _codes_of(solution.edition, level))
    return columns


def _component(solution: Solution, number: NDArray[np.int32], back: Any) -> dict[str, Any]:
    """Return code and distance of the component, and the rule: ``component:CODE:ROLE`` if its record decided."""
    matches, owners = solution.matches, solution.owners
    row = matches.chosen[back]
    distance_m = np.full(len(number), np.nan)
    distance_m[matches.question[::-1]] = matches.distance_m[::-1]
    codes: Pieces = solution.edition.kept("code pieces", lambda: _code_pieces(solution.edition))
    rules, roles = owners.rules.texts, owners.roles.texts
    ends = pieces_of(pa.array([*rules, _BY_RECORD, *(f":{role}" for role in roles)], type=_TEXT))
    by_record = owners.arrays.level[number] == COMPONENT_LEVEL
    head = np.where(by_record, len(rules), owners.arrays.rule[number])
    tail = np.where(by_record, owners.arrays.role[number] + np.int32(len(rules) + 1), -1)
    code, rule = joined_texts(row, (head, tail), of=(codes, ends))
    return {
        "component_code": code,
        "component_distance_m": floats(distance_m[back]),
        "rule": rule,
    }


def _code_pieces(edition: Edition) -> Pieces:
    return pieces_of(whole(edition.snapshot.table("components")["code"]))


def _reasons(doubts: Bits) -> pa.DictionaryArray:
    which, distinct = number_values(doubts)
    texts = [";".join(names_of(bits)) for bits in distinct.tolist()]
    return coded(which, pa.array(texts, type=_TEXT))
