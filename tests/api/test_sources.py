"""What several sources say of one place: put together, doubted, read anew; errors that are ellipses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from api import Case, Position, Snapshot
from api.placing.fusion import fuse
from gis.crs import transform_xy
from tests.api.district import X0, Y0, component, open_district, place, point

HOSPITAL = place("p", "poi", "人民医院", point(150, 150))


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    drain = component("1301020104000001", point(60, 52))
    return open_district(tmp_path_factory.mktemp("sources"), places=[HOSPITAL], components=[drain])


def test_position_and_address_of_one_place_count_by_their_precision(snapshot: Snapshot) -> None:
    position = Position(x=X0 + 140, y=Y0 + 150, crs="city", accuracy_m=10.0)
    location = snapshot.decide(Case(position=position, address="人民医院")).location
    # 10 m west of the point of interest, which is known to 15 m: weights 1/100 and 1/225.
    assert location.x == pytest.approx(X0 + 140 + 10 * 100 / 325)
    assert location.y == pytest.approx(Y0 + 150)
    assert location.accuracy_m == pytest.approx((1 / (1 / 100 + 1 / 225)) ** 0.5)
    assert location.source == "position"
    far = Position(x=X0 + 90, y=Y0 + 150, crs="city", accuracy_m=10.0)
    alone = snapshot.decide(Case(position=far, address="人民医院"))
    assert alone.location.x == pytest.approx(X0 + 90)
    assert "position_address_disagree" in alone.reasons


def test_fusing_is_the_sum_of_precisions() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 5, (50, 2)), rng.normal(0, 5, (50, 2))
    spreads = []
    for _ in range(2):
        half = rng.normal(0, 3, (50, 2, 2))
        spreads.append(half @ half.transpose(0, 2, 1) + np.eye(2))
    flat = [spread[:, [0, 0, 1], [0, 1, 1]] for spread in spreads]
    place_at, covariance, density = fuse((first, flat[0]), (second, flat[1]))
    precision = np.linalg.inv(spreads[0]) + np.linalg.inv(spreads[1])
    wanted = np.linalg.inv(precision)
    np.testing.assert_allclose(covariance, wanted[:, [0, 0, 1], [0, 1, 1]], rtol=1e-9)
    pulled = np.linalg.solve(spreads[0], first[..., None]) + np.linalg.solve(
        spreads[1], second[..., None]
    )
    np.testing.assert_allclose(place_at, (wanted @ pulled)[..., 0], rtol=1e-8, atol=1e-9)
    joint = spreads[0] + spreads[1]
    form = np.einsum("ni,nij,nj->n", second - first, np.linalg.inv(joint), second - first)
    np.testing.assert_allclose(
        density, np.exp(-0.5 * form) / (2 * np.pi * np.sqrt(np.linalg.det(joint)))
    )


@pytest.mark.parametrize(("stated", "truly"), [("EPSG:4326", "GCJ-02"), ("GCJ-02", "EPSG:4326")])
def test_a_position_that_fits_in_another_system_is_doubted(
    snapshot: Snapshot, stated: str, truly: str
) -> None:
    lon, lat = transform_xy([X0 + 150], [Y0 + 150], source="EPSG:4547", target=truly)
    position = Position(x=float(lon[0]), y=float(lat[0]), crs=stated, accuracy_m=5.0)
    decision = snapshot.decide(Case(position=position, address="人民医院", class_code="0104"))
    assert {"crs_doubtful", "position_address_disagree"} <= set(decision.reasons)
    assert decision.needs_review
    right = Position(x=float(lon[0]), y=float(lat[0]), crs=truly, accuracy_m=5.0)
    calm = snapshot.decide(Case(position=right, address="人民医院", class_code="0104"))
    assert "crs_doubtful" not in calm.reasons


def test_swapped_axes_are_doubted_and_mere_distance_is_not(snapshot: Snapshot) -> None:
    lon, lat = transform_xy([X0 + 150], [Y0 + 150], source="EPSG:4547", target="EPSG:4326")
    frame = {
        "x": [float(lat[0]), float(lon[0]) + 0.01],
        "y": [float(lon[0]), float(lat[0])],
        "address": ["人民医院", "人民医院"],
    }
    reasons = snapshot.assign(pd.DataFrame(frame))["reasons"].tolist()
    assert "crs_doubtful" in reasons[0].split(";")
    assert "crs_doubtful" not in reasons[1].split(";")
    assert "position_address_disagree" in reasons[1].split(";")


def test_an_ellipse_reaches_along_its_bearing(snapshot: Snapshot) -> None:
    # The drain lies 10 m east: within an error that runs east, far outside one that runs north.
    told = []
    for bearing in (90.0, 0.0):
        position = Position(
            x=X0 + 50, y=Y0 + 52, crs="city", accuracy_m=12.0, accuracy_minor_m=1.0,
            accuracy_bearing_deg=bearing,
        )  # fmt: skip
        decision = snapshot.decide(Case(position=position, class_code="0104"))
        assert decision.component is not None
        told.append(decision.component.probability)
    assert told[0] > 0.7
    assert told[1] < 0.2


def test_the_likeliest_component_is_taken_not_the_nearest(tmp_path: Path) -> None:
    # 8 m north of the position across an error of 1 m, and 10 m east along one of 12 m.
    both = [
        component("1301020104000001", point(50, 60), maintainer_code="W1"),
        component("1301020104000002", point(60, 52), maintainer_code="W2"),
    ]
    city = open_district(tmp_path, components=both)
    position = Position(
        x=X0 + 50, y=Y0 + 52, crs="city", accuracy_m=12.0, accuracy_minor_m=1.0,
        accuracy_bearing_deg=90.0,
    )  # fmt: skip
    told = city.decide(Case(position=position, class_code="0104"))
    assert told.component is not None
    assert told.component.code == "1301020104000002"
    assert told.owner is not None
    assert told.owner.unit_code == "W2"
    assert told.component.probability > 0.7


def test_an_ellipse_shares_grids_by_its_axes(snapshot: Snapshot) -> None:
    # On the border of two grids in the east; 12 m from it by an error of 4 m and one of 30 m.
    told = []
    for bearing in (0.0, 90.0):
        position = Position(
            x=X0 + 88, y=Y0 + 50, crs="city", accuracy_m=15.0, accuracy_minor_m=4.0,
            accuracy_bearing_deg=bearing,
        )  # fmt: skip
        decision = snapshot.decide(Case(position=position))
        assert decision.grid is not None
        told.append(decision.grid.probability)
    # North: 3 deviations of 4 m to the border; east: 0.8 of 15 m, with the far borders.
    assert told == pytest.approx([0.99778, 0.78814], abs=2e-3)


def test_a_named_component_elsewhere_than_the_position_is_doubted(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, components=[component("1301020104000001", point(60, 52))])
    position = Position(x=X0 + 160, y=Y0 + 52, crs="city", accuracy_m=5.0)
    decision = snapshot.decide(
        Case(position=position, component_code="1301020104000001", class_code="0104")
    )
    assert decision.location.source == "component_code"
    assert "component_position_disagree" in decision.reasons
    assert decision.needs_review
