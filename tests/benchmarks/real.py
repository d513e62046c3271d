"""``python -m tests.benchmarks.real``: real cities asked what is known of them, and what was found.

Tainan: whose is a light that does not burn, by the nearest cable; does the village lie in the district
that was typed; does a narrow lane lie among lanes of its fire squad. Cambridge: is a component found again from a noised position, with its owner.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gis import cluster
from gis.builds import live
from tests.real import cambridge, tainan, tainan_addresses, tainan_pipelines
from tests.real.building import RealCity, built
from tests.real.questions import (
    LIGHT_CABLES,
    light_cases,
    narrow_lanes,
    noised_components,
    typed_districts,
)


def main() -> None:
    """Build the cities and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.real", description=__doc__)
    parser.add_argument("cities", nargs="*", default=list(CITIES))
    for name in parser.parse_args().cities:
        source, write, tell = CITIES[name]
        if not source.is_dir():
            _say(f"{name}: its data are not on this machine")
            continue
        with _city(name, write) as city:
            tell(city)


@contextmanager
def _city(name: str, write: Callable[[Path], Path]) -> Iterator[RealCity]:
    root = Path(tempfile.mkdtemp(prefix=f"wanmi-{name}-"))
    root.chmod(0o755)
    (root / "server").mkdir()
    (root / "server").chmod(0o755)
    server = cluster.up(root / "server", is_durable=False)
    try:
        (root / "city").mkdir()
        with built(server, root / "city", write_workspace=write, name=name) as city:
            yield city
    finally:
        cluster.down(root / "server")
        shutil.rmtree(server.home, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


def _tell_cambridge(city: RealCity) -> None:
    _say("Cambridge: components asked for from noised positions")
    _say(f"{'sigma m':>8}{'cases':>8}{'component':>11}{'owner':>8}{'said':>8}{'none':>8}")
    for found in noised_components(city.snapshot, live(city.database, "components")):
        _say(
            f"{found.sigma_m:>8.0f}{found.cases:>8,}{found.component:>11.3f}{found.owner:>8.3f}"
            f"{found.said:>8.3f}{found.none:>8.3f}"
        )


def _tell_lights(city: RealCity) -> None:
    components = live(city.database, "components")
    lights = light_cases(city.snapshot, components[components["class_code"] == LIGHT_CABLES])
    near = ", ".join(f"{reach:.0f} m {share:.3f}" for reach, share in lights.near.items())
    _say(f"Tainan: {lights.cases:,} cases of lights; share with a cable of lights within {near}")
    _say(
        f"  a cable was chosen for {lights.found:.3f}, its unit answers for {lights.unit_of_found:.3f} of"
        f" those and for {lights.unit:.3f} of all"
    )


def _tell_districts(city: RealCity) -> None:
    cases, share = typed_districts(city.snapshot)
    _say(f"Tainan: {cases:,} cases with a known typed district; {share:.4f} lie in a village of it")


def _tell_lanes(city: RealCity) -> None:
    found = narrow_lanes(city.snapshot)
    _say(
        f"Tainan: {found.lanes:,} narrow lanes, {found.named:,} told by road or lane; {found.placed:,} were placed,"
        f" {found.in_district / found.placed:.3f} of those in the typed district"
    )
    _say(
        f"  {found.judged:,} lie in {found.villages:,} villages with other lanes ({found.shared:,} have several"
        f" squads): {found.agree / found.judged:.3f} have the squad of most others there,"
        f" {found.by_district / found.judged:.3f} that of most others of the typed district"
    )


CITIES = {
    "cambridge": (cambridge.SOURCE, cambridge.write_workspace, _tell_cambridge),
    "lights": (tainan.SOURCE, tainan_pipelines.write_workspace, _tell_lights),
    "districts": (tainan.SOURCE, tainan.write_workspace, _tell_districts),
    "lanes": (tainan.SOURCE, tainan_addresses.write_lanes, _tell_lanes),
}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
