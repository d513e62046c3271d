"""Judgement of management and evaluation grids: their unit grids, neighbours, overlaps, full cover."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults
from gridding.graph import Indices
from gridding.trades.adjacency import Adjacency, neighbours, part_of, pieces
from gridding.trades.delivered import EVALUATION, Sort
from gridding.trades.members import MOST, read_members, shares_of
from gridding.trades.trade import known_trades

_CODE = r"[0-9A-Za-z_.-]{1,64}"
_PHONE = r"\+?[\d\s()（）-]{5,20}(?:[,;、，；/]\s*\+?[\d\s()（）-]{5,20})*"
_DISTRICT, _STREET, _COMMUNITY = 6, 9, 12
_SHOWN = 5
_SLACK = 0.02
"""Share of area by which a drawn polygon may differ from its unit grids."""

FindUnit = Callable[[str | None, str | None], tuple[str | None, str | None]]
"""Unit code and name as delivered -> those of the directory; None, None: it has no such unit."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What management grids are judged against."""

    grids: gpd.GeoDataFrame
    """Unit grids that hold: ``code`` and ``geometry``."""
    closed: frozenset[str] = frozenset()
    """Codes of unit grids that once held."""
    area_codes: frozenset[str] = frozenset()
    """Codes that areas bear."""
    live: pd.DataFrame
    """Rows of the same dataset that are live: ``code``, the series, ``area_code``, ``members``."""
    updating: frozenset[str] = frozenset()
    """Files that add to what is live; the others replace a series in the districts they touch."""
    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Other sets of unit grids that may be named as a whole: code -> members."""
    find_unit: FindUnit


class Ground:
    """Unit grids by code, with their neighbours; made once for a judgement.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``code`` and ``geometry`` in metres.
    """

    def __init__(self, grids: gpd.GeoDataFrame) -> None:
        ordered = grids.sort_values("code", kind="stable")
        self.codes: list[str] = ordered["code"].astype(str).tolist()
        self.shapes = np.asarray(ordered.geometry.to_numpy(), dtype=object)
        self._place = {code: place for place, code in enumerate(self.codes)}
        self._adjacency: Adjacency | None = None

    @property
    def adjacency(self) -> Adjacency:
        """Neighbours among all unit grids."""
        if self._adjacency is None:
            self._adjacency = neighbours(self.shapes)
        return self._adjacency

    def rows(self, codes: list[str]) -> Indices:
        """Return the places of codes."""
        return np.array([self._place[code] for code in codes], dtype=np.intp)

    def union(self, codes: list[str]) -> shapely.MultiPolygon:
        """Return the land of unit grids."""
        return union_of(self.shapes[self.rows(codes)])


def union_of(shapes: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> shapely.MultiPolygon:
    """Return the union of polygons as a normal MultiPolygon; hairlines between them stay.

    Examples
    --------
    >>> union_of(shapely.box([0, 10], 0, [10, 20], 10)).wkt
    'MULTIPOLYGON (((0 0, 0 10, 10 10, 20 10, 20 0, 10 0, 0 0)))'
    """
    joined = shapely.union_all(shapes)
    parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon"]
    result: shapely.MultiPolygon = shapely.normalize(shapely.MultiPolygon(parts))
    return result


def judge(
    rows: pd.DataFrame, faults: Faults, *, sort: Sort, surroundings: Surroundings
) -> gpd.GeoDataFrame:
    """Judge rows and return those accepted, with members, union, area and unit.

    A grid that names nothing but unit grids that hold, in one piece, once in its trade, is accepted.
    What the grids of a trade leave out is a warning: nobody knows yet whose it is.

    Parameters
    ----------
    rows : pandas.DataFrame
        `gridding.trades.delivered.read_delivered`.
    faults : Faults
        Over `rows`; gets what is wrong.
    sort : Sort
        Management or evaluation grids.
    surroundings : Surroundings
        What they are judged against; the CRS of its grids is the result's.
    """
    ground = Ground(surroundings.grids)
    judged = rows.copy()
    judged["members"] = _members(judged, faults, sort, surroundings, ground)
    standing = standing_rows(judged, surroundings.live, sort=sort, updating=surroundings.updating)
    _judge_codes(judged, faults, sort, surroundings, standing)
    _judge_units(judged, faults, sort, surroundings.find_unit)
    _judge_persons(judged, faults, sort)
    sound = [code for code, bad in zip(judged.index, faults.refused, strict=True) if not bad]
    _judge_extent(judged.loc[sound], faults, sort, ground)
    _judge_overlaps(judged, faults, sort, standing)
    accepted = judged[~faults.refused]
    _judge_cover(accepted, faults, sort, standing, ground)
    return _finished(accepted, sort, ground, crs=surroundings.grids.crs)


def standing_rows(
    rows: pd.DataFrame, live: pd.DataFrame, *, sort: Sort, updating: Iterable[str] = ()
) -> pd.DataFrame:
    """Return the live rows that delivered ones leave as they are: of other codes, series, districts.

    Parameters
    ----------
    rows : pandas.DataFrame
        Delivered: ``code``, the series, ``members``, ``source_file``.
    live : pandas.DataFrame
        Live: ``code``, the series, ``area_code``.
    sort : Sort
        Management or evaluation grids.
    updating : iterable of str
        Files whose rows replace nothing but the rows of the same code and series.
    """
    whole = rows[~rows["source_file"].isin(list(updating))]
    reach = {
        (series, code[:_DISTRICT])
        for series, codes in zip(whole[sort.series], whole["members"], strict=True)
        for code in codes
    }
    same = set(zip(rows["code"], rows[sort.series], strict=True))
    stays = [
        (code, series) not in same and (series, area[:_DISTRICT]) not in reach
        for code, series, area in zip(
            live["code"], live[sort.series], live["area_code"], strict=True
        )
    ]
    return live[np.array(stays, dtype=bool)]


def _flag(rows: pd.DataFrame, flagged: Iterable[object]) -> "pd.Series[bool]":
    return pd.Series(rows.index.isin(list(flagged)), index=rows.index)


def _add(
    faults: Faults, rule: str, rows: pd.DataFrame, values: Mapping[object, Mapping[str, object]]
) -> None:
    """Report a rule of rows, each with values of its own: row -> placeholder -> value."""
    if not values:
        return
    names = next(iter(values.values()))
    columns = {
        name: pd.Series({row: told[name] for row, told in values.items()}, dtype=object)
        for name in names
    }
    columns.setdefault("code", rows["code"])
    faults.add(rule, _flag(rows, values), **columns)


def shorten(codes: "list[str] | tuple[str, ...]") -> str:
    """Return the first few codes of a list, for a sentence.

    Examples
    --------
    >>> shorten(["a", "b"]), shorten(list("abcdefg"))
    ('a, b', 'a, b, c, d, e … (7)')
    """
    more = f" … ({len(codes)})" if len(codes) > _SHOWN else ""
    return ", ".join(codes[:_SHOWN]) + more


def _judge_codes(
    rows: pd.DataFrame, faults: Faults, sort: Sort, around: Surroundings, standing: pd.DataFrame
) -> None:
    code = rows["code"]
    faults.add(sort.rule(1), ~code.str.fullmatch(_CODE).eq(True), code=code.fillna("–"))
    if sort is not EVALUATION:
        unknown = rows[sort.series].isna()
        faults.add(sort.rule(3), unknown, value=rows["said"].fillna("–"), known=known_trades())
    place = rows["source_file"].astype(str) + " row " + rows["source_row"].astype(str)
    sound = code[~faults.refused]
    first = place.groupby(sound).transform("first")
    faults.add(sort.rule(2), sound.duplicated(keep="first"), code=code, first=first)
    taken = dict.fromkeys(around.area_codes, "an area")
    taken |= dict.fromkeys(around.grids["code"], "a unit grid")
    taken |= dict.fromkeys(standing["code"], "a grid that stays as it is")
    faults.add(sort.rule(2), sound.isin(taken), code=code, first=sound.map(taken))


def _members(
    rows: pd.DataFrame, faults: Faults, sort: Sort, around: Surroundings, ground: Ground
) -> "pd.Series[list[str]]":
    """Return the unit grids of every row: those listed, else those that its polygon holds."""
    listed = {
        row: read_members(text, ground.codes, sets=around.sets)
        for row, text in rows["members"].dropna().items()
    }
    drawn = _drawn(rows, ground)
    members = {row: list(found.codes) for row, found in listed.items()}
    members |= {row: codes for row, codes in drawn.items() if row not in members}
    unknown = {row: found.unknown for row, found in listed.items() if found.unknown}
    gone = {row: [c for c in said if c in around.closed] for row, said in unknown.items()}
    never = {row: [c for c in said if c not in around.closed] for row, said in unknown.items()}
    wrong = {row: {"unknown": shorten(codes)} for row, codes in never.items() if codes}
    _add(faults, sort.rule(5), rows, wrong)
    closed = {row: {"closed": shorten(codes)} for row, codes in gone.items() if codes}
    _add(faults, sort.rule(6), rows, closed)
    none = [row for row in rows.index if not members.get(row) and row not in unknown]
    faults.add(sort.rule(4), _flag(rows, none), code=rows["code"].fillna("–"))
    _judge_drawing(rows, faults, sort, ground, members)
    return pd.Series([members.get(row, []) for row in rows.index], index=rows.index, dtype=object)


def _drawn(rows: pd.DataFrame, ground: Ground) -> dict[object, list[str]]:
    """Return the unit grids that each polygon holds for the most part."""
    shapes = rows["geometry"].dropna()
    kind = shapely.get_type_id(shapes.to_numpy(dtype=object))
    shapes = shapes[np.isin(kind, (3, 6)) & rows["members"].reindex(shapes.index).isna().to_numpy()]
    found: dict[object, list[str]] = {row: [] for row in shapes.index}
    polygons = shapely.make_valid(shapes.to_numpy(dtype=object))
    grid, polygon, share = shares_of(ground.shapes, polygons)
    for place, number in zip(grid[share > MOST], polygon[share > MOST], strict=True):
        found[shapes.index[number]].append(ground.codes[place])
    return found


def _judge_drawing(
    rows: pd.DataFrame,
    faults: Faults,
    sort: Sort,
    ground: Ground,
    members: Mapping[object, list[str]],
) -> None:
    differs: dict[object, Mapping[str, object]] = {}
    for row, shape in rows["geometry"].dropna().items():
        codes = members.get(row)
        if not codes or not shape.area:
            continue
        apart = shapely.make_valid(shape).symmetric_difference(ground.union(codes)).area
        if apart > _SLACK * shape.area:
            differs[row] = {"share": float(apart / shape.area)}
    _add(faults, sort.rule(14), rows, differs)


def _judge_units(rows: pd.DataFrame, faults: Faults, sort: Sort, find: FindUnit) -> None:
    said = rows["unit_code"].where(rows["unit_code"].notna(), rows["unit_name"])
    found = [
        find(code, name) for code, name in zip(rows["unit_code"], rows["unit_name"], strict=True)
    ]
    rows["unit_code"] = pd.Series([code for code, _ in found], index=rows.index, dtype=object)
    rows["unit_name"] = pd.Series([name for _, name in found], index=rows.index, dtype=object)
    unknown = said.notna() & rows["unit_code"].isna()
    faults.add(sort.rule(11), unknown, code=rows["code"].fillna("–"), value=said)
    faults.add(sort.rule(12), said.isna(), code=rows["code"].fillna("–"))


def _judge_persons(rows: pd.DataFrame, faults: Faults, sort: Sort) -> None:
    for column in sort.persons:
        if column.endswith("_phone"):
            wrong = rows[column].notna() & ~rows[column].str.fullmatch(_PHONE).eq(True)
            faults.add(sort.rule(15), wrong, code=rows["code"].fillna("–"), column=column)


def _judge_extent(rows: pd.DataFrame, faults: Faults, sort: Sort, ground: Ground) -> None:
    broken: dict[object, Mapping[str, object]] = {}
    across: dict[object, Mapping[str, object]] = {}
    for row, codes in rows["members"].items():
        districts = sorted({code[:_DISTRICT] for code in codes})
        if len(districts) > 1:
            across[row] = {"districts": ", ".join(districts)}
        piece = pieces(part_of(ground.adjacency, ground.rows(codes)))
        parts = int(piece.max()) + 1
        if parts > 1:
            largest = int(np.argmax(np.bincount(piece)))
            apart = [code for code, number in zip(codes, piece, strict=True) if number != largest]
            broken[row] = {"parts": parts, "apart": shorten(apart)}
    everything = faults.frame.assign(code=rows["code"].reindex(faults.frame.index))
    _add(faults, sort.rule(8), everything, broken)
    _add(faults, sort.rule(13), everything, across)


def _judge_overlaps(rows: pd.DataFrame, faults: Faults, sort: Sort, standing: pd.DataFrame) -> None:
    """Refuse a grid that holds a unit grid of an earlier one of its series, or of one that stays."""
    holder: dict[tuple[str, str], str] = {
        (str(series), grid): str(code)
        for series, code, codes in zip(
            standing[sort.series], standing["code"], standing["members"], strict=True
        )
        for grid in codes
    }
    double: dict[object, Mapping[str, object]] = {}
    sound = rows[~faults.refused]
    for row, code, series, codes in zip(
        sound.index, sound["code"], sound[sort.series], sound["members"], strict=True
    ):
        taken = [grid for grid in codes if (series, grid) in holder]
        if taken:
            double[row] = {"grid": shorten(taken), "other": holder[series, taken[0]]}
            continue
        holder.update({(series, grid): code for grid in codes})
    _add(faults, sort.rule(7), rows, double)


def _judge_cover(
    rows: pd.DataFrame, faults: Faults, sort: Sort, standing: pd.DataFrame, ground: Ground
) -> None:
    """Tell, at the first grid of a series in a street and a district, what the series leaves out."""
    every = pd.Series(ground.codes, dtype=object)
    street = every.str[:_STREET]
    for series, group in rows.groupby(sort.series, sort=True):
        stays = standing.loc[standing[sort.series] == series, "members"]
        held = {grid for codes in (*group["members"], *stays) for grid in codes}
        first: dict[str, object] = {}
        for row, codes in group["members"].items():
            for code in codes:
                first.setdefault(code[:_STREET], row)
                first.setdefault(code[:_DISTRICT], row)
        left = every[~every.isin(held)]
        worked = {code[:_STREET] for code in held}
        for place, codes in left.groupby(street[left.index], sort=True):
            if place in first:
                told = {"street": place, "series": series, "count": len(codes)}
                row = first[str(place)]
                _add(faults, sort.rule(9), rows, {row: told | {"grids": shorten(list(codes))}})
        idle = sorted(set(street.unique()) - worked)
        for district in sorted({code[:_DISTRICT] for code in idle} & set(first)):
            streets = shorten([code for code in idle if code.startswith(district)])
            told = {"series": series, "streets": streets}
            _add(faults, sort.rule(10), rows, {first[district]: told})


def smallest_area(codes: list[str]) -> str:
    """Return the code of the smallest area that holds unit grids: community, street or district.

    Examples
    --------
    >>> smallest_area(["130102001001001", "130102001002001"]), smallest_area(["130102001001001"])
    ('130102001', '130102001001')
    """
    for digits in (_COMMUNITY, _STREET):
        if len({code[:digits] for code in codes}) == 1:
            return codes[0][:digits]
    return codes[0][:_DISTRICT]


def _finished(rows: pd.DataFrame, sort: Sort, ground: Ground, *, crs: object) -> gpd.GeoDataFrame:
    unions = [ground.union(codes) for codes in rows["members"]]
    columns = ("code", sort.series, "name", "members", "unit_code", "unit_name", *sort.persons)
    result = rows[[*columns, "remark", "source_file", "source_row"]]
    result = result.assign(
        area_code=[smallest_area(codes) for codes in rows["members"]],
        area_m2=np.round(shapely.area(np.array(unions, dtype=object)), 3),
    )
    geometry = gpd.GeoSeries(unions, index=rows.index, crs=crs)
    return gpd.GeoDataFrame(result, geometry=geometry, crs=crs)
