"""Returned cases on a boundary road 界路: the unit of the other area is asked before the next candidate.

Two areas share the road: jointly 共管, by the side 按侧, or by the day 单双日. When the unit of the one
sends a case back, the unit of the other is the likelier owner than the next on the own side.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from api.doubts import bit_of, bits_of, names_of, review_bits
from api.owning.calibration import calibrate_owner
from api.owning.candidates import OwnerQuestion
from api.owning.mixture import Mixture, mix
from api.owning.owners import Resolution, is_nobodys, resolve
from api.placing.boundaries import NOBODY
from api.telling.finding import Finding, Ways
from census.plan.chains import Chain

_OWN = 0
_LEAST_SHARE = 1e-9
_OF_THE_PLACE = ("edge_responsibility", "cross_responsibility", "low_probability")


def other_unit(finding: Finding) -> str | None:
    """Return the unit that the other area of a case's boundary road leads to, if it is another one."""
    chain = _other_chain(finding)
    if chain is None:
        return None
    unit = resolve(finding.edition, finding.question._replace(chain=chain)).unit
    own = finding.resolution.unit
    return None if unit is None or own is None or unit.code == own.code else unit.code


def turned(finding: Finding, refusers: frozenset[str]) -> Finding:
    """Return what is found about a case that units sent back, with the other area of its road if that answers.

    The units of both areas are asked in turn, level by level: that of the area that answers by the
    road's rule, that of the other, the next of the first, and so on. A case that lies on no boundary
    road, or that the own area still answers for, is returned as it is.

    Parameters
    ----------
    finding : Finding
        What was found without those units.
    refusers : frozenset of str
        Units that sent the case back.
    """
    if not refusers or (chain := _other_chain(finding)) is None:
        return finding
    question = finding.question
    if _answering(finding, (question.chain, chain), refusers) == _OWN:
        return finding
    asked = question._replace(chain=chain)
    found = resolve(finding.edition, asked)
    ways = _turned_ways(finding, question)
    mixture = mix(finding.edition, asked, places=ways.places, components=ways.components)
    probability = calibrate_owner(
        min(1.0, finding.certainty * mixture.probability), found.certainty, _evidence(finding)
    )
    bits = _bits(finding, found, mixture, probability)
    return replace(
        finding,
        asked=lambda: asked,
        resolution=found,
        place=finding.edition.chains.on_side(finding.base, finding.boundary, 1 - finding.side),
        side=1 - finding.side,
        probability=probability,
        needs_review=bits & review_bits() != 0,
        reasons=names_of(bits),
        ways=lambda: ways,
        mixture=None,
    )


def _other_chain(finding: Finding) -> Chain | None:
    """Return the chain of the area that shares the road with the one that answers; None: there is none."""
    number, side, chains = finding.boundary, finding.side, finding.edition.chains
    if number < 0 or side == NOBODY or not chains.knows(number, 1 - side):
        return None
    return chains.full(chains.on_side(finding.base, number, 1 - side))


def _answering(finding: Finding, chains: tuple[Chain, Chain], refusers: Collection[str]) -> int:
    """Return which of two chains answers, when the units of both are asked in turn."""
    passed: frozenset[str] = frozenset()
    while True:
        question = finding.question._replace(excluded=passed)
        found = [resolve(finding.edition, question._replace(chain=chain)) for chain in chains]
        # Who is found only because somebody has to be comes after all units of either place.
        units = [
            None if each.unit is None or is_nobodys(each.reasons) else each.unit.code
            for each in found
        ]
        for which, unit in enumerate(units):
            if unit is not None and unit not in refusers:
                return which
        met = frozenset(unit for unit in units if unit is not None)
        if not met:
            return _OWN
        passed |= met


def _turned_ways(finding: Finding, question: OwnerQuestion) -> Ways:
    """Return where a case may lie, with the other area answering on the road alone.

    What may lie beside the road, on land of the area whose unit refused, stays with that area.
    """
    ways = finding.ways() if finding.ways is not None else None
    if ways is None:
        ways = Ways(
            places=[(question.chain, 1.0)],
            components=[(question.record, 1.0)],
            rows=[finding.chosen],
            distance_m=[0.0],
        )
    named = finding.edition.areas_named
    left: dict[Chain, list[Any]] = {}
    for chain, share in ways.places:
        left.setdefault(chain.naming(named), [chain, 0.0])[1] += share
    turned_to: dict[Chain, list[Any]] = {}
    for before, after, share in _on_road(finding):
        place = left.get(before.naming(named))
        if place is None:
            continue
        part = min(share, place[1])
        place[1] -= part
        turned_to.setdefault(after.naming(named), [after, 0.0])[1] += part
    for key, (chain, share) in left.items():
        turned_to.setdefault(key, [chain, 0.0])[1] += share
    places = [(chain, share) for chain, share in turned_to.values() if share > _LEAST_SHARE]
    return replace(ways, places=places)


def _on_road(finding: Finding) -> Iterator[tuple[Chain, Chain, float]]:
    """Yield the chains of the parts of a road for which the area that refused answers, and their shares.

    First the chain as it answers, then that with the other area.
    """
    edition, number, side = finding.edition, finding.boundary, finding.side
    chains, tracts = edition.chains, edition.tracts
    own = chains.full(finding.place)
    other = chains.full(chains.on_side(finding.base, number, 1 - side))
    if not finding.sigma_m > 0.0:  # it lies where it is said to
        yield own, other, 1.0
        return
    touched = chains.touched
    oval = None if finding.covariance is None else [finding.covariance]
    found = tracts.index.shares([finding.x], [finding.y], [finding.sigma_m], covariance=oval)
    whole = sum(share for cell, share in finding.shares if not touched[cell])
    total = whole + float(found.probability.sum())
    is_inside = finding.grid >= 0 and finding.grid_distance_m == 0.0
    scale = total if is_inside and total > 0.0 else max(total, 1.0)
    by_side = chains.roads.roads[number].sharing == "side"
    for tract, share in zip(found.position.tolist(), found.probability.tolist(), strict=True):
        if tracts.boundary[tract] != number or (by_side and tracts.side[0, tract] != side):
            continue
        base = int(tracts.base[tract])
        before = chains.full(chains.on_side(base, number, side))
        after = chains.full(chains.on_side(base, number, 1 - side))
        yield before, after, share / scale
    # What of an error reaches beyond the city is taken to lie at the place itself.
    if not (is_inside and total > 0.0):
        yield own, other, 1.0 - min(total, 1.0)


def _evidence(finding: Finding) -> str:
    question = finding.question
    about = "event"
    if question.kind == "component" and question.class_code is not None:
        reach_m = finding.edition.snapshot.profile.thresholds.match_radius_m
        about = "wide" if finding.sigma_m > reach_m else "found"
        about = about if finding.chosen >= 0 else "absent"
    return f"{about}/{finding.source}"


def _bits(finding: Finding, found: Resolution, mixture: Mixture, probability: float) -> int:
    """Return the reasons of a turned case: those of its place stay, those of its unit are found anew."""
    profile = finding.edition.snapshot.profile
    bits = bits_of(finding.reasons) & ~bits_of((*finding.resolution.reasons, *_OF_THE_PLACE))
    bits |= bits_of((*found.reasons, "boundary_other"))
    bits |= bits_of(mixture.reasons(least=profile.decision.rival_probability))
    if probability < profile.thresholds.review_probability:
        bits |= bit_of("low_probability")
    return bits
