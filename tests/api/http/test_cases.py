"""``/v1/cases``: posted once, returned with a reason, never forgotten."""

from typing import Any

import httpx
import pytest

from tests.api.http.town import POWER, TOWN_HALL, X0, Y0

pytestmark = pytest.mark.xdist_group("server")


def report(name: str, **more: Any) -> dict[str, Any]:
    position = {"x": X0 + 251, "y": Y0 + 250, "crs": "EPSG:4547"}
    told = {"case_id": name, "class_code": "0137", "position": position}
    return {**told, "reported_at": "2026-05-01T08:00:00+08:00", **more}


def test_a_case_is_recorded_once_however_often_it_is_posted(client: httpx.Client) -> None:
    first = client.post("/v1/cases", json=report("once"))
    again = client.post("/v1/cases", json=report("once"))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["owner"]["unit_code"] == POWER
    stored = client.get("/v1/cases/once").json()
    assert stored["state"] == "assigned"
    assert [entry["action"] for entry in stored["history"]] == ["assigned"]
    assert stored["history"][0]["actor"] == "loopback"


def test_another_report_under_the_same_id_is_a_conflict(client: httpx.Client) -> None:
    client.post("/v1/cases", json=report("taken"))
    answer = client.post("/v1/cases", json=report("taken", address="别处"))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_returned_case_goes_to_the_next_unit(client: httpx.Client) -> None:
    client.post("/v1/cases", json=report("back"))
    told = {"unit_code": POWER, "reason": "该灯杆已移交街道"}
    stored = client.post("/v1/cases/back/return", json=told).json()
    assert stored["unit_code"] == TOWN_HALL
    assert [(entry["action"], entry["unit_code"]) for entry in stored["history"]] == [
        ("assigned", POWER),
        ("returned", POWER),
        ("reassigned", TOWN_HALL),
    ]
    assert stored["history"][1]["reason"] == "该灯杆已移交街道"
    # Only the unit that has the case can return it.
    again = client.post("/v1/cases/back/return", json=told)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "told",
    [
        {"case_id": None},
        {"case_id": "a/b"},
        {"class_code": "9999"},
        {"position": {"x": 37.9, "y": 114.0}},
        {"position": {"x": 121.5, "y": 31.2}},
        {"reported_at": "2026-05-01T08:00:00"},
        {"address": "长安\0区"},
        {"case_id": "bad\0"},
    ],
)
def test_a_case_that_can_not_be_meant_is_not_recorded(
    client: httpx.Client, told: dict[str, Any]
) -> None:
    answer = client.post("/v1/cases", json={**report("bad"), **told})
    assert answer.status_code == 422
    assert client.get("/v1/cases/bad").status_code == 404


def test_a_return_needs_a_reason_and_a_case(client: httpx.Client) -> None:
    client.post("/v1/cases", json=report("why"))
    for reason in ("", "   "):
        told = {"unit_code": POWER, "reason": reason}
        assert client.post("/v1/cases/why/return", json=told).status_code == 422
    told = {"unit_code": POWER, "reason": "不属本单位"}
    assert client.post("/v1/cases/never/return", json=told).status_code == 404


def test_recorded_cases_are_a_layer_without_the_words(client: httpx.Client) -> None:
    client.post("/v1/cases", json=report("mapped", address="长安区裕华路12号"))
    found = client.get("/ogc/collections/cases/items/mapped").json()
    assert found["properties"]["unit_code"] == POWER
    assert not {"address", "description", "decision"} & set(found["properties"])
