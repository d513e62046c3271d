"""Unit grid codes 单元网格标识码: community code and a sequence from west to east, north to south."""

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


def number(
    grids: gpd.GeoDataFrame,
    *,
    code_length: int = 15,
    used: Iterable[str] = (),
    target_m2: float = 10_000.0,
) -> "pd.Series[str]":
    """Return a code for every grid, numbered in reading order inside each community.

    A community is read in bands about one grid high, from north to south, each from west to east.
    Numbers start after the largest ever used in the community, so that retired codes stay retired.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``community_code`` (12 digits) and ``geometry`` in a metric CRS, north up.
    code_length : int
        14 (two-digit sequence, CJ/T 213-2005) or 15 (three digits).
    used : iterable of str
        Codes of the community's grids, live or retired.
    target_m2 : float
        Area of a usual grid, m²: a band is 1.15 times as high as its square is wide.

    Returns
    -------
    pandas.Series
        Codes with the index of `grids`.

    Raises
    ------
    CodeError
        A community code has not 12 digits, or a community has more grids than its sequence can number.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(100, 0, 200, 100), box(0, 0, 100, 100), box(0, 100, 200, 200)]
    >>> grids = gpd.GeoDataFrame({"community_code": "130102001001"}, geometry=squares, index=range(3))
    >>> number(grids).tolist()
    ['130102001001003', '130102001001002', '130102001001001']
    >>> number(grids, code_length=14, used=["13010200100107"]).tolist()
    ['13010200100110', '13010200100109', '13010200100108']
    """
    if code_length not in CODE_LENGTHS:
        msg = f"Unit grid codes have 14 or 15 digits, not {code_length}; correct codes.grid_length."
        raise CodeError(msg, zh=f"单元网格编码应为 14 或 15 位，不能为 {code_length} 位。")
    community = grids["community_code"].astype(str)
    wrong = community[~community.str.fullmatch(r"\d{12}")]
    if len(wrong):
        msg = f"Community code {wrong.iloc[0]!r} has not 12 digits; its grids can not be numbered."
        raise CodeError(msg, zh=f"社区代码 {wrong.iloc[0]!r} 不是 12 位数字，无法为其网格编号。")
    last = last_numbers(used, code_length=code_length)
    rank = _reading_order(grids, community, target_m2)
    sequence = rank + community.map(last).fillna(0).astype(int) + 1
    digits = code_length - COMMUNITY_DIGITS
    _check_room(community, sequence, digits)
    return community + sequence.astype(str).str.zfill(digits)


def used_codes(database: Database) -> list[str]:
    """Return every unit grid code that any version ever bore, sorted."""
    query = sql.SQL("SELECT DISTINCT code FROM grids.unit_grid ORDER BY code")
    with database.connect(read_only=True) as connection:
        return [str(code) for code in read_rows(connection, query)["code"]]


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


def _reading_order(
    grids: gpd.GeoDataFrame, community: "pd.Series[str]", target_m2: float
) -> "pd.Series[int]":
    """Return the position of each grid in its community, from 0."""
    centre = shapely.centroid(grids.geometry.to_numpy())
    places = pd.DataFrame(
        {
            "community": community.to_numpy(),
            "x": np.round(shapely.get_x(centre), 2),
            "y": np.round(shapely.get_y(centre), 2),
            "top": grids.geometry.bounds["maxy"].to_numpy(),
        }
    )
    top = places.groupby("community")["top"].transform("max")
    places["band"] = np.floor((top - places["y"]) / (1.15 * np.sqrt(target_m2))).astype(int)
    places["north"] = -places["y"]
    ordered = places.sort_values(["community", "band", "x", "north"], kind="stable")
    return ordered.groupby("community").cumcount().sort_index().set_axis(grids.index)


def _check_room(community: "pd.Series[str]", sequence: "pd.Series[int]", digits: int) -> None:
    most = 10**digits - 1
    over = community[sequence > most]
    if len(over):
        worst = over.iloc[0]
        need = int(sequence[community == worst].max())
        msg = (
            f"Community {worst} needs number {need}, but {digits} digits end at {most}: "
            "divide the community, or aim at larger grids there."
        )
        raise CodeError(
            msg,
            zh=f"社区 {worst} 需要编号 {need}，但 {digits} 位顺序码最大为 {most}：请拆分社区或增大网格。",
        )
