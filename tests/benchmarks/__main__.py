"""``python -m tests.benchmarks``: every figure beside its peer, measured in the same run."""

import argparse
import tempfile
from pathlib import Path

from tests.benchmarks import census, deciding
from tests.benchmarks.city import make_city
from tests.benchmarks.measure import best_of, show


def main() -> None:
    """Measure and show the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--grids", type=int, default=10_000)
    parser.add_argument("--components", type=int, default=100_000)
    parser.add_argument("--places", type=int, default=50_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--census", type=int, default=1_000_000, help="components to load")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wanmi-bench-") as folder:
        _, city = best_of(
            lambda: make_city(
                Path(folder), grids=sizes.grids, components=sizes.components, places=sizes.places
            ),
            times=1,
        )
        show(list(deciding.measure(city, cases=sizes.cases)))
    with tempfile.TemporaryDirectory(prefix="wanmi-census-") as folder:
        Path(folder).chmod(0o755)
        show(list(census.measure(Path(folder), components=sizes.census, suffix=".shp")))


if __name__ == "__main__":
    main()
