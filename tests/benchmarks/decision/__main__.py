"""``python -m tests.benchmarks.decision``: is a case said to be 0.9 probable right 9 times of 10?

Districts are invented and built, cases are made of them whose truth is known, and what the platform
says is held against it: grid, component and owning unit, on districts that nothing was fitted on.
With ``--fit`` the likelihood of components and the maps of ``api/owning/calibration.csv`` are fitted first,
on other districts.
"""

import argparse
import csv
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api import open_snapshot
from api.owning import calibration
from api.owning.calibration import OWNER_EVIDENCE, SOURCES, calibrate, owner_evidence
from api.solution import is_wide
from tests.benchmarks.decision.likelihoods import fit_likelihood
from tests.benchmarks.decision.reliability import LEAST_CASES, fit, lines_of, reliability
from tests.benchmarks.decision.trust import review_lines, trust_lines
from tests.benchmarks.decision.world import Judged, judge_cases
from tests.benchmarks.geocoding import sample
from tests.benchmarks.geocoding.__main__ import built_city

Floats = NDArray[np.float64]

FITTED = (101, 102)
HELD_OUT = (201, 202)
AREA_KM2 = 2.0
LEAST_GAIN, LEAST_LOG_GAIN = 1e-3, 0.005
"""A map must lower the Brier score of each district it was not fitted on by the first, or its logarithmic
score, which knows what too much certainty costs, by the second."""
_SUREST = 1e-3
"""Nothing is scored as surer than this short of certainty."""
_API = Path(__file__).resolve().parents[3] / "api"


_MOST_SURE = 0.9999
"""No number of cases shows that something is certain."""


def main() -> None:
    """Fit if asked to, then show the tables of the held-out districts."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.decision", description=__doc__
    )
    parser.add_argument("--fit", action="store_true", help="fit on districts of other seeds first")
    parser.add_argument("--cases", type=int, default=10_000, help="cases per district")
    parser.add_argument("--keep", type=Path, help="folder in which districts built stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wanmi-decision-") as folder:
        districts = Districts(options.keep or Path(folder), options.cases)
        if options.fit:
            _fit(districts)
        _show([districts.judged(seed) for seed in HELD_OUT])
        for line in trust_lines({seed: districts.folder(seed) for seed in (*FITTED, *HELD_OUT)}):
            sys.stdout.write(f"{line}\n")
        for line in review_lines({seed: districts.folder(seed) for seed in HELD_OUT}):
            sys.stdout.write(f"{line}\n")


@dataclass(frozen=True)
class Districts:
    """Invented districts, each built once and kept as its delivery and snapshot."""

    root: Path
    count: int
    """Cases to make of each."""

    def folder(self, seed: int) -> Path:
        """Return the folder of a district, with ``delivery`` and ``snapshots``."""
        found = self.root / str(seed)
        if not found.is_dir():
            with built_city(
                lambda folder: sample.write_workspace(folder, seed=seed, area_km2=AREA_KM2)
            ) as city:
                shutil.copytree(city.workspace.root, found)
        return found

    def judged(self, seed: int) -> Judged:
        """Make cases of a district and judge the answers."""
        snapshot = open_snapshot(self.folder(seed))
        return judge_cases(snapshot, count=self.count, seed=1000 * seed)


def _fit(districts: Districts) -> None:
    """Fit what the model takes as given, then the maps, each on the answers that come of the last."""
    _write([])
    judged = [districts.judged(seed) for seed in FITTED]
    fit_likelihood(judged, _API / "matching" / "likelihood.csv")
    for name in ("component", "owner"):
        _write([row for row in _rows() if row["answer"] not in (name, "owner")])
        judged = [districts.judged(seed) for seed in FITTED]
        found = fit_components(judged) if name == "component" else fit_owners(judged)
        _write([row for row in _rows() if row["answer"] != name] + found)


def _rows() -> list[dict[str, str]]:
    with (_API / "owning" / "calibration.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(rows: list[dict[str, str]]) -> None:
    names = ("answer", "evidence", "model", "share", "cases", "fitted_on")
    with (_API / "owning" / "calibration.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    calibration.forget()


def fit_components(judged: Sequence[Judged]) -> list[dict[str, str]]:
    """Return the lines of the map of components, by what led to the place."""
    answers = [component_answers(one) for one in judged]
    rows = []
    for name in SOURCES[1:]:
        parts = [(said[own == name], right[own == name]) for said, right, own in answers]
        rows += _lines("component", name, parts)
    return rows + _lines("component", SOURCES[0], [named_components(one) for one in judged])


def fit_owners(judged: Sequence[Judged]) -> list[dict[str, str]]:
    """Return the lines of the map of owning units, by what the case is about and its place."""
    answers = [owner_models(one) for one in judged]
    rows = []
    for number, name in enumerate(OWNER_EVIDENCE):
        parts = [(said[own == number], right[own == number]) for said, right, own in answers]
        rows += _lines("owner", name, parts)
    return rows


def _lines(
    answer: str, evidence: str, parts: Sequence[tuple[Floats, NDArray[np.bool_]]]
) -> list[dict[str, str]]:
    """Return the lines of one map; none where it makes the answers of other districts no better."""
    if min(len(model) for model, _ in parts) < LEAST_CASES:
        return []
    brier, log = [], []
    for held, (model, right) in enumerate(parts):
        others = [part for number, part in enumerate(parts) if number != held]
        x, y, _ = fit(*(np.concatenate(column) for column in zip(*others, strict=True)))
        told = np.interp(model, [0.0, *x], [0.0, *y])
        brier.append(float(np.mean((model - right) ** 2 - (told - right) ** 2)))
        log.append(_log_loss(model, right) - _log_loss(told, right))
    if min(brier) < LEAST_GAIN and min(log) < LEAST_LOG_GAIN:
        return []
    whole = fit(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    fitted_on = f"sample districts of seeds {' and '.join(map(str, FITTED))}"
    return [
        {
            "answer": answer, "evidence": evidence, "model": f"{x:.4f}", "share": f"{min(y, _MOST_SURE):.4f}",
            "cases": str(count), "fitted_on": fitted_on,
        }
        for x, y, count in zip(*whole, strict=True)
    ]  # fmt: skip


def _log_loss(told: Floats, right: NDArray[np.bool_]) -> float:
    sure = np.clip(told, _SUREST, 1.0 - _SUREST)
    return float(-np.mean(np.where(right, np.log(sure), np.log1p(-sure))))


def component_answers(judged: Judged) -> tuple[Floats, NDArray[np.bool_], NDArray[np.object_]]:
    """Return what was said of each component chosen by its place, if it was right, and the evidence."""
    matches = judged.solution.matches
    cases, first = np.unique(matches.question, return_index=True)
    return matches.probability[first], judged.component_right[cases], judged.evidence[cases]


def named_components(judged: Judged) -> tuple[Floats, NDArray[np.bool_]]:
    """Return what the model says of components that cases name, certainty, and if it was right."""
    named = judged.is_component & (judged.evidence == SOURCES[0])
    return np.ones(int(named.sum())), judged.component_right[named]


def owner_models(judged: Judged) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Return what the model says of each owning unit, if it was right, and the evidence."""
    solution = judged.solution
    wanted = judged.is_component
    matches = solution.matches
    evidence = owner_evidence(
        solution.placed.source_number,
        wanted,
        matches.chosen >= 0,
        is_wide(solution.edition, solution.placed),
    )
    plain = judged.is_plain & (solution.owners.arrays.certainty[solution.number] == 1.0)
    model = solution.placed.certainty * solution.mixtures.probability
    return model[plain], judged.owner_right[plain], evidence[plain]


