"""A table filled at once beside one filled by way of the staging table: the same rows, the same hashes."""

from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd
import psycopg
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.builds import rollback
from gis.database import Database, read_rows
from gis.rowhash import UnlikeError, document_text
from gis.server import Server
from tests.publishing import publish_drawn

MAY = date(2026, 5, 31)
MANY = 20_001
ODD_TEXTS = ["", "裕华路", 'a"b', "a,b\nc\td", "\\N", "\\", " x ", "𠮷", "\x7f", "\x01\x1f", "null"]
ODD_DOCUMENTS: list[dict[str, Any]] = [
    {},
    {"材质": "铸铁", "b": 1, "aa": None, "a": True},
    {"x": 0.1, "y": 12.0, "z": -3},
    {
        "t": 'quote " back \\ / tab \t bell \x07 bs \b ff \f',
        "": "",
        "deep": {"b": [1, {}], "a": []},
    },
]
SHAPES = [
    shapely.Point(500_000.125, 4_210_000),
    shapely.LineString([(500_000, 4_210_000), (500_001, 4_210_002.5)]),
    shapely.box(500_000, 4_210_000, 500_010, 4_210_010),
    shapely.MultiPolygon([shapely.box(500_000, 4_210_000, 500_010, 4_210_010)]),
]


def features(count: int, *, documents: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    numbers = range(count)
    return gpd.GeoDataFrame(
        {
            "code": [f"T{n:06d}" for n in numbers],
            "feature_class": "430501",
            "theme": "transport",
            "name": [None if n % 13 == 12 else ODD_TEXTS[n % 13 % len(ODD_TEXTS)] for n in numbers],
            "attributes": [documents[n % len(documents)] for n in numbers],
            "source_file": "道路.shp",
            "source_row": list(numbers),
        },
        geometry=[SHAPES[n % len(SHAPES)] for n in numbers],
        crs="EPSG:4547",
    )


def load(database: Database, frame: gpd.GeoDataFrame, content: str, *, day: date = MAY) -> Any:
    return publish_drawn(database, "topography", frame, as_of=day, content=content)


def stored(database: Database, columns: str) -> pd.DataFrame:
    with database.connect() as connection:
        query = f"SELECT {columns} FROM topography.feature WHERE valid_to IS NULL ORDER BY code"
        return read_rows(connection, query)


def indexes(database: Database) -> list[str]:
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = 'topography.feature'::regclass ORDER BY 1"
        )
        return [row[0] for row in rows]


def test_rows_have_the_hash_that_the_database_makes(database: Database) -> None:
    before = indexes(database)
    result = load(database, features(MANY, documents=ODD_DOCUMENTS), "first")
    assert (result.rows_opened, result.rows_closed, result.rows_unchanged) == (MANY, 0, 0)
    assert indexes(database) == before
    # Staged beside what is live, the database hashes each row itself: all are found unchanged.
    again = load(
        database, features(MANY, documents=ODD_DOCUMENTS), "again", day=MAY + timedelta(days=1)
    )
    assert (again.rows_opened, again.rows_closed, again.rows_unchanged) == (0, 0, MANY)
    rows = stored(database, "name, attributes, build_id, valid_from, source_row")
    assert rows["name"].iloc[1:4].tolist() == ["裕华路", 'a"b', "a,b\nc\td"]
    assert rows["name"].iloc[[0, 12]].isna().tolist() == [False, True]
    assert rows["attributes"].iloc[1] == ODD_DOCUMENTS[1]
    assert set(rows["build_id"]) == {result.build_id}
    assert set(rows["valid_from"]) == {MAY}


def test_numbers_that_are_written_otherwise_are_left_to_the_database(database: Database) -> None:
    frame = features(MANY, documents=[{"depth": 1e20}, {}])
    result = load(database, frame, "first")
    again = load(database, frame, "again", day=MAY + timedelta(days=1))
    assert (result.rows_opened, again.rows_unchanged) == (MANY, MANY)
    assert len(stored(database, "code")) == MANY
    with database.connect() as connection:
        builds = read_rows(connection, "SELECT build_id, rows_opened FROM meta.build")
    assert sorted(builds["rows_opened"]) == [0, MANY]


def test_a_filled_table_is_rolled_back_and_filled_again(database: Database) -> None:
    frame = features(MANY, documents=[{}])
    result = load(database, frame, "first")
    assert rollback(database, result.build_id, actor="tester").rows_removed == MANY
    assert load(database, frame, "first").rows_opened == MANY
    assert len(stored(database, "code")) == MANY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner, max_size=4
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60)
@given(values=st.lists(JSON, min_size=1, max_size=20))
def test_documents_are_written_as_the_database_writes_them(
    server: Server, values: list[Any]
) -> None:
    kept, texts = [], []
    for value in values:
        try:
            texts.append(document_text(orjson.loads(orjson.dumps(value))))
            kept.append(orjson.dumps(value).decode())
        except (UnlikeError, TypeError):  # a whole number of more than 64 bits is copied as text
            continue
    query = (
        "SELECT array_agg(value::jsonb::text ORDER BY place) "
        "FROM unnest(%s::text[]) WITH ORDINALITY AS v (value, place)"
    )
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute(query, [kept]).fetchone()
    assert row is not None
    assert (row[0] or []) == texts
