"""The units a case may belong to, with their probabilities: an exact sum over places and components.

A case may lie in one of several grids, and be about one of several components. Each combination has
one owning unit by ``api.owning.owners.resolve``; the probability of a unit is the sum over its combinations.
This is the plain reference: the arrays of ``api.solution`` give the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

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


class Share(NamedTuple):
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
        return CAUSES[self.by_cause.index(max(self.by_cause))]


class Mixture(NamedTuple):
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


class Part(NamedTuple):
    """What one place and one component together give to a unit."""

    place: int
    component: int
    factor: float
    """Share of the probability of place and component."""
    cause: int
    """Number in `CAUSES`."""
    rule: str


@dataclass(frozen=True, slots=True)
class Blend:
    """What the combinations of some places and components lead to, whatever their probabilities."""

    chosen: Resolution
    """What the place and the component taken lead to."""
    mine: tuple[tuple[int, int, float], ...]
    """Place, component and factor of what leads to the unit taken, in their order."""
    others: tuple[tuple[Unit, tuple[Part, ...]], ...]
    """The other units with what leads to them, in the order in which they are met."""

    def weighed(self, places: Sequence[float], components: Sequence[float]) -> Mixture:
        """Return the distribution over units.

        Parameters
        ----------
        places, components : sequence of float
            Their probabilities, which add up to 1 each.
        """
        mine = 0.0
        for at, about, factor in self.mine:
            mine += places[at] * components[about] * factor
        rivals = []
        for unit, parts in self.others:
            by_cause = [0.0] * len(CAUSES)
            most, largest = 0.0, parts[0]
            for part in parts:
                at, about, factor, cause, _ = part
                share = places[at] * components[about] * factor
                by_cause[cause] += share
                if share > most:
                    most, largest = share, part
            if most > 0.0:
                way = (largest.place, largest.component, largest.rule)
                rivals.append(Share(unit, sum(by_cause), tuple(by_cause), *way))
        if len(rivals) > 1:
            rivals.sort(key=_likeliest)
        total = mine + sum([rival.probability for rival in rivals])
        return Mixture(self.chosen, mine, tuple(rivals), max(0.0, 1.0 - total))


def _likeliest(share: Share) -> tuple[float, str]:
    return -round(share.probability, 9), share.unit.code


def blend(chosen: Resolution, ways: Sequence[tuple[Resolution, Sequence[Resolution]]]) -> Blend:
    """Return what combinations of places and components lead to.

    Parameters
    ----------
    chosen : Resolution
        What the place and the component taken lead to.
    ways : sequence
        For each place what the component taken leads to there, and what each of the components does.
    """
    mine: list[tuple[int, int, float]] = []
    others: dict[str, tuple[Unit, list[Part]]] = {}
    chosen_code = _unit(chosen)

    def add(unit: Unit, part: Part) -> None:
        if unit.code == chosen_code:
            mine.append(part[:3])
        else:
            others.setdefault(unit.code, (unit, []))[1].append(part)

    for place, (here, each) in enumerate(ways):
        # Elsewhere because of the place, or by the component alone.
        cause = _COMPONENT if _unit(here) == chosen_code else _PLACE
        for about, found in enumerate(each):
            if found.unit is None:
                continue
            add(found.unit, Part(place, about, found.certainty, cause, found.rule))
            for rival in found.rivals:
                number = CAUSES.index(rival.cause)
                add(rival.unit, Part(place, about, rival.probability, number, rival.rule))
    told = tuple((unit, tuple(parts)) for unit, parts in others.values())
    return Blend(chosen, tuple(mine), told)


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
    ways = [
        (
            resolve(edition, question._replace(chain=chain)),
            [
                resolve(edition, question._replace(chain=chain, record=record))
                for record, _ in components
            ],
        )
        for chain, _ in places
    ]
    found = blend(resolve(edition, question), ways)
    return found.weighed([share for _, share in places], [share for _, share in components])


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
