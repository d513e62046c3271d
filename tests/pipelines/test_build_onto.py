"""A delivery onto databases that hold an earlier one: what it closes, opens, places again and refuses."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from gis.builds import list_builds, live, rollback
from gis.errors import BuildError
from gis.vector import write_vector
from tests.pipelines.town import (
    AREAS_LAYER,
    COMPONENTS_LAYER,
    GRIDS_LAYER,
    build,
    components,
    rewrite,
    write_manifest,
    write_town,
)

JUNE = date(2026, 6, 30)


@pytest.fixture
def model(standing_town: str) -> str:
    """Built from the very delivery that `town` writes."""
    return standing_town


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "delivery")


def test_a_later_delivery_closes_and_opens_only_what_changed(town, workspace, database):
    changed = components()
    changed.loc[0, "ObjState"] = "破损"
    rewrite(town, "雨水箅子", changed.iloc[[0, 1]])
    write_manifest(town, [COMPONENTS_LAYER], as_of=JUNE)
    report = build(town, workspace)["components"]
    assert (report.rows_opened, report.rows_closed, report.rows_unchanged) == (1, 2, 1)
    now = live(database, "components").set_index("code")["condition"].to_dict()
    assert now == {"1301020104000001": "damaged", "1301020104000002": "intact"}
    then = live(database, "components", as_of=date(2026, 6, 1))
    assert then["condition"].tolist() == ["intact"] * 3
    rollback(database, report.build_id, actor="t")
    assert len(live(database, "components")) == 3


def test_an_update_closes_nothing(town, workspace, database):
    rewrite(town, "雨水箅子", components().iloc[[1]].assign(ObjState="破损"))
    write_manifest(town, [COMPONENTS_LAYER | {"mode": "update"}], as_of=JUNE)
    report = build(town, workspace)["components"]
    assert (report.rows_opened, report.rows_closed, report.rows_unchanged) == (1, 1, 0)
    assert len(live(database, "components")) == 3


def test_a_delivery_of_one_class_leaves_the_other_classes(town, workspace, database):
    lamps = components().iloc[[0]].assign(ObjID="1301020102000001", ObjName="污水井盖")
    write_vector(lamps, town / "covers.shp", encoding="gb18030")
    write_manifest(
        town, [{"dataset": "components", "path": "covers.shp", "class_code": "0102"}], as_of=JUNE
    )
    report = build(town, workspace)["components"]
    assert (report.rows_opened, report.rows_closed) == (1, 0)
    assert len(live(database, "components")) == 4


def test_new_grids_make_the_components_be_placed_again(town, workspace, database):
    grids = gpd.read_file(town / "grids.gpkg")
    grids.loc[0, "DYWGBSM"] = "130102001001009"
    write_vector(grids, town / "grids.gpkg", layer="grids")
    write_manifest(town, [GRIDS_LAYER, COMPONENTS_LAYER], as_of=JUNE)
    report = build(town, workspace)["components"]
    assert report.status == "built"
    placed = live(database, "components").set_index("code")["grid_code"]
    assert placed["1301020104000001"] == "130102001001009"
    # On the edge of the new number and A2, which is the lower one now.
    assert placed["1301020104000003"] == "130102001001002"


def test_only_the_datasets_asked_for_are_built(town, workspace, database):
    assert list(build(town, workspace, only=("components",))) == ["components"]
    with pytest.raises(BuildError, match="no dataset 'component': did you mean 'components'"):
        build(town, workspace, only=("component",))
    with pytest.raises(BuildError, match="The delivery has no imagery: it brings areas"):
        build(town, workspace, only=("imagery",))


def test_a_delivery_older_than_what_is_live_is_refused_whole(town, workspace, database):
    before = list_builds(database)
    write_manifest(town, [AREAS_LAYER, COMPONENTS_LAYER], as_of=date(2026, 1, 1))
    with pytest.raises(BuildError, match=r"is live as of 2026-05-31 .* later than this delivery's"):
        build(town, workspace)
    pd.testing.assert_frame_equal(list_builds(database), before)
