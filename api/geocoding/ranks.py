"""What is suggested first: a value for each text by the best place it names."""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from api.geocoding import probes
from api.geocoding.keys import HOWS, KINDS, Postings, Words
from api.geocoding.numbered import plate_number
from api.geocoding.texts import text_arrays

_NAMES = {"area": 50_000, "street": 48_000, "block": 42_000, "poi": 40_000, "zone": 38_000}
"""Value of a name by kind; what many may mean stands before what few mean."""
_ADDRESSES = {"area": 30_000, "street": 30_000, "block": 28_000, "zone": 26_000, "poi": 12_000}
_LESS = {"name": 0, "alias": 3_000, "short": 6_000}
_PLATE, _MEMBER, _PLATE_ADDRESS = 25_000, 9_000, 24_000
"""A plate with its road, a place at a plate, a plate with its areas; each less its number."""
_NUMBERS = 8_000
"""Numbers up to this one keep their order."""
_PER_CHARACTER = 150
_LONGEST = 60
_PER_DOUBLING = 700
_DOUBLINGS = 10


def rank_texts(
    postings: Postings, words: Words, *, is_live: NDArray[np.bool_], members: NDArray[np.int64]
) -> NDArray[np.uint16]:
    """Return the value of each text: that of the best live place it names, 0 if there is none.

    Parameters
    ----------
    postings : Postings
        The texts.
    words : Words
        Words of the places.
    is_live : array of bool
        Rows that hold today.
    members : array of int
        How many places stand along or in each row's own road or compound.
    """
    if not len(postings.row):
        return np.zeros(len(postings.texts), dtype=np.uint16)
    kind = words.kind[postings.row].astype(np.int64)
    value = _table()[postings.how, kind]
    is_plate = kind == KINDS.index("plate")
    numbers = _plate_numbers(words)[postings.row]
    value -= np.where(value <= _PLATE, np.minimum(numbers, _NUMBERS), 0)
    # 复旦大学 is what many names go on from: it is known.
    texts = text_arrays(postings.texts)
    known = probes.continued(texts["bytes"], texts["offsets"], 1 << _DOUBLINGS)
    known = np.maximum(np.repeat(known, np.diff(postings.first)), members[postings.row])
    doublings = np.minimum(np.log2(1.0 + known), _DOUBLINGS)
    value += np.where(is_plate, 0, _PER_DOUBLING * doublings).astype(np.int64)
    lengths = _lengths(postings)
    of_posting = np.repeat(lengths, np.diff(postings.first))
    value -= np.where(is_plate, 0, _PER_CHARACTER * np.minimum(of_posting, _LONGEST))
    value = np.where(is_live[postings.row], np.clip(value, 1, 65_535), 0)
    best = np.maximum.reduceat(value, postings.first[:-1])
    return best.astype(np.uint16)


def _table() -> NDArray[np.int64]:
    table = np.full((len(HOWS), len(KINDS) + 1), 1_000, dtype=np.int64)
    for number, kind in enumerate(KINDS):
        for how, less in _LESS.items():
            table[HOWS.index(how), number] = _NAMES.get(kind, 1_000 + less) - less
        table[HOWS.index("address"), number] = _ADDRESSES.get(kind, _PLATE_ADDRESS)
        table[HOWS.index("plate"), number] = _PLATE
        table[HOWS.index("member"), number] = _MEMBER
    return table


def _plate_numbers(words: Words) -> NDArray[np.int64]:
    told = {text: plate_number(text) or (0, _NUMBERS, 0) for text in set(words.levels["plate"])}
    return np.array(
        [told[text][1] or told[text][0] for text in words.levels["plate"]], dtype=np.int64
    )


def _lengths(postings: Postings) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = pc.utf8_length(postings.texts).to_numpy().astype(np.int64)
    return lengths


def tree_of(value: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return a tree of maxima over values, its leaves in the upper half.

    Examples
    --------
    >>> tree_of(np.array([3, 9, 4], dtype=np.uint16)).tolist()
    [0, 9, 9, 3, 9, 4]
    """
    tree = np.concatenate([np.zeros(len(value), dtype=np.uint16), value])
    probes.fill_maxima(tree)
    return tree
