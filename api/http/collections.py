"""Collections of ``/ogc``: tipg's, over the rows of today, inside the districts of whoever asks."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import date
from typing import Any

from cql2 import Expr
from morecantile import Tile, TileMatrixSet
from pydantic import PrivateAttr
from tipg.collections import Column, PgCollection
from tipg.errors import InvalidDatetime, InvalidPropertyName, NotFound, TiPgError

from api.http.layers import LayerSpec, columns_of, table_of
from api.http.tiles import MAX_ZOOM, TILE_FEATURES, outline, tile_query

ROWS = " rows "
"""Key under which the condition on rows travels to the FROM clause; no parameter has such a name."""

districts: ContextVar[tuple[str, ...]] = ContextVar("districts", default=())
"""Districts of whoever asks; set by the gate of ``/ogc``, empty: the whole city."""

_SAFE_OPERATORS = frozenset(
    {"and", "or", "not", "=", "<>", "<", ">", "<=", ">=", "like", "between", "in", "isNull"}
    | {"+", "-", "*", "/", "casei", "accenti", "date", "timestamp", "interval", "bbox"}
    | {f"s_{name}" for name in ("intersects", "equals", "disjoint", "touches", "within")}
    | {f"s_{name}" for name in ("overlaps", "crosses", "contains")}
    | {f"t_{name}" for name in ("after", "before", "disjoint", "equals", "intersects", "during")}
    | {f"a_{name}" for name in ("equals", "contains", "containedBy", "overlaps")}
)
_DISTRICT = re.compile(r"\d{6}")


class InvalidFilter(TiPgError):  # noqa: N818 (as tipg names its own)
    """A filter uses what CQL2 does not have."""


class LayerCollection(PgCollection):
    """One layer; its FROM clause is a selection of the table's rows that hold.

    With ``datetime`` the rows that held then are given instead of those of today. A filter may use
    the operators of CQL2 and nothing else: functions of the database are not reached through it.
    """

    _spec: LayerSpec = PrivateAttr()
    _crs: str = PrivateAttr()
    _today: Callable[[], date] = PrivateAttr()

    @classmethod
    def of(
        cls,
        spec: LayerSpec,
        *,
        srid: int,
        crs: str,
        bounds: Sequence[float],
        today: Callable[[], date],
    ) -> "LayerCollection":
        """Return the collection of a layer.

        Parameters
        ----------
        spec : LayerSpec
            The layer.
        srid : int
            SRID of the city's CRS.
        crs : str
            The city's CRS as ``gis.crs`` reads it.
        bounds : sequence of float
            West, south, east, north of the city in degrees.
        today : callable
            Returns the day in the city's time zone.
        """
        columns = columns_of(spec, srid)
        geometry = next(column for column in columns if column.is_geometry)
        geometry.bounds = list(bounds)
        key = "case_id" if spec.table == "cases.case" else "code"
        schema, table = spec.table.split(".")
        collection = cls(
            type="Table",
            id=spec.name,
            table=table,
            schema=schema,
            title=spec.title,
            description=table_of(spec, srid).comment,
            table_columns=columns,
            properties=columns,
            id_column=next(column for column in columns if column.name == key),
            geometry_column=geometry,
            datetime_column=next((c for c in columns if c.is_datetime), None),
        )
        collection._spec = spec
        collection._crs = crs
        collection._today = today
        return collection

    @property
    def is_versioned(self) -> bool:
        """Whether old versions of rows stay in the table."""
        return any(column.name == "valid_to" for column in self.table_columns)

    def rows(self, moments: Sequence[str] | None) -> str:
        """Return the SQL condition for the rows of the layer at `moments`, in force today when None.

        Raises
        ------
        InvalidDatetime
            A moment is no RFC 3339 date or time.
        """
        parts = [self._spec.condition]
        if self.is_versioned:
            parts.append(validity(moments or [self._today().isoformat()]))
        elif moments:
            parts.append(reported(moments))
        if allowed := districts.get():
            parts.append(self._inside(allowed))
        return " AND ".join(f"({part})" for part in parts)

    @staticmethod
    def _inside(allowed: Sequence[str]) -> str:
        codes = ", ".join(f"'{code}'" for code in allowed if _DISTRICT.fullmatch(code))
        return (
            "EXISTS (SELECT FROM grids.area AS d WHERE d.valid_to IS NULL AND d.level = 'district'"
            f" AND d.code IN ({codes}) AND ST_Intersects(d.geom, t.geom))"
        )

    def _from(self, function_parameters: dict[str, str] | None, _: list[Any]) -> str:
        condition = (function_parameters or {}).get(ROWS) or self.rows(None)
        # Only what is published: a filter must not reach the other columns either.
        names = ", ".join(f't."{column.name}"' for column in self.table_columns)
        rows = f"SELECT {names} FROM {self._qualified_name} AS t WHERE {condition}"  # noqa: S608 (declared)
        return f'FROM ({rows}) AS "{self.table}"'

    async def features(self, conn: Any, **question: Any) -> Any:
        """Return the features asked for; see ``tipg``."""
        check_filter(question.get("cql_filter"))
        moments = question.pop("datetime_filter", None)
        question["function_parameters"] = {ROWS: self.rows(moments)}
        return await super().features(conn, **question)

    def cql_where(self, **question: Any) -> Expr | None:  # type: ignore[override]  # by name alone
        """Return the condition of a question; the box is turned into the city's CRS by ``gis.crs``."""
        box = question.pop("bbox", None)
        where: Expr | None = super().cql_where(**question)
        if box is None or self.geometry_column is None:
            return where
        flat = box if len(box) == 4 else (box[0], box[1], box[3], box[4])
        inside = self._intersects(flat, source="EPSG:4326")
        return inside if where is None else where + inside

    def _intersects(self, box: Sequence[float], *, source: str) -> Expr:
        west, south, east, north = outline(box, source=source, target=self._crs)
        assert self.geometry_column is not None
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        literal = {"type": "Polygon", "coordinates": [ring]}
        polygon = {"op": "st_setsrid", "args": [literal, table_srid(self)]}
        name = {"property": self.geometry_column.name}
        return Expr({"op": "s_intersects", "args": [name, polygon]})

    async def get_tile(
        self, conn: Any, *, tms: TileMatrixSet, tile: Tile, **question: Any
    ) -> bytes:
        """Return a vector tile of one layer, named as the collection; `tms` in EPSG:3857 alone."""
        check_filter(question.get("cql_filter"))
        where = self.cql_where(
            ids=question.get("ids_filter"),
            properties=question.get("properties_filter"),
            cql=question.get("cql_filter"),
        )
        query = tile_query(
            self._tile_columns(question.get("properties")),
            source=self._from({ROWS: self.rows(question.get("datetime_filter"))}, []),
            where=self._where_clause(where),
            srid=table_srid(self),
            key=self.id_column.name if self.id_column else "",
        )
        if not 0 <= tile.z <= MAX_ZOOM or not tms.is_valid(tile):
            msg = f"There is no tile {tile.z}/{tile.x}/{tile.y}."
            raise NotFound(msg)
        box = tms.xy_bounds(tile)
        edge = (box.right - box.left) / 64
        wide = (box.left - edge, box.bottom - edge, box.right + edge, box.top + edge)
        near = outline(wide, source="EPSG:3857", target=self._crs)
        limit = min(question.get("limit") or TILE_FEATURES, TILE_FEATURES)
        found = await conn.fetchval(query, *near, *box, self.id, limit)
        return bytes(found or b"")

    def _tile_columns(self, properties: Sequence[str] | None) -> list[Column]:
        wanted = self._spec.tile_properties if properties is None else properties
        known = {column.name: column for column in self.properties if not column.is_geometry}
        missing = [name for name in wanted if name and name not in known]
        if missing:
            msg = f"Invalid property name: {', '.join(missing)}"
            raise InvalidPropertyName(msg)
        return [known[name] for name in wanted if name]


