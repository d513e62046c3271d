"""Delivered columns onto platform columns: what the manifest states, else the known spellings.

The known spellings are data (``gis/codes/field_aliases.csv``), each with the standard it is from.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Text

from gis.codes import read_table
from gis.errors import DeliveryError
from gis.remarks import Remark
from gis.suggestions import suggest_columns
from gis.tables import FEATURE_TABLES, declare
from gis.tables.columns import BOOKKEEPING

RESERVED = ("geometry", "source_file", "source_row")
"""Columns that reading adds; they are never mapped."""

_SHAPEFILE_BYTES = 10  # how much of a name a DBF keeps
_ANY_SRID = 4490  # the types of the columns do not depend on it
_TABLES = {**FEATURE_TABLES, "cases": "cases.case"}
_CLOSE = 0.8


@dataclass(frozen=True, kw_only=True)
class FieldMapping:
    """A frame with platform columns, and how they came about."""

    frame: pd.DataFrame
    """Mapped columns renamed; the others keep their names, a clash with a platform name apart."""
    mapped: dict[str, str]
    """Platform column -> the file's column, in the file's order."""
    unmapped: tuple[str, ...]
    """The file's columns that no platform column stands for, named as in the frame."""
    warnings: tuple[Remark, ...] = ()
    """Names that were cut, and what unknown ones may mean."""


def map_fields(
    frame: pd.DataFrame,
    *,
    dataset: str,
    stated: Mapping[str, str] | None = None,
    local: Mapping[str, Sequence[str]] | None = None,
) -> FieldMapping:
    """Rename the file's columns to platform columns.

    A stated column wins; then a column called exactly like the platform's; then the known spellings,
    whole or cut as a shapefile cuts them. Case, blanks and full-width signs do not count. Numbers in
    columns that the platform keeps as text (codes) become text without decimals.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows as read.
    dataset : str
        Dataset of the layer, as in ``components``.
    stated : mapping or None
        ``[layer.fields]`` of the manifest: platform column -> the file's column.
    local : mapping or None
        ``[census.fields]`` of the city profile: platform column -> the city's own spellings.

    Raises
    ------
    DeliveryError
        A stated column is not in the file or not of the platform, or two columns of the file stand
        for one of the platform.

    Examples
    --------
    >>> rows = pd.DataFrame({"OBJID": ["1"], "ｄｅｐｔname1": ["市政处"], "Spec": ["x"]})
    >>> mapping = map_fields(rows, dataset="components")
    >>> mapping.mapped, mapping.unmapped
    ({'code': 'OBJID', 'competent_name': 'ｄｅｐｔname1'}, ('Spec',))
    """
    there = [str(column) for column in frame.columns if column not in RESERVED]
    chosen = _resolve_stated(stated or {}, there, dataset=dataset)
    taken = set(chosen.values())
    found: dict[str, list[str]] = {}
    for column in there:
        platform = None if column in taken else _find(column, dataset, local or {})
        if platform is not None and platform not in chosen:
            found.setdefault(platform, []).append(column)
    _refuse_doubles(found)
    chosen |= {platform: columns[0] for platform, columns in found.items()}
    by_file = {column: platform for platform, column in chosen.items()}
    mapped = {by_file[column]: column for column in there if column in by_file}
    names = {column: by_file.get(column) or _apart(column, chosen, there) for column in there}
    renamed = _codes_as_text(frame.rename(columns=names), mapped, dataset=dataset)
    unmapped = tuple(names[column] for column in there if column not in by_file)
    warnings = (
        *_cut_names(mapped, dataset=dataset, stated=stated or {}),
        *_did_you_mean([name for name in there if name not in by_file], mapped, dataset=dataset),
    )
    return FieldMapping(frame=renamed, mapped=mapped, unmapped=unmapped, warnings=warnings)


def _find(column: str, dataset: str, local: Mapping[str, Sequence[str]]) -> str | None:
    for platform, spellings in local.items():
        if platform not in platform_columns(dataset):
            msg = f"[census.fields] of wanmi.toml names {platform}, which {dataset} does not have."
            raise DeliveryError(
                msg, zh=f"wanmi.toml 的 [census.fields] 中 {platform} 不是 {dataset} 的字段。"
            )
        if plain_name(column) in map(plain_name, spellings):
            return platform
    return find_column(column, dataset=dataset)


