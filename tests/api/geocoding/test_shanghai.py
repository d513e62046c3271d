"""Shanghai's real addresses: built from four fifths, asked for some of the rest, beside a plain table."""

from collections.abc import Iterator

import pandas as pd
import pytest

from gis.server import Server
from tests.benchmarks.geocoding import shanghai as bench
from tests.benchmarks.geocoding.queries import ask_all
from tests.benchmarks.geocoding.scoring import score
from tests.real import shanghai
from tests.real.building import RealCity, built

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shanghai.SOURCE.is_dir(), reason="no ../shared/data/shanghai_poi"),
    pytest.mark.xdist_group("shanghai"),
]
EVERY = 8


@pytest.fixture(scope="module")
def parts() -> bench.Split:
    return bench.split()


@pytest.fixture(scope="module")
def city(
    server: Server, parts: bench.Split, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealCity]:
    folder = tmp_path_factory.mktemp("shanghai")
    with built(
        server,
        folder,
        write_workspace=lambda root: shanghai.write_workspace(root, pois=parts.built),
        name="shanghai",
    ) as made:
        yield made


@pytest.fixture(scope="module")
def outcomes(city: RealCity, parts: bench.Split) -> pd.DataFrame:
    """What came back for held-out addresses, with the error of a plain table beside it."""
    edition = city.snapshot.edition(None)
    queries = bench.address_queries(parts, with_district=True)[::EVERY]
    plain = bench.plain_table(edition, queries, parts, with_district=True)
    return ask_all(edition, queries).assign(plain_m=plain["error_m"])


def test_nothing_is_lost_in_building(city: RealCity, parts: bench.Split) -> None:
    places = city.snapshot.table("places")
    delivered = {code for code in places["code"].to_pylist() if code.startswith("SH")}
    assert delivered <= set(parts.built["code"])
    assert len(delivered) + city.reports["addresses"].rows_rejected == len(parts.built)
    # Refused are points outside all districts.
    assert len(delivered) > 0.997 * len(parts.built)


def test_an_address_on_a_known_road_is_answered(outcomes: pd.DataFrame) -> None:
    known = outcomes[outcomes["line"].isin(["known plate", "known road"])]
    assert len(known) > 500
    assert known["is_answered"].all()
    assert score(known).in_district >= 0.97


def test_a_known_plate_is_found_as_near_as_its_rows_lie(outcomes: pd.DataFrame) -> None:
    plates = outcomes[outcomes["line"] == "known plate"]
    assert plates["error_m"].median() <= 1.1 * plates["plain_m"].median()
    assert score(plates).wrong_when_sure <= 0.03


def test_an_unknown_plate_is_nearer_than_the_nearest_known_number(outcomes: pd.DataFrame) -> None:
    roads = outcomes[outcomes["line"] == "known road"]
    assert roads["error_m"].median() <= 0.85 * roads["plain_m"].median()
    between = roads[roads["match"] == "interpolated"]
    assert between["error_m"].median() <= 75.0
