"""Unit grid codes 单元网格标识码: community code and a sequence from west to east, north to south.

A code once given stays: `number` keeps what is valid and gives the rest the next free numbers. The
sequence has digits only, as DB11/T 2157-2023 and all systems that exchange grids expect; a community
with more grids than it can number is refused as a whole.
"""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from psycopg import sql

from gis.database import Database
from gis.errors import CodeError
from gis.rows import read_rows

COMMUNITY_DIGITS = 12
CODE_LENGTHS = (14, 15)
_BAND = 1.15
"""Height of a band of the reading order, in sides of a usual grid."""
_NAMED = 3


def number(
    grids: gpd.GeoDataFrame,
    *,
    code_length: int = 15,
    used: Iterable[str] = (),
    retired: Iterable[str] = (),
    target_m2: float = 10_000.0,
) -> "pd.Series[str]":
    """Return a code for every grid: the one it bears, else the next free number of its community.

    A community is read in bands about one grid high, from north to south, each from west to east.
    Numbers start after the largest ever used in the community, so that retired codes stay retired.
    A code in column ``code`` is kept when `is_valid_code` holds and no grid before it in reading order
    bears the same; a change of the border therefore changes no code.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``community_code`` (12 digits) and ``geometry`` in a metric CRS, north up; ``code`` where some
        grids bear one already.
    code_length : int
        14 (two-digit sequence, CJ/T 213-2005) or 15 (three digits).
    used : iterable of str
        Codes ever given to the communities' grids, live or retired.
    retired : iterable of str
        Codes that may not be borne any more: a grid with one of these gets a new number.
    target_m2 : float
        Area of a usual grid, m²: a band is 1.15 times as high as its square is wide.

    Returns
    -------
    pandas.Series
        Codes with the index of `grids`.

    Raises
    ------
    CodeError
        A community code has not 12 digits, or communities have more grids than their sequence can
        number; nothing was numbered.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(100, 0, 200, 100), box(0, 0, 100, 100), box(0, 100, 200, 200)]
    >>> grids = gpd.GeoDataFrame({"community_code": "130102001001"}, geometry=squares, index=range(3))
    >>> number(grids).tolist()
    ['130102001001003', '130102001001002', '130102001001001']
    >>> number(grids, code_length=14, used=["13010200100107"]).tolist()
    ['13010200100110', '13010200100109', '13010200100108']
    >>> number(grids.assign(code=[None, "130102001001041", None])).tolist()
    ['130102001001043', '130102001001041', '130102001001042']
    """
    _check_length(code_length)
    community = grids["community_code"].astype(str)
    wrong = community[~community.str.fullmatch(r"\d{12}")]
    if len(wrong):
        msg = f"Community code {wrong.iloc[0]!r} has not 12 digits; its grids can not be numbered."
        raise CodeError(msg, zh=f"社区代码 {wrong.iloc[0]!r} 不是 12 位数字，无法为其网格编号。")
    order = reading_order(grids, target_m2=target_m2)
    kept = _kept_codes(grids, order, code_length=code_length, retired=frozenset(retired))
    taken = [*used, *retired, *kept.dropna()]
    last = community.map(last_numbers(taken, code_length=code_length)).fillna(0).astype(int)
    fresh = kept.isna()
    rank = order.where(fresh).groupby(community).rank(method="first")
    sequence = (rank + last)[fresh].astype(int)
    digits = code_length - COMMUNITY_DIGITS
    _check_room(community[fresh], sequence, digits=digits, target_m2=target_m2)
    codes = community[fresh] + sequence.astype(str).str.zfill(digits)
    return kept.where(~fresh, codes.reindex(kept.index)).astype(object)


def is_valid_code(
    code: "pd.Series[str]", community: "pd.Series[str]", *, code_length: int
) -> "pd.Series[bool]":
    """Return which codes have their digits, begin with the community and do not end in zeros alone.

    Examples
    --------
    >>> code = pd.Series(["130102001001001", "130102001002001", "130102001001000", None])
    >>> community = pd.Series("130102001001", index=code.index)
    >>> is_valid_code(code, community, code_length=15).tolist()
    [True, False, False, False]
    """
    text = code.astype(object).where(code.notna(), "").astype(str)
    shaped = text.str.fullmatch(rf"[0-9]{{{code_length}}}")
    begins = text.str[:COMMUNITY_DIGITS].eq(community.astype(str))
    counted = text.str[COMMUNITY_DIGITS:].str.strip("0").ne("")
    return shaped & begins & counted


def used_codes(database: Database) -> list[str]:
    """Return every unit grid code that any version or edit ever bore, sorted."""
    query = sql.SQL(
        "SELECT code FROM grids.unit_grid UNION SELECT old_code FROM grids.lineage"
        " WHERE old_code IS NOT NULL UNION SELECT new_code FROM grids.lineage"
        " WHERE new_code IS NOT NULL ORDER BY code"
    )
    with database.connect(read_only=True) as connection:
        return [str(code) for code in read_rows(connection, query)["code"]]


def retired_codes(database: Database) -> frozenset[str]:
    """Return the codes that were used and may not be borne again.

    Those are codes without a live version, and live ones that had ended on an earlier day before they
    were given out again.
    """
    query = sql.SQL(
        "SELECT code FROM (SELECT code, valid_from, valid_to,"
        " lag(valid_to) OVER (PARTITION BY code ORDER BY valid_from, valid_to NULLS LAST) AS ended"
        " FROM grids.unit_grid) v WHERE valid_to IS NULL AND ended < valid_from ORDER BY code"
    )
    live = sql.SQL("SELECT code FROM grids.unit_grid WHERE valid_to IS NULL")
    with database.connect(read_only=True) as connection:
        again = [str(code) for code in read_rows(connection, query)["code"]]
        held = {str(code) for code in read_rows(connection, live)["code"]}
    return frozenset(again) | (frozenset(used_codes(database)) - held)


