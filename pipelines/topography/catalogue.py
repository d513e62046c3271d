"""The rules of base topography with the severities that a city gave them."""

from collections.abc import Mapping

from census.catalogue import adapted
from gis.codes import Rule, Severity, read_rules

FIXED = frozenset({"TP01"})
"""Rules that always refuse: a feature without class can not be stored."""
MILD = frozenset({"TP80", "TP81", "TP82", "TP83", "TP84", "TP85"})
"""Rules of edge matching: they tell of features on two sheets, both of which are there."""


def topography_rules(severity: Mapping[str, Severity]) -> dict[str, Rule]:
    """Return the rules of topography by code, each as severe as the city wants it.

    Parameters
    ----------
    severity : mapping
        ``[topography] severity`` of the city profile: rule code -> ``error``, ``warning`` or ``off``.

    Raises
    ------
    SettingsError
        There is no rule of a code, a rule that always refuses is to do less, or one of edge matching
        is to refuse.

    Examples
    --------
    >>> topography_rules({"TP22": "error"})["TP22"].severity
    'error'
    """
    return adapted(
        read_rules("pipelines.topography"),
        severity,
        table="topography",
        fixed=FIXED,
        mild=MILD,
        listing="docs/topography.md",
    )
