"""Tables of cases: the same answers whatever the columns are made of, and however they are cut."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import Case, Position, Snapshot
from api.arrow import coded
from api.assign import assign_frame, assign_table, decide
from api.spans import by_span
from api.telling.answers import ANSWER_SCHEMA, PLAIN_SCHEMA, joined, plain
from tests.api.district import (
    A1,
    GRIDS,
    X0,
    Y0,
    grid,
    line,
    open_district,
    place,
    plan,
    point,
    scattered_components,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 7, 1, 12, tzinfo=ZONE)
CHANGE = date(2026, 3, 1)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    components = scattered_components(60, seed=11)
    components[3] |= {"valid_to": CHANGE}
    plans = [
        plan("1", "competent", "G1", area_code="130102001001", limit_value=4, limit_unit="hour"),
        plan("2", "handler", "W1", kind="event", hours="22:00/06:00"),
        plan("3", "handler", "W2", kind="event", class_code="01", area_code=A1),
        plan("4", "territorial", "S1", kind="event", area_code="130102001002"),
        plan("5", "maintainer", "W2", class_code="0104", season="11-15/03-15"),
        plan("6", "maintainer", "W1", class_code="0103", area_code=A1) | {"valid_from": CHANGE},
    ]
    places = [
        place("p1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路"),
        place("p3", "poi", "人民医院", point(150, 150)),
    ]
    return open_district(
        tmp_path_factory.mktemp("district"),
        components=components,
        responsibility=plans,
        places=places,
    )


def mixed(count: int, seed: int) -> pd.DataFrame:
    """Cases of every sort, good and bad."""
    rng = np.random.default_rng(seed)

    def pick(*values: Any) -> list[Any]:
        chosen: list[Any] = [values[at] for at in rng.integers(len(values), size=count)]
        return chosen

    x, y = rng.uniform(-40, 240, count), rng.uniform(-40, 240, count)
    on_line = rng.uniform(size=count) < 0.3
    x[on_line] = rng.choice([0.0, 100.0, 200.0], size=int(on_line.sum()))
    hours = rng.integers(0, 10_000, size=count)
    moments = [datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(hours=int(h)) for h in hours]
    frame = pd.DataFrame(
        {
            "case_id": [f"c{number}" for number in range(count)],
            "kind": pick("component", "event", "部件", "事件", " event ", None, "?"),
            "class_code": pick("0103", "0104", "103", " 0104 ", "0201", "9999", "", None),
            "x": X0 + x,
            "y": Y0 + y,
            "crs": pick("city", "City", "EPSG:4547", "EPSG:0", "city"),
            "accuracy_m": pick(np.nan, 0.0, -1.0, 2.0, 8.0, 40.0),
            "address": pick(None, None, None, "人民医院附近", "裕华路", "不知道"),
            "component_code": pick(
                None, None, None, "1301020104000003", " 1301020103000003", "1301020103000007", "9"
            ),
            "reported_at": moments,
            "as_of": pick(None, None, "2026-02-01", "2026-05-01", "2020-01-01"),
        }
    )
    frame.loc[rng.uniform(size=count) < 0.05, "x"] = np.nan
    frame.loc[rng.uniform(size=count) < 0.05, ["x", "y"]] = np.nan
    return frame


def case_of(row: Any) -> Case:
    """What a person would ask of a row that states its values well enough."""
    kinds = {"部件": "component", "事件": "event", " event ": "event", None: "component"}
    position = None
    if not (pd.isna(row.x) or pd.isna(row.y)):
        accuracy_m = None if pd.isna(row.accuracy_m) else row.accuracy_m
        position = Position(x=row.x, y=row.y, crs=row.crs, accuracy_m=accuracy_m)
    return Case(
        kind=kinds.get(row.kind, row.kind),
        class_code=(row.class_code or "").strip() or None,
        position=position,
        address=row.address,
        component_code=(row.component_code or "").strip() or None,
        reported_at=row.reported_at.to_pydatetime(),
        as_of=date.fromisoformat(row.as_of) if row.as_of else None,
    )


def test_rows_answer_as_single_cases(snapshot: Snapshot) -> None:
    frame = mixed(150, seed=3)
    frame = frame[(frame["crs"] != "EPSG:0") & (frame["kind"] != "?")]
    frame = frame[frame["x"].isna() == frame["y"].isna()]
    frame = frame.astype(object).where(frame.notna(), None)
    answers = assign_frame(snapshot, frame, now=NOW)
    for (_, row), (_, answer) in zip(frame.iterrows(), answers.iterrows(), strict=True):
        one = decide(snapshot, case_of(row), now=NOW)
        wanted = {
            "grid_code": one.grid.code if one.grid else None,
            "component_code": one.component.code if one.component else None,
            "unit_code": one.owner.unit_code if one.owner else None,
            "rule": one.owner.rule if one.owner else None,
            "reasons": ";".join(one.reasons),
            "location_source": one.location.source,
        }
        told = {name: None if pd.isna(answer[name]) else answer[name] for name in wanted}
        assert told == wanted, row.to_dict()
        assert answer["probability"] == pytest.approx(one.probability, abs=1e-9)
        others = one.owner.alternatives if one.owner else ()
        if others:
            assert answer["alternative_unit_code"] == others[0].unit_code
            assert answer["alternative_probability"] == pytest.approx(others[0].probability)
        else:
            assert pd.isna(answer["alternative_unit_code"])


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 10_000), st.integers(1, 70), st.integers(1, 3))
def test_order_blocks_and_threads_change_nothing(
    snapshot: Snapshot, seed: int, block_rows: int, threads: int
) -> None:
    table = pa.Table.from_pandas(mixed(90, seed), preserve_index=False)
    whole = plain(assign_table(snapshot, table, now=NOW, threads=1))
    cut = assign_table(snapshot, table, now=NOW, threads=threads, block_rows=block_rows)
    assert plain(cut).equals(whole)
    order = np.random.default_rng(seed).permutation(table.num_rows)
    assert plain(assign_table(snapshot, table.take(order), now=NOW)).equals(whole.take(order))


def test_types_of_columns_change_nothing(snapshot: Snapshot) -> None:
    frame = mixed(200, seed=5)
    wanted = assign_frame(snapshot, frame, now=NOW)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    coded = pa.table(
        {
            name: column.dictionary_encode() if pa.types.is_string(column.type) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    chunked = pa.concat_tables([coded.slice(0, 17), coded.slice(17, 100), coded.slice(117)])
    large = table.cast(
        pa.schema(
            [
                field.with_type(pa.large_string()) if pa.types.is_string(field.type) else field
                for field in table.schema
            ]
        )
    )
    texts = frame.assign(
        x=[None if pd.isna(v) else f" {v!r} " for v in frame["x"].tolist()],
        y=[None if pd.isna(v) else repr(v) for v in frame["y"].tolist()],
        accuracy_m=[None if pd.isna(v) else str(v) for v in frame["accuracy_m"]],
        reported_at=[moment.isoformat() for moment in frame["reported_at"]],
    ).astype(object)
    as_utc = frame.assign(reported_at=frame["reported_at"].dt.tz_convert("UTC"))
    plain_local = frame.assign(reported_at=frame["reported_at"].dt.tz_localize(None))
    for same in (table, coded, chunked, large):
        found = plain(assign_table(snapshot, same, now=NOW)).to_pandas()
        pd.testing.assert_frame_equal(found, wanted)
    for other in (texts, as_utc, plain_local, frame.set_index("case_id")):
        found = assign_frame(snapshot, other, now=NOW)
        pd.testing.assert_frame_equal(found.reset_index(drop=True), wanted)


def test_times_with_offsets_are_local_times_of_the_city(snapshot: Snapshot) -> None:
    """22:30 in the city is night by any clock; the plan sends events of the night to W1."""
    west = timezone(timedelta(hours=-5))
    night = datetime(2026, 5, 1, 22, 30, tzinfo=ZONE)
    times = [night.astimezone(zone).isoformat() for zone in (ZONE, UTC, west)]
    times += ["2026-05-01 22:30", "2026-05-01T22:30:00.5", "2026-05-01 12:30", "20260501T2230"]
    frame = pd.DataFrame(
        {"kind": "event", "class_code": "0201", "x": X0 + 50, "y": Y0 + 50, "crs": "city"},
        index=range(len(times)),
    ).assign(reported_at=times)
    found = assign_frame(snapshot, frame)
    assert not found["reasons"].str.contains("time_invalid").any()
    day = found["rule"][5]
    assert day == "directory:130102001001"
    assert found["rule"].tolist() == [*["plan:2"] * 5, day, "plan:2"]


def test_days_of_one_span_are_answered_together(snapshot: Snapshot) -> None:
    """The district changes on 1 March 2026 alone after its first day, 1 January 2025."""
    days = ["2024-12-31", "2025-01-01", "2026-02-28", "2026-03-01", "2030-01-01"]
    read = [None, *map(date.fromisoformat, days)]
    number = np.array([5, 1, 2, 3, 4, 0, 3], dtype=np.int32)
    found, which = by_span(snapshot, read, number)
    assert [found[at] for at in which] == [read[at] for at in (4, 1, 2, 2, 4, 0, 2)]
    frame = pd.DataFrame(
        {"class_code": "0103", "x": X0 + 50, "y": Y0 + 50, "crs": "city", "as_of": days}
    )
    together = assign_frame(snapshot, frame, now=NOW)
    apart = [assign_frame(snapshot, frame.iloc[[row]], now=NOW) for row in range(len(frame))]
    pd.testing.assert_frame_equal(together, pd.concat(apart))
    assert together["reasons"].str.contains("no_grids").tolist() == [True] + [False] * 4


def test_codes_that_lost_zeros_or_became_numbers(snapshot: Snapshot) -> None:
    base = {"x": X0 + 50, "y": Y0 + 50, "crs": "city"}
    columns: list[Any] = [
        ["0104", "0104"],
        [104, 104],
        [104.0, 104.0],
        ["104", "104.0"],
        ["104", 104],
    ]
    found = [assign_frame(snapshot, pd.DataFrame(base | {"class_code": c})) for c in columns]
    for other in found[1:]:
        pd.testing.assert_frame_equal(other, found[0])
    assert not found[0]["reasons"].str.contains("class_unknown").any()
    bad = assign_frame(snapshot, pd.DataFrame(base | {"class_code": [104.5, np.inf]}))
    assert bad["reasons"].str.contains("class_unknown").all()


def test_positions_of_several_systems_in_one_table(snapshot: Snapshot) -> None:
    frame = pd.DataFrame(
        {
            "x": [X0 + 50, 114.0, 114.0, 114.0, 114.0, 1.0],
            "y": [Y0 + 50, 37.93, 37.93, 37.93, 37.93, 2.0],
            "crs": ["city", "EPSG:4326", "GCJ-02", "BD-09", None, "no such"],
        }
    )
    found = assign_frame(snapshot, frame)
    assert found["location_x"][1] == found["location_x"][4]
    shifts = np.hypot(
        found["location_x"] - found["location_x"][1], found["location_y"] - found["location_y"][1]
    )
    assert 50 < shifts[2] < 1_500
    assert shifts[3] > 500
    assert "position_invalid" in found["reasons"][5]


@pytest.mark.parametrize("rows", [0, 3])
def test_tables_of_nothing_have_the_same_columns(snapshot: Snapshot, rows: int) -> None:
    for table in (
        pa.table({"other": pa.nulls(rows)}),
        pa.table({"x": pa.array([None] * rows, pa.float64()), "class_code": pa.nulls(rows)}),
    ):
        found = assign_table(snapshot, table)
        assert found.schema == ANSWER_SCHEMA
        assert found.num_rows == rows
        assert plain(found).schema == PLAIN_SCHEMA
    if rows:
        assert (
            found["reasons"].to_pylist()
            == ["not_located;class_missing;no_territory;low_probability"] * rows
        )


def test_a_city_without_components_or_grids(tmp_path: Any) -> None:
    frame = mixed(60, seed=8).assign(as_of=None, address=None)
    bare = open_district(tmp_path / "bare", components=[])
    found = assign_frame(bare, frame, now=NOW)
    assert found["component_code"].isna().all()
    assert found["unit_code"].notna().all()
    empty = open_district(tmp_path / "empty", unit_grids=[], components=[])
    found = assign_frame(empty, frame, now=NOW)
    assert found["grid_code"].isna().all()
    assert found["reasons"].str.contains("no_grids").all()
    assert found["unit_code"].notna().all()


def test_grids_that_overlap_count_their_own_share(tmp_path: Any) -> None:
    """Two grids over the same ground: the lower code has the place, and all of its error."""
    twin = grid("130102001001009", GRIDS[0]["geometry"])
    snapshot = open_district(tmp_path, unit_grids=[*GRIDS, twin])
    frame = pd.DataFrame({"x": [X0 + 50], "y": [Y0 + 50], "crs": "city", "accuracy_m": 2.0})
    found = assign_frame(snapshot, frame)
    assert found["grid_code"].tolist() == [A1]
    assert found["grid_probability"][0] == pytest.approx(1.0, abs=1e-6)
    one = decide(snapshot, Case(position=Position(x=X0 + 50, y=Y0 + 50, crs="city", accuracy_m=2)))
    assert one.grid is not None
    assert one.grid.probability == found["grid_probability"][0]


def test_only_texts_in_use_are_sent() -> None:
    texts = pa.array([f"t{number}" for number in range(2_000)])
    columns = {field.name: pa.nulls(3, field.type) for field in ANSWER_SCHEMA}
    columns["grid_code"] = coded(np.array([1_999, -1, 5]), texts)
    part = pa.table(columns, schema=ANSWER_SCHEMA)
    whole = joined([part, part.slice(2)])
    assert whole["grid_code"].to_pylist() == ["t1999", None, "t5", "t5"]
    assert {tuple(chunk.dictionary.to_pylist()) for chunk in whole["grid_code"].chunks} == {
        ("t5", "t1999")
    }
