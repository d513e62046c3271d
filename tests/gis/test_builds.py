"""Builds against a real PostGIS: what is live after each, and after taking it back."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely

from gis.builds import BuildRequest, Scope, find_build, list_builds, live, publish, rollback
from gis.database import Database, dataset_lock, read_rows
from gis.errors import BuildError, ConformError, LockedError
from gis.faults import REJECT_COLUMNS

NO_FAULTS = pd.DataFrame(columns=list(REJECT_COLUMNS))
MAY = date(2026, 5, 31)
JUNE = date(2026, 6, 30)


def features(names: dict[str, str], *, theme: str = "transport") -> gpd.GeoDataFrame:
    """Topography points on a diagonal, one a code, with the given names."""
    numbers = range(1, len(names) + 1)
    return gpd.GeoDataFrame(
        {
            "code": list(names),
            "feature_class": "430501",
            "theme": theme,
            "name": list(names.values()),
            "source_file": "道路.shp",
            "source_row": list(numbers),
        },
        geometry=[shapely.Point(500_000 + 10 * n, 4_210_000 + 10 * n) for n in numbers],
        crs="EPSG:4547",
    )


def request(content: str, *, as_of: date = MAY, dataset: str = "topography") -> BuildRequest:
    return BuildRequest(
        delivery="春季",
        as_of=as_of,
        path="deliveries/spring",
        delivery_hash=f"d-{content}",
        dataset=dataset,
        content_hash=content,
        files={"道路.shp": {"sha256": "00", "rows": 3}},
    )


def load(database: Database, frame: pd.DataFrame, content: str, **options: Any) -> Any:
    faults = options.pop("faults", NO_FAULTS)
    scope = options.pop("scope", Scope.everything())
    refused = faults.loc[faults["severity"] == "error", ["source_file", "source_row"]]
    return publish(
        database,
        request(content, **options),
        accepted=frame,
        faults=faults,
        rows_read=len(frame) + len(refused.drop_duplicates()),
        scope=scope,
        actor="tester",
    )


def table_hash(database: Database) -> str:
    """Hash of every column of every version, in a fixed order."""
    with database.connect() as connection:
        rows = read_rows(connection, "SELECT * FROM topography.feature ORDER BY row_id")
    return hashlib.sha256(rows.to_json(default_handler=str).encode()).hexdigest()


def names_live(database: Database, **options: Any) -> dict[str, str]:
    rows = live(database, "topography", **options)
    return dict(zip(rows["code"], rows["name"], strict=True))


def test_first_load_opens_every_row(database: Database) -> None:
    result = load(database, features({"A": "裕华路", "B": "槐安路"}), "one")
    assert (result.rows_opened, result.rows_closed, result.rows_unchanged) == (2, 0, 0)
    rows = live(database, "topography")
    assert rows.crs.to_epsg() == 4547
    assert rows.geometry.tolist() == [
        shapely.Point(500_010, 4_210_010),
        shapely.Point(500_020, 4_210_020),
    ]
    assert rows["attributes"].tolist() == [{}, {}]
    assert rows["sheet"].isna().all()
    assert rows["valid_from"].tolist() == [MAY, MAY]
    assert rows["source_file"].tolist() == ["道路.shp", "道路.shp"]


def test_second_load_touches_only_what_changed(database: Database) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路", "C": "中山路"}), "one")
    before = live(database, "topography").set_index("code")["row_id"]
    result = load(
        database, features({"A": "裕华路", "B": "槐安大街", "D": "建设大街"}), "two", as_of=JUNE
    )
    assert result.rows_accepted == 3
    # D stands where C stood, but its code is new; C is gone; B has a new name.
    assert (result.rows_opened, result.rows_closed, result.rows_unchanged) == (2, 2, 1)
    assert names_live(database) == {"A": "裕华路", "B": "槐安大街", "D": "建设大街"}
    assert names_live(database, as_of=date(2026, 6, 29)) == {
        "A": "裕华路",
        "B": "槐安路",
        "C": "中山路",
    }
    assert names_live(database, as_of=JUNE) == {"A": "裕华路", "B": "槐安大街", "D": "建设大街"}
    assert names_live(database, as_of=date(2026, 5, 30)) == {}
    after = live(database, "topography").set_index("code")["row_id"]
    assert after["A"] == before["A"]
    assert after["B"] != before["B"]


def test_same_content_again_changes_nothing(database: Database) -> None:
    first = load(database, features({"A": "裕华路"}), "one")
    before = table_hash(database)
    second = load(database, features({"A": "裕华路"}), "one")
    assert second.status == "unchanged"
    assert second.build_id == first.build_id
    assert table_hash(database) == before
    assert len(list_builds(database)) == 1
    assert find_build(database, dataset="topography", content_hash="one") == second
    assert find_build(database, dataset="topography", content_hash="two") is None


def test_equal_rows_of_other_files_make_no_new_versions(database: Database) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路"}), "one")
    before = table_hash(database)
    result = load(database, features({"A": "裕华路", "B": "槐安路"}), "copy", as_of=JUNE)
    assert (result.status, result.rows_unchanged) == ("built", 2)
    assert table_hash(database) == before


def test_update_mode_closes_nothing(database: Database) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路"}), "one")
    result = load(database, features({"C": "中山路"}), "two", as_of=JUNE, scope=Scope.nothing())
    assert (result.rows_opened, result.rows_closed) == (1, 0)
    assert sorted(names_live(database)) == ["A", "B", "C"]


def test_a_matching_scope_closes_only_its_own(database: Database) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路"}), "roads")
    load(
        database,
        features({"W1": "民心河", "W2": "石津渠"}, theme="hydrography"),
        "water",
        scope=Scope.nothing(),
    )
    scope = Scope.matching("theme", ["hydrography"])
    result = load(
        database,
        features({"W1": "民心河"}, theme="hydrography"),
        "water 2",
        as_of=JUNE,
        scope=scope,
    )
    assert (result.rows_unchanged, result.rows_closed) == (1, 1)
    assert sorted(names_live(database)) == ["A", "B", "W1"]
    prefixed = Scope.everything(code_prefix="B")
    load(database, features({"C": "中山路"}), "prefix", as_of=JUNE, scope=prefixed)
    assert sorted(names_live(database)) == ["A", "C", "W1"]


def test_signs_that_sql_reads_are_only_text_in_a_scope(database: Database) -> None:
    frame = features({"50%": "裕华路", "B_1": "槐安路", "Bx1": "中山路"})
    load(database, frame.assign(sheet="50%s"), "one")
    scope = Scope.matching("sheet", ["50%s"], code_prefix=("B_", "50%"))
    result = load(database, features({"C": "建设大街"}), "two", as_of=JUNE, scope=scope)
    assert result.rows_closed == 2
    assert sorted(names_live(database)) == ["Bx1", "C"]


def test_a_refused_row_keeps_its_live_version_and_is_kept_itself(database: Database) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路"}), "one")
    faults = pd.DataFrame(
        {
            "source_file": "道路.shp",
            "source_row": [2],
            "code": ["B"],
            "rule": "G002",
            "severity": "error",
            "reason_en": "The geometry is empty.",
            "reason_zh": "几何为空。",
            "record": [
                {
                    "OBJID": "B",
                    "NAME": "槐\0安",
                    "WIDTH": float("nan"),
                    "AT": pd.NaT,
                    "CUT": "\ud83d",
                }
            ],
            "geometry": [shapely.Point(1, 2, 3)],
        }
    )
    result = load(database, features({"A": "裕华路"}), "two", as_of=JUNE, faults=faults)
    assert (result.rows_read, result.rows_accepted, result.rows_rejected) == (2, 1, 1)
    assert result.rows_closed == 0
    assert sorted(names_live(database)) == ["A", "B"]
    with database.connect() as connection:
        rejects = read_rows(
            connection, "SELECT code, record, ST_AsText(geom) AS at FROM meta.reject"
        )
    assert rejects.to_dict("records") == [
        {
            "code": "B",
            "record": {"OBJID": "B", "NAME": "槐安", "WIDTH": None, "AT": None, "CUT": "?"},
            "at": "POINT(1 2)",
        }
    ]


def test_a_lost_row_is_refused(database: Database) -> None:
    with pytest.raises(BuildError, match="3 rows were read, but 1 accepted and 0 refused"):
        publish(
            database,
            request("one"),
            accepted=features({"A": "裕华路"}),
            faults=NO_FAULTS,
            rows_read=3,
            scope=Scope.everything(),
            actor="tester",
        )


def test_a_delivery_without_one_good_row_does_not_empty_the_table(database: Database) -> None:
    load(database, features({"A": "裕华路"}), "one")
    with pytest.raises(BuildError, match="1 live rows would end: nothing was changed"):
        load(database, features({"A": "裕华路"}).iloc[:0], "none", as_of=JUNE)
    assert sorted(names_live(database)) == ["A"]


def test_an_older_day_is_refused(database: Database) -> None:
    load(database, features({"A": "裕华路"}), "one", as_of=JUNE)
    with pytest.raises(BuildError, match=r"live as of 2026-06-30 \(build 1\).*wanmi rollback 1"):
        load(database, features({"A": "裕华东路"}), "two", as_of=MAY)


def test_a_correction_on_the_same_day_leaves_an_empty_interval(database: Database) -> None:
    load(database, features({"A": "裕华路"}), "one")
    before = table_hash(database)
    second = load(database, features({"A": "裕华东路"}), "two")
    assert names_live(database) == {"A": "裕华东路"}
    assert names_live(database, as_of=MAY) == {"A": "裕华东路"}
    with database.connect() as connection:
        rows = read_rows(
            connection,
            "SELECT name, valid_to - valid_from AS days FROM topography.feature ORDER BY row_id",
        )
    assert rows["name"].tolist() == ["裕华路", "裕华东路"]
    assert rows["days"].tolist()[0] == 0
    rollback(database, second.build_id, actor="tester")
    assert table_hash(database) == before


def test_rollback_restores_exactly_the_rows_before(database: Database) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路"}), "one")
    before = table_hash(database)
    second = load(database, features({"B": "槐安大街", "C": "中山路"}), "two", as_of=JUNE)
    assert table_hash(database) != before
    result = rollback(database, second.build_id, actor="tester")
    assert (result.rows_removed, result.rows_reopened) == (2, 2)
    assert table_hash(database) == before
    assert list_builds(database)["status"].tolist() == ["rolled_back", "live"]
    # The same delivery can be loaded again afterwards.
    assert (
        load(database, features({"B": "槐安大街", "C": "中山路"}), "two", as_of=JUNE).status
        == "built"
    )


def test_rollback_names_what_comes_first(database: Database) -> None:
    load(database, features({"A": "裕华路"}), "one")
    load(database, features({"A": "裕华东路"}), "two", as_of=JUNE)
    with pytest.raises(BuildError, match="first run `wanmi rollback 2`"):
        rollback(database, 1, actor="tester")
    rollback(database, 2, actor="tester")
    with pytest.raises(BuildError, match="Build 2 was rolled back already"):
        rollback(database, 2, actor="tester")
    with pytest.raises(BuildError, match="There is no build 77"):
        rollback(database, 77, actor="tester")
    rollback(database, 1, actor="tester")
    assert names_live(database) == {}


def test_every_step_is_audited(database: Database) -> None:
    load(database, features({"A": "裕华路"}), "one")
    rollback(database, 1, actor="operator")
    with database.connect() as connection:
        rows = read_rows(
            connection, "SELECT actor, action, detail FROM meta.audit ORDER BY audit_id"
        )
    assert rows["actor"].tolist() == ["tester", "operator"]
    assert rows["action"].tolist() == ["build", "rollback"]
    assert rows["detail"][0]["rows_opened"] == 1


def test_a_second_load_waits_for_the_first(database: Database) -> None:
    results: list[str] = []

    def second() -> None:
        results.append(load(database, features({"A": "裕华东路"}), "two", as_of=JUNE).status)

    with database.connect() as connection, dataset_lock(connection, "topography"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        assert results == []
    thread.join()
    assert results == ["built"]


def test_a_second_load_is_refused_in_a_clear_sentence(database: Database) -> None:
    with (
        database.connect() as first,
        dataset_lock(first, "topography"),
        database.connect() as second,
        dataset_lock(second, "components"),
        pytest.raises(
            LockedError, match=r"Another load of topography is running since .* \(database process"
        ),
        dataset_lock(second, "topography"),
    ):
        pass


def test_rows_that_do_not_fit_change_nothing(database: Database) -> None:
    with pytest.raises(ConformError, match="feature_class: the column is missing"):
        load(database, features({"A": "裕华路"}).drop(columns="feature_class"), "one")
    assert len(list_builds(database)) == 0


# Imports once, then makes a real process for each load: told by a line, it answers its number.
LOADER = """
import os, sys
sys.path[:0] = [{root!r}]
from gis.database import Database
from tests.gis.test_builds import features, load
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        database = Database(url=line.strip(), crs="EPSG:4547", srid=4547)
        load(database, features({{"A": "裕华东路", "C": "中山路"}}), "two")
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def loader() -> Iterator["subprocess.Popen[str]"]:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-W", "ignore", "-c", LOADER.format(root=root)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@pytest.mark.parametrize(
    "phase", ["meta.delivery", "meta.build", "topography.feature", "meta.audit"]
)
def test_a_loader_killed_in_any_phase_leaves_the_build_before_live(
    database: Database, loader: "subprocess.Popen[str]", phase: str
) -> None:
    load(database, features({"A": "裕华路", "B": "槐安路"}), "one")
    before = table_hash(database)
    assert loader.stdin is not None
    assert loader.stdout is not None
    with psycopg.connect(database.url) as blocker:
        blocker.execute(f"LOCK TABLE {phase} IN SHARE ROW EXCLUSIVE MODE")
        loader.stdin.write(f"{database.url}\n")
        loader.stdin.flush()
        child = int(loader.stdout.readline())
        try:
            wait_until_blocked(database)
        finally:
            os.kill(child, signal.SIGKILL)
    wait_until_alone(database)
    assert table_hash(database) == before
    assert list_builds(database)["build_id"].tolist() == [1]
    assert load(database, features({"A": "裕华东路", "C": "中山路"}), "two").rows_opened == 2


def test_the_loader_does_load_when_it_lives(
    database: Database, loader: "subprocess.Popen[str]"
) -> None:
    assert loader.stdin is not None
    assert loader.stdout is not None
    loader.stdin.write(f"{database.url}\n")
    loader.stdin.flush()
    loader.stdout.readline()
    wait_for(lambda: len(list_builds(database)) == 1)
    assert names_live(database) == {"A": "裕华东路", "C": "中山路"}


def wait_until_blocked(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND wait_event_type = 'Lock'"
        )
        wait_for(lambda: connection.execute(query).fetchone() == (1,))


def wait_until_alone(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        wait_for(lambda: connection.execute(query).fetchone() == (0,))


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
