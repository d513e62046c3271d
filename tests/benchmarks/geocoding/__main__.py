"""``python -m tests.benchmarks.geocoding``: how well places are found, beside plainer ways."""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gis import cluster
from tests.benchmarks.geocoding import gold, parsing, sample, shanghai, tainan
from tests.benchmarks.geocoding.disturbing import WAYS
from tests.benchmarks.geocoding.page import Line, write_block
from tests.benchmarks.geocoding.queries import Query, ask_all
from tests.benchmarks.geocoding.scoring import SURE, reliability_text, score, table_of
from tests.real import shanghai as shanghai_delivery
from tests.real import tainan_addresses
from tests.real.building import RealCity, built


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to run."""

    limit: int
    failures: list[pd.DataFrame]
    """Filled with the outcomes that missed."""
    lines: list[Line]
    """Filled with the figures of each line shown."""


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
    """Ask the sample district, clean and disturbed; then a larger one of another seed."""
    _ask_sample("Sample district", options, seed=sample.SEED, area_km2=2.0)
    _ask_sample("Larger district", options, seed=sample.OTHER_SEED, area_km2=8.0)


def _ask_sample(title: str, options: Options, *, seed: int, area_km2: float) -> None:
    with built_city(lambda f: sample.write_workspace(f, seed=seed, area_km2=area_km2)) as city:
        edition = city.snapshot.edition(None)
        clean = sample.clean_queries(city.delivery)
        _show(f"{title}, clean", ask_all(edition, [query for query, _ in clean]), options)
        spoilt = list(sample.disturbed_queries(clean, city.delivery, seed=1))
        _show(f"{title}, disturbed", ask_all(edition, _part(spoilt, options.limit)), options)


def run_shanghai(options: Options) -> None:
    """Ask Shanghai's held-out addresses, with and without district, and names, beside rivals."""
    parts = shanghai.split()
    with built_city(
        lambda folder: shanghai_delivery.write_workspace(folder, pois=parts.built)
    ) as city:
        edition = city.snapshot.edition(None)
        for with_district in (True, False):
            asked = shanghai.address_queries(parts, with_district=with_district)
            asked = _part(asked, options.limit)
            title = f"Shanghai, addresses {'with' if with_district else 'without'} district"
            told = ask_all(edition, asked)
            _show(title, told, options)
            if with_district:
                agreeing = shanghai.lying_as_said(edition, told)
                _show_rival("  of these, whose point lies in its district", agreeing, options)
            plain = shanghai.plain_table(edition, asked, parts, with_district=with_district)
            _show_rival("  rival: table of road and number, nearest number", plain, options)
            some = _part(asked, 1000)
            fuzzy = shanghai.fuzzy_table(edition, some, parts.built, column="address")
            _show_rival("  rival: rapidfuzz over the addresses", fuzzy, options)
        asked = _part(shanghai.known_name_queries(parts), options.limit)
        _show("Shanghai, names of built rows", ask_all(edition, asked), options)
        asked = _part(shanghai.disturbed_names(parts), options.limit)
        _show("Shanghai, names of built rows, disturbed", ask_all(edition, asked), options)
        fuzzy = shanghai.fuzzy_table(edition, _part(asked, 1000), parts.built, column="name")
        _show_rival("  rival: rapidfuzz over the names", fuzzy, options)
        asked = _part(shanghai.name_queries(parts), options.limit)
        _show("Shanghai, names held out", ask_all(edition, asked), options)
        fuzzy = shanghai.fuzzy_table(edition, _part(asked, 1000), parts.built, column="name")
        _show_rival("  rival: rapidfuzz over the names", fuzzy, options)