def table_srid(collection: PgCollection) -> int:
    """Return the SRID of a collection's geometry column, 0 without one."""
    column = collection.geometry_column
    return 0 if column is None or column.srid is None else int(column.srid)


def validity(moments: Sequence[str]) -> str:
    """Return the condition that a row holds on a day, or at some time of an interval.

    Examples
    --------
    >>> validity(["2026-05-31T00:00:00Z"])
    "valid_from <= '2026-05-31' AND (valid_to IS NULL OR valid_to > '2026-05-31')"
    >>> validity(["2026-01-01", ".."])
    "(valid_to IS NULL OR valid_to > '2026-01-01')"
    """
    first, last = _days(moments)
    parts = [] if last is None else [f"valid_from <= '{last}'"]
    if first is not None:
        parts.append(f"(valid_to IS NULL OR valid_to > '{first}')")
    return " AND ".join(parts) or "TRUE"


def reported(moments: Sequence[str]) -> str:
    """Return the condition that a case was reported on a day or within an interval of days (UTC)."""
    first, last = _days(moments)
    parts = [] if first is None else [f"reported_at >= '{first}'"]
    if last is not None:
        parts.append(f"reported_at < '{last}'::date + 1")
    return " AND ".join(parts) or "TRUE"


def _days(moments: Sequence[str]) -> tuple[date | None, date | None]:
    try:
        days = [None if text in ("", "..") else date.fromisoformat(text[:10]) for text in moments]
    except ValueError as error:
        msg = f"Invalid datetime: {'/'.join(moments)}"
        raise InvalidDatetime(msg) from error
    return days[0], days[-1]


def check_filter(expression: Expr | None) -> None:
    """Refuse a filter that calls anything but CQL2's own operators.

    Raises
    ------
    InvalidFilter
        An operator is not one of them.
    """
    if expression is None:
        return
    pending: list[Any] = [expression.to_json()]
    while pending:
        node = pending.pop()
        if isinstance(node, Mapping):
            operator = node.get("op")
            if operator is not None and operator not in _SAFE_OPERATORS:
                msg = f"Invalid operator in filter: {operator}"
                raise InvalidFilter(msg)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