def _cut_names(
    mapped: Mapping[str, str], *, dataset: str, stated: Mapping[str, str]
) -> list[Remark]:
    """Return what is to be said of names that were read although a shapefile cut them."""
    exact, _ = _spellings(dataset)
    words = []
    for platform, column in mapped.items():
        if platform in stated or plain_name(column) in exact:
            continue
        whole = cut_from(column, dataset=dataset)
        if whole is not None:
            words.append(
                Remark(
                    en=f"Column {column} is {whole} cut to the 10 bytes that a shapefile keeps of a "
                    f"name; read as {platform}.",
                    zh=f"列 {column} 是 {whole} 被 Shapefile 截到 10 个字节的列名，已作为 {platform} 读取。",
                )
            )
    return words


def cut_from(name: str, *, dataset: str) -> str | None:
    """Return the known spelling that a shapefile cut to this name; None: it was not cut.

    Examples
    --------
    >>> cut_from("所在单元网", dataset="components")
    '所在单元网格'
    """
    plain = plain_name(name)
    pairs = [row["alias"] for row in _alias_rows(dataset)]
    return next((alias for alias in pairs if plain in _cut_spellings(alias)), None)


def _did_you_mean(unknown: list[str], mapped: Mapping[str, str], *, dataset: str) -> list[Remark]:
    """Return what unknown names may mean, for platform columns that no other name stands for."""
    words = []
    for name in unknown:
        _, cut = _spellings(dataset)
        several = sorted(cut.get(plain_name(name), frozenset()) - set(mapped))
        guesses = several or [
            guess.column
            for guess in suggest_columns(name, known_spellings(dataset))
            if guess.column not in mapped
        ]
        if guesses:
            words.append(
                Remark(
                    en=f"Column {name} is not known: did you mean {' or '.join(guesses)}? If so, "
                    f'state {guesses[0]} = "{name}" under [layer.fields].',
                    zh=f"无法识别列 {name}：是否指 {' 或 '.join(guesses)}？如是，请在 [layer.fields] 中"
                    f'写明 {guesses[0]} = "{name}"。',
                )
            )
    return words


@cache
def known_spellings(dataset: str) -> tuple[tuple[str, str], ...]:
    """Return (column, spelling) of all known spellings, the platform's own names too."""
    own = [(column, column) for column in platform_columns(dataset)]
    return (*own, *((row["column"], row["alias"]) for row in _alias_rows(dataset)))


def find_column(name: str, *, dataset: str) -> str | None:
    """Return the platform column that a file's column stands for; None: none, or not clear which.

    Examples
    --------
    >>> find_column("glbjbsm", dataset="components"), find_column("DataSource", dataset="components")
    ('code', 'data_source')
    >>> find_column("所在单元网", dataset="components")  # 10 bytes of GBK
    'grid_code'
    """
    exact, cut = _spellings(dataset)
    plain = plain_name(name)
    if plain in exact:
        return exact[plain]
    candidates = cut.get(plain, frozenset())
    return next(iter(candidates)) if len(candidates) == 1 else None


@cache
def platform_columns(dataset: str) -> tuple[str, ...]:
    """Return the columns of a dataset that a delivery may fill."""
    declared: list[str] = []
    if dataset in _TABLES:
        table = declare(_ANY_SRID).tables[_TABLES[dataset]]
        declared = [column.name for column in table.columns]
    listed = [row["column"] for row in _alias_rows(dataset)]
    kept = [name for name in (*declared, *listed) if name not in (*BOOKKEEPING, "geom")]
    return tuple(dict.fromkeys((*kept, "class_code", "standard_ref")))


def _alias_rows(dataset: str) -> list[dict[str, str]]:
    return [
        row for row in read_table("gis.codes", "field_aliases.csv") if row["dataset"] == dataset
    ]


