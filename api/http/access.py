"""Who asks, and what a role may do: the rules, without any HTTP."""

from dataclasses import dataclass
from typing import Literal

Right = Literal["open", "read", "decide", "record", "operate"]

RIGHTS: dict[str, frozenset[Right]] = {
    "reader": frozenset({"open", "read"}),
    "surveyor": frozenset({"open", "read", "decide"}),
    "workflow": frozenset({"open", "read", "decide", "record"}),
    "admin": frozenset({"open", "read", "decide", "record", "operate"}),
}
"""Role -> what it may do: look up, decide in bulk, record cases, see how the server runs."""

_OPEN = ("/", "/healthz", "/readyz", "/openapi.json", "/docs", "/favicon.ico")
_OPEN_FOLDERS = ("/static/",)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Whoever sent a request."""

    key_id: str
    """Id of the key; ``loopback`` on a server that is open to its own machine."""
    role: str
    districts: tuple[str, ...] = ()
    """Six-digit codes; empty: the whole city."""
    requests_per_minute: int | None = None

    def sees(self, code: str | None) -> bool:
        """Say whether a code (of an area, grid or component) lies in this principal's districts.

        Examples
        --------
        >>> Principal(key_id="k", role="reader", districts=("130102",)).sees("130104001")
        False
        >>> Principal(key_id="k", role="reader").sees("130104001")
        True
        """
        return not self.districts or (code is not None and code[:6] in self.districts)


LOOPBACK = Principal(key_id="loopback", role="admin")


def needed_right(method: str, path: str) -> Right:
    """Return the right a request needs; what no rule names needs ``operate``.

    Examples
    --------
    >>> needed_right("GET", "/v1/lookup"), needed_right("POST", "/v1/assign/batch")
    ('read', 'decide')
    >>> needed_right("GET", "/v1/cases/1"), needed_right("DELETE", "/v1/grids/1")
    ('record', 'operate')
    >>> needed_right("GET", "/static/page.js"), needed_right("GET", "/metrics")
    ('open', 'operate')
    """
    if path in _OPEN or path.startswith(_OPEN_FOLDERS):
        return "open"
    if path == "/metrics":
        return "operate"
    if path == "/v1/cases" or path.startswith(("/v1/cases/", "/ogc/collections/cases")):
        return "record"
    if method == "POST" and path in ("/v1/assign", "/v1/assign/batch"):
        return "decide"
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "operate"


def may(principal: Principal, right: Right) -> bool:
    """Say whether a principal's role has a right.

    Examples
    --------
    >>> may(Principal(key_id="k", role="reader"), "decide")
    False
    """
    return right in RIGHTS.get(principal.role, frozenset())
