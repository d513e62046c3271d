"""Checks of a component survey: classes, codes, what the standard demands, dates.

Each function takes the tidied rows of a whole delivery, reports to `Faults`, and returns columns
aligned to the rows. Rows refused by an earlier check are not reported again.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from census.identifiers import DISTRICT_DIGITS, SEQUENCE_DIGITS, split_component_codes
from census.standing import add_once, standing
from census.survey import flag_distinct, map_distinct, read_dates, read_words
from census.taxonomy import Taxonomy
from census.wording import placeholders
from gis.faults import Faults

NAME_LENGTH = 30
"""Characters of a component's name (2026, table 2); longer ones are kept."""

LEAST_PLACEHOLDERS = 3
"""So many rows of a file with one placeholder date are no chance."""

_DEMANDED: Mapping[str, tuple[str, str]] = {
    "competent": ("competent department", "主管部门"),
    "condition": ("condition", "状态"),
    "initial_date": ("initial date", "初始日期"),
}
_DATES: Mapping[str, tuple[str, str]] = {
    "initial_date": ("initial date", "初始日期"),
    "change_date": ("change date", "变更日期"),
}


def judge_classes(
    rows: pd.DataFrame, faults: Faults, *, taxonomies: Mapping[str, Taxonomy]
) -> pd.DataFrame:
    """Decide the minor class of each component.

    The class is the layer's or the row's; where both are silent, the one in the component code.
    Lost leading zeros and names in place of codes are read and reported.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows with ``standard_ref``.
    faults : Faults
        Gets C001-C005.
    taxonomies : mapping
        Taxonomy of each ``standard_ref`` in the rows.

    Returns
    -------
    pandas.DataFrame
        ``class_code``, ``class_name``, ``accuracy_m`` and ``class_geometry``.
    """
    given = rows["class_code"].astype(object)
    parts = [
        _classify(part, taxonomies[str(standard_ref)])
        for standard_ref, part in rows.groupby("standard_ref", sort=True)
    ]
    table = pd.concat(parts or [_classify(rows, next(iter(taxonomies.values())))])
    table = table.reindex(rows.index)
    class_code, how = table["class_code"], table["how"]
    faults.add("C001", how.isna())
    faults.add("C002", how.eq("unknown"), class_code=given, standard_ref=rows["standard_ref"])
    faults.add("C003", how.eq("major"), class_code=class_code, class_name=table["class_name"])
    faults.add("C004", how.eq("padded"), given=given, class_code=class_code)
    faults.add("C005", how.eq("name"), given=given, class_code=class_code)
    return table.drop(columns="how")


def judge_codes(
    rows: pd.DataFrame, faults: Faults, *, taxonomies: Mapping[str, Taxonomy]
) -> pd.DataFrame:
    """Check component codes by themselves, against the class, and against each other.

    Of the rows that share a code the first that is otherwise sound stays.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows with ``standard_ref`` and the ``class_code`` decided.
    faults : Faults
        Gets C010, C015, C016 and C019.
    taxonomies : mapping
        Taxonomy of each ``standard_ref`` in the rows.

    Returns
    -------
    pandas.DataFrame
        ``is_code``, ``district``, ``class_code`` and ``sequence``, missing where there is no code.
    """
    digits = map_distinct(rows["standard_ref"], lambda ref: taxonomies[str(ref)].code_length)
    lengths = sorted(digits.unique()) or [4]
    if len(lengths) == 1:
        parts = split_component_codes(rows["code"], class_digits=lengths[0])
    else:
        parts = pd.concat(
            split_component_codes(rows.loc[digits == length, "code"], class_digits=length)
            for length in lengths
        ).reindex(rows.index)
    code, kept = rows["code"], standing(rows, faults)
    wrong = code.notna() & ~parts["is_code"] & kept
    older = _is_of_other_generation(code[wrong], rows.loc[wrong, "class_code"])
    older = older.reindex(rows.index, fill_value=False)
    own_digits = map_distinct(code[older], len)
    faults.add("C019", older, code=code, digits=own_digits, standard_ref=rows["standard_ref"])
    length = digits[wrong] + DISTRICT_DIGITS + SEQUENCE_DIGITS
    faults.add("C010", wrong & ~older, code=code, length=length)
    differs = parts["is_code"] & parts["class_code"].ne(rows["class_code"])
    faults.add(
        "C015",
        differs & kept,
        code=code,
        code_class=parts["class_code"],
        class_code=rows["class_code"],
    )
    faults.add("C016", parts["sequence"].eq(0).eq(True) & standing(rows, faults), code=code)
    return parts


