"""Values must come back from the database as they went in."""

import warnings
from datetime import UTC, date, datetime, timedelta, timezone

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.database import Database, copy_rows, read_features, read_rows
from gis.errors import ConformError

TABLE = (
    "CREATE TEMP TABLE sample (t text, i int, f float8, b bool, d date, m timestamptz, a text[], j jsonb, "
    "geom geometry(GEOMETRY, 4547))"
)


def test_every_kind_of_value_survives(database: Database) -> None:
    frame = gpd.GeoDataFrame(
        {
            "t": ['道路, "quoted"\n\\N', "", None],
            "i": pd.array([1, None, -2147483648], dtype="Int64"),
            "f": [0.1, np.nan, np.inf],
            "b": [True, None, False],
            "d": [date(2026, 5, 31), None, date(1, 1, 1)],
            "m": [
                datetime(2026, 5, 31, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8))),
                None,
                datetime(1999, 12, 31, tzinfo=UTC),
            ],
            "a": [["a", 'b"\\,{}', ""], [], ["NULL"]],
            "j": [{"width_m": 3.5, "名": ["x", None]}, {}, {"deep": {"n": 1}}],
        },
        geometry=[shapely.Point(1.1, 2.2), None, shapely.LineString([(0, 0), (1, 1)])],
        crs="EPSG:4547",
    )
    with database.connect() as connection:
        connection.execute(TABLE)
        assert copy_rows(connection, "sample", frame, srid=4547) == 3
        back = read_features(connection, "SELECT * FROM sample", crs="EPSG:4547")
        srids = read_rows(
            connection, "SELECT DISTINCT ST_SRID(geom) AS srid FROM sample WHERE geom IS NOT NULL"
        )
    assert srids["srid"].tolist() == [4547]
    assert back["t"].tolist()[:2] == ['道路, "quoted"\n\\N', ""]
    assert pd.isna(back["t"][2])
    assert back["i"].tolist() == [1, pd.NA, -2147483648]
    assert back["f"].tolist()[0::2] == [0.1, np.inf]
    assert np.isnan(back["f"][1])
    assert back["b"].tolist() == [True, pd.NA, False]
    assert back["d"].tolist() == [date(2026, 5, 31), None, date(1, 1, 1)]
    assert back["m"].tolist()[0] == datetime(2026, 5, 31, 0, 30, 0, 123456, tzinfo=UTC)
    assert back["a"].tolist() == [["a", 'b"\\,{}', ""], [], ["NULL"]]
    assert back["j"].tolist() == [{"width_m": 3.5, "名": ["x", None]}, {}, {"deep": {"n": 1}}]
    assert back.geometry.tolist() == [
        shapely.Point(1.1, 2.2),
        None,
        shapely.LineString([(0, 0), (1, 1)]),
    ]


def test_texts_survive_in_both_kinds_of_column(database: Database) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1
        )
    )
    def check(texts: list[str]) -> None:
        for column in (pd.Series(texts, dtype="str"), pd.Series(texts, dtype="object")):
            frame = pd.DataFrame(
                {"t": column, "a": [texts] * len(texts), "j": [{"k": texts}] * len(texts)}
            )
            with database.connect() as connection:
                connection.execute(TABLE)
                copy_rows(connection, "sample", frame, srid=4547)
                back = read_rows(connection, "SELECT t, a, j FROM sample")
                connection.execute("DROP TABLE sample")
            assert back["t"].tolist() == texts
            assert back["a"].tolist() == [texts] * len(texts)
            assert back["j"].tolist() == [{"k": texts}] * len(texts)

    check()


TEXTS = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
SHAPES = [
    None,
    shapely.Point(1.1, 2.2),
    shapely.LineString([(0, 0), (1, 1)]),
    shapely.MultiPolygon([shapely.box(0, 0, 3, 4)]),
]
ROW = st.tuples(
    TEXTS,
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.none() | st.dictionaries(st.sampled_from(["width_m", "名", ""]), TEXTS),
    st.sampled_from(SHAPES),
)


def test_rows_are_the_same_copied_in_binary_and_as_text(database: Database) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(ROW, max_size=6))
    def check(rows: list[tuple[object, ...]]) -> None:
        columns = dict(zip("tifbdj", zip(*(row[:-1] for row in rows), strict=True), strict=False))
        frame = gpd.GeoDataFrame(
            {name: pd.Series(cells, dtype="object") for name, cells in columns.items()},
            geometry=[row[-1] for row in rows],
            crs="EPSG:4547",
        )
        with database.connect() as connection:
            connection.execute(TABLE)
            connection.execute("CREATE TEMP TABLE other (LIKE sample)")
            copy_rows(connection, "sample", frame, srid=4547)
            # Lists are written as text alone, and all columns beside one are.
            copy_rows(connection, "other", frame.assign(a=[["x"]] * len(rows)), srid=4547)
            connection.execute("UPDATE other SET a = NULL")
            names = "t, i, f, b, d, j, a, ST_AsEWKB(geom)"
            one, two = (f"SELECT {names} FROM {table}" for table in ("sample", "other"))
            found = connection.execute(
                f"SELECT (SELECT count(*) FROM sample), (SELECT count(*) FROM ({one} EXCEPT ALL {two}) AS x)"
            ).fetchone()
            connection.execute("DROP TABLE sample, other")
        assert found == (len(rows), 0)

    check()


def test_a_number_too_large_for_its_column_is_told(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(TABLE)
        with pytest.raises(ConformError, match="2147483648"):
            copy_rows(connection, "sample", pd.DataFrame({"i": [1, 2**31]}), srid=4547)


def test_more_rows_than_one_chunk(database: Database) -> None:
    frame = pd.DataFrame({"i": np.arange(120_001)})
    with database.connect() as connection:
        connection.execute(TABLE)
        assert copy_rows(connection, "sample", frame, srid=4547) == 120_001
        total = read_rows(
            connection, "SELECT count(*) AS n, sum(i) AS s, max(i) AS last FROM sample"
        )
    assert total.loc[0].tolist() == [120_001, 120_000 * 120_001 / 2, 120_000]


@pytest.mark.parametrize(
    ("column", "value"), [("i", "seven"), ("t", 7), ("f", "far"), ("a", "one"), ("b", "maybe")]
)
def test_a_value_of_another_type_names_its_column(
    database: Database, column: str, value: object
) -> None:
    frame = pd.DataFrame({column: pd.Series([value], dtype="object")})
    with database.connect() as connection:
        connection.execute(TABLE)
        with pytest.raises(ConformError, match=f"Column {column}: "):
            copy_rows(connection, "sample", frame, srid=4547)


def test_an_empty_result_keeps_its_columns(database: Database) -> None:
    with database.connect() as connection, warnings.catch_warnings():
        rows = read_rows(connection, "SELECT code, area_m2 FROM grids.unit_grid")
        shapes = read_features(
            connection, "SELECT code, geom FROM grids.unit_grid", crs="EPSG:4547"
        )
    assert rows.columns.tolist() == ["code", "area_m2"]
    assert len(rows) == 0
    assert shapes.crs.to_epsg() == 4547
    assert shapes.columns.tolist() == ["code", "geometry"]
