"""``/v1/lookup``: values of the town worked out by hand, and what is told of bad questions."""

from statistics import NormalDist
from typing import Any

import httpx
import pytest

from gis.crs import transform_xy
from tests.api.http.town import LAMP, MIDDLE_GRID, POWER, TOWN_HALL, X0, Y0

pytestmark = pytest.mark.xdist_group("server")


def at(x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"x": X0 + x, "y": Y0 + y, "crs": "EPSG:4547", **more}


def lookup(client: httpx.Client, **question: Any) -> dict[str, Any]:
    answer = client.get("/v1/lookup", params=question)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_lamp_is_found_with_its_maintainer(client: httpx.Client) -> None:
    found = lookup(client, **at(252, 250, class_code="0137", accuracy_m=10, trace="true"))
    assert found["grid"]["code"] == MIDDLE_GRID
    assert found["grid"]["edge_distance_m"] == pytest.approx(48.0, abs=1e-6)
    assert found["areas"]["district"] == {"code": "130102", "name": "长安区"}
    assert found["areas"]["street"]["code"] == "130102001"
    assert found["areas"]["community"] == {"code": "130102001001", "name": "长安社区"}
    assert found["component"]["code"] == LAMP
    assert found["component"]["distance_m"] == pytest.approx(2.0, abs=1e-6)
    assert [other["code"] for other in found["component"]["alternatives"]] == [LAMP[:-1] + "2"]
    assert found["owner"]["unit_code"] == POWER
    assert found["owner"]["role"] == "maintainer"
    assert found["owner"]["principle"] == "owner_first"
    assert found["owner"]["time_limit"] == {"value": 4.0, "unit": "working_hour"}
    assert found["trace"]
    assert {step["outcome"] for step in found["trace"]} == {"accepted", "rejected"}


def test_the_trace_is_told_when_it_is_asked_for(client: httpx.Client) -> None:
    question = at(
        252, 250, class_code="0137", accuracy_m=10, reported_at="2026-05-01T08:00:00+08:00"
    )
    short, full = lookup(client, **question), lookup(client, trace=True, **question)
    assert short["trace"] == []
    assert {**full, "trace": []} == short
    posted = client.post(
        "/v1/assign",
        json={
            "class_code": "0137",
            "reported_at": question["reported_at"],
            "position": {name: question[name] for name in ("x", "y", "crs", "accuracy_m")},
        },
    )
    assert posted.json() == full


def test_an_error_ellipse_reaches_farther_along_its_bearing(client: httpx.Client) -> None:
    # 10 m inside the east border of the grid: 20 m east-west reach over it, 1 m across hardly do.
    place = at(290, 250, accuracy_m=20)
    shares = {}
    for bearing in (0, 90):
        ellipse: dict[str, Any] = {"accuracy_minor_m": 1, "accuracy_bearing_deg": bearing}
        found = lookup(client, **place, **ellipse)
        assert found["grid"]["code"] == MIDDLE_GRID
        assert found == {**lookup(client, **place, **ellipse, trace="true"), "trace": []}
        # One number for the size of both: the root of the mean of the variances.
        assert found["location"]["accuracy_m"] == pytest.approx(((20**2 + 1) / 2) ** 0.5)
        shares[bearing] = found["grid"]["probability"]
    normal = NormalDist()
    # Along the border 50 m to each side are the grid's; across it 10 m to the one and 90 m to the other.
    assert shares[0] == pytest.approx(normal.cdf(50 / 20) - normal.cdf(-50 / 20), abs=2e-3)
    assert shares[90] == pytest.approx(normal.cdf(10 / 20) - normal.cdf(-90 / 20), abs=2e-3)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"accuracy_minor_m": -1}, "accuracy_minor_m must be at least 0"),
        ({"accuracy_minor_m": "wide"}, "accuracy_minor_m must be a number"),
        ({"accuracy_bearing_deg": 361}, "accuracy_bearing_deg must be at most 360"),
        ({"accuracy_bearing_deg": "inf"}, "accuracy_bearing_deg must be a finite number"),
    ],
)
def test_an_ellipse_that_is_none_is_refused(
    client: httpx.Client, question: dict[str, Any], words: str
) -> None:
    asked: Any = at(250, 250, accuracy_m=5) | question
    assert words in problem(client, "en", **asked)["detail"]


def test_a_place_without_class_gets_its_territory(client: httpx.Client) -> None:
    found = lookup(client, **at(250, 250))
    assert found["component"] is None
    assert found["owner"]["unit_code"] == TOWN_HALL


def test_a_shared_corner_belongs_to_the_lowest_code(client: httpx.Client) -> None:
    found = lookup(client, **at(500, 500))
    assert found["grid"]["code"] == "130102001001025"
    assert found["grid"]["on_boundary"] is True


def test_longitude_and_latitude_lead_to_the_same_grid(client: httpx.Client) -> None:
    for crs in ("EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09"):
        x, y = transform_xy([X0 + 250], [Y0 + 250], source="EPSG:4547", target=crs)
        found = lookup(client, x=x[0], y=y[0], crs=crs)
        assert found["grid"]["code"] == MIDDLE_GRID, crs
        assert found["location"]["x"] == pytest.approx(X0 + 250, abs=0.01)


