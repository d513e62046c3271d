import numpy as np
import pandas as pd
import pytest

from census.coding import next_codes, recall_codes
from gis.errors import CodeError

BEFORE = pd.DataFrame(
    {
        "code": ["k1", "k2", "k3"],
        "class_code": ["0104", "0104", "0105"],
        "x": [0.0, 1.0, 0.0],
        "y": [0.0, 0.0, 0.0],
    }
)


def recall(points, classes):
    return recall_codes(
        np.array(points, dtype=float).reshape(-1, 2),
        pd.Series(classes, dtype=object),
        before=BEFORE,
    ).tolist()


def test_the_nearest_of_its_class_gives_its_code_back():
    assert recall([[0.1, 0], [1.5, 0], [0, 0.2], [1.6, 0]], ["0104", "0104", "0105", "0104"]) == [
        "k1", "k2", "k3", None,
    ]  # fmt: skip


def test_each_code_is_recalled_once_by_the_nearest():
    assert recall([[0.3, 0], [0.2, 0]], ["0104", "0104"]) == [None, "k1"]
    assert recall([[0.5, 0], [0.5, 0]], ["0104", "0104"]) == ["k1", "k2"]


def test_there_may_be_nothing_to_recall():
    assert recall([], []) == []
    empty = recall_codes(np.zeros((1, 2)), pd.Series(["0104"]), before=BEFORE.iloc[:0])
    assert empty.tolist() == [None]


def test_new_codes_follow_the_largest_ever_used():
    prefixes = pd.Series(["1301020104", "1301020105", "1301020104"], index=[4, 2, 9])
    codes = next_codes(prefixes, largest={"1301020104": 41})
    assert codes.to_dict() == {4: "1301020104000042", 2: "1301020105000001", 9: "1301020104000043"}


def test_a_full_prefix_is_refused():
    with pytest.raises(CodeError, match="1301020104"):
        next_codes(pd.Series(["1301020104"]), largest={"1301020104": 999_999})
