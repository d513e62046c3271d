"""``/v1/cases``: posted once, returned with a reason, never forgotten."""

import base64
from typing import Any

import httpx
import orjson
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


def test_a_report_that_can_not_be_read_is_told_how_to_be_sent(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json", "Accept-Language": "zh"}
    gbk = orjson.dumps(report("gbk", description="井盖破损")).decode("utf-8").encode("gbk")
    told = client.post("/v1/cases", content=gbk, headers=headers)
    assert (told.status_code, told.json()["code"]) == (400, "request")
    assert told.json()["detail"] == "无法读取请求内容：请提交 UTF-8 编码的 JSON，不要用 GBK。"
    english = client.post("/v1/cases", content=gbk, headers={"Content-Type": "application/json"})
    assert english.json()["detail"].endswith("send JSON in UTF-8, not in GBK.")
    cut = client.post("/v1/cases", content=b'{"case_id":', headers=headers).json()
    assert [fault["field"] for fault in cut["errors"]] == ["body"]
    odd = client.post("/v1/cases", json=report("odd", kind="部件"), headers=headers).json()
    assert odd["detail"] == "kind 只能是 'component' 或 'event'"
    assert client.get("/v1/cases/gbk").status_code == 404


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
    assert stored["history"][1]["category"] == "not_our_component"
    # Its answer was lost: the same return sent again is answered as the first was.
    assert client.post("/v1/cases/back/return", json=told).json() == stored
    # Only the unit that has the case can return it.
    again = client.post("/v1/cases/back/return", json={**told, "reason": "不属本单位"})
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


def test_words_and_channel_are_kept_and_differences_named(client: httpx.Client) -> None:
    told = report("words", description="灯不亮 💡", channel="12345热线")
    assert client.post("/v1/cases", json=told).status_code == 200
    stored = client.get("/v1/cases/words").json()
    assert (stored["description"], stored["channel"]) == ("灯不亮 💡", "12345热线")
    other = {**told, "channel": "公众APP"}
    answer = client.post("/v1/cases", json=other, headers={"Accept-Language": "zh-CN"})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert "channel" in answer.json()["detail"]
    assert "内容不同" in answer.json()["detail"]


@pytest.mark.parametrize(
    "told",
    [
        {"description": "破" * 4001},
        {"description": "a\0b"},
        {"channel": "热" * 101},
        {"reported_at": "2999-01-01T00:00:00+08:00"},
    ],
)
def test_a_report_with_wrong_words_is_refused(client: httpx.Client, told: dict[str, Any]) -> None:
    assert client.post("/v1/cases", json=report("words2", **told)).status_code == 422
    assert client.get("/v1/cases/words2").status_code == 404


def test_a_description_of_ten_megabytes_is_too_large(client: httpx.Client) -> None:
    answer = client.post("/v1/cases", json=report("huge", description="x" * 10_000_000))
    assert answer.status_code in (413, 422)
    assert answer.json()["code"] in ("too_large", "request")


def test_a_person_overrides_closes_and_reopens(client: httpx.Client) -> None:
    client.post("/v1/cases", json=report("person"))
    told = {"unit_code": POWER, "reason": "现场未发现问题"}
    waiting = client.post(
        "/v1/cases/person/return", json=told, headers={"Accept-Language": "zh"}
    ).json()
    assert (waiting["state"], waiting["unit_code"]) == ("returned", None)
    assert waiting["history"][1]["category"] == "cannot_be_found"
    assert waiting["waiting_text"].startswith("退件原因需人工核实")
    told = {"unit_code": TOWN_HALL, "reason": "领导指定"}
    stored = client.post("/v1/cases/person/assign", json=told).json()
    assert (stored["state"], stored["unit_code"]) == ("assigned", TOWN_HALL)
    assert stored["decision"]["owner"]["role"] == "person"
    assert client.post("/v1/cases/person/assign", json=told).json() == stored
    closed = client.post("/v1/cases/person/close", json={}).json()
    assert closed["state"] == "closed"
    assert client.post("/v1/cases/person/close", json={}).json() == closed
    again = client.post("/v1/cases/person/close", json={"reason": "修复"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    told = {"reason": "又坏了"}
    opened = client.post("/v1/cases/person/reopen", json=told).json()
    assert opened["state"] == "assigned"
    assert client.post("/v1/cases/person/reopen", json=told).json() == opened


def test_an_open_case_at_the_same_place_is_hinted_at(client: httpx.Client) -> None:
    place = {"x": X0 + 750, "y": Y0 + 750, "crs": "EPSG:4547", "accuracy_m": 3}
    told = {"position": place, "kind": "event", "class_code": "0110"}
    first = client.post("/v1/cases", json=report("twin1", **told)).json()
    assert first["duplicates"] == []
    later = {**told, "reported_at": "2026-05-01T10:00:00+08:00"}
    second = client.post("/v1/cases", json=report("twin2", **later)).json()
    (found,) = second["duplicates"]
    assert (found["case_id"], found["distance_m"], found["hours"]) == ("twin1", 0.0, 2.0)
    assert found["probability"] > 0.9
    assert "0 m apart" in found["why"]
    (back,) = client.get("/v1/cases/twin1").json()["duplicates"]
    assert back["case_id"] == "twin2"
    client.post("/v1/cases/twin2/close", json={"duplicate_of": "twin1"})
    assert client.get("/v1/cases/twin1").json()["duplicates"] == []


def test_cases_are_listed_page_by_page(client: httpx.Client) -> None:
    for number in range(5):
        when = f"2026-06-0{number + 1}T08:00:00+08:00"
        told = report(f"list{number}", class_code="0102", reported_at=when)
        client.post("/v1/cases", json=told)
    asked = {"class_code": "0102", "since": "2026-06-01T00:00:00+08:00", "limit": 2}
    seen, after = [], {}
    while True:
        page = client.get("/v1/cases", params={**asked, **after}).json()
        seen += [case["case_id"] for case in page["cases"]]
        if page["next"] is None:
            break
        after = {"next": page["next"]}
    assert seen == ["list4", "list3", "list2", "list1", "list0"]
    assert "description" not in page["cases"][0]
    for wrong in ({"state": "lost"}, {"bbox": "1,2,3"}, {"next": "?"}, {"limit": 0}, {"x": 1}):
        answer = client.get("/v1/cases", params=wrong)
        assert (answer.status_code, answer.headers["content-type"]) == (
            422,
            "application/problem+json",
        ), wrong


def test_the_reasons_of_returns_are_told_in_the_language_asked(client: httpx.Client) -> None:
    told = client.get("/v1/return_reasons", headers={"Accept-Language": "zh"}).json()
    texts = {row["code"]: (row["text"], row["then"]) for row in told["return_reasons"]}
    assert texts["duplicate"] == ("与其他案件重复。", "person")
    assert texts["not_our_area"][1] == "next"


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_times_at_the_ends_of_the_calendar_are_no_fault_of_the_server(
    client: httpx.Client, told: str
) -> None:
    answer = client.post("/v1/cases", json=report("of-old", reported_at=told))
    assert (answer.status_code, answer.json()["code"]) == (422, "request")
    chinese = client.post(
        "/v1/cases", json=report("of-old", reported_at=told), headers={"Accept-Language": "zh"}
    )
    assert "不" in chinese.text or "必须" in chinese.text
    assert client.get("/v1/cases", params={"since": told}).status_code == 422
    asked = {"class_code": "0137", "position": report("x")["position"], "reported_at": told}
    assert client.post("/v1/assign", json=asked).status_code == 422
    lines = client.post(
        "/v1/assign/batch",
        content=orjson.dumps(asked),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert lines.status_code < 500
    token = base64.urlsafe_b64encode(f"{told} x".encode()).decode().rstrip("=")
    assert client.get("/v1/cases", params={"next": token}).status_code < 500