@cache
def _spellings(dataset: str) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Return whole spellings -> column, and cut spellings -> the columns they may stand for."""
    pairs = [(row["alias"], row["column"]) for row in _alias_rows(dataset)]
    own = [(column, column) for column in platform_columns(dataset)]
    exact = {plain_name(alias): column for alias, column in (*pairs, *own)}
    cut: dict[str, set[str]] = {}
    for alias, column in (*pairs, *own):
        for short in _cut_spellings(alias):
            cut.setdefault(short, set()).add(column)
    return exact, {short: frozenset(columns) for short, columns in cut.items()}


def _cut_spellings(alias: str) -> set[str]:
    """Return what a DBF keeps of a name, in GBK and in UTF-8; nothing of one that fits."""
    shorts = set()
    for codec in ("gbk", "utf-8"):
        encoded = alias.encode(codec, errors="ignore")
        if len(encoded) > _SHAPEFILE_BYTES:
            shorts.add(plain_name(encoded[:_SHAPEFILE_BYTES].decode(codec, errors="ignore")))
    return shorts


def plain_name(name: str) -> str:
    """Return a name without what does not count: case, blanks, full-width signs.

    Examples
    --------
    >>> plain_name("Ｏbj ID")
    'objid'
    """
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _resolve_stated(stated: Mapping[str, str], there: list[str], *, dataset: str) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for platform, wanted in stated.items():
        _check_platform(platform, dataset=dataset)
        column = _find_stated(wanted, there)
        if column in chosen.values():
            msg = f"Column {column} is stated for two platform columns: correct [layer.fields]."
            raise DeliveryError(
                msg, zh=f"列 {column} 被声明给了两个平台字段：请更正 [layer.fields]。"
            )
        chosen[platform] = column
    return chosen


def _check_platform(platform: str, *, dataset: str) -> None:
    known = platform_columns(dataset)
    if platform in known:
        return
    close = _closest(platform, known)
    if "attributes" in known and close is None:
        return  # kept under that name among the row's attributes
    hint = f"did you mean {close}?" if close else f"its columns are {', '.join(known)}."
    hint_zh = f"是否为 {close}？" if close else f"可用字段：{'、'.join(known)}。"
    msg = f"[layer.fields] names {platform}, which {dataset} does not have: {hint}"
    raise DeliveryError(msg, zh=f"[layer.fields] 中的 {platform} 不是 {dataset} 的字段：{hint_zh}")


def _find_stated(wanted: str, there: list[str]) -> str:
    if wanted in there:
        return wanted
    alike = [column for column in there if plain_name(column) == plain_name(wanted)]
    if len(alike) == 1:
        return alike[0]
    close = _closest(wanted, there)
    hint = f" (closest: {close})" if close else ""
    hint_zh = f"（最接近的是 {close}）" if close else ""
    msg = (
        f"[layer.fields] names column {wanted}, which the file does not have{hint}; "
        f"its columns are {', '.join(there)}."
    )
    raise DeliveryError(
        msg,
        zh=f"[layer.fields] 中的列 {wanted} 在文件中不存在{hint_zh}；文件的列为 {'、'.join(there)}。",
    )


def _closest(name: str, names: Iterable[str]) -> str | None:
    by_plain = {plain_name(other): other for other in names}
    found = difflib.get_close_matches(plain_name(name), list(by_plain), n=1, cutoff=_CLOSE)
    return by_plain[found[0]] if found else None


def _refuse_doubles(found: Mapping[str, list[str]]) -> None:
    doubles = {platform: columns for platform, columns in found.items() if len(columns) > 1}
    if not doubles:
        return
    shown = "; ".join(f"{platform}: {', '.join(names)}" for platform, names in doubles.items())
    first = next(iter(doubles))
    msg = (
        f"Several columns stand for one platform column ({shown}): state which one under "
        f'[layer.fields], as {first} = "{doubles[first][0]}".'
    )
    raise DeliveryError(
        msg,
        zh=f'多个列对应同一平台字段（{shown}）：请在 [layer.fields] 中指明，如 {first} = "{doubles[first][0]}"。',
    )


def _apart(column: str, chosen: Mapping[str, str], there: list[str]) -> str:
    """Return a name for an unmapped column that is no platform column's in this frame."""
    name = column
    while name in chosen or (name != column and name in there):
        name = f"{name}_file"
    return name


def _codes_as_text(frame: pd.DataFrame, mapped: Mapping[str, str], *, dataset: str) -> pd.DataFrame:
    if dataset not in _TABLES:
        return frame
    table = declare(_ANY_SRID).tables[_TABLES[dataset]]
    texts = {
        column: _as_text(frame[column])
        for column in mapped
        if column in table.columns
        and isinstance(table.columns[column].type, Text)
        and pd.api.types.is_numeric_dtype(frame[column])
    }
    return frame.assign(**texts)


def _as_text(column: pd.Series) -> pd.Series:
    """Return numbers as text, whole ones without decimals; None for missing."""
    values = [None if pd.isna(value) else _number_text(value) for value in column]
    return pd.Series(values, index=column.index, dtype=object)


def _number_text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
