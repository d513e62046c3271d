"""Labels 注记 of maps, put together into names: characters along a line, rows one above the other."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from gis.names.generics import trailing_generic
from pipelines.place_names.texts import joined

Floats = NDArray[np.float64]

_HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f]")
_BUILDING = re.compile(r"[砼混砖木石土钢简破建棚架框]+\d*(?:-\d+)?")
_MARKUP = re.compile(r"\\[ACHQTWfcp][^;\\]*;|[{}]|%%[a-zA-Z]|\\[LlOoKk]")
"""Formatting that CAD writes into texts: height, font, colour, underlining."""
_ROW_M = 15.0
"""Rows of one label are at most so far apart, and so far shifted."""
_GAP = 3.0
"""A gap so many times the usual one begins another label."""
_LONGEST = 20
_ENDING = ("street", "nature", "site", "area", "number")


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text on a map, or several put together."""

    text: str
    at: tuple[tuple[float, float], ...]
    """Where its parts stand, in metres."""
    rows: tuple[int, ...]
    """Which texts it was made of, by position."""
    host: str = ""
    """What it stands at: one road or river, one polygon; empty: nothing fits."""


def plain_text(text: str) -> str:
    r"""Return a text of a drawing without its formatting and without breaks.

    Examples
    --------
    >>> plain_text(r"{\fSimSun|b0;长安\P公园}"), plain_text("裕 华 路")
    ('长安公园', '裕华路')
    """
    return joined(_MARKUP.sub("", text.replace("\\P", "\n")))


def is_name(text: str) -> bool:
    """Tell a name, or a character of one, from what else maps say: heights, materials, ground.

    One character may be either, as 建 (under construction) of 建设路: it counts as a name's.

    Examples
    --------
    >>> is_name("裕华路"), is_name("裕"), is_name("混3"), is_name("75.31"), is_name("绿化带")
    (True, True, False, False, False)
    """
    if not _HAN.search(text):
        return False
    return len(text) == 1 or (not _BUILDING.fullmatch(text) and text not in _notes())


def _is_noted(text: str) -> bool:
    """Tell whether all characters are materials and the like: 砖 and 混 in one courtyard."""
    return all(sign in _notes() for sign in text)


@cache
def _notes() -> frozenset[str]:
    return frozenset(row["text"] for row in read_table("pipelines.place_names", "map_notes.csv"))


def join_characters(
    labels: Sequence[Label],
    axis: shapely.Geometry | None,
    *,
    kinds: Collection[str] = _ENDING,
    called: str | None = None,
) -> list[Label]:
    """Return the labels with single characters at one host put together, in reading order.

    Characters are read along `axis`, the host's line, else by their own spread; a generic part or a
    gap three times the usual one ends a name, so that a name repeated along a road gives one label
    each time.

    Parameters
    ----------
    labels : sequence of Label
        Those at one host.
    axis : shapely.Geometry or None
        The host's line.
    kinds : collection of str
        Kinds of generic parts that end a name: of streets the 山 of 中山路 does not.
    called : str or None
        The host's own name, which tells where a name ends before its generic part does.

    Examples
    --------
    >>> along = [Label(text=sign, at=((x, 0.0),), rows=(n,)) for n, (sign, x) in
    ...          enumerate(zip("华裕路裕华路", (30, 0, 60, 400, 430, 460)))]
    >>> [(label.text, label.rows) for label in join_characters(along, None)]
    [('裕华路', (1, 0, 2)), ('裕华路', (3, 4, 5))]
    """
    single = [label for label in labels if len(label.text) == 1]
    rest = [label for label in labels if len(label.text) > 1]
    if len(single) < 2:
        return rest
    place = _along(single, axis)
    order = np.argsort(place, kind="stable")
    ranked, steps = [single[at] for at in order], np.diff(place[order])
    usual = float(np.median(steps)) if len(steps) else 0.0
    result: list[Label] = []
    run = [ranked[0]]
    for label, step in zip(ranked[1:], steps, strict=True):
        if _ends(run, label.text, kinds, called) or step > _GAP * max(usual, 1.0):
            result.append(merge(run))
            run = []
        run.append(label)
    result.append(merge(run))
    return rest + [label for label in result if len(label.text) > 1 and not _is_noted(label.text)]


