"""Questions read straight from the address mean what they mean when they are read in full."""

from urllib.parse import urlencode

import numpy as np
import pytest

from api.http.asking import plain_question
from api.http.lean import pairs_of
from api.http.schemas import LookupIn


def test_what_is_read_at_once_is_what_is_read_in_full() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        x, y = rng.uniform(-180, 180), rng.uniform(-5e6, 5e6)
        told = {"x": f"{x:.{rng.integers(15)}f}", "y": f"{y:.{rng.integers(9)}f}"}
        more = {
            "crs": str(rng.choice(["EPSG:4490", "city", "GCJ-02"])),
            "kind": str(rng.choice(["component", "event"])),
            "class_code": "0104",
            "accuracy_m": f"{rng.uniform(0, 50):.2f}",
            "accuracy_minor_m": "2",
            "accuracy_bearing_deg": "-30.5",
            "trace": "false",
            "as_of": "2026-01-01",
            "reported_at": "2026-05-01T08:00:00+08:00",
        }
        chosen = {name: value for name, value in more.items() if rng.uniform() < 0.5}
        pairs = told | chosen if rng.uniform() < 0.5 else chosen | told
        query = urlencode(pairs, safe=":").encode()
        asked = plain_question(query)
        assert asked is not None, query
        case = LookupIn.model_validate(pairs_of(query)).case()
        assert case.position == asked[1]
        assert (case.kind, case.class_code) == (asked[0].kind, asked[0].class_code)
        assert (asked[0].reported_at, asked[0].as_of) == (case.reported_at, case.as_of)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "x=1",
        "x=1&y=",
        "x=nan&y=2",
        "x=1_0&y=2",
        "x=+1&y=2",
        "x=1e3&y=2",
        "x=%31&y=2",
        "x=1&y=2&x=3",
        "x=1&y=2&color=red",
        "x=1&y=2&class_code=lamp",
        "x=1&y=2&accuracy_m=-1",
        "x=1&y=2&trace=true",
        "x=1&y=2&as_of=soon",
        "x=1&y=2&reported_at=2026-05-01T08:00:00",
        "x=1&y=2&crs=" + "9" * 200,
    ],
)
def test_whatever_is_unusual_is_read_in_full(query: str) -> None:
    assert plain_question(query.encode()) is None


def test_of_a_class_given_twice_the_last_counts() -> None:
    asked = plain_question(b"x=1&y=2&class_code=0102&class_code=0104")
    assert asked is not None
    assert asked[0].class_code == "0104"
