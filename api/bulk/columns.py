"""Which columns of a file ask what: known spellings, options, positions in a geometry, x and y mixed up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from api.bulk.spans import Chunk, Source
from api.columns import read_number, read_numbers
from api.frames import known_fields
from api.placing.earth import city_xy
from gis.crs import transform_xy
from gis.errors import CrsError, RequestError
from gis.fields import find_column

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_SAMPLE_ROWS = 20_000
_SELDOM, _MOSTLY = 0.1, 0.8
_MARGIN = 0.5
"""The city and its surroundings reach this part of its extent beyond it."""
_DEGREES = "EPSG:4326"
_PLACES = ("x", "y", "address", "component_code")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command says for all rows."""

    crs: str | None = None
    """CRS of positions whose row names none."""
    as_of: str | None = None
    """Day of the data for rows that name none, as ISO text."""
    fields: tuple[tuple[str, str], ...] = ()
    """Platform column and the file's column that stands for it."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How the columns of a file become the columns that are asked."""

    named: tuple[tuple[str, str], ...]
    """Platform column and the file's column."""
    geometry: str | None = None
    """Column of positions as WKB, read where no columns give them."""
    geometry_crs: str | None = None
    crs: str | None = None
    as_of: str | None = None

    def table(self, chunk: Chunk) -> pa.Table:
        """Return the columns to ask; a row that could not be read asks nothing."""
        table = chunk.table
        columns = {platform: table[column] for platform, column in self.named}
        if self.geometry is not None:
            columns["x"], columns["y"] = _positions(table[self.geometry])
        lost = [t.row for t in chunk.troubles if t.reason == "row_unreadable"]
        if lost:
            kept = np.ones(table.num_rows, dtype=bool)
            kept[lost] = False
            columns = {
                name: pc.if_else(pa.array(kept), column, pa.scalar(None, column.type))
                for name, column in columns.items()
            }
        for name, value in (("crs", self.geometry_crs or self.crs), ("as_of", self.as_of)):
            if value is not None:
                columns[name] = _filled(columns.get(name), value, rows=table.num_rows)
        # A table without columns would have no rows.
        return pa.table(columns or {"case_id": pa.nulls(table.num_rows, pa.string())})


def asking(source: Source, options: Options) -> Asking:
    """Settle which columns ask what.

    Raises
    ------
    RequestError
        Two columns stand for one, or one that is named is not there.
    """
    others = [name for name in source.empty().column_names if name != source.geometry]
    found = known_fields(others, stated=dict(options.fields))
    mapped = {platform: others[position] for platform, position in found.items()}
    has_place = "x" in mapped or "y" in mapped
    is_placed = source.geometry is not None and not has_place
    return Asking(
        named=tuple(mapped.items()),
        geometry=source.geometry if is_placed else None,
        geometry_crs=source.geometry_crs if is_placed else None,
        crs=options.crs,
        as_of=options.as_of,
    )


def turned(
    how: Asking, source: Source, snapshot: "Snapshot", *, rows: int = _SAMPLE_ROWS
) -> tuple[Asking, str | None]:
    """Return how to ask with x and y exchanged if only so the positions lie in the city; and what to say.

    Also said is that no column tells where any case is.

    In Chinese surveying X is north and Y is east, in mathematics and GIS it is the other way round; and
    columns of longitude and latitude are mixed up often enough.
    """
    named = dict(how.named)
    if how.geometry is None and named.keys().isdisjoint(_PLACES):
        told = ", ".join(name for name in source.empty().column_names if name != source.geometry)
        return how, (
            f"No column says where a case is (there are: {told}): name those that do with --field, as "
            "x=经度 and y=纬度, address=地点 or component_code=部件."
        )
    extent = _extent(snapshot)
    is_told = how.geometry is not None or {"x", "y"} <= named.keys()
    if not is_told or extent is None:
        return how, None
    chunk = next((c for span in source.spans() for c in source.read(span)), None)
    if chunk is None:
        return how, None
    asked = how.table(chunk).slice(0, rows)
    x, y = (read_numbers(asked, name)[0] for name in ("x", "y"))
    names = asked["crs"].to_pylist() if "crs" in asked.column_names else [_DEGREES] * asked.num_rows
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return how, _unreadable(asked, named)
    straight = _share_within(x, y, names, known, (snapshot.crs, extent))
    if straight >= _SELDOM:
        return how, None
    if how.geometry is not None:
        return how, _elsewhere(how.geometry_crs, asked.num_rows)
    crossed = _share_within(y, x, names, known, (snapshot.crs, extent))
    if crossed > _MOSTLY:
        swapped = named | {"x": named["y"], "y": named["x"]}
        said = (
            f"Columns {named['x']} and {named['y']} were read the other way round: only so the "
            "places lie in the city."
        )
        return replace(how, named=tuple(swapped.items())), said
    return how, (
        f"Hardly any position of the first {asked.num_rows:,} rows lies in the city: if the coordinates "
        "are not degrees of WGS 84, state their CRS with --crs (city: the city's own)."
    )


