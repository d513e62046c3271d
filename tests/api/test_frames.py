"""Frames as they come up in notebooks: whatever their index, dtypes and geometry, the same answers."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shapely import Point, Polygon

from api import Snapshot, open_snapshot
from api.assign import DECISION_COLUMNS
from gis.errors import RequestError
from tests.api.bulk_workspace import make_workspace
from tests.api.district import A1, B2, X0, Y0


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_snapshot(make_workspace(tmp_path_factory.mktemp("city")))


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "case_id": ["a", "b", "c"],
            "kind": ["component", "event", None],
            "class_code": ["0104", "0103", None],
            "x": [X0 + 50, X0 + 150, np.nan],
            "y": [Y0 + 50, Y0 + 150, np.nan],
            "crs": "city",
            "accuracy_m": [1.0, 1.0, np.nan],
            "reported_at": pd.to_datetime(["2026-05-01 08:00", "2026-05-02 23:10", None]),
        }
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.set_axis(["z", "z", "z"]),
        lambda f: f.set_axis(pd.MultiIndex.from_tuples([(1, "a"), (1, "a"), (0, None)])),
        lambda f: f.set_axis(pd.to_datetime(["2026-01-02", "2026-01-01", "2026-01-02"])),
        lambda f: f.convert_dtypes(),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        lambda f: f.astype({"kind": "category", "class_code": "category", "crs": "category"}),
        lambda f: f.astype({"x": object, "y": "string", "reported_at": str}),
        lambda f: f.astype({"reported_at": "datetime64[ns]"}),
        lambda f: f.assign(reported_at=f["reported_at"].dt.tz_localize("Asia/Shanghai")),
        lambda f: f.rename(columns={"case_id": "案件编号", "x": "X坐标", "class_code": "小类代码"}),
        lambda f: pd.concat([f, f[["case_id", "x"]]], axis=1),  # labels twice
        lambda f: f.assign(**{"geometry": "text", "index": 1}).rename(columns={"index": 0}),
    ],
)
def test_the_same_answers_in_the_order_and_with_the_index_of_the_frame(
    snapshot: Snapshot, frame: pd.DataFrame, change: Any
) -> None:
    plain = snapshot.assign(frame)
    assert plain["unit_code"].tolist()[:2] == ["W1", "S1"]
    assert plain.columns.tolist() == ["case_id", *DECISION_COLUMNS]
    assert plain["case_id"].tolist() == ["a", "b", "c"]
    changed = change(frame)
    found = snapshot.assign(changed)
    pd.testing.assert_index_equal(found.index, changed.index)
    # The number is given back as it was given.
    found, plain = (f.astype({"case_id": object}).reset_index(drop=True) for f in (found, plain))
    pd.testing.assert_frame_equal(found, plain)


def test_arrow_tables_are_answered_with_arrow_tables(
    snapshot: Snapshot, frame: pd.DataFrame
) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    found = snapshot.assign(table)
    assert found.column_names == ["case_id", *DECISION_COLUMNS]
    pd.testing.assert_frame_equal(found.to_pandas(), snapshot.assign(frame))
    coded = table.set_column(2, "小类代码", table["class_code"].dictionary_encode())
    assert snapshot.assign(coded).equals(found)
    assert snapshot.assign(pa.table({"note": ["x", "y"]})).num_rows == 2
    assert snapshot.assign(table.slice(0, 0)).schema == found.schema
    assert snapshot.assign(table.to_batches()[0]).equals(found)


@pytest.mark.parametrize("crs", ["EPSG:4547", "EPSG:4326", "EPSG:4490"])
def test_a_geometry_is_a_position_in_its_crs(snapshot: Snapshot, crs: str) -> None:
    points = gpd.points_from_xy([X0 + 50, X0 + 150], [Y0 + 50, Y0 + 150], crs="EPSG:4547")
    frame = gpd.GeoDataFrame({"class_code": ["0104", "0104"]}, geometry=points).to_crs(crs)
    assert snapshot.assign(frame)["grid_code"].tolist() == [A1, B2]
    areas = frame.to_crs("EPSG:4547").assign(geometry=lambda f: f.buffer(10)).to_crs(crs)
    assert snapshot.assign(areas)["grid_code"].tolist() == [A1, B2]
    moved = frame.rename_geometry("place").set_axis([7, 7])
    moved.loc[moved.index[:0], "place"] = None
    assert snapshot.assign(moved)["grid_code"].tolist() == [A1, B2]
    # Columns that say where the case is go before the geometry.
    said = frame.assign(x=X0 + 50, y=Y0 + 50, crs="city")
    assert snapshot.assign(said)["grid_code"].tolist() == [A1, A1]
    missing = gpd.GeoDataFrame(
        {"class_code": ["0104", "0104"]}, geometry=[None, points[0]], crs="EPSG:4547"
    )
    assert snapshot.assign(missing)["location_source"].tolist() == ["none", "position"]
    shapes = [Point(), points[0], Polygon(), points[0].buffer(10)]
    odd = gpd.GeoDataFrame({"class_code": "0104"}, geometry=shapes, index=range(4), crs="EPSG:4547")
    sources = ["none", "position"] * 2
    assert snapshot.assign(odd)["location_source"].tolist() == sources


def test_what_a_frame_does_not_say_is_asked_for(snapshot: Snapshot) -> None:
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([X0], [Y0]))
    with pytest.raises(RequestError, match="set_crs"):
        snapshot.assign(points)
    with pytest.raises(RequestError, match="rename"):
        snapshot.assign(pd.DataFrame({"X": [1.0], "经度": [1.0]}))


def test_coordinates_without_end_are_no_place(snapshot: Snapshot, frame: pd.DataFrame) -> None:
    found = snapshot.assign(frame.assign(x=[np.inf, X0 + 150, -np.inf], y=[Y0, np.inf, np.inf]))
    assert [reasons.split(";")[:2] for reasons in found["reasons"]] == [
        ["not_located", "position_invalid"]
    ] * 3


@pytest.mark.parametrize("rows", [[{"x": 1.0}], {"x": [1.0]}, pd.Series([1.0]), "cases.csv", None])
def test_what_is_no_frame_is_told_in_one_sentence(snapshot: Snapshot, rows: Any) -> None:
    with pytest.raises(RequestError, match="Cases are a frame or an Arrow table, not a"):
        snapshot.assign(rows)


def test_no_rows(snapshot: Snapshot, frame: pd.DataFrame) -> None:
    found = snapshot.assign(frame.iloc[:0])
    assert (len(found), found.columns.tolist()) == (0, ["case_id", *DECISION_COLUMNS])
    bare = snapshot.assign(frame.drop(columns="case_id"))
    assert bare.columns.tolist() == list(DECISION_COLUMNS)
    assert len(snapshot.assign(pd.DataFrame(index=[3, 4]))) == 2


def test_a_workspace_is_enough(snapshot: Snapshot) -> None:
    workspace: Path = snapshot.folder.parents[1]
    assert open_snapshot(str(workspace)).version == snapshot.version