def last_numbers(used: Iterable[str], *, code_length: int) -> dict[str, int]:
    """Return the largest sequence number used in each community; codes of other lengths are passed over.

    Examples
    --------
    >>> last_numbers(["130102001001002", "130102001001017"], code_length=15)
    {'130102001001': 17}
    """
    last: dict[str, int] = {}
    for code in used:
        if len(code) == code_length and code.isdecimal():
            community, sequence = code[:COMMUNITY_DIGITS], int(code[COMMUNITY_DIGITS:])
            last[community] = max(last.get(community, 0), sequence)
    return last


def reading_order(grids: gpd.GeoDataFrame, *, target_m2: float = 10_000.0) -> "pd.Series[int]":
    """Return the position of each grid in its community, from 0: bands N to S, each W to E.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(100, 0, 200, 100), box(0, 0, 100, 100), box(0, 100, 200, 200)]
    >>> reading_order(gpd.GeoDataFrame({"community_code": "1"}, geometry=squares, index=range(3))).tolist()
    [2, 1, 0]
    """
    shapes = grids.geometry.to_numpy()
    centre = shapely.centroid(shapes)
    bounds = shapely.bounds(shapes)
    places = pd.DataFrame(
        {
            "community": grids["community_code"].astype(str).to_numpy(),
            "x": np.round(shapely.get_x(centre), 2),
            "y": np.round(shapely.get_y(centre), 2),
            "top": bounds[:, 3],
            "west": bounds[:, 0],
            "area": np.round(shapely.area(shapes), 2),
        }
    )
    top = places.groupby("community")["top"].transform("max")
    places["band"] = np.floor((top - places["y"]) / (_BAND * np.sqrt(target_m2))).astype(int)
    places["north"] = -places["y"]
    keys = ["community", "band", "x", "north", "west", "area"]
    ordered = places.sort_values(keys, kind="stable")
    return ordered.groupby("community").cumcount().sort_index().set_axis(grids.index)


def _check_length(code_length: int) -> None:
    if code_length not in CODE_LENGTHS:
        msg = f"Unit grid codes have 14 or 15 digits, not {code_length}; correct codes.grid_length."
        raise CodeError(msg, zh=f"单元网格编码应为 14 或 15 位，不能为 {code_length} 位。")


def _kept_codes(
    grids: gpd.GeoDataFrame,
    order: "pd.Series[int]",
    *,
    code_length: int,
    retired: frozenset[str],
) -> "pd.Series[str]":
    """Return the codes that stay; None where a grid has none, or one that can not stay."""
    none = pd.Series(None, index=grids.index, dtype=object)
    if "code" not in grids:
        return none
    code = grids["code"].astype(object)
    community = grids["community_code"].astype(str)
    valid = is_valid_code(code, community, code_length=code_length) & ~code.isin(retired)
    places = pd.DataFrame({"code": code.to_numpy(), "order": order.to_numpy()})
    again = places[valid.to_numpy()].sort_values("order", kind="stable").duplicated("code")
    valid.iloc[again.index[again].to_numpy()] = False
    return none.where(~valid, code)


def _check_room(
    community: "pd.Series[str]", sequence: "pd.Series[int]", *, digits: int, target_m2: float
) -> None:
    """Refuse communities whose numbers run out: which, how many grids, and what can be done."""
    most = 10**digits - 1
    need = sequence.groupby(community).agg(["size", "max"])
    over = need[need["max"] > most]
    if over.empty:
        return
    told, told_zh = [], []
    for code, row in over.head(_NAMED).iterrows():
        room = most - int(row["max"] - row["size"])
        told.append(_room_text(str(code), row, room=room, most=most, target_m2=target_m2))
        told_zh.append(_room_text_zh(str(code), row, room=room, most=most, target_m2=target_m2))
    more = len(over) - len(told)
    if more:
        told.append(f"{more} more communities overflow too")
        told_zh.append(f"另有 {more} 个社区超出")
    wider = " Or move the city to 15-digit codes (codes.grid_length)." if digits == 2 else ""
    wider_zh = "也可改用 15 位编码（codes.grid_length）。" if digits == 2 else ""
    msg = f"{'; '.join(told)}. Divide such a community with a larger target, or split it.{wider}"
    zh = f"{'；'.join(told_zh)}。请对该社区采用更大的目标面积重新划分，或拆分该社区。{wider_zh}"
    raise CodeError(msg, zh=zh)


def _room_text(code: str, row: "pd.Series[int]", *, room: int, most: int, target_m2: float) -> str:
    count = int(row["size"])
    text = (
        f"Community {code} needs number {row['max']}, but its sequence ends at {most}: "
        f"{count} grids to number, {room} numbers left"
    )
    return f"{text}, enough at {_enough_m2(count, room, target_m2)} m² a grid" if room else text


def _room_text_zh(
    code: str, row: "pd.Series[int]", *, room: int, most: int, target_m2: float
) -> str:
    count = int(row["size"])
    text = (
        f"社区 {code} 需要编号到 {row['max']}，但顺序码最大为 {most}："
        f"待编号 {count} 个，仅余 {room} 个号码"
    )
    return f"{text}，网格平均 {_enough_m2(count, room, target_m2)} 平方米即可容纳" if room else text


def _enough_m2(count: int, room: int, target_m2: float) -> int:
    """Return the target at which as many grids as there are numbers remain, in round 1,000 m²."""
    return int(-(-target_m2 * count / room // 1000) * 1000)
