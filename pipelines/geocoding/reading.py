"""The ten levels of delivered addresses: from columns of their own, or from one text split up."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from gis.addresses.parts import take_apart
from gis.addresses.spelling import LONGEST, normalise
from pipelines.context import BuildContext
from pipelines.geocoding.places import LEVELS
from pipelines.values import name_of, text_of

_SMALL = LEVELS[5:]
_SPLIT = (*LEVELS, "orientation", "supplement")


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
    areas = _area_names(context)
    rows = [_split(str(text), areas) for text in distinct]
    table = pd.DataFrame([*rows, {}], columns=[*_SPLIT, "rest"], dtype=object)
    result = table.iloc[position].set_axis(texts.index)  # missing: -1, the last
    return result.where(result.notna(), None)


def _area_names(context: BuildContext) -> Mapping[str, tuple[str, str]]:
    """Return normalised name -> level and name of the city and its areas."""
    level_of = {6: "district", 9: "street", 12: "community"}
    areas = context.rows("areas")
    found = {
        normalise(name): (level_of.get(len(code), "community"), name)
        for code, name in zip(areas["code"], areas["name"], strict=True)
    }
    city = context.profile.city.name
    return found | ({normalise(city): ("city", city)} if city else {})


def _split(text: str, areas: Mapping[str, tuple[str, str]]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    rest = normalise(text[:LONGEST])
    while True:
        head = next(
            (rest[:end] for end in range(min(len(rest), 20), 1, -1) if rest[:end] in areas), ""
        )
        if not head:
            break
        level, name = areas[head]
        found.setdefault(level, name)
        rest = rest[len(head) :]
    parts = take_apart(rest)
    found |= {"road": parts.road or None, "plate": parts.plate or None, "rest": rest}
    if parts.rest:
        found["poi"] = parts.rest
    elif not parts.road and rest:
        found["poi"] = rest
    return found
