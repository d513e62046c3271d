"""``wanmi census manifest``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gis.command import emit, progress, workspace_of
from gis.errors import DeliveryError


def add(census: typer.Typer) -> None:
    """Add the command."""
    census.command("manifest")(manifest)


def manifest(
    ctx: typer.Context,
    delivery: Annotated[Path, typer.Argument(help="Folder or .zip.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the manifest to this file; default: print it."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day the files describe; default: the newest file's."
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Propose a delivery.toml by evidence: dataset, class, CRS and columns of every layer.

    What is only likely stands as a comment to confirm. Beside an archive the manifest takes its name:
    普查.zip, 普查.toml.

    Example: wanmi census manifest deliveries/east -o deliveries/east/delivery.toml
    """
    from census.taxonomy import read_taxonomy
    from gis.outputs import appearing
    from pipelines.surveys.manifests import Hints, propose_manifest
    from pipelines.surveys.proposal import write_proposal

    if output is not None and output.exists() and not replace:
        msg = f"{output} is there already: give another name, or --replace."
        raise DeliveryError(msg, zh=f"{output} 已存在：请换一个文件名，或加 --replace。")
    if output is not None and not output.absolute().parent.is_dir():
        msg = f"There is no folder {output.absolute().parent}: create it first."
        raise DeliveryError(msg, zh=f"文件夹 {output.absolute().parent} 不存在：请先创建。")
    workspace = workspace_of(ctx)
    profile = workspace.profile
    from gis.crs import city_crs

    hints = Hints(
        taxonomy=read_taxonomy(profile.city.standard, profile.extension_class),
        crs=city_crs(profile, workspace.root).text,
        local=profile.census.fields,
    )
    with progress("looking at the files") as advance:
        proposal = propose_manifest(
            delivery, hints=hints, as_of=as_of.date() if as_of else None, advance=advance
        )
    text = write_proposal(proposal)
    if output is not None:
        with appearing(output) as partial:
            partial.write_text(text, encoding="utf-8")

    def human() -> None:
        if output is None:
            typer.echo(text, nl=False)
            return
        layers = sum(entry.dataset is not None for entry in proposal.entries)
        typer.echo(f"{layers} layers written to {output}.")
        for problem in proposal.problems:
            typer.echo(f"    {problem}")
        for name, why in proposal.unread.items():
            typer.echo(f"    {name} is not read: {why}")

    result = {
        "name": proposal.name,
        "as_of": proposal.as_of.isoformat(),
        "layers": [
            {
                "path": entry.path,
                "layer": entry.layer or entry.sheet,
                "dataset": entry.dataset,
                "rows": entry.rows,
                "problems": list(entry.problems),
            }
            for entry in proposal.entries
        ],
        "unread": proposal.unread,
        "manifest": text,
    }
    emit(result, as_json=as_json, human=human)
