"""Reading column by column must give what reading row by row gives, types of columns included."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis import columnwise
from gis.columnwise import read_columns
from gis.database import Database, read_features

_TABLE = (
    "CREATE TEMP TABLE sample (t text, i int, f float8, b bool, d date, j jsonb, "
    "geom geometry(GEOMETRY, 4547))"
)
_INSERT = (
    "INSERT INTO sample VALUES (%s, %s, %s, %s, %s::date, %s::jsonb, ST_GeomFromText(%s, 4547))"
)
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
_ROWS = st.tuples(
    st.none() | _TEXTS | st.sampled_from(['a,"b"', "\n", "\r\n", "\\N", "", "NULL", "nan"]),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.floats(),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(["2026-05-31", "0001-01-01", "9999-12-31"]),
    st.sampled_from([None, "{}", '{"a": 1.50, "名": ["x", null]}', "[1]", '"t"']),
    st.sampled_from([None, "POINT (1.1 2.2)", "LINESTRING (0 0, 1 1)", "POINT EMPTY"]),
)


def test_both_ways_of_reading_agree(database: Database) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(_ROWS, max_size=6))
    def check(rows: list[tuple[object, ...]]) -> None:
        with database.connect() as connection:
            connection.execute(_TABLE)
            for row in rows:
                connection.execute(_INSERT, list(row))
            one = read_features(connection, "SELECT * FROM sample", crs="EPSG:4547")
            other = read_columns(connection, "SELECT * FROM sample", crs="EPSG:4547")
            connection.execute("DROP TABLE sample")
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))
        assert one.crs == other.crs

    check()


def test_blocks_are_joined_in_the_order_of_the_query(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columnwise, "_BLOCK_ROWS", 3)
    query = (
        "SELECT n, 'x' || n AS t, jsonb_build_object('n', 1) AS j, "
        "ST_SetSRID(ST_MakePoint(n, 0), 4547) AS geom FROM generate_series(%s::int, 1, -1) AS n"
    )
    with database.connect(read_only=True) as connection:
        rows = read_columns(connection, query, [8], crs="EPSG:4547")
    assert rows["n"].tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert rows["t"].tolist() == [f"x{n}" for n in rows["n"]]
    assert rows.geometry.x.tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
    rows.loc[0, "j"]["n"] = 2  # a document belongs to its row alone
    assert [document["n"] for document in rows["j"]] == [2, 1, 1, 1, 1, 1, 1, 1]


def test_lists_and_moments_are_read_too(database: Database) -> None:
    query = "SELECT ARRAY['a', 'b,c'] AS a, now() AS m, NULL::geometry AS geom"
    with database.connect(read_only=True) as connection:
        rows = read_columns(connection, query, crs="EPSG:4547")
    assert rows["a"].tolist() == [["a", "b,c"]]
    assert rows.geometry.tolist() == [None]