def _share_within(x: Any, y: Any, names: Sequence[Any], known: Any, city: tuple[str, Any]) -> float:
    crs, (west, south, east, north) = city
    within = np.zeros(len(x), dtype=bool)
    texts = pd.Series(names, dtype=object).fillna(_DEGREES).astype(str)
    for name, rows in texts.groupby(texts).indices.items():
        own = crs if str(name).strip().lower() == "city" else str(name).strip()
        try:
            e, n = city_xy(x[rows], y[rows], source=own, city=crs)
        except CrsError:
            continue
        within[rows] = (e >= west) & (e <= east) & (n >= south) & (n <= north)
    return float(within[known].mean())


def _extent(snapshot: "Snapshot") -> tuple[float, float, float, float] | None:
    """Return the extent of the city with a margin; None: it has no areas."""
    areas = snapshot.table("areas")
    chosen = areas.filter(pc.equal(areas["level"], "district"))
    if not chosen.num_rows:
        return None
    shapes = shapely.from_wkb(chosen["geometry"].to_numpy(zero_copy_only=False))
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    wide, high = (east - west) * _MARGIN, (north - south) * _MARGIN
    return west - wide, south - high, east + wide, north + high


def _positions(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    shapes = shapely.from_wkb(column.to_numpy(), on_invalid="ignore")
    if (shapely.get_type_id(shapes) > 0).any():  # a case drawn as a line or an area
        shapes = shapely.point_on_surface(shapes)
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    return pa.array(x, from_pandas=True), pa.array(y, from_pandas=True)


def _unreadable(asked: pa.Table, named: Mapping[str, str]) -> str | None:
    """Say of positions none of which is a pair of numbers how one is written; None: there are none."""
    for name in ("x", "y"):
        given = [str(value).strip() for value in asked[name].drop_null().unique().to_pylist()]
        wrong = [value for value in given if value and read_number(value) is None]
        if wrong:
            return (
                f'No position of the first {asked.num_rows:,} rows can be read: {named[name]} holds "{wrong[0][:40]}"; '
                "write plain decimal numbers, as 114.5149, without separators of thousands, signs of "
                "degrees or letters."
            )
    return None


def _elsewhere(crs: str | None, rows: int) -> str:
    """Say of shapes that lie elsewhere what to do about their CRS."""
    if crs is None:
        advice = "the file names no CRS, which was taken for WGS 84: state it with --crs (city: the city's own)."
    else:
        advice = (
            "the CRS that the file (or, where it names none, --crs) states may be a wrong one: correct it "
            "(in the file with QGIS: Set Layer CRS), and run again."
        )
    return f"Hardly any position of the first {rows:,} rows lies in the city: {advice}"


def _filled(column: pa.ChunkedArray | None, value: str, *, rows: int) -> Any:
    if column is None:
        return pa.array([value] * rows, pa.string())
    texts = column.cast(pa.string())
    is_blank = pc.equal(pc.utf8_trim_whitespace(texts), "")
    return pc.if_else(pc.fill_null(is_blank, True), pa.scalar(value), texts)


def addresses(how: Asking, source: Source, *, column: str) -> Asking:
    """Return how to ask for the addresses in a column, given by the file's name for it or by ours."""
    if column in source.empty().column_names:
        return Asking(named=(("address", column),))
    platform = find_column(column, dataset="cases") or column
    own = dict(how.named).get(platform)
    return Asking(named=() if own is None else (("address", own),))


def checked_crs(name: str | None, *, city: str) -> str | None:
    """Return the name of a CRS for all rows if there is such a CRS.

    Raises
    ------
    RequestError
        It is not known, or its datum shift to the city's CRS is not.
    """
    if name is None or name.strip().lower() == "city":
        return name
    try:
        transform_xy([0.0], [0.0], source=name.strip(), target=city)
    except CrsError as error:
        raise RequestError(error.message, zh=error.zh) from error
    return name.strip()


def checked_day(text: str | None) -> str | None:
    """Return a day as ISO text.

    Raises
    ------
    RequestError
        It is none.

    Examples
    --------
    >>> checked_day("2026-05-01")
    '2026-05-01'
    """
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError as error:
        msg = f"--as-of {text} is no day: write it as 2026-05-01."
        raise RequestError(msg, zh=f"--as-of {text} 不是日期：请写成 2026-05-01。") from error


def stated_fields(texts: Sequence[str]) -> Mapping[str, str]:
    """Return the options ``--field platform=column`` as a mapping.

    Raises
    ------
    RequestError
        One is not of that form.

    Examples
    --------
    >>> stated_fields(["x=经度"])
    {'x': '经度'}
    """
    pairs = [text.partition("=") for text in texts]
    for platform, sign, column in pairs:
        if not (platform and sign and column):
            msg = f'"{platform}{sign}{column}" is no --field: write it as x=经度, our name first.'
            raise RequestError(
                msg, zh=f"--field 的写法不对（{platform}{sign}{column}）：应为 x=经度。"
            )
    return {platform: column for platform, _, column in pairs}