def _along(labels: Sequence[Label], axis: shapely.Geometry | None) -> Floats:
    """Return how far along their line labels stand, from west to east, else from north to south."""
    at = np.array([label.at[0] for label in labels])
    if axis is not None and shapely.get_dimensions(axis) == 1:
        line = shapely.line_merge(axis)
        if shapely.get_type_id(line) == shapely.GeometryType.LINESTRING:
            along: Floats = shapely.line_locate_point(line, shapely.points(at))
            first, last = at[np.argmin(along)], at[np.argmax(along)]
            return along if _reads_on(last - first) else -along
    spread = np.ptp(at, axis=0)
    result: Floats = at[:, 0] if spread[0] >= spread[1] else -at[:, 1]
    return result


def _reads_on(step: Floats) -> bool:
    """Tell whether text is read in this direction: eastward, on steep lines southward."""
    east, north = step
    return bool(east >= 0) if abs(east) >= abs(north) else bool(north < 0)


def _ends(run: Sequence[Label], following: str, kinds: Collection[str], called: str | None) -> bool:
    text = "".join(label.text for label in run)
    if called is not None and (text == called or called.startswith(text)):
        return text == called
    generic = trailing_generic(text)
    if generic is None or generic.kind not in kinds:
        return False
    longer = trailing_generic(text + following)
    return longer is None or len(longer.term) <= len(generic.term)


def merge(labels: Sequence[Label]) -> Label:
    """Return one label of several, in the order given."""
    return Label(
        text="".join(label.text for label in labels),
        at=tuple(point for label in labels for point in label.at),
        rows=tuple(row for label in labels for row in label.rows),
        host=labels[0].host,
    )


def join_rows(labels: Sequence[Label], *, called: str | None = None) -> list[Label]:
    """Return the labels of one polygon with rows of one name put together, from top to bottom.

    A row belongs to the one above if that has no generic part of its own, as in 长安区人民 / 医院, or if
    the host is `called` so.

    Examples
    --------
    >>> upper = Label(text="长安区人民", at=((0.0, 9.0),), rows=(0,))
    >>> lower = Label(text="医院", at=((1.0, 3.0),), rows=(1,))
    >>> [label.text for label in join_rows([lower, upper])]
    ['长安区人民医院']
    """
    ranked = sorted(labels, key=lambda label: (-label.at[0][1], label.at[0][0], label.rows))
    result: list[Label] = []
    for label in ranked:
        above = next((known for known in result if _continues(known, label, called)), None)
        if above is None:
            result.append(label)
        else:
            result[result.index(above)] = merge([above, label])
    return result


def _continues(above: Label, below: Label, called: str | None) -> bool:
    generic = trailing_generic(above.text)
    is_whole = generic is not None and generic.kind != "area"
    apart = np.abs(np.array(above.at[-1]) - np.array(below.at[0]))
    is_one = called is not None and above.text + below.text in called
    return (
        (is_one or not is_whole)
        and len(above.text + below.text) <= _LONGEST
        and bool((apart <= _ROW_M).all())
        and (is_one or trailing_generic(above.text + below.text) is not None)
    )


def join_repeats(labels: Iterable[Label], *, distance_m: float) -> list[Label]:
    """Return labels of one text at one host as one; without host, those within a distance of another.

    Examples
    --------
    >>> twice = [Label(text="裕华路", at=((x, 0.0),), rows=(n,), host="T1") for n, x in enumerate((0.0, 900.0))]
    >>> [(label.text, label.rows) for label in join_repeats(twice, distance_m=500.0)]
    [('裕华路', (0, 1))]
    """
    result: list[Label] = []
    groups: dict[tuple[str, str], list[int]] = {}
    for label in labels:
        key = (label.text, label.host)
        known = groups.setdefault(key, [])
        near = next(
            (at for at in known if label.host or _near(result[at], label, distance_m)), None
        )
        if near is None:
            known.append(len(result))
            result.append(label)
        else:
            first = result[near]
            result[near] = replace(first, at=first.at + label.at, rows=first.rows + label.rows)
    return result


def _near(one: Label, other: Label, distance_m: float) -> bool:
    first, second = shapely.MultiPoint(one.at), shapely.MultiPoint(other.at)
    return bool(shapely.dwithin(first, second, distance_m))
