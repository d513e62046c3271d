"""The units a case may belong to, with their probabilities: an exact sum over places and components.

A case may lie in one of several grids, and be about one of several components. Each combination has
one owning unit by ``api.owning.owners.resolve``; the probability of a unit is the sum over its combinations.
This is the plain reference: the arrays of ``api.solution`` give the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from api.owning.directory import Unit
from api.owning.owners import OwnerQuestion, OwnRecord, Resolution, resolve
from census.plan.chains import Chain

if TYPE_CHECKING:
    from api.edition import Edition

Cause = Literal["place", "component", "record", "dispute", "conflict"]
CAUSES: tuple[Cause, ...] = ("place", "component", "record", "dispute", "conflict")
"""Why another unit may be the one: the place may lie in its area 接边; another component may be meant, or
the plan names it where the record names the one taken 交叉; the ownership is disputed; an equal row of the
plan names it."""
_PLACE, _COMPONENT = CAUSES.index("place"), CAUSES.index("component")
EDGE: tuple[Cause, ...] = ("place",)
CROSS: tuple[Cause, ...] = ("component", "record")


@dataclass(frozen=True, kw_only=True)
class Share:
    """One unit with its probability."""

    unit: Unit
    probability: float
    by_cause: tuple[float, ...]
    """The probability by why it is not the unit taken, in the order of `CAUSES`; zeros for that one."""
    place: int
    """Position of the place with the largest part in it, among those given."""
    component: int
    """Position of the component with the largest part in it, among those given."""
    rule: str
    """Rule that leads there to the unit."""

    @property
    def cause(self) -> Cause:
        """The largest cause, of equal ones the first."""
        return CAUSES[max(range(len(CAUSES)), key=lambda number: self.by_cause[number])]


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """The distribution over owning units."""

    chosen: Resolution
    """What the first place and the first component lead to: the unit that gets the case."""
    probability: float
    """Of the chosen unit."""
    rivals: tuple[Share, ...]
    """The other units, the most probable first, of equal ones the lowest code."""
    unknown: float
    """Probability that is nobody's: with the others it adds up to 1."""

    def reasons(self, *, least: float) -> tuple[str, ...]:
        """Return which of edge_responsibility and cross_responsibility speak.

        Parameters
        ----------
        least : float
            Some rival must be at least this probable by the causes of that reason.
        """
        told = []
        for reason, causes in (("cross_responsibility", CROSS), ("edge_responsibility", EDGE)):
            numbers = [CAUSES.index(cause) for cause in causes]
            if any(sum(rival.by_cause[n] for n in numbers) >= least for rival in self.rivals):
                told.append(reason)
        return tuple(told)


@dataclass
class _Sum:
    unit: Unit
    by_cause: list[float]
    most: float = 0.0
    place: int = 0
    component: int = 0
    rule: str = ""


def mix(
    edition: "Edition",
    question: OwnerQuestion,
    *,
    places: Sequence[tuple[Chain, float]],
    components: Sequence[tuple[OwnRecord | None, float]],
) -> Mixture:
    """Return the distribution over units of one case.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    question : OwnerQuestion
        The question; its chain and record are those chosen.
    places : sequence
        Chains with probabilities that add up to 1: where the case may lie.
    components : sequence
        Records with probabilities that add up to 1: what the case may be about; None: none of the
        components known. An event, and a case without a class, has ``[(None, 1.0)]``.
    """
    ways = []
    for chain, in_place in places:
        here = resolve(edition, question._replace(chain=chain))
        found = [
            resolve(edition, question._replace(chain=chain, record=record))
            for record, _ in components
        ]
        ways.append((in_place, here, found))
    return summed(resolve(edition, question), ways, [share for _, share in components])


def summed(
    chosen: Resolution,
    ways: Sequence[tuple[float, Resolution, Sequence[Resolution]]],
    of_components: Sequence[float],
) -> Mixture:
    """Return the distribution over units of one case from what every combination leads to.

    Parameters
    ----------
    chosen : Resolution
        What the place and the component taken lead to.
    ways : sequence
        For each place its probability, what the component taken leads to there, and what each of the
        components does.
    of_components : sequence of float
        Probability of each component.
    """
    sums: dict[str, _Sum] = {}
    mine, chosen_code = 0.0, _unit(chosen)
    for place, (in_place, here, each) in enumerate(ways):
        # Elsewhere because of the place, or by the component alone.
        cause = _COMPONENT if _unit(here) == chosen_code else _PLACE
        for component, (found, of_component) in enumerate(zip(each, of_components, strict=True)):
            weight, unit = in_place * of_component, found.unit
            if unit is None or weight <= 0.0:
                continue
            if unit.code == chosen_code:
                mine += weight * found.certainty
            else:
                part = (weight * found.certainty, cause, found.rule)
                _add(sums, unit, part, (place, component))
            for rival in found.rivals:
                if rival.unit.code == chosen_code:
                    mine += weight * rival.probability
                    continue
                part = (weight * rival.probability, CAUSES.index(rival.cause), rival.rule)
                _add(sums, rival.unit, part, (place, component))
    rivals = [
        Share(
            unit=entry.unit,
            probability=sum(entry.by_cause),
            by_cause=tuple(entry.by_cause),
            place=entry.place,
            component=entry.component,
            rule=entry.rule,
        )
        for entry in sums.values()
    ]
    rivals.sort(key=lambda share: (-round(share.probability, 9), share.unit.code))
    total = mine + sum(rival.probability for rival in rivals)
    return Mixture(
        chosen=chosen,
        probability=mine,
        rivals=tuple(rivals),
        unknown=max(0.0, 1.0 - total),
    )


def _add(
    sums: dict[str, _Sum], unit: Unit, part: tuple[float, int, str], way: tuple[int, int]
) -> None:
    """Add to a unit a share with its cause and rule, by the way of a place and a component."""
    share, cause, rule = part
    entry = sums.get(unit.code)
    if entry is None:
        entry = sums[unit.code] = _Sum(unit, [0.0] * len(CAUSES))
    entry.by_cause[cause] += share
    if share > entry.most:
        entry.most, entry.rule = share, rule
        entry.place, entry.component = way


def _unit(resolution: Resolution) -> str | None:
    return resolution.unit.code if resolution.unit else None


def left_to_others(model: float, told: float) -> float:
    """Return by what the shares of other units are multiplied where a fitted probability is told.

    What a fit adds to the unit taken the others lose, in their ratio. What it takes belongs to nobody
    known: the census may lack the component and its unit, which makes no neighbour more likely.

    Parameters
    ----------
    model, told : float
        Probability of the unit taken, by the model and as told.

    Examples
    --------
    >>> left_to_others(0.5, 0.75), left_to_others(0.5, 0.25), left_to_others(1.0, 0.8)
    (0.5, 1.0, 1.0)
    """
    return min(1.0, (1.0 - told) / (1.0 - model)) if model < 1.0 else 1.0
