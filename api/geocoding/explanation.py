"""Why a place was found, in words, and what to ask when several fit as well."""

from collections.abc import Sequence
from functools import cache, lru_cache

from api.edition import LEVELS, Edition
from api.geocoding.agreement import area_at
from api.geocoding.candidates import Candidate
from gis.codes import read_table

_ASKED = 4
_LEVEL_WORDS = {
    "district": ("district", "哪个区"),
    "street": ("street office", "哪个街道"),
    "community": ("community", "哪个社区"),
}


@cache
def _phrases() -> dict[str, tuple[str, str]]:
    return {
        row["code"]: (row["en"], row["zh"]) for row in read_table("api.geocoding", "evidence.csv")
    }


@lru_cache(maxsize=4096)
def explain(match: str, evidence: tuple[str, ...]) -> tuple[str, str]:
    """Return how a candidate matched, in English and Chinese.

    Examples
    --------
    >>> explain("plate", ("area_contradicts",))
    ('door plate; it lies outside the area named', '门牌一致；不在所说的区域内')
    """
    known = _phrases()
    told = [known[code] for code in (match, *evidence)]
    return "; ".join(en for en, _ in told), "；".join(zh for _, zh in told)


def question_of(edition: Edition, candidates: Sequence[Candidate], name: str) -> tuple[str, str]:
    """Return the question that tells the surest candidates apart, in English and Chinese.

    Parameters
    ----------
    edition : Edition
        Areas that hold.
    candidates : sequence of Candidate
        Ranked candidates.
    name : str
        Name of the first.

    Returns
    -------
    tuple of str
        Empty texts when the first has no rivals, or nothing short tells them apart.
    """
    if not candidates or "rivals" not in candidates[0].evidence:
        return "", ""
    rivals = [item for item in candidates if "rivals" in item.evidence][:_ASKED]
    called = list(dict.fromkeys(_called(edition, item) for item in rivals))
    if len(called) > 1:
        return f"Which one: {', '.join(called)}?", f"是哪一处？{' / '.join(called)}"
    for level in LEVELS:
        names = list(dict.fromkeys(area_at(edition, item.spot, level=level) for item in rivals))
        names = [area for area in names if area]
        if len(names) > 1:
            en, zh = _LEVEL_WORDS[level]
            return (
                f"{name} in which {en}: {', '.join(names)}?",
                f"{zh}的{name}？{' / '.join(names)}",
            )
    roads = list(dict.fromkeys(edition.gazetteer.road_of(item.row) for item in rivals))
    roads = [road for road in roads if road]
    if len(roads) > 1:
        return (
            f"{name} on which road: {', '.join(roads)}?",
            f"哪条路上的{name}？{' / '.join(roads)}",
        )
    return "", ""


def _called(edition: Edition, item: Candidate) -> str:
    return item.label or edition.gazetteer.name(item.row)
