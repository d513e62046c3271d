"""``wanmi census rules``."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import emit, workspace_of
from gis.errors import NotFoundError, WorkspaceError

if TYPE_CHECKING:
    from gis.codes import Rule


def add(census: typer.Typer) -> None:
    """Add the command."""
    census.command("rules")(rules)


def rules(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Rule, as in C021; default: all.")] = "",
    subject: Annotated[str, typer.Option(help="Only rules on this, as in position.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the rules that a component survey is judged by, or explain one of them.

    In a workspace the severities are those of the city. Error: the row is refused. Warning: it is
    loaded and reported.

    Example: wanmi census rules C021
    """
    from census.catalogue import FIXED, census_rules

    try:
        severity = workspace_of(ctx).profile.census.severity
    except WorkspaceError:
        severity = {}
    known = census_rules(severity)
    if code:
        rule = known.get(code.upper())
        if rule is None:
            raise _no_rule(code)
        emit(
            asdict(rule) | {"is_fixed": rule.code in FIXED},
            as_json=as_json,
            human=lambda: _explain(rule, is_fixed=rule.code in FIXED),
        )
        return
    chosen = [rule for rule in known.values() if subject in ("", rule.subject)]
    if not chosen:
        subjects = ", ".join(sorted({rule.subject for rule in known.values()}))
        msg = f"No rule is about {subject!r}: use one of {subjects}."
        raise NotFoundError(msg, zh=f"没有关于“{subject}”的规则，可用：{subjects}。")

    def show() -> None:
        for rule in chosen:
            typer.echo(f"{rule.code}  {rule.severity:7}  {rule.subject:12}  {rule.reason_en}")

    emit([asdict(rule) for rule in chosen], as_json=as_json, human=show)


def _explain(rule: "Rule", *, is_fixed: bool) -> None:
    always = ", always" if is_fixed else ""
    typer.echo(f"{rule.code}  {rule.severity}{always}  {rule.subject}")
    for label, english, chinese in (
        ("what", rule.reason_en, rule.reason_zh),
        ("why", rule.why_en, rule.why_zh),
        ("fix", rule.fix_en, rule.fix_zh),
    ):
        typer.echo(f"{label:5} {english}")
        typer.echo(f"      {chinese}")


def _no_rule(code: str) -> NotFoundError:
    msg = f"There is no rule {code!r}: `wanmi census rules` lists them."
    return NotFoundError(msg, zh=f"没有规则“{code}”，请用 wanmi census rules 查看。")
