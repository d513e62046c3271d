"""Real utility lines of Tainan, checked: every segment counted, and whose it is as far as the words say."""

import pytest

from census.report.document import rule_rows
from census.report.judgement import Judgement
from gis.crs import city_crs
from gis.database import Database, migrate
from gis.server import Server
from gis.settings import Settings
from gis.workspace import open_workspace
from pipelines.surveys.check import check_delivery
from tests.databases import created
from tests.real import tainan_pipelines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not tainan_pipelines.SOURCE.is_dir(), reason="the shared real data is not here"
    ),
]

SEGMENTS = {
    "0199": 111,
    "0198": 3_708,
    "0197": 749,
    "0196": 9_473,
    "0195": 250,
    "0194": 1_973,
    "0193": 943,
    "0192": 21,
    "0191": 2_524,
}
"""Features of each file as published, by the extension class of its trade."""


@pytest.fixture(scope="module")
def judgement(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Judgement:
    folder = tmp_path_factory.mktemp("pipes")
    delivery = tainan_pipelines.write_workspace(folder)
    with created(server, "tainan_pipes") as url:
        workspace = open_workspace(folder, settings=Settings(workspace=folder, database_url=url))
        crs = city_crs(workspace.profile, workspace.root)
        migrate(Database(url=url, crs=crs.text, srid=crs.srid))
        return check_delivery(delivery, workspace=workspace).judgement


def test_every_segment_is_counted_and_none_refused(judgement: Judgement) -> None:
    assert {tally.class_code: tally.rows for tally in judgement.classes} == SEGMENTS
    assert judgement.tallies[0].read == sum(SEGMENTS.values()) == 19_752
    assert judgement.tallies[0].refused == 0
    assert judgement.verdict.level == "warnings"


def test_units_are_known_by_what_people_call_them(judgement: Judgement) -> None:
    rows = {row["rule"]: row["rows"] for row in rule_rows(judgement)}
    assert rows["C060"] == SEGMENTS["0191"] + SEGMENTS["0192"]  # 共同管道, 中油輸油
    assert rows["C011"] == 19_752


def test_columns_nobody_knows_are_named_for_each_file(judgement: Judgement) -> None:
    files = {file.path: file for file in judgement.files}
    pipes = files["pipeline_8040201.geojson.gz"]
    assert [column.name for column in pipes.unmapped] == ["fid", "尺寸單位", "管種材質", "管徑寬度"]
    assert (pipes.rows, pipes.encoding, pipes.crs) == (1_973, "UTF-8", "EPSG:4326")


def test_codes_given_are_of_the_rows_own_class(judgement: Judgement) -> None:
    given = judgement.faults[judgement.faults["rule"] == "C011"]
    codes = given["reason_en"].str.extract(r"given (\d{16})")[0]
    assert (codes.str[6:10] == given["class_code"]).all()
    assert codes.is_unique
