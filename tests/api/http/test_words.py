"""Small parts that need no server: languages, logs, formats, problems."""

import logging
import os
from pathlib import Path

import pytest
import structlog

from api.http.access import needed_right
from api.http.collections import check_filter
from api.http.formats import check_count, check_size
from api.http.gate import host_name, key_and_host
from api.http.language import choose_language
from api.http.logs import configure_logs, redact
from api.http.metrics import Metrics, merge
from api.http.problems import STATUS, TITLES, status_of
from api.http.rates import RateLimiter
from api.http.server import check_port
from api.static.vendor import FILES, FOLDER, ROOT, fingerprint
from gis import errors
from gis.errors import RequestError, WanmiError


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.1", "en"),
        ("*", "en"),
        ("zh;q=0", "en"),
        ("zh;q=high", "en"),
        ("de, zh-TW", "zh"),
    ],
)
def test_the_language_wanted_most_is_chosen(accept: str, language: str) -> None:
    assert choose_language(accept) == language


def test_every_error_class_has_a_title_or_stays_inside() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    for each in classes:
        status = status_of(each("x")) if issubclass(each, WanmiError) else 500
        if status != 500 and each in STATUS:
            assert each.code in TITLES or status == 503 or each is errors.DeliveryError


def test_secrets_do_not_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    key = "wanmi_0123456789ab_" + "s" * 43
    configure_logs("INFO")
    try:
        structlog.get_logger().info("asked", url="postgresql://u:hunter2@h/db", key=key)
        logging.getLogger("library").warning("failed at postgresql://u:hunter2@h/db")
        written = capsys.readouterr().err
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers = []
    assert "hunter2" not in written
    assert "sss" not in written
    assert written.count("\n") == 2
    assert redact(key) == "wanmi_0123456789ab_***"


def test_a_key_is_read_from_either_header() -> None:
    host = (b"host", b"[::1]:8000")
    assert key_and_host([(b"authorization", b"bearer k"), host]) == ("k", "[::1]:8000")
    assert key_and_host([host, (b"x-api-key", b"k")]) == ("k", "[::1]:8000")
    assert key_and_host([(b"authorization", b"Basic dTpw"), (b"accept", b"*/*")]) == (None, "")
    assert key_and_host([(b"authorization", b"Basic dTpw"), (b"x-api-key", b"k")]) == ("k", "")
    assert key_and_host([(b"x-api-key", b"k"), (b"x-api-key", b"l"), host, (b"host", b"b")]) == (
        "k",
        "[::1]:8000",
    )


def test_host_names_lose_port_and_case() -> None:
    assert host_name("LocalHost:80") == "localhost"
    assert host_name("") == ""


def test_limits_over_two_processes_are_one(tmp_path: Path) -> None:
    first, second = RateLimiter(tmp_path / "rates"), RateLimiter(tmp_path / "rates")
    assert [limiter.take("k", limit=2, now=5.0) for limiter in (first, second)] == [0.0, 0.0]
    assert first.take("k", limit=2, now=5.0) == pytest.approx(30.0)
    assert second.take("k", limit=2, now=35.0) == 0.0
    first.close()
    second.close()


def test_metrics_of_all_workers_are_shown(tmp_path: Path) -> None:
    mine = Metrics(tmp_path)
    mine.count("GET", "/v1/lookup", 200, 0.002)
    other = b'# HELP wanmi_requests_total Requests answered\n# TYPE wanmi_requests_total counter\nwanmi_requests_total{worker="1"} 7.0\n'
    (tmp_path / "1.prom").write_bytes(other)
    shown = mine.exposition().decode()
    assert shown.count("# TYPE wanmi_requests_total counter") == 1
    assert 'wanmi_requests_total{worker="1"} 7.0' in shown
    assert 'route="/v1/lookup",status="200"' in shown
    for invented in ("PROPFIND", "WHATEVER"):
        mine.count(invented, "unmatched", 405, 0.001)
    counted = [line for line in mine.exposition().decode().splitlines() if 'status="405"' in line]
    assert [line for line in counted if line.startswith("wanmi_requests_total")] == [
        f'wanmi_requests_total{{method="other",route="unmatched",status="405",worker="{os.getpid()}"}} 2.0'
    ]
    assert merge([]) == b"\n"


def test_batches_are_bounded() -> None:
    check_count(10, most=10)
    with pytest.raises(RequestError, match="10 cases"):
        check_count(11, most=10)
    with pytest.raises(RequestError, match="512 MiB"):
        check_size(513 * 1024 * 1024)


def test_no_filter_is_a_good_filter() -> None:
    check_filter(None)


def test_a_privileged_or_foreign_address_is_refused() -> None:
    with pytest.raises(RequestError, match="no address of this machine"):
        check_port("192.0.2.1", 18998)


def test_paths_that_look_open_are_not() -> None:
    assert needed_right("GET", "/staticfile") == "read"
    assert needed_right("GET", "/docs/oauth") == "read"
    assert needed_right("POST", "/static/x") == "open"


def test_the_vendored_libraries_are_those_of_the_lock_file() -> None:
    if not FOLDER.is_dir():
        pytest.skip("run: python -m api.static.vendor")
    assert (FOLDER / "stamp").read_text(encoding="ascii") == fingerprint(ROOT)
    for package, names in FILES.items():
        for name in names:
            assert (FOLDER / package / name).exists(), (package, name)
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