def test_outside_the_town_the_nearest_grid_is_told_with_its_distance(client: httpx.Client) -> None:
    found = lookup(client, **at(-300, 50))
    assert found["grid"]["code"] == "130102001001001"
    assert found["grid"]["distance_m"] == pytest.approx(300.0, abs=1e-6)
    assert "outside_grids" in found["reasons"]
    assert found["needs_review"] is True


def problem(client: httpx.Client, language: str = "en", **question: Any) -> dict[str, Any]:
    headers = {"Accept-Language": language}
    answer = client.get("/v1/lookup", params=question, headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == 422
    assert told["code"] == "request"
    return told


def test_swapped_axes_are_told(client: httpx.Client) -> None:
    assert "axes look swapped" in problem(client, x=37.93, y=114.0)["detail"]
    assert "坐标轴似乎颠倒" in problem(client, "zh-CN", x=37.93, y=114.0)["detail"]


def test_swapped_axes_of_a_projected_crs_are_told(client: httpx.Client) -> None:
    swapped: dict[str, Any] = {"x": Y0 + 250, "y": X0 + 250, "crs": "EPSG:4547"}
    assert "axes look swapped" in problem(client, **swapped)["detail"]


def test_a_place_in_another_city_is_refused_without_that_hint(client: httpx.Client) -> None:
    told = problem(client, x=121.47, y=31.23)
    assert "km outside this city" in told["detail"]
    assert "swapped" not in told["detail"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"x": 114.0}, "y is missing"),
        ({"x": "east", "y": 37.9}, "x must be a number"),
        ({"x": "nan", "y": 37.9}, "x must be a finite number"),
        ({"x": 214.0, "y": 37.9}, "no longitude"),
        ({"x": 1e308, "y": 1e308, "crs": "city"}, "no place in city"),
        ({"x": 5e5, "y": -1e308, "crs": "EPSG:4547"}, "no place in EPSG:4547"),
        ({"x": 1e12, "y": 1e12, "crs": "epsg:4547"}, "no place in epsg:4547"),
        ({"x": 1e9, "y": 1e9, "crs": "EPSG:3857"}, "no place in EPSG:3857"),
        ({"x": 52765543.3, "y": 4.57e6, "crs": "EPSG:3857"}, "no place in EPSG:3857"),
        ({"x": 474.0, "y": 37.9, "crs": "gcj02"}, "no place in gcj02"),
        ({"x": 114.0, "y": 37.9, "crs": "EPSG:99"}, "EPSG:99"),
        # A sign + that was not written %2B arrives as a blank.
        ({"x": 114.0, "y": 37.9, "reported_at": "2026-05-31T08:00:00 08:00"}, "%2B"),
        ({"x": 114.0, "y": 37.9, "class_code": "9999"}, "no minor class"),
        ({"x": 114.0, "y": 37.9, "class_code": "lamp"}, "four or five digits"),
        ({"x": 114.0, "y": 37.9, "kind": "thing"}, "kind must be"),
        ({"x": 114.0, "y": 37.9, "accuracy_m": -1}, "accuracy_m must be at least 0"),
        ({"x": 114.0, "y": 37.9, "as_of": "2999-01-01"}, "is to come"),
        ({"x": 114.0, "y": 37.9, "as_of": "2024-12-31"}, "begin on 2025-01-01"),
        ({"x": 114.0, "y": 37.9, "as_of": "soon"}, "as_of"),
        ({"x": 114.0, "y": 37.9, "trace": "perhaps"}, "trace must be true or false"),
        ({"x": 114.0, "y": 37.9, "color": "red"}, "color is not known here"),
        ({"x": 114.0, "y": 37.9, "class_code": ""}, "four or five digits"),
    ],
)
def test_bad_questions_are_told_what_is_wrong(
    client: httpx.Client, question: dict[str, Any], words: str
) -> None:
    assert words in problem(client, **question)["detail"]


def test_bad_questions_are_told_in_chinese(client: httpx.Client) -> None:
    told = problem(client, "zh-CN,zh;q=0.9,en;q=0.5", x=114.0)
    assert told["title"] == "请求有误"
    assert told["errors"] == [{"field": "y", "rule": "missing", "message": "缺少 y"}]


def test_head_and_options_answer_without_a_body(client: httpx.Client) -> None:
    head = client.head("/v1/lookup", params=at(250, 250))
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) > 500
    options = client.options("/v1/assign/batch")
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")
    assert client.options("/v1/lookup").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options("/nowhere").status_code == 404


def test_other_origins_get_no_permission(client: httpx.Client) -> None:
    answer = client.get("/healthz", headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_an_unknown_address_and_method_are_problems(client: httpx.Client) -> None:
    missing = client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = client.delete("/v1/lookup")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


def test_an_open_server_answers_under_its_own_names_only(client: httpx.Client) -> None:
    answer = client.get("/v1/builds", headers={"Host": "rebound.example"})
    assert answer.status_code == 421
    assert "--require-keys" in answer.json()["detail"]
