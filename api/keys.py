"""API keys: shown once, stored hashed, scoped by role and district, revocable, audited.

A key is ``wanmi_<key id>_<secret>``. The id is public and names the key in logs and the audit; of
the secret only the SHA-256 is stored: with 256 random bits there is nothing to guess, so a slow
password hash would add cost and no safety.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from gis.database import Database
from gis.errors import NotFoundError, RequestError

Role = Literal["reader", "workflow", "surveyor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

_SHAPE = re.compile(r"wanmi_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A stored key, without its secret."""

    key_id: str
    """Public part."""
    name: str
    """Whom it was given to."""
    role: str
    """reader, workflow, surveyor or admin."""
    districts: tuple[str, ...]
    """Six-digit codes it is limited to; empty: the whole city."""
    key_hash: str
    """SHA-256 of the secret part, hexadecimal."""
    is_revoked: bool
    requests_per_minute: int
    created_at: datetime
    revoked_at: datetime | None


def split_key(text: str) -> tuple[str, str] | None:
    """Return id and secret of a presented key; None when it has not a key's shape.

    Examples
    --------
    >>> split_key("wanmi_0123456789ab_" + "x" * 43)
    ('0123456789ab', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')
    >>> split_key("guess") is None
    True
    """
    found = _SHAPE.fullmatch(text)
    return (found[1], found[2]) if found else None


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret, hexadecimal.

    Examples
    --------
    >>> hash_secret("abc")[:8]
    'ba7816bf'
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def holds(key: ApiKey, *, secret: str) -> bool:
    """Say whether a presented secret is that of `key` and `key` is valid; constant time."""
    return hmac.compare_digest(key.key_hash, hash_secret(secret)) and not key.is_revoked


def create_key(
    database: Database,
    *,
    name: str,
    role: str,
    districts: Sequence[str] = (),
    requests_per_minute: int = 6000,
    actor: str,
) -> str:
    """Make a key and return it; it can not be shown again.

    Raises
    ------
    RequestError
        The name is blank, the role or a district code is not one, or the rate is below 1.
    """
    _check(name, role, districts, requests_per_minute)
    key_id = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    row = (key_id, name, role, list(districts), hash_secret(secret), requests_per_minute)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO meta.api_key (key_id, name, role, districts, key_hash,"
            " requests_per_minute) VALUES (%s, %s, %s, %s, %s, %s)",
            row,
        )
        connection.execute(
            "INSERT INTO meta.audit (actor, action, detail) VALUES (%s, 'key_create', %s)",
            (
                actor,
                Jsonb({"key_id": key_id, "name": name, "role": role, "districts": [*districts]}),
            ),
        )
    return f"wanmi_{key_id}_{secret}"


def _check(name: str, role: str, districts: Sequence[str], requests_per_minute: int) -> None:
    if not name.strip():
        msg = "A key needs a name: say whom it is for with --name."
        raise RequestError(msg, zh="密钥需要名称：请用 --name 说明发给谁。")
    if role not in ROLES:
        msg = f"{role!r} is no role; use one of {', '.join(ROLES)}."
        raise RequestError(msg, zh=f"没有角色 {role!r}，可用 {'、'.join(ROLES)}。")
    wrong = [code for code in districts if not re.fullmatch(r"\d{6}", code)]
    if wrong:
        msg = f"{', '.join(wrong)} is no district: give its six-digit code, as 130102."
        raise RequestError(msg, zh=f"{'、'.join(wrong)} 不是区县编码，应为六位数字，如 130102。")
    if requests_per_minute < 1:
        msg = "The rate must allow at least 1 request a minute."
        raise RequestError(msg, zh="限速至少为每分钟 1 次。")


def list_keys(database: Database) -> list[ApiKey]:
    """Return all keys, the revoked ones too, oldest first."""
    with database.connect(read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(
            "SELECT key_id, name, role, districts, key_hash, is_revoked, requests_per_minute,"
            " created_at, revoked_at FROM meta.api_key ORDER BY created_at, key_id"
        ).fetchall()
    return [ApiKey(**{**row, "districts": tuple(row["districts"])}) for row in rows]


def revoke_key(database: Database, key_id: str, *, actor: str) -> None:
    """Make a key invalid for good; revoking it again changes nothing.

    Raises
    ------
    NotFoundError
        There is no such key.
    """
    with database.connect() as connection:
        found = connection.execute(
            "UPDATE meta.api_key SET is_revoked = true, revoked_at = coalesce(revoked_at, now())"
            " WHERE key_id = %s RETURNING key_id",
            (key_id,),
        ).fetchone()
        if found is None:
            msg = f"There is no key {key_id}; `wanmi key list` shows the ids."
            raise NotFoundError(msg, zh=f"没有密钥 {key_id}，可用 wanmi key list 查看。")
        connection.execute(
            "INSERT INTO meta.audit (actor, action, detail) VALUES (%s, 'key_revoke', %s)",
            (actor, Jsonb({"key_id": key_id})),
        )