def judge_repeats(rows: pd.DataFrame, faults: Faults) -> None:
    """Refuse every row but the first of each component code (C012); refused rows do not count."""
    sound = rows[standing(rows, faults) & rows["code"].notna()]
    repeated = sound["code"].duplicated(keep="first")
    if not repeated.any():
        return
    among = sound[sound["code"].isin(sound.loc[repeated, "code"].unique())]
    place = among["source_file"].astype(str) + " row " + among["source_row"].astype(str)
    first = place.groupby(among["code"]).transform("first")
    faults.add("C012", repeated, code=rows["code"], first=first)


def judge_districts(
    rows: gpd.GeoDataFrame,
    faults: Faults,
    *,
    parts: pd.DataFrame,
    place: "pd.Series[str]",
    areas: gpd.GeoDataFrame,
) -> None:
    """Refuse codes whose first six digits are not the district the component lies in (C014).

    A component that lies no farther from its district than its class's accuracy belongs to it.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with ``code`` and ``accuracy_m``; geometry in metres.
    faults : Faults
        Gets C014.
    parts : pandas.DataFrame
        What `judge_codes` returned, same index.
    place : pandas.Series
        District by position; missing where it is not known, and then nothing is said.
    areas : geopandas.GeoDataFrame
        ``code`` and polygons of the administrative areas in the same CRS.
    """
    wrong = parts["is_code"] & place.notna() & parts["district"].ne(place) & standing(rows, faults)
    named = rows[wrong]
    if named.empty:
        return
    shapes = areas.set_index("code").geometry.reindex(parts.loc[named.index, "district"]).to_numpy()
    apart = pd.Series(shapely.distance(shapes, named.geometry.to_numpy()), index=named.index)
    faults.add(
        "C014",
        ~(apart <= named["accuracy_m"]),
        code=named["code"],
        district=parts["district"],
        place_district=place,
    )


def judge_attributes(rows: pd.DataFrame, faults: Faults) -> "pd.Series[str]":
    """Check what the standard demands of each row and return the condition 状态.

    A demanded attribute that a whole file lacks is reported once for the file (C042), else for each
    row (C041); a condition in words that are not known becomes ``unknown`` (C040).

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows with ``source_file``.
    faults : Faults
        Gets C040-C042 and C046.
    """
    kept = standing(rows, faults)
    condition = read_words(rows["condition"], subject="condition")
    odd = rows["condition"].notna() & condition.isna()
    faults.add("C040", odd & kept, given=rows["condition"])
    long = flag_distinct(rows["name"], lambda name: len(name) > NAME_LENGTH) & kept
    length = map_distinct(rows.loc[long, "name"], len)
    faults.add("C046", long, length=length, limit=NAME_LENGTH)
    _judge_blanks(rows, faults)
    return condition.fillna("unknown").astype(object)


def judge_dates(
    rows: pd.DataFrame, faults: Faults, *, as_of: date, earliest_year: int
) -> pd.DataFrame:
    """Read the initial and change dates; None where blank or no date.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows.
    faults : Faults
        Gets C043-C045, C047 and, once for each file and date, C048.
    as_of : datetime.date
        Day whose state the delivery describes: no date lies after it.
    earliest_year : int
        Dates before this year are doubted.

    Returns
    -------
    pandas.DataFrame
        ``initial_date`` and ``change_date`` as dates.
    """
    kept = standing(rows, faults)
    dates = pd.DataFrame({name: read_dates(rows[name]) for name in _DATES}, index=rows.index)
    late = {}
    for name, labels in _DATES.items():
        given, read = rows[name], dates[name]
        words: dict[str, Any] = {"field": labels[0], "field_zh": labels[1], "given": given}
        unread = read.isna() & given.notna() & kept
        blank = flag_distinct(given[unread], _is_blank).reindex(rows.index, fill_value=False)
        faults.add("C043", unread & ~blank, **words)
        empty = _judge_placeholders(read.where(kept), faults, rows=rows, labels=labels)
        early = flag_distinct(read, lambda day: day.year < earliest_year) & ~empty
        faults.add("C047", early & kept, year=earliest_year, **{**words, "given": read})
        late[name] = flag_distinct(read, lambda day: day > as_of)
        faults.add("C045", late[name] & kept, as_of=as_of, **{**words, "given": read})
    both = dates.dropna()
    backwards = (both["change_date"] < both["initial_date"]).reindex(rows.index).eq(True)
    backwards &= ~late["initial_date"]  # a date after the delivery was told already
    faults.add("C044", backwards & kept, **{str(name): dates[name] for name in dates})
    return dates


