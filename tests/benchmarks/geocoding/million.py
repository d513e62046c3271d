"""``python -m tests.benchmarks.geocoding.million``: the search index and geocoding over a million places."""

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from api import Snapshot, open_snapshot
from api.geocoding.geocode import geocode_edition, geocode_texts
from api.geocoding.search import search_table
from api.geocoding.suggest import suggest
from gis.addresses.spelling import normalise
from tests.benchmarks.geocoding.city import Crowd, make_crowd, write_crowd
from tests.benchmarks.measure import Figure, show

_OPEN = """
import time; start = time.process_time()
from api import open_snapshot
from api.geocoding.geocode import geocode
from api.geocoding.suggest import suggest
imported = time.process_time()
snapshot = open_snapshot({folder!r})
snapshot.edition().gazetteer.exact("裕华路")
opened = time.process_time()
geocode(snapshot, "裕华路1号"); suggest(snapshot, "裕华")
print(imported - start, opened - imported, time.process_time() - opened)
"""


def main() -> None:
    """Build, open, ask."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--places", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the snapshot here, use it if it is there")
    parser.add_argument("--times", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wanmi-million-") as temporary:
        folder = options.folder or Path(temporary)
        crowd = make_crowd(options.places)
        figures = _build(crowd, folder)
        gc.freeze()  # a server has not the frames of the city in its memory, to be swept again and again
        snapshot = open_snapshot(folder)
        figures += _opening(snapshot)
        figures += _asking(snapshot, crowd, options.times)
        show(figures)


def _build(crowd: Crowd, folder: Path) -> list[Figure]:
    if (folder / "current").is_file():
        return []
    start, spent = time.perf_counter(), time.process_time()
    version = write_crowd(crowd, folder)
    whole_s, whole_cpu_s = time.perf_counter() - start, time.process_time() - spent
    snapshot = open_snapshot(version)
    places = snapshot.table("places")
    start = time.process_time()
    search_table(places, province="13")
    search_s = time.process_time() - start
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return [
        Figure(work="places", ours=len(crowd.places), unit="rows"),
        Figure(work="compile the snapshot from frames", ours=whole_s, unit="s"),
        Figure(
            work="… processor", ours=whole_cpu_s, unit="s", note=f"memory {peak_gb:.1f} GB at most"
        ),
        Figure(work="of that the search file, processor", ours=search_s, unit="s"),
    ]


def _opening(snapshot: Snapshot) -> list[Figure]:
    sizes = {
        name: (snapshot.folder / f"{name}.arrow").stat().st_size / 1e6
        for name in ("search", "places")
    }
    program = _OPEN.format(folder=str(snapshot.folder))
    runs = [
        [
            float(part)
            for part in subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=True
            ).stdout.split()
        ]
        for _ in range(3)
    ]
    imported, opened, first = np.min(runs, axis=0)
    return [
        Figure(work="search.arrow", ours=sizes["search"], unit="MB"),
        Figure(work="places.arrow", ours=sizes["places"], unit="MB"),
        Figure(work="new worker: imports", ours=imported, unit="s"),
        Figure(work="new worker: open, check, first look-up", ours=opened, unit="s"),
        Figure(work="new worker: first geocode and suggest", ours=first, unit="s"),
    ]


def _timed(work: str, ask: Callable[[int], object], times: int) -> list[Figure]:
    """Return median and 99th percentile of the processor time of single calls."""
    spent = np.empty(times)
    for number in range(times):
        start = time.thread_time()
        ask(number)
        spent[number] = time.thread_time() - start
    median, high = np.quantile(spent, [0.5, 0.99]) * 1e6
    return [
        Figure(work=f"{work}, median", ours=median, unit="us"),
        Figure(work=f"{work}, p99", ours=high, unit="us"),
    ]


def _asking(snapshot: Snapshot, crowd: Crowd, times: int) -> list[Figure]:
    rng = np.random.default_rng(3)
    edition = snapshot.edition()
    gazetteer = edition.gazetteer
    chosen = crowd.places.iloc[rng.integers(len(crowd.places), size=times)]
    road = [normalise(text) for text in chosen["road"]]
    whole = [normalise(text) for text in chosen["full_address"]]
    marks = crowd.places[crowd.places["kind"].isin(["poi", "block", "street"])]
    names = [normalise(text) for text in marks["name"].sample(times, random_state=4)]
    spoilt = [_spoil(name, rng) for name in names]
    typed = _prefixes([*names, *whole], rng, times)
    at = chosen[["x", "y"]].to_numpy()
    asked = _queries(chosen)
    for text in (asked[0], spoilt[0], f"{road[0]}99999号"):  # word tables are read at first use
        geocode_edition(edition, text)
    figures = []
    for work, ask in (
        ("exact", lambda n: gazetteer.exact(whole[n])),
        ("names in an address", lambda n: gazetteer.names_in(whole[n])),
        ("plates of a road", lambda n: gazetteer.plates_on(road[n])),
        ("sounding", lambda n: gazetteer.sounding(names[n])),
        ("similar to a spoilt name", lambda n: gazetteer.similar(spoilt[n])),
        (
            "similar to a spoilt name, streets",
            lambda n: gazetteer.similar(spoilt[n], kinds=("street",)),
        ),
        ("near a point, 300 m", lambda n: gazetteer.near(*at[n], reach_m=300.0, limit=10)),
        ("suggest", lambda n: suggest(snapshot, typed[n])),
        ("suggest, one letter or character", lambda n: suggest(snapshot, typed[n][:1])),
        ("suggest near a point", lambda n: suggest(snapshot, typed[n], near=(at[n][0], at[n][1]))),
        ("geocode", lambda n: geocode_edition(edition, asked[n])),
    ):
        ask(0)
        figures += _timed(work, ask, times)
    rates = []
    for size in (1, len(asked)):
        start = time.process_time()
        for first in range(0, len(asked), size):
            geocode_texts(edition, asked[first : first + size])
        rates.append(len(asked) / (time.process_time() - start))
    return [
        *figures,
        Figure(work="geocode one by one, one core", ours=rates[0], unit="/s"),
        Figure(work=f"geocode {len(asked):,} at once, one core", ours=rates[1], unit="/s"),
    ]


def _spoil(name: str, rng: np.random.Generator) -> str:
    """Leave out or replace one character."""
    place = int(rng.integers(len(name)))
    return name[:place] + ("" if rng.uniform() < 0.5 else "丙") + name[place + 1 :]


def _prefixes(texts: list[str], rng: np.random.Generator, times: int) -> list[str]:
    """Return beginnings of names and addresses, in characters, in pinyin and in initials."""
    from gis.names.readings import initials, sound

    found = []
    for text in rng.choice(np.array(texts, dtype=object), size=times):
        spelt = [text, sound(text), initials(text)][int(rng.integers(3))]
        found.append(spelt[: int(rng.integers(1, max(2, min(len(spelt), 12))))])
    return found


def _queries(chosen: "object") -> list[str]:
    """Return what callers say of places: whole addresses, road and plate, names, with a few errors."""
    rng = np.random.default_rng(5)
    asked = []
    for record in chosen.to_dict("records"):  # type: ignore[attr-defined]
        road, plate = record["road"], record["plate"] if isinstance(record["plate"], str) else ""
        name = record["name"]
        asked.append(
            [
                record["full_address"],
                f"{record['district']}{road}{plate}",
                f"{road}{plate}",
                f"{record['district']}{name}"
                if record["kind"] in ("poi", "block")
                else f"{road}{plate}",
                f"{record['full_address']}附近",
            ][int(rng.integers(5))]
        )
    return asked


if __name__ == "__main__":
    main()
