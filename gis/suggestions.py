"""What an unknown column name may mean: by likeness, by pinyin, by the words in it.

Suggestions are shown, never followed: a wrong column loaded quietly is worse than one left out.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import JaroWinkler, Levenshtein

_LIKE = 0.88
_LEAST_LETTERS = 4
"""Shorter names are like too many others."""
_LEAST_INITIALS = 3
_MOST = 2


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A platform column that a name may stand for."""

    column: str
    spelling: str
    """The known spelling that speaks for it."""
    score: float


def suggest_columns(
    name: str, known: Sequence[tuple[str, str]], *, limit: int = _MOST
) -> tuple[Suggestion, ...]:
    """Return the platform columns that a name may stand for, the likeliest first.

    Parameters
    ----------
    name : str
        Column of a file.
    known : sequence
        (platform column, known spelling) pairs.
    limit : int
        How many at most.

    Examples
    --------
    >>> known = [("owner_name", "权属单位名称"), ("owner_code", "权属单位代码"), ("code", "ObjID")]
    >>> [guess.column for guess in suggest_columns("QSDWMC", known)]
    ['owner_name']
    >>> [guess.column for guess in suggest_columns("产权单位名称", known)]
    ['owner_name']
    >>> suggest_columns("WIDTH", known)
    ()
    """
    plain = _letters(name)
    best: dict[str, Suggestion] = {}
    for column, spelling in known:
        score = max(_likeness(plain, form) for form in _forms(spelling))
        found = best.get(column)
        if score >= _LIKE and (found is None or score > found.score):
            best[column] = Suggestion(column=column, spelling=spelling, score=score)
    ranked = sorted(best.values(), key=lambda guess: (-guess.score, guess.column))
    return tuple(guess for guess in ranked[:limit] if guess.score >= ranked[0].score - 0.05)


def _letters(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "", folded)


@cache
def _forms(spelling: str) -> tuple[str, ...]:
    """Return a spelling, and for a Chinese one its pinyin, initials, and words of the same meaning."""
    plain = _letters(spelling)
    if plain.isascii():
        return (plain,)
    from pypinyin import Style, lazy_pinyin  # takes longer to load than most commands run

    forms = [plain]
    for word, others in _SAME.items():
        forms.extend(plain.replace(word, other) for other in others if word in plain)
    chinese = list(forms)
    for form in chinese:
        forms.append("".join(lazy_pinyin(form)))
        forms.append("".join(lazy_pinyin(form, style=Style.FIRST_LETTER)))
    return tuple(dict.fromkeys(forms))


_SAME = {
    "权属单位": ("产权单位", "权属部门", "所有权单位", "业主单位", "产权人"),
    "养护单位": ("管养单位", "维护单位", "管护单位", "养护部门", "维护部门"),
    "主管部门": ("主管单位", "管理部门", "管理单位", "行业主管部门"),
    "标识码": ("编号", "编码", "代码", "唯一码"),
    "名称": ("名字",),
    "代码": ("编码", "编号"),
    "状态": ("状况", "现状"),
    "日期": ("时间",),
    "单元网格": ("网格", "万米网格"),
}
"""Words of the standards and those that cities say instead."""


def _likeness(name: str, form: str) -> float:
    shorter = min(len(name), len(form))
    if name == form and (shorter >= _LEAST_INITIALS or not name.isascii()):
        return 1.0
    if not name.isascii():
        # Two characters of Chinese are a word: one of four may differ, no more.
        return Levenshtein.normalized_similarity(name, form) + 0.13 if shorter >= 4 else 0.0
    if shorter < _LEAST_LETTERS or abs(len(name) - len(form)) > 2:
        return 0.0
    if shorter <= 6:  # one slip in an abbreviation is all that leaves it itself
        return 0.9 if Levenshtein.distance(name, form) == 1 and name[0] == form[0] else 0.0
    return JaroWinkler.normalized_similarity(name, form) - 0.03
