"""Cases that may be about the same thing: values worked out by hand, pairs against a plain comparison."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from api.cases.likeness import background_rate, joint_sigma, likeness, window_of
from api.cases.pairs import PAIR_COLUMNS, find_pairs

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)


def places(*rows: dict) -> pd.DataFrame:
    usual = {
        "kind": "event", "class_code": "0110", "reported_at": NOW, "closed_at": None, "x": 0.0, "y": 0.0,
        "sigma_m": 5.0, "component": None, "certainty": None,
    }  # fmt: skip
    told = [{"case_id": f"{n:03d}", **usual, **row} for n, row in enumerate(rows)]
    frame = pd.DataFrame(told)
    for name in ("case_id", "kind", "class_code", "component"):
        frame[name] = frame[name].astype("string[pyarrow]")
    for name in ("reported_at", "closed_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    return frame.astype(dict.fromkeys(("x", "y", "sigma_m", "certainty"), "float64"))


def later(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def test_the_probability_is_what_bayes_says() -> None:
    # 0.08 repeats a case; offset 5 m with 3 m and 4 m of error; 12 h at a mean of 24 h.
    place = math.exp(-0.5) / (2 * math.pi * 25)
    time = math.exp(-0.5) / 24
    other = 2.5 / (250 * 250 * 90 * 24)
    told = likeness(
        distance_m=5.0, sigma_m=joint_sigma(3.0, 4.0), hours=12.0, window=(24.0, 0.08), same=1.0,
        background=background_rate(2),
    )  # fmt: skip
    assert float(told) == pytest.approx(0.08 * place * time / (0.08 * place * time + other))


def test_near_in_place_and_time_of_one_class_are_a_pair() -> None:
    rows = places(
        {},
        {"x": 6.0, "reported_at": later(5)},
        {"x": 3.0, "reported_at": later(1), "class_code": "0111"},  # another class
        {"x": 3.0, "reported_at": later(1), "kind": "component", "class_code": "0110"},
        {"x": 60.0, "reported_at": later(1)},  # too far: 4 joint deviations are 28 m
        {"x": 3.0, "reported_at": later(80)},  # too late: the window is 72 h
    )
    found = find_pairs(rows)
    assert list(found.columns) == list(PAIR_COLUMNS)
    assert found[["case_id", "duplicate_case_id", "distance_m", "hours"]].to_numpy().tolist() == [
        ["000", "001", 6.0, 5.0]
    ]
    assert found["probability"].iloc[0] > 0.9
    assert "6 m apart with places good to 7 m, 5.0 h apart" in found["why"].iloc[0]
    assert "相距 6 米" in found["why_zh"].iloc[0]


def test_what_was_closed_before_is_another_thing() -> None:
    again = {"x": 1.0, "reported_at": later(5)}
    assert len(find_pairs(places({"closed_at": later(6)}, again))) == 1
    assert len(find_pairs(places({"closed_at": later(4)}, again))) == 0


def test_components_tell_cases_apart() -> None:
    def pair(one: str | None, other: str | None, certainty: float) -> float:
        rows = places(
            {"component": one, "certainty": certainty, "kind": "component", "class_code": "0104"},
            {"component": other, "certainty": certainty, "kind": "component", "class_code": "0104",
             "x": 4.0, "reported_at": later(5)},
        )  # fmt: skip
        found = find_pairs(rows, least=0.0)
        return float(found["probability"].iloc[0]) if len(found) else 0.0

    assert pair("A", "A", 1.0) > pair(None, None, 1.0) > pair("A", "B", 0.7) > pair("A", "B", 1.0)
    assert pair("A", "B", 1.0) == 0.0


def test_a_busy_place_makes_a_pair_less_probable() -> None:
    twin = [{}, {"x": 4.0, "reported_at": later(20)}]
    busy = [{"x": 100.0 + n, "y": 100.0, "reported_at": later(80 + 10 * n)} for n in range(60)]
    alone = find_pairs(places(*twin), least=0.0)["probability"].iloc[0]
    among = find_pairs(places(*twin, *busy), least=0.0).set_index(["case_id", "duplicate_case_id"])
    assert among.loc[("000", "001"), "probability"] < alone


def test_pairs_are_those_of_a_plain_comparison() -> None:
    stream = np.random.default_rng(1)
    rows = places(
        *(
            {
                "x": float(stream.uniform(0, 400)), "y": float(stream.uniform(0, 400)),
                "reported_at": later(float(stream.uniform(0, 400))),
                "class_code": str(stream.choice(["0110", "0405", "0111"])),
                "sigma_m": float(stream.choice([3.0, 8.0])),
            }
            for _ in range(300)
        )
    )  # fmt: skip
    found = find_pairs(rows, least=0.0)
    wanted = set()
    records = rows.to_dict("records")
    for one in records:
        for other in records:
            hours = (other["reported_at"] - one["reported_at"]).total_seconds() / 3600
            near = math.hypot(one["x"] - other["x"], one["y"] - other["y"])
            window = window_of("event", one["class_code"])
            if (
                one["class_code"] == other["class_code"]
                and 0 < hours <= window.window_h
                and near <= 4 * math.hypot(one["sigma_m"], other["sigma_m"])
            ):
                wanted.add((one["case_id"], other["case_id"]))
    assert len(wanted) > 20
    assert set(zip(found["case_id"], found["duplicate_case_id"], strict=True)) == wanted


def test_thousands_at_one_point_stay_bounded() -> None:
    rows = places(*({"reported_at": later(n / 100)} for n in range(3000)))
    found = find_pairs(rows, least=0.0)
    assert 3000 <= len(found) <= 16 * 3000


def test_nothing_to_compare() -> None:
    assert find_pairs(places({})).empty
    assert find_pairs(places({}).iloc[:0]).empty


@pytest.mark.parametrize(
    ("kind", "class_code", "hours"),
    [
        ("event", "0405", 12),
        ("event", "0507", 48),
        ("event", "0599", 24),
        ("component", "0137", 168),
    ],
)
def test_the_longest_prefix_says_the_window(kind: str, class_code: str, hours: float) -> None:
    assert window_of(kind, class_code).window_h == hours
