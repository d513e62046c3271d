"""Which components one case may be about: what `match` finds for many, without arrays."""

from math import hypot

from api.edition import Edition
from api.matching.components import LEAST_REACH_M, REACH_SIGMA
from api.matching.likelihood import weigh_things
from api.owning.calibration import calibrate_one
from api.placing.locate import class_accuracy_m
from gis.surroundings import Around

Candidates = list[tuple[int, float, float]]
"""Row, distance in metres and probability of components, the likeliest first."""


class Matcher:
    """The classes of one edition, for one case at a time.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day asked for.
    """

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._most_m = edition.snapshot.profile.thresholds.match_radius_m
        self._groups = {code: number for number, code in enumerate(edition.component_classes.codes)}
        self._accuracy_m: dict[str, float] = {}

    def near(self, class_code: str, sigma_m: float) -> tuple[int, float]:
        """Return the group of the things of a class, -1: it has none, and how far is looked, m."""
        reach_m = REACH_SIGMA * hypot(sigma_m, self._accuracy(class_code))
        reach_m = min(max(reach_m, min(LEAST_REACH_M, self._most_m)), self._most_m)
        return self._groups.get(class_code, -1), reach_m

    def weighed(
        self,
        class_code: str,
        around: Around,
        covariance: tuple[float, float, float],
        *,
        reach_m: float,
    ) -> tuple[Candidates, float]:
        """Return the components that may be meant, and the probability that none of them is.

        Parameters
        ----------
        class_code : str
            Minor class.
        around : Around
            With the things of the class that lie within reach.
        covariance : tuple of float
            Variance east, covariance and variance north of the position, m².
        reach_m : float
            How far was looked, m.
        """
        if not len(around.things):
            return [], 1.0
        own = self._accuracy(class_code) ** 2
        absent, *shares = weigh_things(around.things, (*covariance, own), reach_m, around.density)
        told = around.things.tolist()
        rows, metres = map(int, told[::4]), told[1::4]
        found = list(zip(rows, metres, shares, strict=True))
        if covariance[0] != covariance[2] or covariance[1] != 0.0:
            # By a round error the nearest is the likeliest; equal ones stay in their order.
            found.sort(key=lambda candidate: -round(candidate[2], 12))
        row, metre, model = found[0]
        share = calibrate_one("component", model, "position")
        rest = (1.0 - share) / (1.0 - model) if model < 1.0 else 1.0
        others = [(other, away, part * rest) for other, away, part in found[1:]]
        return [(row, metre, share), *others], absent * rest

    def _accuracy(self, class_code: str) -> float:
        known = self._accuracy_m.get(class_code)
        if known is None:
            known = self._accuracy_m[class_code] = class_accuracy_m(self._edition, class_code)
        return known
