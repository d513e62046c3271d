"""What tells whether a dataset was built before: the hash of all that decides its rows."""

from collections.abc import Sequence
from hashlib import sha256
from importlib import metadata

import msgspec

from gis.database import Database, read_rows
from pipelines.context import BuildContext
from pipelines.delivery import LayerSpec
from pipelines.steps import Step


def live_hashes(database: Database) -> dict[str, str]:
    """Return dataset -> content hash of its newest live build."""
    with database.connect(read_only=True) as connection:
        rows = read_rows(
            connection,
            "SELECT DISTINCT ON (dataset) dataset, content_hash FROM meta.build"
            " WHERE status = 'live' ORDER BY dataset, build_id DESC",
        )
    return dict(zip(rows["dataset"], rows["content_hash"], strict=True))


def surroundings_of(context: BuildContext) -> str:
    """Return the hash of what decides beside files and live rows: the city profile and the program."""
    profile = msgspec.json.encode(context.profile)
    return sha256(profile + metadata.version("wanmi").encode()).hexdigest()


def beside_files(step: Step, context: BuildContext, *, standing: dict[str, str]) -> Sequence[str]:
    """Return as texts what decides the rows of a dataset beside its files.

    Parameters
    ----------
    step : Step
        The dataset.
    context : BuildContext
        City profile, decisions about names of units, rows of other datasets.
    standing : dict
        Dataset -> content hash, of what will be live by then.
    """
    inputs = [f"{name}={standing.get(name, '')}" for name in step.inputs]
    if "units" in step.inputs:
        # When names were last decided: a decision taken back is no return to an old build.
        last = context.references.last_decision()
        inputs += [f"names={last}"] if last else []
    if step.facts is not None:
        inputs += step.facts(context)
    return [surroundings_of(context), *inputs]


def content_hash_of(
    step: Step, content: str, *, layers: Sequence[LayerSpec], surroundings: Sequence[str]
) -> str:
    """Return the hash that a build of a dataset is known by.

    Parameters
    ----------
    step : Step
        The dataset.
    content : str
        Hash of its `layers`.
    layers : sequence of LayerSpec
        What is delivered of it.
    surroundings : sequence of str
        What `beside_files` returned.
    """
    # Of what is not delivered the day says nothing: the same facts make the same rows.
    known_by = content if layers or step.facts is None else "not delivered"
    return sha256("\n".join([step.dataset, known_by, *surroundings]).encode()).hexdigest()
