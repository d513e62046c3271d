"""The ten levels of delivered addresses: from columns of their own, or from one text split up."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gis.addresses.levels import AreaNames, Levels, split_many
from pipelines.context import BuildContext
from pipelines.geocoding.places import LEVELS
from pipelines.values import name_of, text_of

_SMALL = LEVELS[5:]
_NO_TEXT = ("[]", "无", "暂无", "不详", "-", "/", "null", "None")
"""What tables write for no address."""
_DISTRICT_DIGITS = 6
_READ_TO_LEARN = 5_000
_PLAIN_PLATE = re.compile(r"(?P<head>[^\W\d_]{2,40})(?P<number>[1-9１-９][0-9０-９]{0,3})号")
_HALF_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_WIDER = re.compile(r"(?P<province>[^省市区]{2,4}(?:省|自治区))?(?P<city>[^省市区]{2,7}市)?")
_SPLIT = (*LEVELS, "orientation", "supplement")
_READ = (*_SPLIT, "rest")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The levels of each row and what reading them found; all series are aligned to the rows."""

    levels: pd.DataFrame
    """`LEVELS`, ``orientation`` and ``supplement``; None where not said."""
    text: "pd.Series[str]"
    """Addresses that were given as one text; None for rows with columns of their own."""
    is_area: "pd.Series[bool]"
    """The text names an area and nothing in it."""
    is_unread: "pd.Series[bool]"
    """The text says something in which neither road nor compound nor building was found."""


def read_levels(frame: pd.DataFrame, context: BuildContext) -> Reading:
    """Return the levels of delivered rows; a text is split only where the small levels are blank.

    What columns of their own say stays; the text fills what they leave open.
    """
    given = pd.DataFrame({level: name_of(frame, level) for level in LEVELS}, index=frame.index)
    given["orientation"] = text_of(frame, "orientation")
    given["supplement"] = text_of(frame, "supplement")
    text = text_of(frame, "full_address")
    text = text.mask(text.isin(_NO_TEXT), None)
    text = text.where(given[list(_SMALL)].isna().all(axis=1) & text.notna(), None)
    nothing = pd.Series(False, index=frame.index)
    if text.isna().all():
        return Reading(levels=given, text=text, is_area=nothing, is_unread=nothing)
    split = split_texts(text, context)
    levels = given.fillna(split[list(_SPLIT)]).astype(object)
    levels = levels.where(levels.notna(), None)
    told = text.notna()
    is_area = told & split["rest"].eq("").to_numpy()
    found = split[["road", "block", "building"]].notna().any(axis=1)
    return Reading(levels=levels, text=text, is_area=is_area, is_unread=told & ~is_area & ~found)


def split_texts(texts: "pd.Series[str]", context: BuildContext) -> pd.DataFrame:
    """Return `LEVELS`, ``orientation``, ``supplement`` and ``rest`` (without areas) of each text."""
    position, distinct = pd.factorize(texts)
    said = [str(text) for text in distinct]
    names = area_names(context, texts=said)
    plain = [_PLAIN_PLATE.fullmatch(text) for text in said]
    asked = [
        f"{found['head']}1号" if found else text for text, found in zip(said, plain, strict=True)
    ]
    split = split_many(asked, names)
    rows = [_cells(split[text], found) for text, found in zip(asked, plain, strict=True)]
    # What is not as it should be with a plain plate behind is split on its own.
    odd = [row for row, cells in enumerate(rows) if cells is None]
    alone = split_many([said[row] for row in odd], names)
    for row in odd:
        rows[row] = _cells(alone[said[row]], None)
    blank: list[str | None] = [None] * len(_READ)
    table = pd.DataFrame([*rows, blank], columns=list(_READ), dtype=object)
    return table.iloc[position].set_axis(texts.index)  # missing: -1, the last


def _cells(levels: Levels, plate: re.Match[str] | None) -> list[str | None] | None:
    """Return the values of `_READ`; None where a text was read as more than a road and its number.

    With a match the levels are those of the same road's number 1: one road is split once, not once for
    each of its numbers.
    """
    cells = [getattr(levels, name) or None for name in _SPLIT]
    if plate is None:
        return [*cells, levels.rest]
    if levels.plate != "1号" or not levels.road or not levels.rest.endswith("1号"):
        return None
    number = plate["number"].translate(_HALF_WIDTH)
    cells[_SPLIT.index("plate")] = f"{number}号"
    return [*cells, levels.rest.removesuffix("1号") + f"{number}号"]


def area_names(context: BuildContext, *, texts: Sequence[str] = ()) -> AreaNames:
    """Return the names of the areas, former ones after those that hold, and of city and province.

    What province and city a district belongs to no database of the city says; it is learnt from what
    most of the `texts` write before the district's name.
    """
    areas = context.rows("areas")
    had = context.references.names_had()
    names: dict[str, tuple[str, ...]] = {
        code: (name, *(old for old in had.get(code, ()) if old != name))
        for code, name in zip(areas["code"], areas["name"], strict=True)
    }
    city = context.profile.city
    if city.name:
        names.setdefault(city.code, (city.name,))
    districts = {code: told[0] for code, told in names.items() if len(code) == _DISTRICT_DIGITS}
    for code, name in _learnt(texts, districts).items():
        names.setdefault(code, (name,))
    return AreaNames.of(names)


def _learnt(texts: Sequence[str], districts: Mapping[str, str]) -> dict[str, str]:
    """Return the codes of province and city -> the name that most texts write before a district.

    Examples
    --------
    >>> _learnt(["河北省石家庄市长安区裕华路", "石家庄市长安区光明路"], {"130102": "长安区"})
    {'13': '河北省', '1301': '石家庄市'}
    """
    counts: dict[str, Counter[str]] = {}
    for text in texts[:_READ_TO_LEARN]:
        for code, district in districts.items():
            found = _WIDER.fullmatch(text[: max(text.find(district), 0)])
            if found is None:
                continue
            for digits, name in ((2, found["province"]), (4, found["city"])):
                if name:
                    counts.setdefault(code[:digits], Counter())[name] += 1
    return {code: names.most_common(1)[0][0] for code, names in sorted(counts.items())}
