"""Words that say nothing, and names that say something else: placeholders and names of other classes."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import pandas as pd

from census.standing import add_once, standing
from census.survey import flag_distinct
from census.taxonomy import Taxonomy
from gis.codes import read_table
from gis.faults import Faults

_FIELDS: Mapping[str, tuple[str, str]] = {
    "name": ("name", "部件名称"),
    "competent_name": ("competent department", "主管部门"),
    "maintainer_name": ("maintainer", "养护单位"),
    "location_note": ("position in words", "位置描述"),
    "data_source": ("data source", "数据来源"),
}
_SURE = ("found", "derived", "city")


@cache
def placeholders(subject: str) -> frozenset[str]:
    """Return the placeholder values of a subject, ``text`` or ``date``.

    Examples
    --------
    >>> "测试" in placeholders("text"), "1900-01-01" in placeholders("date")
    (True, True)
    """
    rows = read_table("census.codes", "placeholders.csv")
    return frozenset(row["value"] for row in rows if row["subject"] == subject)


def is_placeholder(text: str) -> bool:
    """Tell whether a text was only written to fill a field.

    Such are the words of ``codes/placeholders.csv``, one sign repeated as in 111 or xxx, and texts
    without any letter or digit.

    Examples
    --------
    >>> [is_placeholder(text) for text in ("测试", "111", "??", "NULL", "中山路", "7")]
    [True, True, True, True, False, False]
    """
    plain = "".join(text.split()).casefold()
    repeated = len(plain) > 1 and len(set(plain)) == 1 and plain.isascii()
    return plain in placeholders("text") or repeated or not any(sign.isalnum() for sign in plain)


def judge_wording(
    rows: pd.DataFrame, faults: Faults, *, taxonomies: Mapping[str, Taxonomy]
) -> None:
    """Report placeholder texts (C049), names of another class (C007) and classes nobody is sure of (C006).

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows with ``standard_ref``, ``source_file``, and the class decided.
    faults : Faults
        Gets C006, C007 and C049; C006 once for each file and class.
    taxonomies : mapping
        Taxonomy of each ``standard_ref`` in the rows.
    """
    kept = standing(rows, faults)
    for name, (label, label_zh) in _FIELDS.items():
        empty = flag_distinct(rows[name], lambda text: is_placeholder(str(text)))
        faults.add("C049", empty & kept, field=label, field_zh=label_zh, given=rows[name])
    sound = rows.loc[kept, ["standard_ref", "class_code", "class_name", "name", "source_file"]]
    _judge_names(sound, faults, taxonomies=taxonomies)
    _judge_evidence(sound, faults, taxonomies=taxonomies)


def _judge_names(rows: pd.DataFrame, faults: Faults, *, taxonomies: Mapping[str, Taxonomy]) -> None:
    named = rows[rows["name"].notna() & rows["name"].ne(rows["class_name"])]
    if named.empty:
        return
    columns = ["standard_ref", "class_code", "name"]
    group = named.groupby(columns, sort=False).ngroup()
    heads = named.loc[~group.duplicated(), columns]
    others = [_other_class(taxonomies[ref], code, name)
              for ref, code, name in heads.itertuples(index=False)]  # fmt: skip
    table = pd.Series(others, index=group[heads.index], dtype=object)
    other = pd.Series(table.loc[group].to_numpy(dtype=object), index=named.index, dtype=object)
    faults.add(
        "C007",
        other.notna(),
        name=named["name"],
        other=other,
        class_code=named["class_code"],
        class_name=named["class_name"],
    )


def _judge_evidence(
    rows: pd.DataFrame, faults: Faults, *, taxonomies: Mapping[str, Taxonomy]
) -> None:
    for ref, part in rows.groupby("standard_ref", sort=True):
        taxonomy = taxonomies[str(ref)]
        unsure = flag_distinct(part["class_code"], partial(_is_unsure, taxonomy))
        part = part[unsure]
        add_once(
            faults,
            "C006",
            unsure[unsure],
            groups=part["source_file"].astype("str") + "|" + part["class_code"].astype("str"),
            class_code=part["class_code"],
            class_name=part["class_name"],
            standard_ref=ref,
        )


def _other_class(taxonomy: Taxonomy, class_code: str, name: str) -> str | None:
    entry = taxonomy.find("component", name)
    return entry.code if entry is not None and entry.code != class_code else None


def _is_unsure(taxonomy: Taxonomy, class_code: str) -> bool:
    entry: Any = taxonomy.get("component", class_code)
    return entry is not None and (entry.is_doubtful or entry.evidence not in _SURE)
