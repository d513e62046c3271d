"""Keys: who gets in, how far, how often, and how fast a revoked key is out."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.http.access import Principal, may, needed_right
from api.http.rates import RateLimiter
from api.keys import create_key, list_keys, revoke_key
from gis.database import Database, read_rows
from gis.errors import AccessError, NotFoundError, RequestError
from tests.api.http.town import LAMP, MIDDLE_GRID, PHONE, X0, Y0
from tests.server_fixtures import Running, Town, free_port, serving
from wanmi import app

pytestmark = pytest.mark.xdist_group("server")

PLACE = {"x": X0 + 250, "y": Y0 + 250, "crs": "EPSG:4547"}


def key_for(town: Town, role: str, *districts: str, rate: int = 6000) -> str:
    return create_key(
        town.database,
        name=f"{role} 测试",
        role=role,
        districts=districts,
        requests_per_minute=rate,
        actor="tests",
    )


def wait_until(client: httpx.Client, key: str, status: int, path: str = "/v1/builds") -> None:
    """Wait for the server to learn of a key: a refresh takes a second."""
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
        if answer.status_code == status:
            return
        time.sleep(0.1)
    pytest.fail(f"{path} answers {answer.status_code}, not {status}")


@pytest.fixture(scope="module")
def keys(town: Town) -> dict[str, str]:
    made = {role: key_for(town, role) for role in ("reader", "surveyor", "workflow", "admin")}
    made["elsewhere"] = key_for(town, "workflow", "130104")
    made["here"] = key_for(town, "workflow", "130102", "130104")
    return made


@pytest.fixture(scope="module")
def guarded(town: Town, keys: dict[str, str]) -> Iterator[Running]:
    with serving(town.workspace, "--require-keys", "--workers", "2") as made:
        yield made


def ask(
    guarded: Running, key: str | None, method: str, path: str, **more: object
) -> httpx.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    with guarded.client(headers=headers) as client:
        return client.request(method, path, **more)  # type: ignore[arg-type]


def test_without_a_key_only_page_and_health_are_open(guarded: Running) -> None:
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/static/page.js"):
        assert ask(guarded, None, "GET", path).status_code == 200, path
    for path in ("/v1/builds", "/ogc/", "/ogc/collections", "/imagery", "/stac", "/metrics"):
        answer = ask(guarded, None, "GET", path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "unauthorized"


def test_a_wrong_key_is_refused(guarded: Running, keys: dict[str, str]) -> None:
    key_id = keys["reader"].split("_")[1]
    for key in ("guess", f"wanmi_{key_id}_{'x' * 43}", keys["reader"] + "x"):
        assert ask(guarded, key, "GET", "/v1/builds").status_code == 401


def test_a_key_may_be_sent_in_either_header(guarded: Running, keys: dict[str, str]) -> None:
    with guarded.client(headers={"X-API-Key": keys["reader"]}) as client:
        assert client.get("/v1/builds").status_code == 200


def test_roles_bound_what_a_key_may_do(guarded: Running, keys: dict[str, str]) -> None:
    case = {"position": PLACE}
    record = {"case_id": "keyed", "class_code": "0137", "position": PLACE}
    allowed = {
        role: (
            ask(guarded, keys[role], "GET", "/v1/lookup", params=PLACE).status_code,
            ask(guarded, keys[role], "POST", "/v1/assign", json=case).status_code,
            ask(guarded, keys[role], "POST", "/v1/cases", json=record).status_code,
            ask(guarded, keys[role], "GET", "/metrics").status_code,
        )
        for role in ("reader", "surveyor", "workflow", "admin")
    }
    assert allowed == {
        "reader": (200, 403, 403, 403),
        "surveyor": (200, 200, 403, 403),
        "workflow": (200, 200, 200, 403),
        "admin": (200, 200, 200, 200),
    }


def test_the_case_layer_is_for_those_who_may_record(guarded: Running, keys: dict[str, str]) -> None:
    path = "/ogc/collections/cases/items"
    assert ask(guarded, keys["reader"], "GET", path).status_code == 403
    listed = ask(guarded, keys["reader"], "GET", "/ogc/collections").json()["collections"]
    assert "cases" not in [layer["id"] for layer in listed]
    assert ask(guarded, keys["workflow"], "GET", path).status_code == 200


def test_districts_bound_what_a_key_sees(guarded: Running, keys: dict[str, str]) -> None:
    inside, outside = keys["here"], keys["elsewhere"]
    batch = [{"position": PLACE}]
    for method, path, more in (
        ("GET", "/v1/lookup", {"params": PLACE}),
        ("POST", "/v1/assign", {"json": batch[0]}),
        ("POST", "/v1/assign/batch", {"json": batch}),
        ("GET", f"/v1/grids/{MIDDLE_GRID}", {}),
        ("GET", f"/v1/components/{LAMP}", {}),
        ("GET", "/v1/areas/130102", {}),
    ):
        assert ask(guarded, inside, method, path, **more).status_code == 200, path
        refused = ask(guarded, outside, method, path, **more)
        assert (refused.status_code, refused.json()["code"]) == (403, "access"), path
    places = {"params": {"q": "裕华路12号"}}
    assert len(ask(guarded, inside, "GET", "/v1/geocode", **places).json()) > 0
    assert ask(guarded, outside, "GET", "/v1/geocode", **places).json() == []
    items = "/ogc/collections/components/items"
    assert ask(guarded, inside, "GET", items).json()["numberMatched"] == 4
    assert ask(guarded, outside, "GET", items).json()["numberMatched"] == 0
    tile = "/ogc/collections/unit_grids/tiles/WebMercatorQuad/0/0/0"
    assert len(ask(guarded, inside, "GET", tile).content) > 0
    assert ask(guarded, outside, "GET", tile).content == b""


def test_a_case_of_another_district_is_neither_recorded_nor_shown(
    guarded: Running, keys: dict[str, str]
) -> None:
    told = {"case_id": "secret", "class_code": "0137", "position": PLACE}
    assert ask(guarded, keys["elsewhere"], "POST", "/v1/cases", json=told).status_code == 403
    assert ask(guarded, keys["here"], "GET", "/v1/cases/secret").status_code == 404
    assert ask(guarded, keys["here"], "POST", "/v1/cases", json=told).status_code == 200
    assert ask(guarded, keys["elsewhere"], "GET", "/v1/cases/secret").status_code == 403


def test_a_key_that_asks_too_often_waits(guarded: Running, town: Town) -> None:
    key = key_for(town, "reader", rate=5)
    # The limit holds over both workers: each call opens a connection of its own. A bucket fills
    # while the calls last, however slow the machine is, so the time they took is counted in.
    began = time.monotonic()
    answers = [ask(guarded, key, "GET", "/v1/builds") for _ in range(12)]
    refilled = (time.monotonic() - began) * 5 / 60
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(answers) - len(refused) <= 5 + refilled
    if not refused:
        pytest.skip(f"twelve calls took so long that {refilled:.0f} more were allowed")
    assert refused[-1].json()["code"] == "rate_limited"
    assert 1 <= int(refused[-1].headers["retry-after"]) <= 12


def test_a_lookup_that_is_refused_counts_once(guarded: Running, town: Town) -> None:
    key = key_for(town, "reader", rate=6)
    wrong = PLACE | {"class_code": "9999"}
    answers = [ask(guarded, key, "GET", "/v1/lookup", params=wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 6


def test_a_new_key_is_in_at_once_at_every_worker(guarded: Running, town: Town) -> None:
    for _ in range(3):
        key = key_for(town, "reader")
        answers = [ask(guarded, key, "GET", "/v1/builds") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 6


def test_keys_never_made_are_refused_by_all_that_ask(guarded: Running) -> None:
    unknown = [f"wanmi_{number:012x}_{'0' * 43}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda key: ask(guarded, key, "GET", "/v1/builds"), unknown)
        assert {answer.status_code for answer in answers} == {401}


def test_a_revoked_key_is_out_at_once(guarded: Running, town: Town) -> None:
    key = key_for(town, "reader")
    with guarded.client() as client:
        wait_until(client, key, 200)
        revoke_key(town.database, key.split("_")[1], actor="tests")
        wait_until(client, key, 401)


def test_keys_are_stored_hashed_and_audited(database: Database) -> None:
    key = create_key(database, name="受理系统", role="workflow", districts=["130102"], actor="me")
    _, key_id, secret = key.split("_", 2)
    stored = list_keys(database)
    assert [(each.key_id, each.role, each.districts) for each in stored] == [
        (key_id, "workflow", ("130102",))
    ]
    with database.connect(read_only=True) as connection:
        everything = read_rows(connection, "SELECT k::text FROM meta.api_key AS k").to_string()
        assert secret not in everything
    revoke_key(database, key_id, actor="me")
    assert list_keys(database)[0].is_revoked
    with database.connect(read_only=True) as connection:
        audit = read_rows(
            connection, "SELECT actor, action, detail FROM meta.audit ORDER BY audit_id"
        )
    assert audit["action"].tolist() == ["key_create", "key_revoke"]
    assert secret not in audit.to_string()


def test_keys_that_make_no_sense_are_refused(database: Database) -> None:
    for wrong in (
        {"name": " "},
        {"role": "king"},
        {"districts": ["13"]},
        {"requests_per_minute": 0},
    ):
        with pytest.raises(RequestError):
            create_key(database, **{"name": "x", "role": "reader", "actor": "me", **wrong})  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        revoke_key(database, "0" * 12, actor="me")


def run(town: Town, *arguments: str) -> Result:
    environ = {"WANMI_DATABASE_URL": str(town.workspace.settings.database_url)}
    return CliRunner().invoke(app, ["-w", str(town.workspace.root), *arguments], env=environ)


def test_the_command_makes_lists_and_revokes(own_town: Town) -> None:
    made = run(
        own_town, "key", "create", "--name", "受理", "--role", "workflow", "--district", "130102"
    )
    key = re.search(r"wanmi_([0-9a-f]{12})_[\w-]{43}", made.output)
    assert key is not None, made.output
    listed = run(own_town, "key", "list", "--json").output
    assert key[1] in listed
    assert key[0] not in listed
    assert run(own_town, "key", "revoke", key[1]).exit_code == 0
    assert "revoked" in run(own_town, "key", "list").output


def test_another_address_needs_keys_before_it_serves(own_town: Town) -> None:
    refused = run(own_town, "serve", "--host", "0.0.0.0", "--port", str(free_port()))
    assert isinstance(refused.exception, AccessError)
    assert "wanmi key create" in refused.exception.message
    strange = run(own_town, "serve", "--host", "192.0.2.1", "--port", str(free_port()))
    assert isinstance(strange.exception, RequestError)
    assert "no address of this machine" in strange.exception.message


def test_what_no_rule_names_is_for_the_administrator() -> None:
    assert needed_right("PUT", "/v1/lookup") == "operate"
    assert needed_right("POST", "/v2/new") == "operate"
    assert not may(Principal(key_id="k", role="unknown"), "read")


def test_a_bucket_fills_again_with_time() -> None:
    limiter = RateLimiter(None)
    taken = [limiter.take("k", limit=60, now=1000.0) for _ in range(60)]
    assert taken == [0.0] * 60
    assert limiter.take("k", limit=60, now=1000.0) == pytest.approx(1.0)
    assert limiter.take("k", limit=60, now=1001.0) == 0.0
    assert limiter.take("other", limit=60, now=1000.0) == 0.0
    limiter.close()


def test_persons_are_told_to_who_records_cases_and_to_no_one_else(
    guarded: Running, keys: dict[str, str]
) -> None:
    grid, sets = "/v1/management_grids/130102001HW001", f"/v1/grids/{MIDDLE_GRID}/sets"
    with guarded.client() as client:
        for role in ("reader", "surveyor", "workflow", "admin"):
            headers = {"Authorization": f"Bearer {keys[role]}"}
            for path in (grid, sets):
                text = client.get(path, headers=headers).text
                assert "130102001HW001" in text
                assert (PHONE in text) == (role in ("workflow", "admin"))
        elsewhere = {"Authorization": f"Bearer {keys['elsewhere']}"}
        assert client.get(grid, headers=elsewhere).status_code == 403
        assert client.get(sets, headers=elsewhere).status_code == 403
