"""``wanmi serve`` and ``wanmi key``."""

import gc
from collections.abc import Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

import typer

from api.http.options import LOOPBACK_NAMES, ServerOptions
from gis.command import actor, emit, workspace_of
from gis.errors import AccessError, RequestError, WanmiError

if TYPE_CHECKING:
    from api.keys import ApiKey

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


def register(app: typer.Typer) -> None:
    """Add the commands of the HTTP interface."""
    app.command("serve")(serve)
    app.add_typer(keys, name="key")


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address; other than loopback it needs API keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    require_keys: Annotated[
        bool,
        typer.Option("--require-keys", help="Ask for keys on loopback too, as behind a proxy."),
    ] = False,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="Address or network of a proxy whose X-Forwarded-Proto and -For hold; repeat for several."
        ),
    ] = None,
) -> None:
    """Serve the HTTP interface and the map page.

    On loopback the server is open to this machine; on any other address every caller needs a key.
    The snapshot is taken in anew whenever one is compiled; without a database lookups go on.

    Example: wanmi serve --port 8000 --workers 2
    """
    # The server and its libraries take a second to import; other commands do without. Nothing of
    # what they hold is garbage: looking for some meanwhile would take longer.
    gc.disable()
    from api.http.live import Live
    from api.http.server import check_port, is_loopback
    from api.http.server import serve as run_server
    from api.keys import list_keys
    from gis.database import open_database

    gc.freeze()
    gc.enable()
    workspace = workspace_of(ctx)
    check_port(host, port)
    live = Live(workspace)
    live.check()
    needs_keys = require_keys or not is_loopback(host)
    try:
        database = open_database(workspace)
        has_keys = any(not key.is_revoked for key in list_keys(database))
    except WanmiError as error:
        if needs_keys:
            raise
        typer.echo(f"Serving from the snapshot alone: {error.message}", err=True)
        has_keys = False
    if needs_keys and not has_keys:
        msg = (
            f"Whoever asks at {host} needs an API key and there is none yet: "
            "make one with `wanmi key create --name NAME --role reader`."
        )
        raise AccessError(
            msg, zh=f"{host} 的访问者需要 API 密钥而尚无密钥：请先运行 wanmi key create。"
        )
    shown = f"[{host}]" if ":" in host else host
    options = ServerOptions(
        workspace=workspace,
        keys_required=needs_keys,
        hosts=(*LOOPBACK_NAMES, host),
        proxies=_addresses(proxy or ()),
        access_log=access_log,
    )
    run_server(
        options,
        host=host,
        port=port,
        workers=workers,
        on_start=lambda: typer.echo(
            f"Wanmi serves http://{shown}:{port}/  (documentation: /docs; stop: Ctrl-C)"
        ),
    )


def _addresses(told: Sequence[str]) -> tuple[str, ...]:
    """Refuse what is no address: a name would never be met, and links stay wrong without a word."""
    for text in told:
        try:
            ip_network(text, strict=False)
        except ValueError as error:
            msg = f"--proxy {text} is no address: write it as 10.0.0.4 or 10.0.0.0/24."
            zh = f"--proxy {text} 不是地址：请写成 10.0.0.4 或 10.0.0.0/24。"
            raise RequestError(msg, zh=zh) from error
    return tuple(str(ip_network(text, strict=False)) if "/" in text else text for text in told)


@keys.command("create")
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="Whom the key is for.")],
    role: Annotated[str, typer.Option(help="reader, workflow, surveyor or admin.")] = "reader",
    district: Annotated[
        list[str] | None,
        typer.Option(help="Six-digit code it is limited to; repeat for several."),
    ] = None,
    rate: Annotated[int, typer.Option(min=1, help="Requests a minute.")] = 6000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a key and show it, this once.

    Example: wanmi key create --name 受理系统 --role workflow --district 130102
    """
    from api.keys import create_key
    from gis.database import open_database

    database = open_database(workspace_of(ctx))
    key = create_key(
        database,
        name=name,
        role=role,
        districts=tuple(district or ()),
        requests_per_minute=rate,
        actor=actor(),
    )

    def human() -> None:
        typer.echo(key)
        typer.echo("Keep it now: it is stored hashed and can not be shown again.", err=True)

    emit({"key": key, "name": name, "role": role}, as_json=as_json, human=human)


@keys.command("list")
def list_all(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the keys, without their secrets.

    Example: wanmi key list
    """
    from api.keys import list_keys
    from gis.database import open_database

    found = list_keys(open_database(workspace_of(ctx)))
    rows = [
        {
            "key_id": key.key_id,
            "name": key.name,
            "role": key.role,
            "districts": list(key.districts),
            "requests_per_minute": key.requests_per_minute,
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        for key in found
    ]

    def human() -> None:
        for key in found:
            typer.echo(describe(key))
        if not found:
            typer.echo("There are no keys.")

    emit(rows, as_json=as_json, human=human)


def describe(key: "ApiKey") -> str:
    """Return a line that tells a key."""
    scope = ",".join(key.districts) or "whole city"
    state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.is_revoked and key.revoked_at else "valid"
    return f"{key.key_id}  {key.role:<9} {scope:<14} {key.requests_per_minute:>6}/min  {state:<18} {key.name}"


@keys.command("revoke")
def revoke(
    ctx: typer.Context,
    key_id: Annotated[str, typer.Argument(help="Id, as `wanmi key list` shows it.")],
) -> None:
    """Make a key invalid for good; running servers refuse it within a second.

    Example: wanmi key revoke 0123456789ab
    """
    from api.keys import revoke_key
    from gis.database import open_database

    revoke_key(open_database(workspace_of(ctx)), key_id, actor=actor())
    typer.echo(f"Revoked {key_id}.")