def _show(judged: Sequence[Judged]) -> None:
    tables = []
    for source in SOURCES:
        parts = [(j, (j.evidence == source)) for j in judged]
        inside = [own & (j.solution.grid.distance_m == 0.0) for j, own in parts]
        said = np.concatenate(
            [j.solution.grid_probability[m] for (j, _), m in zip(parts, inside, strict=True)]
        )
        right = np.concatenate([j.grid_right[m] for (j, _), m in zip(parts, inside, strict=True)])
        tables.append(reliability(f"grid by {source}", said, right))
    answers = [component_answers(j) for j in judged]
    for source in SOURCES[1:]:
        said = np.concatenate([a[0][a[2] == source] for a in answers])
        right = np.concatenate([a[1][a[2] == source] for a in answers])
        tables.append(reliability(f"component by {source}", said, right))
    named = [named_components(j) for j in judged]
    said, right = (np.concatenate(column) for column in zip(*named, strict=True))
    told = calibrate("component", said, np.zeros(len(said), dtype=int), names=SOURCES[:1])
    tables.append(reliability("component by component_code", told, right))
    for is_component in (False, True):
        name = "owner of components" if is_component else "owner of events"
        masks = [j.is_plain & (j.is_component == is_component) for j in judged]
        said = np.concatenate(
            [j.solution.probability[m] for j, m in zip(judged, masks, strict=True)]
        )
        right = np.concatenate([j.owner_right[m] for j, m in zip(judged, masks, strict=True)])
        tables.append(reliability(name, said, right))
    for table in tables:
        sys.stdout.write("\n".join(lines_of(table)) + "\n")


if __name__ == "__main__":
    main()
