"""Which of the two languages a client reads."""

from typing import Literal

Language = Literal["en", "zh"]


def choose_language(accept: str) -> Language:
    """Return the language of an ``Accept-Language`` header that is wanted most.

    English and Chinese are offered; equal weights: the one named first; neither named: English.
    A weight that is not a number counts as 0.

    Examples
    --------
    >>> choose_language("zh-CN,zh;q=0.9,en;q=0.8")
    'zh'
    >>> choose_language("fr, en;q=0.5, zh;q=0.4")
    'en'
    >>> choose_language("")
    'en'
    """
    best: Language = "en"
    best_weight = 0.0
    for part in accept.split(","):
        name, _, parameters = part.strip().partition(";")
        primary = name.strip().lower().partition("-")[0]
        if primary not in ("en", "zh"):
            continue
        weight = _weight(parameters)
        if weight > best_weight:
            best_weight = weight
            best = "zh" if primary == "zh" else "en"
    return best


def _weight(parameters: str) -> float:
    key, _, value = parameters.strip().partition("=")
    if key.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