def run_tainan(options: Options) -> None:
    """Ask Tainan for raw addresses and for the hotline's cases."""
    parts = tainan.split()
    write = tainan_addresses.write_workspace
    with built_city(lambda folder: write(folder, official=parts.built)) as city:
        edition = city.snapshot.edition(None)
        pairs = _part(tainan.pair_queries(parts), options.limit)
        _show("Tainan, raw addresses", ask_all(edition, pairs), options)
        cases = _part(tainan.case_queries(parts), options.limit)
        _show("Tainan, cases of the hotline", ask_all(edition, cases), options)


def run_gold(options: Options) -> None:
    """Ask what other parsers were reported to get wrong."""
    _show("Strings other parsers get wrong", gold.outcomes(), options)


def run_parsing(options: Options) -> None:
    """Read addresses beside other parsers."""
    parsing.main()


def run_million(options: Options) -> None:
    """Measure speed and size at a million places."""
    subprocess.run([sys.executable, "-m", "tests.benchmarks.geocoding.million"], check=True)


def _part(items: list[Query], limit: int) -> list[Query]:
    """Return every n-th, so that about `limit` remain."""
    return items[:: max(1, len(items) // limit)] if limit else items


def _show_rival(title: str, outcomes: pd.DataFrame, options: Options) -> None:
    groups = {"all": outcomes}
    if not set(outcomes["line"]) <= set(WAYS):
        groups |= dict(iter(outcomes.groupby("line", sort=False)))
    sys.stdout.write(f"{table_of(title, groups)}\n")
    options.lines.extend(Line(title, name, score(rows)) for name, rows in groups.items())


def _show(title: str, outcomes: pd.DataFrame, options: Options) -> None:
    """Show the lines of a set; what its database can not know stands apart from what it can."""
    known = outcomes[outcomes["has_answer"]]
    groups = {"all": known}
    unclear = known[known["is_ambiguous"]]
    if len(unclear):
        groups |= {"  unambiguous": known[~known["is_ambiguous"]], "  ambiguous": unclear}
    if len(known) < len(outcomes):
        groups |= {"not in the database": outcomes[~outcomes["has_answer"]]}
    lines = dict(iter(outcomes.groupby("line", sort=False)))
    groups |= lines if len(lines) > 1 else {}
    answered = outcomes[outcomes["is_answered"]]
    sys.stdout.write(f"\n{table_of(title, groups)}\n{reliability_text(answered)}\n")
    options.lines.extend(Line(title, n, score(rows)) for n, rows in groups.items() if len(rows))
    is_sure = outcomes["score"] >= SURE
    missed = outcomes[~outcomes["is_right"] & (outcomes["has_answer"] | is_sure)]
    options.failures.append(missed.assign(set=title))


RUNS: dict[str, Callable[[Options], None]] = {
    "sample": run_sample,
    "shanghai": run_shanghai,
    "tainan": run_tainan,
    "gold": run_gold,
    "parsing": run_parsing,
    "million": run_million,
}


_TOLD = ("set", "line", "text", "wanted", "got", "match", "score", "error_m", "is_ambiguous")


def main() -> None:
    """Measure and show the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.geocoding", description=__doc__
    )
    parser.add_argument("sets", nargs="*", help=f"of {', '.join(RUNS)}; all if none is named")
    parser.add_argument("--limit", type=int, default=0, help="about so many queries per table")
    parser.add_argument("--failures", type=Path, help="write what missed as CSV")
    parser.add_argument("--docs", type=Path, help="page whose block of figures is written anew")
    chosen = parser.parse_args()
    if unknown := sorted({*chosen.sets} - {*RUNS}):
        parser.error(f"there is no set {', '.join(unknown)}; there are {', '.join(RUNS)}")
    # A run that is told to end still stops its database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = Options(limit=chosen.limit, failures=[], lines=[])
    for name in chosen.sets or RUNS:
        RUNS[name](options)
        sys.stdout.flush()
    if chosen.docs:
        write_block(chosen.docs, options.lines)
    if chosen.failures and options.failures:
        pd.concat(options.failures)[list(_TOLD)].to_csv(chosen.failures, index=False)


if __name__ == "__main__":
    main()
