"""The rules of base topography with the severities that a city gave them."""

from collections.abc import Mapping

from census.catalogue import adapted
from gis.codes import Rule, Severity, read_rules

FIXED = frozenset({"TP01"})
"""Rules that always refuse: a feature without class can not be stored."""


def topography_rules(severity: Mapping[str, Severity]) -> dict[str, Rule]:
    """Return the rules of topography by code, each as severe as the city wants it.

    Parameters
    ----------
    severity : mapping
        ``[topography] severity`` of the city profile: rule code -> ``error``, ``warning`` or ``off``.

    Raises
    ------
    SettingsError
        There is no rule of a code, or a rule that always refuses is to do less.

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
        listing="docs/topography.md",
    )
