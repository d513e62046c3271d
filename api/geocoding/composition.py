"""What an address names as it stands, part by part: a name, a crossing, a plate, a building."""

import re
from dataclasses import replace

from api.geocoding.candidates import Candidate, from_key, plain_name, road_lines, with_evidence
from api.geocoding.chain import ANYWHERE, Constraint
from api.geocoding.crossings import between_candidates, crossing_candidates
from api.geocoding.gazetteer import Gazetteer
from api.geocoding.marks import agreement, exact, inside, named
from api.geocoding.plates import at_plate, of_way, with_road
from gis.addresses.crossings import is_way
from gis.addresses.parts import AddressParts, take_apart


def known(gazetteer: Gazetteer, parts: AddressParts) -> list[Candidate]:
    """Return what the address names as it stands: a name, a crossing, a plate, a building."""
    if parts.between and not parts.plate:
        found = between_candidates(gazetteer, *parts.between)
        if found:
            return found
    found = exact(gazetteer, parts.mark)
    if found:
        branch = "branch_unmatched" if _BRANCH.search(parts.remark) else ""
        return [with_evidence(item, branch if item.match in _NAMES else "") for item in found]
    if parts.relation.gate:
        gate = f"{parts.mark}{parts.relation.gate}门"
        found = named(gazetteer, gate)
        if found:
            return [replace(item, evidence=("gate_known",)) for item in found]
    if parts.crossing:
        return crossing_candidates(gazetteer, *parts.crossing)
    return _composed(gazetteer, parts)


def _composed(gazetteer: Gazetteer, parts: AddressParts) -> list[Candidate]:
    """Return the places of the parts: the point of interest, the building, the plate."""
    found = []
    plates = []
    if parts.way and parts.plate:
        plates = _at_plate(gazetteer, parts)
        found += [with_evidence(item, *unsaid(parts, below="plate")) for item in plates]
    if parts.others and plates:
        others = next(
            (o for text in parts.others if (o := _at_plate(gazetteer, take_apart(text)))), []
        )
        found = [_beside(item, others) for item in found]
        found += [_beside(item, plates) for item in others]
    by_name = parts.poi and parts.poi != parts.mark and not parts.building
    built = parts.block or parts.building
    if not (by_name or built):
        return found
    # Where the plate is not known, its road still tells about where a name must lie.
    is_placed = bool(parts.road and (parts.plate or parts.lanes) and not plates)
    spots = [item.spot for item in (of_way_named(gazetteer, parts) if is_placed else plates)]
    if by_name:
        found += inside(gazetteer, parts.poi, spots=spots)
    if built:
        near = spots if is_placed else ()
        found += [
            with_evidence(item, agreement(item, near)) for item in _building(gazetteer, parts)
        ]
    return found


def _beside(item: Candidate, others: list[Candidate]) -> Candidate:
    """Judge one of two addresses of a text by the other; one that is not known is left unexplained."""
    code = agreement(item, [other.spot for other in others]) if others else "poi_unmatched"
    return with_evidence(item, code)


def of_way_named(
    gazetteer: Gazetteer, parts: AddressParts, within: Constraint = ANYWHERE
) -> list[Candidate]:
    """Return where road and plate are, under the road's own name if it was called by another."""
    found = of_way(gazetteer, parts, within=within)
    if found or not parts.road:
        return found
    own = {plain_name(gazetteer, row) for row in road_lines(gazetteer, parts.road)} - {parts.road}
    return [
        with_evidence(item, "road_alias")
        for name in sorted(own)
        for item in of_way(gazetteer, with_road(parts, name), within=within)
    ]


def _at_plate(gazetteer: Gazetteer, parts: AddressParts) -> list[Candidate]:
    """Return where a known plate is, under the road's own name if it was called by another."""
    found = at_plate(gazetteer, parts)
    if found or not parts.road:
        return found
    own = {plain_name(gazetteer, row) for row in road_lines(gazetteer, parts.road)} - {parts.road}
    return [
        with_evidence(item, "road_alias")
        for name in sorted(own)
        for item in at_plate(gazetteer, with_road(parts, name))
    ]


_NAMES = ("name", "alias", "short")
_BRANCH = re.compile(r"(?:店|院区|分院|校区|校|部|站|城|广场|中心|园|馆|厦|街|路|区)$")
AT_PLATE = ("plate", "member", "address")


def _building(gazetteer: Gazetteer, parts: AddressParts) -> list[Candidate]:
    """Return the building of a compound, else the compound."""
    head = parts.block or parts.poi
    if parts.building:
        keys = gazetteer.exact(head + parts.building)
        if keys:
            codes = unsaid(parts, below="building")
            found = [from_key(gazetteer, key) for key in keys]
            return [with_evidence(replace(item, match="building"), *codes) for item in found]
    code = "building_unmatched" if parts.building else ""
    return [
        with_evidence(replace(item, match="block"), code, *unsaid(parts, below="building"))
        for item in named(gazetteer, head)
        if gazetteer.kind(item.row) != "street"
    ]


def unsaid(parts: AddressParts, *, below: str) -> tuple[str, ...]:
    """Return the evidence of the parts that a candidate leaves unexplained."""
    codes = []
    if below == "plate" and (parts.poi or parts.block):
        codes.append("poi_unmatched")
    if below == "building" and parts.block and parts.poi:
        codes.append("poi_unmatched")
    if below == "building" and parts.plate and parts.way == parts.block:
        codes.append("number_unmatched")  # a village or an estate that bears plates
    if below == "road":
        if parts.plate or parts.lanes:
            codes.append("number_unmatched")
        elif parts.rest:
            codes.append("rest_unmatched")
        if is_way(parts.area):
            codes.append("crossing_unmatched")  # the last of two names was read as the road
    return tuple(codes)
