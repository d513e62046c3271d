"""``wanmi grid manage`` as a user types it, on a town of four grids."""

import json
from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from gis.builds import Scope, list_builds, live
from gis.database import Database
from gis.errors import BuildError, RequestError
from gis.tables.columns import BOOKKEEPING
from gis.workspace import Workspace
from tests.commands import Run, runner
from tests.pipelines.town import AS_OF, CRS, GRIDS, rectangle
from tests.publishing import publish_drawn

A1, A2, B1, B2 = GRIDS


@pytest.fixture
def model(standing_town: str) -> str:
    return standing_town


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return runner(workspace, ["gridding"])


def test_a_proposal_is_written_checked_loaded_and_loaded_again(
    run: Run, tmp_path: Path, database: Database
) -> None:
    file = tmp_path / "环卫.gpkg"
    made = run(
        "grid",
        "manage",
        "divide",
        "--trade",
        "环卫",
        "--count",
        2,
        "--load",
        "patrol_length",
        "-o",
        file,
        "--json",
    )
    told = json.loads(made.stdout)
    assert (told["sets"], told["unit_grids"], told["load_cv"]) == (2, 4, 0.0)
    layer = pyogrio.read_dataframe(file)
    assert layer["code"].tolist() == ["130102001HW001", "130102001HW002"]
    assert layer["members"].tolist() == [f"{A1},{A2}", f"{B1},{B2}"]
    checked = json.loads(run("grid", "manage", "check", file, "--json").stdout)
    assert [fault["rule"] for fault in checked["faults"]] == ["MG12", "MG12"]
    loaded = run("grid", "manage", "load", file, "--as-of", AS_OF)
    assert "2 grids, 0 refused, 2 new versions" in loaded.stdout
    rows = live(database, "management_grids")
    assert rows["origin"].tolist() == ["divided", "divided"]
    assert rows["initial_date"].tolist() == [AS_OF, AS_OF]
    builds = len(list_builds(database))
    assert "unchanged" in run("grid", "manage", "load", file, "--as-of", AS_OF).stdout
    assert len(list_builds(database)) == builds
    assert run("grid", "manage", "check", "--live").exit_code == 0
    # The next proposal goes on numbering: codes are never given twice.
    run("grid", "manage", "divide", "--trade", "环卫", "--count", 1, "-o", file)
    assert pyogrio.read_dataframe(file)["code"].tolist() == ["130102001HW003"]


def test_a_table_with_faults_ends_with_exit_code_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "网格.csv"
    rows = {"编码": ["X", "Y"], "行业": ["环卫", "环卫"], "单元网格": [A1, f"{A1} {B1}"]}
    pd.DataFrame(rows).to_csv(file, index=False)
    result = run("grid", "manage", "check", file)
    assert result.exit_code == 1
    # Y falls apart and takes the grid of X; X has no unit and leaves out three of four grids.
    assert [line.split()[1] for line in result.stdout.splitlines()[:-1]] == [
        "MG09",
        "MG12",
        "MG08",
        "MG12",
    ]


def test_grids_are_carried_over_a_change_that_no_delivery_brought(
    run: Run, tmp_path: Path, database: Database
) -> None:
    file = tmp_path / "评价.gpkg"
    run(
        "grid",
        "manage",
        "divide",
        "--evaluation",
        "A",
        "--count",
        1,
        "--load",
        "components",
        "-o",
        file,
    )
    run("grid", "manage", "load", file, "--evaluation", "--as-of", AS_OF)
    before = live(database, "unit_grids")
    plain = before.iloc[[0]].drop(columns=list(BOOKKEEPING))
    merged = plain.assign(code="130102001001003", source_file=None, source_row=None)
    merged = merged.set_geometry([rectangle(0, 0, 200, 200)], crs=CRS).assign(area_m2=40_000.0)
    publish_drawn(
        database, "unit_grids", merged, as_of=AS_OF, scope=Scope.matching("code", [A1, A2])
    )
    listed = json.loads(run("grid", "manage", "carry", "--dry-run", "--json").stdout)
    change = listed["evaluation_grids"]["changed"][0]
    assert (change["gone"], change["came"]) == ([A1, A2], ["130102001001003"])
    assert live(database, "evaluation_grids")["members"][0] == [A1, A2, B1, B2]
    run("grid", "manage", "carry", "--as-of", AS_OF)
    rows = live(database, "evaluation_grids")
    assert rows["members"][0] == ["130102001001003", B1, B2]
    assert rows["area_m2"][0] == 80_000.0


def test_what_can_not_be_done_is_said_plainly(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    with pytest.raises(RequestError, match="Name one trade with --trade"):
        run("grid", "manage", "divide", "--trade", "养老", "-o", file)
    with pytest.raises(RequestError, match="--within is 'city'"):
        run("grid", "manage", "divide", "--trade", "环卫", "--within", "city", "-o", file)
    with pytest.raises(RequestError, match="Name one layer"):
        run("grid", "manage", "check")
    with pytest.raises(BuildError, match="No management_grids are loaded"):
        run("grid", "manage", "check", "--live")


def test_a_trade_of_the_city_has_its_own_letters(
    run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    profile = workspace.root / "wanmi.toml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(
        f'{text}\n[[extension_trade]]\nname = "河道保洁"\nletters = "HD"\n', encoding="utf-8"
    )
    file = tmp_path / "a.gpkg"
    run("grid", "manage", "divide", "--trade", "河道保洁", "--count", 1, "-o", file)
    layer = pyogrio.read_dataframe(file)
    assert layer[["code", "trade"]].to_numpy().tolist() == [["130102001HD001", "河道保洁"]]
