"""What is planted in the address tables of the sample is found, and nothing else is."""

from pathlib import PurePosixPath

import pandas as pd
import pytest

from gis.builds import live
from gis.codes import read_rules
from gis.database import read_rows

TABLES = ("门楼牌与兴趣点.xlsx", "商户.csv")
NOT_HERE = {
    "AD12": "needs a road longer than the sample district: test_plate_checks.py",
    "AD17": "needs two databases that contradict each other: test_plate_checks.py",
}
"""Rules that the sample can not break, and where they are broken."""


@pytest.fixture(scope="module")
def planted(built_sample):
    table = pd.read_csv(built_sample.delivery / "answers" / "faults.csv", keep_default_na=False)
    return table[table["file"].isin(TABLES)]


def test_what_is_said_is_what_was_planted(planted, built_sample):
    """Both ways at once: every planted fault fires on its row, and every rule is quiet elsewhere."""
    severity = {"error": "refused", "warning": "warned"}
    query = "SELECT source_file, source_row, rule, severity FROM meta.reject WHERE dataset = 'addresses'"
    with built_sample.database.connect(read_only=True) as connection:
        rows = read_rows(connection, query)
    found = {
        (PurePosixPath(row.source_file).name, row.source_row, row.rule, severity[row.severity])
        for row in rows.itertuples()
    }
    spoken = planted[planted["rule"] != ""]
    columns = ["file", "source_row", "rule", "expected"]
    assert found == set(spoken[columns].itertuples(index=False, name=None))


def test_every_rule_is_planted(planted):
    assert set(read_rules("pipelines.geocoding")) - set(planted["rule"]) == set(NOT_HERE)


def test_the_shops_stand_at_the_plates_they_tell_of(built_sample):
    places = live(built_sample.database, "addresses").set_index("code")
    shops = places[places["source_file"].str.endswith("商户.csv").to_numpy()]
    plates = places[(places["kind"] == "plate") & places["building"].isna()]
    plates = plates.drop_duplicates(["road", "plate"]).set_index(["road", "plate"]).geometry
    told = shops[shops["road"].notna()]
    assert len(told) == len(shops) - 2  # the two whose address was spoilt
    off_m = [
        row.geometry.distance(plates[row.road, row.plate]) for row in told.itertuples(index=False)
    ]
    assert max(off_m) < 12.0
    assert set(shops["kind"]) == {"poi"}
    assert set(told["district"]) == {"长安区"}


def test_streets_of_all_sources_are_one_place_each(built_sample):
    places = live(built_sample.database, "addresses")
    # Two lanes of one name are planted among the place names: they are two streets.
    streets = places[(places["kind"] == "street") & (places["source"] != "place_names")]
    assert not streets["name"].duplicated().any()
    delivered = streets[streets["source"] == "addresses"]
    assert (delivered.geometry.length > 0).mean() > 0.95
    assert delivered["aliases"].map(bool).any()
