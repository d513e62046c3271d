"""How names sound: toneless syllables packed into integers, and the folding of what is confused.

One integer per character, so that the sounds of a name lie beside its characters in arrays. A
syllable of up to six letters is packed five bits a letter; any other character is its code point
with the highest bit set.
"""

from collections.abc import Iterable
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from gis.codes import read_table
from gis.names.readings import readings

_SIGN = 1 << 31
_BITS = 5
_LONGEST_SYLLABLE = 6
_A = ord("a") - 1


def pack(syllable: str) -> int:
    """Return the integer of a syllable or of a character that has none.

    Examples
    --------
    >>> unpack(pack("zhuang")), unpack(pack("7")), unpack(pack("😀"))
    ('zhuang', '7', '😀')
    """
    if is_syllable(syllable):
        packed = 0
        for letter in syllable:
            packed = packed << _BITS | ord(letter) - _A
        return packed
    return _SIGN | ord(syllable[0])


def is_syllable(text: str) -> bool:
    """Tell whether a text is the syllable of a character, not a character without one."""
    return (
        1 <= len(text) <= _LONGEST_SYLLABLE and text.isascii() and text.isalpha() and text.islower()
    )


@lru_cache(maxsize=4096)
def unpack(packed: int) -> str:
    """Return the syllable or the character of an integer."""
    if packed & _SIGN:
        return chr(packed & ~_SIGN)
    letters = []
    while packed:
        letters.append(chr((packed & 31) + _A))
        packed >>= _BITS
    return "".join(reversed(letters))


@cache
def _rules() -> list[tuple[str, str, str]]:
    rows = read_table("api.geocoding", "confused_sounds.csv")
    return [(row["place"], row["heard"], row["folded"]) for row in rows]


@lru_cache(maxsize=4096)
def fold(syllable: str) -> str:
    """Return the syllable that stands for all those it is confused with.

    The rules are `confused_sounds.csv`: one initial and one final at most are replaced.

    Examples
    --------
    >>> [fold(text) for text in ("zhang", "cheng", "ning", "lin", "huang", "fan", "ren", "lv")]
    ['zan', 'cen', 'lin', 'lin', 'fan', 'fan', 'len', 'lu']
    """
    if not is_syllable(syllable):
        return syllable
    text = syllable
    for place in ("initial", "final"):
        for where, heard, folded in _rules():
            if where != place:
                continue
            if place == "initial" and text.startswith(heard):
                text = folded + text[len(heard) :]
                break
            if place == "final" and text.endswith(heard):
                text = text[: -len(heard)] + folded
                break
    return text


def is_sound(packed: int) -> bool:
    """Tell whether an integer is a syllable, not a character without one."""
    return not packed & _SIGN


@lru_cache(maxsize=4096)
def initial(packed: int) -> str:
    """Return the first letter of a syllable, or the character.

    Examples
    --------
    >>> "".join(initial(sound) for sound in sounds_of("中山路3号"))
    'zsl3h'
    """
    return unpack(packed)[0]


@lru_cache(maxsize=65_536)
def sounds_of(name: str, *, province: str = "") -> tuple[int, ...]:
    """Return the sound of each character of a name, read as in a province (first digits of its code)."""
    return tuple(map(pack, readings(province).read_bare(name)))


def sounds_of_many(names: Iterable[str], *, province: str = "") -> NDArray[np.uint32]:
    """Return the sounds of names one after the other."""
    read = readings(province).read_bare
    packed = lru_cache(maxsize=65_536)(pack)
    return np.array([packed(part) for name in names for part in read(name)], dtype=np.uint32)


@lru_cache(maxsize=8192)
def fold_sound(packed: int) -> int:
    """Return the sound that stands for all those it is confused with."""
    return pack(fold(unpack(packed)))


def folded(sounds: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the sounds with what is confused made one.

    Examples
    --------
    >>> [unpack(int(sound)) for sound in folded(np.array(sounds_of("张江3路"), dtype=np.uint32))]
    ['zan', 'jian', '3', 'lu']
    """
    distinct, place = np.unique(sounds, return_inverse=True)
    table = [fold_sound(sound) for sound in distinct.tolist()]
    return np.array(table, dtype=np.uint32)[place.reshape(-1)]


def hash_of(sounds: Iterable[int]) -> int:
    """Return 64 bits of a sequence of sounds: the polynomial that `hashes` takes of many at once."""
    state = 0
    for sound in sounds:
        state = (state * _FACTOR + sound + 1) & _MASK
    return state


_FACTOR = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def hashes(sounds: NDArray[np.uint32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return `hash_of` of the sounds of each name.

    Examples
    --------
    >>> sounds = np.array([5, 6, 7, 8], dtype=np.uint32)
    >>> hashes(sounds, np.array([0, 1, 4])).tolist() == [hash_of([5]), hash_of([6, 7, 8])]
    True
    """
    lengths = np.diff(offsets)
    state = np.zeros(len(lengths), dtype=np.uint64)
    factor = np.uint64(_FACTOR)
    for step in range(int(lengths.max(initial=0))):
        on = np.flatnonzero(lengths > step)
        state[on] = state[on] * factor + sounds[offsets[on] + step].astype(np.uint64) + np.uint64(1)
    return state
