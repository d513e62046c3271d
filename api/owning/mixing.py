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
    firsts, lasts, keys, weights = runs
    spare_key, spare_weight = spare
    out_keys, out_weights = merged
    end = 0
    for case in range(len(own)):
        begin = starts[case] = end
        out_keys[end] = own[case]
        out_weights[end] = 1.0 if firsts[case] == lasts[case] else 0.0
        end += 1
        for entry in range(firsts[case], lasts[case]):
            end = _added(out_keys, out_weights, begin, end, keys[entry], weights[entry])
        if spare_weight[case] > 0.0:
            end = _added(out_keys, out_weights, begin, end, spare_key, spare_weight[case])
    starts[len(own)] = end


@_compile
def _added(keys: Any, weights: Any, begin: int, end: int, key: int, weight: float) -> int:
    for at in range(begin, end):
        if keys[at] == key:
            weights[at] += weight
            return end
    keys[end] = key
    weights[end] = weight
    return end + 1


@_compile
def pairs(topic: Any, places: Any, components: Any, out: Any) -> None:
    """Write topic, effect and meaning of every combination of place and component, case by case."""
    place_starts, effects, _ = places
    component_starts, meanings, _ = components
    topics, pair_effects, pair_meanings = out
    pair = 0
    for case in range(len(topic)):
        for place in range(place_starts[case], place_starts[case + 1]):
            for component in range(component_starts[case], component_starts[case + 1]):
                topics[pair] = topic[case]
                pair_effects[pair] = effects[place]
                pair_meanings[pair] = meanings[component]
                pair += 1


@_compile
def sum_up(number: Any, places: Any, components: Any, told: Any, out: Any) -> None:
    """Add up the probabilities of units over the combinations of every case.

    Parameters
    ----------
    number : ndarray
        Resolution of each combination, in the order of `pairs`; the first of a case is the one taken.
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
    place_starts, _, place_weights = places
    component_starts, _, component_weights = components
    units = np.empty(64, dtype=np.int32)
    sums = np.empty((64, 3))
    pair = 0
    for case in range(len(place_starts) - 1):
        chosen = unit_of[number[pair]]
        count = 0
        mine = 0.0
        for place in range(place_starts[case], place_starts[case + 1]):
            here = unit_of[number[pair]]
            for component in range(component_starts[case], component_starts[case + 1]):
                found = number[pair]
                weight = place_weights[place] * component_weights[component]
                pair += 1
                unit = unit_of[found]
                if unit < 0 or weight <= 0.0:
                    continue
                most_new = rival_starts[found + 1] - rival_starts[found] + 1
                if count + most_new > len(units):
                    units = np.append(units, np.empty(len(units) + most_new, dtype=np.int32))
                    sums = np.concatenate((sums, np.empty((len(units) - len(sums), 3))))
                if unit == chosen:
                    mine += weight * certainty[found]
                else:
                    group = CROSS if here == chosen else PLACE
                    share = weight * certainty[found]
                    count = _counted(units, sums, count, unit, group, share)
                for rival in range(rival_starts[found], rival_starts[found + 1]):
                    share = weight * rival_share[rival]
                    if rival_unit[rival] == chosen:
                        mine += share
                    else:
                        group = rival_group[rival]
                        count = _counted(units, sums, count, rival_unit[rival], group, share)
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


@_compile
def _counted(units: Any, sums: Any, count: int, unit: int, group: int, share: float) -> int:
    for entry in range(count):
        if units[entry] == unit:
            sums[entry, group] += share
            return count
    units[count] = unit
    sums[count] = 0.0
    sums[count, group] = share
    return count + 1
