"""Names alike in writing or in sound: an inverted index of characters and pairs, then an edit distance.

The grams of a name are its characters, its pairs of neighbouring characters, and its pairs of
neighbouring sounds (`api.geocoding.sounds.folded`). A gram counts the more the fewer names have it
(inverse document frequency). Names that share the most with a text are compared with it character
by character; a character that sounds like the one it stands for is half an error.
"""

from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from api.geocoding.probes import first_not_below
from api.geocoding.texts import Arrays
from gis.compiled import forget_stale

forget_stale(Path(__file__).parent, modules=("grams",), built_from=("probes",))

_PAIR = np.uint64(21)
_HEARD = np.uint64(1 << 63)
_HEARD_SHIFT = np.uint64(31)
READ_AT_MOST = 120_000
"""Postings read for one text: grams that very many names have count only where rarer ones led."""
_LOOKED_UP_AT_MOST = 5_000


def grams_of(
    characters: NDArray[np.uint32], heard: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the distinct grams of names and the name of each, sorted by gram, then by name."""
    lengths = np.diff(offsets)
    name = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    one = characters.astype(np.uint64)
    sound = heard.astype(np.uint64) & np.uint64(0x7FFFFFFF)
    paired = np.flatnonzero(name[:-1] == name[1:]) if len(name) else np.empty(0, dtype=np.int64)
    pairs = (one[paired] + np.uint64(1)) << _PAIR | one[paired + 1]
    tones = _HEARD | sound[paired] << _HEARD_SHIFT | sound[paired + 1]
    grams = np.concatenate([one, pairs, tones])
    names = np.concatenate([name, name[paired], name[paired]])
    order = np.argsort(grams, kind="stable")  # names of one gram and kind stay in order
    grams, names = grams[order], names[order]
    fresh = np.ones(len(grams), dtype=bool)
    fresh[1:] = (grams[1:] != grams[:-1]) | (names[1:] != names[:-1])
    return grams[fresh], names[fresh]


def gram_arrays(
    characters: NDArray[np.uint32], heard: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> Arrays:
    """Return the inverted index of names: grams, postings, weights."""
    grams, names = grams_of(characters, heard, offsets)
    codes, start = np.unique(grams, return_index=True)
    first = np.append(start, len(grams)).astype(np.int64)
    frequency = np.diff(first)
    size = max(len(offsets) - 1, 1)
    weight = np.log1p(size / np.maximum(frequency, 1)).astype(np.float32)
    total = np.bincount(names, weights=np.repeat(weight, frequency), minlength=len(offsets) - 1)
    return {
        "code": codes,
        "first": first,
        "name": names.astype(np.int32),
        "weight": weight,
        "total": total.astype(np.float32),
    }


@numba.njit(cache=True)
def shared(index: Any, query: Any, scores: Any, wanted: Any, limits: Any) -> Any:
    """Return the names that share most with a text, in no order; -1 fills up.

    Parameters
    ----------
    index : tuple of arrays
        code, first, name, weight, total of `gram_arrays`.
    query : array of uint64
        Distinct grams of the text.
    scores : array of float32
        Scratch: a zero for each name; left as it was.
    wanted : tuple
        Mask of the kinds of each name, and the kinds wanted.
    limits : tuple of int
        Most postings read, most names returned.

    What is shared is the weight of the common grams as a share of that of all grams of both.
    """
    most_read, most_names = limits
    spread, place, own = _spread(index, query)
    touched = _gather(index, spread, place, scores, most_read)
    return _choose(index, touched, own, (scores, most_names), wanted)


@numba.njit(cache=True)
def _spread(index: Any, query: Any) -> Any:
    """Return how many names have each gram, its place in the index, the weight of all grams."""
    code, first, _, weight, total = index
    place = np.empty(len(query), dtype=np.int64)
    spread = np.full(len(query), -1, dtype=np.int64)
    own = np.float32(0.0)
    unknown = np.float32(np.log1p(np.float64(max(len(total), 1))))
    for number in range(len(query)):
        at = place[number] = first_not_below(code, query[number])
        if at < len(code) and code[at] == query[number]:
            spread[number] = first[at + 1] - first[at]
            own += weight[at]
        else:
            own += unknown
    return spread, place, own


@numba.njit(cache=True)
def _rising(values: Any) -> Any:
    """Return the places of a few values in rising order, equals as they stand."""
    order = np.arange(len(values))
    for place in range(1, len(values)):
        moved = order[place]
        step = place
        while step > 0 and values[order[step - 1]] > values[moved]:
            order[step] = order[step - 1]
            step -= 1
        order[step] = moved
    return order


@numba.njit(cache=True)
def _gather(index: Any, spread: Any, place: Any, scores: Any, most_read: int) -> Any:
    """Add the weights of the grams to the names that have them, rare grams first."""
    _, first, name, weight, _ = index
    touched = np.empty(most_read, dtype=np.int32)
    count = 0
    read = 0
    for number in _rising(spread):
        if spread[number] <= 0:
            continue
        at = place[number]
        start, end = first[at], first[at + 1]
        if read and read + end - start > most_read:
            if count <= _LOOKED_UP_AT_MOST:
                _add_known(name[start:end], weight[at], touched[:count], scores)
            continue
        end = min(end, start + most_read)
        read += end - start
        for step in range(start, end):
            candidate = name[step]
            if scores[candidate] == 0.0:
                touched[count] = candidate
                count += 1
            scores[candidate] += weight[at]
    return touched[:count]


@numba.njit(cache=True)
def _add_known(names: Any, weight: Any, touched: Any, scores: Any) -> None:
    """Add the weight of a gram that very many names have to those that rarer ones led to."""
    for candidate in touched:
        where = first_not_below(names, candidate)
        if where < len(names) and names[where] == candidate:
            scores[candidate] += weight


@numba.njit(cache=True)
def _choose(index: Any, touched: Any, own: Any, kept: Any, wanted: Any) -> Any:
    """Return the names of the best shares, and leave the scores as they were."""
    total = index[4]
    scores, most_names = kept
    kinds, mask = wanted
    best = np.zeros(most_names, dtype=np.float32)
    names = np.full(most_names, -1, dtype=np.int32)
    least = 0
    for candidate in touched:
        share = scores[candidate] / (own + total[candidate] - scores[candidate])
        scores[candidate] = 0.0
        if share > best[least] and kinds[candidate] & mask:
            best[least] = share
            names[least] = candidate
            for step in range(most_names):
                if best[step] < best[least]:
                    least = step
    return names


@numba.njit(cache=True)
def likeness(
    characters: Any, heard: Any, offsets: Any, names: Any, text: Any, text_heard: Any
) -> Any:
    """Return how alike names are to a text, 0-1: one less the edits as a share of the longer one.

    A character replaced by one that sounds alike is half an edit.
    """
    size = len(text)
    result = np.zeros(len(names), dtype=np.float64)
    for number in range(len(names)):
        start, end = offsets[names[number]], offsets[names[number] + 1]
        row = np.arange(size + 1).astype(np.float64)
        for step in range(start, end):
            diagonal = row[0]
            row[0] = step - start + 1.0
            for column in range(1, size + 1):
                cost = 0.0
                if characters[step] != text[column - 1]:
                    cost = 0.5 if heard[step] == text_heard[column - 1] else 1.0
                value = min(diagonal + cost, row[column] + 1.0, row[column - 1] + 1.0)
                diagonal = row[column]
                row[column] = value
        longer = max(size, end - start)
        result[number] = 1.0 - row[size] / longer if longer else 1.0
    return result
