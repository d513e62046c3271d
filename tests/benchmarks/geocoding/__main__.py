"""``python -m tests.benchmarks.geocoding``: how well places are found, beside plainer ways."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from api.edition import Edition
from gis import cluster
from tests.benchmarks.geocoding import sample
from tests.benchmarks.geocoding.queries import Query, ask_all
from tests.benchmarks.geocoding.scoring import reliability_text, table_of
from tests.real.building import RealCity, built


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to run."""

    limit: int
    failures: list[pd.DataFrame]
    """Filled with the outcomes that missed."""


@contextmanager
def built_city(write: Callable[[Path], Path]) -> Iterator[RealCity]:
    """Build a delivery in an embedded database that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="wanmi-geocode-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        root.chmod(0o755)
        server = cluster.up(root, is_durable=False)
        try:
            with built(server, root / "city", write_workspace=write, name="city") as city:
                yield city
        finally:
            cluster.down(root)


def run_sample(options: Options) -> None:
    """Ask the sample district, clean and disturbed."""
    with built_city(sample.write_workspace) as city:
        edition = city.snapshot.edition(None)
        clean = sample.clean_queries(city.delivery)
        plain = ask_all(edition, [query for query, _ in clean])
        spoilt = [q for q in sample.disturbed_queries(clean, city.delivery, seed=1)]
        disturbed = ask_all(edition, _part(spoilt, options.limit))
    _show("Sample district, clean", plain, options)
    _show("Sample district, disturbed", disturbed, options)


def _part(items: list[Query], limit: int) -> list[Query]:
    """Return every n-th, so that about `limit` remain."""
    return items[:: max(1, len(items) // limit)] if limit else items


def _show(title: str, outcomes: pd.DataFrame, options: Options) -> None:
    groups = {"all": outcomes}
    unclear = outcomes[outcomes["is_ambiguous"]]
    if len(unclear):
        groups |= {"  unambiguous": outcomes[~outcomes["is_ambiguous"]], "  ambiguous": unclear}
    groups |= {name: rows for name, rows in outcomes.groupby("line", sort=False)}
    answered = outcomes[outcomes["is_answered"]]
    sys.stdout.write(f"\n{table_of(title, groups)}\n{reliability_text(answered)}\n")
    options.failures.append(outcomes[~outcomes["hit1"]].assign(set=title))


RUNS: dict[str, Callable[[Options], None]] = {"sample": run_sample}


def main() -> None:
    """Measure and show the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.geocoding", description=__doc__
    )
    parser.add_argument("sets", nargs="*", choices=[*RUNS, []], help="which sets; all if none")
    parser.add_argument("--limit", type=int, default=0, help="about so many queries per table")
    parser.add_argument("--failures", type=Path, help="write what missed as CSV")
    chosen = parser.parse_args()
    options = Options(limit=chosen.limit, failures=[])
    for name in chosen.sets or RUNS:
        RUNS[name](options)
    if chosen.failures:
        columns = [
            "set",
            "line",
            "text",
            "wanted",
            "got",
            "match",
            "score",
            "error_m",
            "is_ambiguous",
        ]
        pd.concat(options.failures)[columns].to_csv(chosen.failures, index=False)


if __name__ == "__main__":
    main()