def _judge_placeholders(
    dates: "pd.Series[Any]", faults: Faults, *, rows: pd.DataFrame, labels: tuple[str, str]
) -> "pd.Series[bool]":
    """Report dates that stand for none (C048), once for each file and date; tell which rows have one."""
    known = flag_distinct(dates, lambda day: day.isoformat() in placeholders("date"))
    if not known.any():
        return known
    group = rows["source_file"].astype("str") + "|" + dates.astype("str")
    enough = known & group.map(group[known].value_counts()).ge(LEAST_PLACEHOLDERS)
    total = rows["source_file"].map(rows["source_file"].value_counts())
    add_once(faults, "C048", enough, groups=group, field=labels[0], field_zh=labels[1],
             given=dates, of=total)  # fmt: skip
    return enough


def _classify(part: pd.DataFrame, taxonomy: Taxonomy) -> pd.DataFrame:
    """Read the classes of rows of one standard."""
    taken = part["class_code"]
    blank = taken.isna()
    if blank.any():
        parts = split_component_codes(part.loc[blank, "code"], class_digits=taxonomy.code_length)
        taken = taken.astype(object).where(~blank, parts["class_code"].reindex(part.index))
    position, distinct = pd.factorize(taken)
    read = [_read_class(str(text), taxonomy) for text in distinct]
    entries = [taxonomy.get("component", code) for code, _ in read]
    table = pd.DataFrame(
        {
            "class_code": [code for code, _ in read],
            "how": [how for _, how in read],
            "class_name": [entry.name if entry else None for entry in entries],
            "class_geometry": [entry.geometry if entry else None for entry in entries],
            "accuracy_m": [entry.accuracy_m if entry else None for entry in entries],
        },
        dtype=object,
    ).astype({"accuracy_m": float})
    # Position -1, a missing class, is no label of the table and gives a row of missing values.
    return table.reindex(position).set_index(part.index)


def _judge_blanks(rows: pd.DataFrame, faults: Faults) -> None:
    blank = pd.DataFrame(
        {
            "competent": rows["competent_code"].isna() & rows["competent_name"].isna(),
            "condition": rows["condition"].isna(),
            "initial_date": rows["initial_date"].isna(),
        }
    )
    kept = standing(rows, faults)
    whole = blank.groupby(rows["source_file"], sort=False).transform("all")
    for rule, mask in (("C041", blank & ~whole), ("C042", whole)):
        flagged = mask.any(axis=1) & kept
        if not flagged.any():
            continue
        pattern = sum(mask[name] * 2**bit for bit, name in enumerate(_DEMANDED))
        fields = map_distinct(pattern, lambda bits: _labels(bits, language=0))
        fields_zh = map_distinct(pattern, lambda bits: _labels(bits, language=1))
        if rule == "C042":
            files = rows["source_file"].where(flagged)
            flagged &= ~files.duplicated(keep="first")
        faults.add(rule, flagged, fields=fields, fields_zh=fields_zh)


def _is_of_other_generation(
    code: "pd.Series[str]", class_code: "pd.Series[str]"
) -> "pd.Series[bool]":
    """Tell which codes have the class with or without the zero that came into it in 2026."""
    text, own = code.astype("str"), class_code.astype("str")
    is_number = text.str.fullmatch(r"[0-9]{16,17}").eq(True)
    longer = text.str[DISTRICT_DIGITS:-SEQUENCE_DIGITS].eq(own.str[:2] + "0" + own.str[2:])
    shorter = own.eq(
        text.str[DISTRICT_DIGITS : DISTRICT_DIGITS + 2]
        + "0"
        + text.str[DISTRICT_DIGITS + 2 : -SEQUENCE_DIGITS]
    )
    return is_number & (longer | shorter).eq(True)


def _is_blank(value: Any) -> bool:
    return not str(value).strip()


def _labels(bits: int, *, language: int) -> str:
    names = [label[language] for bit, label in enumerate(_DEMANDED.values()) if bits >> bit & 1]
    return ("、" if language else ", ").join(names)


def _read_class(text: str, taxonomy: Taxonomy) -> tuple[str, str]:
    """Return a class code and how it was read."""
    entry = taxonomy.get("component", text)
    if entry is not None:
        return text, "major" if entry.is_major else "exact"
    restored = taxonomy.restore(text)
    if restored != text and taxonomy.exists("component", restored):
        return restored, "padded"
    named = taxonomy.find("component", text)
    return (named.code, "name") if named else (text, "unknown")
