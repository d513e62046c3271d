"""The inverted index of names: what a bound on reading may cost, and what it may not."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from api.geocoding import grams
from api.geocoding.keys import KINDS, mask_of
from api.geocoding.search import from_row, to_row
from api.geocoding.sounds import (
    fold,
    folded,
    hash_of,
    hashes,
    pack,
    sounds_of,
    sounds_of_many,
    unpack,
)

NAMES = sorted(
    [
        *(f"{first}{second}超市" for first in "东南西北中" for second in "风华安"),
        "便民超市",
        "超超市市",
        "市",
    ]
)


def characters_of(names: list[str]) -> NDArray[np.uint32]:
    return np.frombuffer("".join(names).encode("utf-32-le"), dtype=np.uint32)


def offsets_of(names: list[str]) -> NDArray[np.int64]:
    return np.array([0, *np.cumsum([len(name) for name in names])], dtype=np.int64)


def ask(text: str, *, most_read: int, most_names: int = 5) -> list[str]:
    heard, offsets = folded(sounds_of_many(NAMES)), offsets_of(NAMES)
    built = grams.gram_arrays(characters_of(NAMES), heard, offsets)
    index = tuple(built[name] for name in ("code", "first", "name", "weight", "total"))
    own = folded(np.array(sounds_of(text), dtype=np.uint32))
    query, _ = grams.grams_of(characters_of([text]), own, np.array([0, len(text)]))
    scores = np.zeros(len(NAMES), dtype=np.float32)
    kinds = np.full(len(NAMES), 1 << KINDS.index("poi"), dtype=np.uint8)
    wanted: Any = (kinds, mask_of(["poi"]))
    found = grams.shared(index, query, scores, wanted, (most_read, most_names))
    assert not scores.any()
    return [NAMES[number] for number in found.tolist() if number >= 0]


@pytest.mark.parametrize("most_read", [3, 10, 100_000])
def test_rare_characters_lead_however_little_is_read(most_read: int) -> None:
    assert "便民超市" in ask("便民超市", most_read=most_read)
    assert "便民超市" in ask("变民超市", most_read=most_read)  # 变民 sounds like 便民


def test_characters_that_all_names_have_find_some_of_them() -> None:
    assert len(ask("超市", most_read=4)) >= 1
    assert len(ask("超市", most_read=100_000, most_names=50)) == len(NAMES)
    assert ask("龙", most_read=100) == []


def test_a_gram_that_a_name_has_twice_counts_once() -> None:
    heard = folded(sounds_of_many(["天天天"]))
    codes, names = grams.grams_of(characters_of(["天天天"]), heard, offsets_of(["天天天"]))
    assert len(codes) == 3  # the character, the pair, the pair of sounds
    assert names.tolist() == [0, 0, 0]


def test_only_kinds_that_are_wanted() -> None:
    heard, offsets = folded(sounds_of_many(NAMES)), offsets_of(NAMES)
    built = grams.gram_arrays(characters_of(NAMES), heard, offsets)
    index = tuple(built[name] for name in ("code", "first", "name", "weight", "total"))
    kinds = np.full(len(NAMES), 1 << KINDS.index("street"), dtype=np.uint8)
    query, _ = grams.grams_of(characters_of(["便民"]), heard[:2], np.array([0, 2]))
    scores = np.zeros(len(NAMES), dtype=np.float32)
    found = grams.shared(index, query, scores, (kinds, mask_of(["poi"])), (100, 5))
    assert set(found.tolist()) == {-1}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhang", "zan"),
        ("chen", "ceng"),
        ("niu", "liu"),
        ("hua", "fa"),
        ("rang", "lan"),
        ("lv", "lu"),
    ],
)
def test_sounds_that_are_confused_fold_to_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("zhang", "chang"), ("ba", "pa"), ("lu", "li"), ("an", "ai")]
)
def test_sounds_that_are_not_confused_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_folding_twice_changes_nothing() -> None:
    for text in ("zhuang", "huang", "nv", "er", "a", "7", "🙂", "hang", "feng"):
        assert fold(fold(text)) == fold(text)
        assert unpack(pack(text)) == text


def test_the_hashes_of_many_names_are_those_of_each() -> None:
    sounds, offsets = sounds_of_many(NAMES), offsets_of(NAMES)
    assert hashes(sounds, offsets).tolist() == [hash_of(sounds_of(name)) for name in NAMES]


def test_arrays_come_back_from_the_file_as_they_were() -> None:
    parts = {"a": {"x": np.arange(3, dtype=np.int64), "y": np.empty(0, dtype=np.uint8)}}
    again = from_row(to_row(parts))
    assert again["a"]["x"].tolist() == [0, 1, 2]
    assert (again["a"]["y"].dtype, len(again["a"]["y"])) == (np.uint8, 0)
