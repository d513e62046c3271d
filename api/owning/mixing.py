"""Sums over the places and components of many cases, in compiled code."""

from typing import Any

import numba
import numpy as np

_compile = numba.njit(nogil=True, cache=True)

PLACE, CROSS, OTHER = 0, 1, 2
"""Groups of causes: another place 接边; another component or the plan against the record 交叉; the rest."""
_ROUND = 1e9


@_compile
def merge(own: Any, runs: Any, spare: Any, starts: Any, merged: Any) -> None:
    """Add up the weights of equal keys, case by case, the own key of each case first.

    Parameters
    ----------
    own : ndarray
        Key of each case that comes first, with nothing if its run does not name it; all the weight if
        there is no run.
    runs : tuple
        First and last entry of the run of each case, keys and weights of the entries.
    spare : tuple
        A key, and for each case the weight it gets; with those of its run it makes 1.
    starts : ndarray
        Takes the first merged entry of each case, and past the last.
    merged : tuple
        Arrays that take keys and weights; room for the entries of every run and two more per case.
    """
    # A call would count the arrays anew: what runs for each entry is written out.
    firsts, lasts, keys, weights = runs
    spare_key, spare_weight = spare
    out_keys, out_weights = merged
    end = 0
    for case in range(len(own)):
        begin = starts[case] = end
        out_keys[end] = own[case]
        out_weights[end] = 1.0 if firsts[case] == lasts[case] else 0.0
        end += 1
        left = spare_weight[case]
        for entry in range(firsts[case], lasts[case] + (left > 0.0)):
            key, weight = spare_key, left
            if entry < lasts[case]:
                key, weight = keys[entry], weights[entry]
            at = begin
            while at < end and out_keys[at] != key:
                at += 1
            if at == end:
                out_keys[at], out_weights[at] = key, 0.0
                end += 1
            out_weights[at] += weight
    starts[len(own)] = end


@_compile
def pairs(topic: Any, places: Any, components: Any, out: Any) -> None:
    """Write topic, effect and meaning of every combination of place and component but the first of each case."""
    place_starts, effects, _ = places
    component_starts, meanings, _ = components
    topics, pair_effects, pair_meanings = out
    pair = 0
    for case in range(len(topic)):
        for place in range(place_starts[case], place_starts[case + 1]):
            for component in range(component_starts[case], component_starts[case + 1]):
                if place == place_starts[case] and component == component_starts[case]:
                    continue
                topics[pair] = topic[case]
                pair_effects[pair] = effects[place]
                pair_meanings[pair] = meanings[component]
                pair += 1


@_compile
def sum_up(number: Any, places: Any, components: Any, told: Any, out: Any) -> None:
    """Add up the probabilities of units over the combinations of every case.

    Parameters
    ----------
    number : tuple
        Resolution of the first combination of each case, which is the one taken; and of each other one,
        in the order of `pairs`.
    places, components : tuple
        Starts, keys and weights, as `merge` gives them.
    told : tuple
        Of each resolution: unit, its certainty, first rival and past the last; of each rival: unit,
        probability, group of its cause; of each unit: its rank by code.
    out : tuple
        For each case: probability of the unit taken, the most probable other unit (-1: none), its
        probability, the largest probability of any other unit by `PLACE` and by `CROSS`.
    """
    unit_of, certainty, rival_starts, rival_unit, rival_share, rival_group, rank = told
    taken, other, other_share, by_place, by_cross = out
    own, others = number
    place_starts, _, place_weights = places
    component_starts, _, component_weights = components
    units, sums = np.empty(len(rank), dtype=np.int32), np.empty((len(rank), 3))
    # For each unit the last case that met it, and its place among the units of that case.
    met, entries = np.full(len(rank), -1), np.zeros(len(rank), dtype=np.int32)
    pair = 0
    for case in range(len(place_starts) - 1):
        found = own[case]
        chosen = here = unit_of[found]
        count, mine = 0, 0.0
        place, component = place_starts[case], component_starts[case]
        while place < place_starts[case + 1]:
            weight = place_weights[place] * component_weights[component]
            unit = unit_of[found]
            here = unit if component == component_starts[case] else here
            group, share = CROSS if here == chosen else PLACE, weight * certainty[found]
            # The unit itself, then its rivals; a call would count the arrays anew for each.
            rival = rival_starts[found]
            end = rival_starts[found + 1] if unit >= 0 and weight > 0.0 else rival - 1
            while rival <= end:
                if unit == chosen:
                    mine += share
                else:
                    if met[unit] != case:
                        met[unit], entries[unit], units[count] = case, count, unit
                        sums[count, 0], sums[count, 1], sums[count, 2] = 0.0, 0.0, 0.0
                        count += 1
                    sums[entries[unit], group] += share
                if rival < end:
                    unit, group = rival_unit[rival], rival_group[rival]
                    share = weight * rival_share[rival]
                rival += 1
            component += 1
            if component == component_starts[case + 1]:
                place, component = place + 1, component_starts[case]
            if place < place_starts[case + 1]:
                found = others[pair]
                pair += 1
        taken[case] = mine
        other[case], other_share[case], by_place[case], by_cross[case] = -1, 0.0, 0.0, 0.0
        if count:  # most cases have one unit alone: nothing is handed on for them
            other[case], other_share[case] = _most(units, sums, count, rank)
            by_place[case] = _largest(sums, count, PLACE)
            by_cross[case] = _largest(sums, count, CROSS)


@_compile
def _most(units: Any, sums: Any, count: int, rank: Any) -> tuple[int, float]:
    """Return the most probable unit and its probability, of equals the lowest code; -1: none."""
    unit, share, most = -1, 0.0, -1.0
    for entry in range(count):
        found = sums[entry, PLACE] + sums[entry, CROSS] + sums[entry, OTHER]
        rounded = round(found * _ROUND)
        if rounded > most or (rounded == most and rank[units[entry]] < rank[unit]):
            unit, share, most = units[entry], found, rounded
    return unit, share


@_compile
def _largest(sums: Any, count: int, group: int) -> float:
    largest = 0.0
    for entry in range(count):
        largest = max(largest, sums[entry, group])
    return largest
