"""What a worker knows of keys is never older than what it knew before."""

import gc
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.http import server
from api.http.keyring import Keyring
from api.keys import ApiKey, hash_secret
from gis.errors import SnapshotError

KEY_ID, SECRET = "0123456789ab", "s" * 43
KEY = ApiKey(
    key_id=KEY_ID, name="n", role="reader", districts=(), key_hash=hash_secret(SECRET),
    is_revoked=False, requests_per_minute=60, created_at=datetime(2026, 1, 1, tzinfo=UTC),
    revoked_at=None,
)  # fmt: skip


def test_a_slow_reading_does_not_undo_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, leave = threading.Event(), threading.Event()

    def listed(_: Any) -> list[ApiKey]:
        if inside.is_set():
            return [KEY]
        inside.set()
        assert leave.wait(30)
        return []  # as it was before the key was made

    monkeypatch.setattr("api.http.keyring.list_keys", listed)
    keyring = Keyring(lambda: None)  # type: ignore[arg-type, return-value]
    slow, later = threading.Thread(target=keyring.refresh), threading.Thread(target=keyring.refresh)
    slow.start()
    assert inside.wait(30)
    later.start()
    later.join(0.5)
    leave.set()
    slow.join(30)
    later.join(30)
    found = keyring.identify(f"wanmi_{KEY_ID}_{SECRET}")
    assert found is not None
    assert found.key_id == KEY_ID


def test_words_that_can_not_be_read_stop_no_server_and_are_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frozen: list[bool] = []

    class Damaged:
        def read_words(self) -> None:
            raise SnapshotError("damaged", zh="损坏")

    monkeypatch.setattr(server, "_opened", {"a": Damaged()})
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    with capture_logs() as told:
        server.read_words_ahead()
    assert [entry["event"] for entry in told] == ["words of addresses not read"]
    assert frozen == [True]  # what was opened is shared all the same
