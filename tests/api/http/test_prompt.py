"""Lookups that are answered at once have the bytes, the headers and the counts of those told in full."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest

from api import Case, Position
from api.http.access import LOOPBACK
from api.http.gate import COUNTED
from api.http.options import ServerOptions
from api.http.prompt import PromptLookups
from api.http.serving import Serving
from api.keys import create_key
from api.single import find_one
from gis.crs import transform_xy
from tests.api.http.town import X0, Y0
from tests.server_fixtures import Town

pytestmark = pytest.mark.xdist_group("server")

HOST = [(b"host", b"localhost:8000")]
DAY = "2026-02-01"


@pytest.fixture(scope="module")
def worker(town: Town) -> Serving:
    """The parts of a worker that has taken in its snapshot."""
    serving = Serving(ServerOptions(workspace=town.workspace))
    serving.look()
    return serving


def questions(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield places inside, on borders and around the town, with any of the other parameters."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        east, north = rng.uniform(-200, 1200, 2) if number % 4 else rng.choice([0, 100, 250], 2)
        x, y, crs = X0 + float(east), Y0 + float(north), str(rng.choice(["city", "EPSG:4490"]))
        if crs != "city":
            lon, lat = transform_xy([x], [y], source="EPSG:4547", target=crs)
            x, y = float(lon[0]), float(lat[0])
        more = {
            "kind": "event" if number % 3 == 0 else "component",
            "class_code": "0103" if number % 3 == 0 else "0137",
            "accuracy_m": f"{rng.uniform(0, 30):.2f}",
            "as_of": DAY,
            "reported_at": f"2026-0{rng.integers(1, 10)}-17T{rng.integers(10, 24)}:40:00+08:00",
        }
        chosen = {name: value for name, value in more.items() if rng.uniform() < 0.6}
        if ("kind" in chosen) != ("class_code" in chosen):
            chosen.pop("kind", None)
            chosen.pop("class_code", None)
        yield {"x": f"{x:.9f}", "y": f"{y:.9f}", "crs": crs, **chosen}


def test_what_is_answered_at_once_is_what_is_told_in_full(
    client: httpx.Client, worker: Serving
) -> None:
    prompt, at_once = PromptLookups(worker), 0
    client.get("/v1/lookup", params={"x": X0, "y": Y0, "crs": "city", "as_of": DAY})
    for question in questions(150, seed=1):
        query = urlencode(question, safe=":")
        quick = client.get(f"/v1/lookup?{query}")
        # A name with an escape is read in full, and the answer told and serialized in full.
        full = client.get(f"/v1/lookup?{query.replace('x=', '%78=', 1)}")
        assert quick.status_code == full.status_code == 200, question
        assert quick.content == full.content, question
        named = [{n: v for n, v in each.headers.items() if n != "date"} for each in (quick, full)]
        assert named[0] == named[1]
        told = prompt({"headers": HOST, "query_string": query.encode()})
        at_once += told == quick.content
        assert told in (None, quick.content), question
    assert at_once > 60


def test_a_day_that_is_not_indexed_yet_is_asked_for_in_full(worker: Serving) -> None:
    prompt, day = PromptLookups(worker), date(2026, 1, 3)
    query = f"x={X0 + 250}&y={Y0 + 250}&crs=city&as_of={day}".encode()
    assert prompt({"headers": HOST, "query_string": query}) is None
    place = Position(x=X0 + 250, y=Y0 + 250, crs="city")
    assert find_one(worker.live.snapshot, Case(position=place, as_of=day)) is not None
    assert prompt({"headers": HOST, "query_string": query}) is not None


@pytest.mark.parametrize(
    "more",
    [
        "&class_code=9999",  # no such class
        "&as_of=2999-01-01",  # to come
        "&trace=true",
        "&accuracy_m=900",  # one for the arrays
        "&color=red",
    ],
)
def test_what_is_wrong_or_unusual_goes_the_way_of_all_requests(worker: Serving, more: str) -> None:
    query = f"x={X0 + 250}&y={Y0 + 250}&crs=city{more}".encode()
    assert PromptLookups(worker)({"headers": HOST, "query_string": query}) is None


def test_a_stranger_is_left_to_the_gate(worker: Serving) -> None:
    scope = {"query_string": f"x={X0 + 250}&y={Y0 + 250}&crs=city".encode()}
    assert PromptLookups(worker)(scope | {"headers": [(b"host", b"rebound.example")]}) is None
    assert PromptLookups(worker)(scope | {"headers": [*HOST, (b"x-api-key", b"guess")]}) is None
    known: dict[str, Any] = scope | {"headers": HOST}
    assert PromptLookups(worker)(known) is not None
    assert known["principal"] is LOOPBACK


def test_each_lookup_counts_once_against_the_limit_of_its_key(town: Town, worker: Serving) -> None:
    key = create_key(
        town.database, name="每分钟两次", role="reader", requests_per_minute=2, actor="tests"
    )
    worker.keyring.refresh()
    prompt, asked = PromptLookups(worker), f"x={X0 + 250}&y={Y0 + 250}&crs=city".encode()
    headers = [*HOST, (b"authorization", f"Bearer {key}".encode())]
    right: dict[str, Any] = {"headers": headers, "query_string": asked}
    wrong: dict[str, Any] = {"headers": headers, "query_string": asked + b"&class_code=9999"}
    late: dict[str, Any] = {"headers": headers, "query_string": asked}
    assert prompt(right) is not None
    assert prompt(wrong) is None
    assert wrong[COUNTED] is True  # it goes on to the gate, which does not count it again
    assert prompt(late) is None
    assert COUNTED not in late
