"""``/v1/assign`` and ``/v1/assign/batch``: one answer per case, whatever the format."""

import codecs
import gzip
import io
from typing import Any

import httpx
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.assign import DECISION_COLUMNS
from tests.api.http.town import LAMP, MIDDLE_GRID, POWER, TOWN_HALL, X0, Y0

pytestmark = pytest.mark.xdist_group("server")

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
NDJSON = "application/x-ndjson"


def case(name: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    position = {"x": X0 + x, "y": Y0 + y, "crs": "EPSG:4547"}
    return {"case_id": name, "class_code": "0137", "position": position, **more}


CASES = [case("a", 251, 250), case("b", 950, 950), case("c", 251, 250, class_code="9999")]
FRAME = pd.DataFrame(
    {
        "case_id": ["a", "b", "c"],
        "class_code": ["0137", "0137", "9999"],
        "x": [X0 + 251, X0 + 950, X0 + 251],
        "y": [Y0 + 250, Y0 + 950, Y0 + 250],
        "crs": "EPSG:4547",
    }
)
GRIDS = [MIDDLE_GRID, "130102001004025", MIDDLE_GRID]


def parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
    return file.getvalue()


def arrow(frame: pd.DataFrame, *, as_file: bool = False) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    maker = pa.ipc.new_file if as_file else pa.ipc.new_stream
    with maker(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def send(client: httpx.Client, body: bytes, sent: str, wanted: str | None = None) -> httpx.Response:
    headers = {"Content-Type": sent, "Accept": wanted or "*/*"}
    return client.post("/v1/assign/batch", content=body, headers=headers)


def test_one_case_gets_its_full_decision(client: httpx.Client) -> None:
    answer = client.post("/v1/assign", json=CASES[0])
    assert answer.status_code == 200
    found = answer.json()
    assert found["case_id"] == "a"
    assert found["grid"]["code"] == MIDDLE_GRID
    assert found["component"]["code"] == LAMP
    assert found["owner"]["unit_code"] == POWER


def test_a_case_is_located_by_its_address(client: httpx.Client) -> None:
    asked = {"address": "长安区裕华路12号", "kind": "event", "class_code": "0101"}
    found = client.post("/v1/assign", json=asked).json()
    assert found["location"]["source"] == "address"
    # The plate stands at (620, 520): column 2, row 1 of the fourth community.
    assert found["grid"]["code"] == "130102001004002"
    assert found["owner"]["unit_code"] == TOWN_HALL


def test_a_case_that_is_nowhere_or_unknown_is_refused(client: httpx.Client) -> None:
    nowhere = client.post("/v1/assign", json={"class_code": "0137"})
    assert nowhere.status_code == 422
    assert "give a position" in nowhere.json()["detail"]
    strange = client.post("/v1/assign", json={**CASES[0], "colour": "red"})
    assert strange.json()["errors"][0]["rule"] == "extra_forbidden"
    broken = client.post("/v1/assign", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 422
    assert "not valid JSON" in broken.json()["detail"]


def test_json_in_gives_full_decisions_in_order(client: httpx.Client) -> None:
    answer = send(client, orjson.dumps(CASES), "application/json")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert [each["case_id"] for each in found] == ["a", "b", "c"]
    assert [each["grid"]["code"] for each in found] == GRIDS
    assert found[0] == client.post("/v1/assign", json=CASES[0]).json()
    assert "class_unknown" in found[2]["reasons"]


def test_lines_in_give_lines(client: httpx.Client) -> None:
    body = b"\n".join(orjson.dumps(each) for each in CASES) + b"\n\n"
    answer = send(client, body, NDJSON)
    assert answer.headers["content-type"] == NDJSON
    lines = [orjson.loads(line) for line in answer.content.splitlines()]
    assert [each["grid"]["code"] for each in lines] == GRIDS


@pytest.mark.parametrize("as_file", [False, True])
def test_arrow_in_gives_arrow(client: httpx.Client, as_file: bool) -> None:
    answer = send(client, arrow(FRAME, as_file=as_file), ARROW)
    assert answer.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column_names == ["case_id", *DECISION_COLUMNS]
    assert table["grid_code"].to_pylist() == GRIDS
    assert table["unit_code"].to_pylist()[0] == POWER


def test_parquet_in_gives_parquet_or_what_is_asked_for(client: httpx.Client) -> None:
    body = parquet(FRAME)
    table = pq.read_table(io.BytesIO(send(client, body, PARQUET).content))
    assert table["case_id"].to_pylist() == ["a", "b", "c"]
    assert table["grid_code"].to_pylist() == GRIDS
    rows = send(client, body, PARQUET, "application/json").json()
    assert [row["grid_code"] for row in rows] == GRIDS
    back = pq.read_table(
        io.BytesIO(send(client, orjson.dumps(CASES), "application/json", PARQUET).content)
    )
    assert back.drop_columns(["data_version"]).equals(table.drop_columns(["data_version"]))


def test_an_empty_batch_is_answered_with_none(client: httpx.Client) -> None:
    assert send(client, b"[]", "application/json").json() == []
    assert send(client, b"", NDJSON).content == b""
    table = pq.read_table(io.BytesIO(send(client, parquet(FRAME[:0]), PARQUET).content))
    assert (table.num_rows, table.num_columns) == (0, len(DECISION_COLUMNS) + 1)


def test_other_formats_are_refused_by_name(client: httpx.Client) -> None:
    csv = send(client, b"x,y", "text/csv")
    assert (csv.status_code, csv.json()["code"]) == (415, "unsupported_media_type")
    wanted = send(client, b"[]", "application/json", "text/csv")
    assert (wanted.status_code, wanted.json()["code"]) == (406, "not_acceptable")
    headers = {"Content-Type": "text/csv", "Accept-Language": "zh-CN"}
    told = client.post("/v1/assign/batch", content=b"x,y", headers=headers).json()["detail"]
    assert "application/x-ndjson" in told
    assert "请发送" in told


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate, gzip"])
@pytest.mark.parametrize("path", ["/v1/assign/batch", "/v1/assign"])
def test_a_packed_body_is_refused_with_what_to_send_instead(
    client: httpx.Client, path: str, coding: str
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    body = gzip.compress(orjson.dumps(CASES))
    answer = client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert f"Content-Encoding: {coding.lower()}" in answer.json()["detail"]
    assert answer.headers["accept-encoding"] == "identity"
    chinese = client.post(path, content=body, headers=headers | {"Accept-Language": "zh-CN"})
    assert "请不压缩发送" in chinese.json()["detail"]
    plain = headers | {"Content-Encoding": "identity"}
    whole = client.post("/v1/assign/batch", content=orjson.dumps(CASES), headers=plain)
    assert (whole.status_code, len(whole.json())) == (200, len(CASES))


@pytest.mark.parametrize("sent", [ARROW, PARQUET])
def test_a_damaged_table_is_the_senders_fault(client: httpx.Client, sent: str) -> None:
    answer = send(client, b"PAR1 this is nothing", sent)
    assert answer.status_code == 422
    assert "can not be read as" in answer.json()["detail"]


@pytest.mark.parametrize("is_coded", [False, True])
def test_a_table_may_name_the_systems_that_single_cases_may(
    client: httpx.Client, is_coded: bool
) -> None:
    frame = FRAME.assign(crs="+proj=longlat +datum=WGS84")
    refused = send(client, arrow(frame.astype({"crs": "category"}) if is_coded else frame), ARROW)
    assert refused.status_code == 422
    assert "crs '+proj=longlat +datum=WGS84' is not known" in refused.json()["detail"]


def test_the_place_of_a_bad_case_is_named(client: httpx.Client) -> None:
    in_array = send(client, orjson.dumps([CASES[0], {"kind": "thing"}]), "application/json")
    assert in_array.json()["errors"][0]["field"] == "1.kind"
    in_lines = send(client, orjson.dumps(CASES[0]) + b'\n{"kind": "thing"}', NDJSON)
    assert in_lines.json()["errors"][0]["field"] == "line 2.kind"


@pytest.mark.parametrize("sent", ["application/json", NDJSON])
def test_texts_are_utf_8_with_or_without_its_mark(client: httpx.Client, sent: str) -> None:
    text = orjson.dumps([CASES[0]] if sent == "application/json" else CASES[0])
    assert send(client, b"\xef\xbb\xbf" + text, sent).status_code == 200
    for encoding in ("gbk", "utf-16"):
        body = '[{"address":"裕华路12号"}]'.encode(encoding)
        refused = send(client, body, sent)
        assert refused.status_code == 422
        assert "send JSON in UTF-8" in refused.json()["detail"]


def test_a_broken_line_is_named(client: httpx.Client) -> None:
    good = orjson.dumps(CASES[0])
    fault = send(client, b"\n".join([good, good, b"{bad"]), NDJSON).json()["errors"][0]
    assert fault["field"] == "line 3"
    whole = send(client, b"[{bad", "application/json").json()["errors"][0]
    assert whole["field"] == "body"


def test_the_byte_that_is_no_utf_8_is_counted_with_the_mark(client: httpx.Client) -> None:
    body = codecs.BOM_UTF8 + b'[{"address":"\xff"}]'
    assert "byte 17" in send(client, body, "application/json").json()["detail"]


def test_too_many_cases_and_too_large_bodies_are_refused(client: httpx.Client) -> None:
    many = send(client, b'{"address":"x"}\n' * 10_001, NDJSON)
    assert many.status_code == 422
    assert "10000 cases" in many.json()["detail"]
    large = client.post("/v1/assign", content=b" " * 1_048_577)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")

    def unstated() -> Any:  # no Content-Length: the size shows while reading
        for _ in range(20):
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    chunked = client.post("/v1/assign", content=unstated(), headers=headers)
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")
