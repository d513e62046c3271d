"""The rules of the component census with the severities that a city gave them."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from gis.codes import Rule, Severity, read_rules
from gis.errors import SettingsError

FIXED = frozenset({"C001", "C002", "C003", "C012"})
"""Rules that always refuse: such a row can not be stored, it has no class or no code of its own."""


def census_rules(severity: Mapping[str, Severity]) -> dict[str, Rule]:
    """Return the rules of the census by code, each as severe as the city wants it.

    Parameters
    ----------
    severity : mapping
        ``[census] severity`` of the city profile: rule code -> ``error``, ``warning`` or ``off``.

    Raises
    ------
    SettingsError
        There is no rule of a code, or a rule that always refuses is to do less.

    Examples
    --------
    >>> census_rules({"C046": "off"})["C046"].severity
    'off'
    """
    return adapted(
        read_rules("census"),
        severity,
        table="census",
        fixed=FIXED,
        listing="`wanmi census rules`",
    )


def adapted(
    rules: Mapping[str, Rule],
    severity: Mapping[str, Severity],
    *,
    table: str,
    fixed: frozenset[str],
    listing: str,
    mild: frozenset[str] = frozenset(),
) -> dict[str, Rule]:
    """Return rules as severe as a city wants them.

    Parameters
    ----------
    rules : mapping
        The catalogue by code.
    severity : mapping
        Rule code -> ``error``, ``warning`` or ``off``.
    table : str
        Table of the city profile that `severity` stands in.
    fixed : frozenset of str
        Rules that always refuse.
    listing : str
        Where the rules are listed, for the sentence that says so.
    mild : frozenset of str
        Rules that never refuse.

    Raises
    ------
    SettingsError
        There is no rule of a code, a rule that always refuses is to do less, or one that never does
        is to do more.
    """
    for code, wanted in severity.items():
        if code not in rules:
            near = get_close_matches(code.upper(), rules, n=1)
            hint, hint_zh = (
                (f" (did you mean {near[0]}?)", f"（是否为 {near[0]}？）") if near else ("", "")
            )
            msg = (
                f"[{table}] severity names {code!r}, which is no rule{hint}: {listing} lists them."
            )
            raise SettingsError(
                msg,
                zh=f"[{table}] severity 中的“{code}”不是规则{hint_zh}，请用 {listing.strip('`')} 查看。",
            )
        if code in fixed and wanted != "error":
            msg = (
                f"[{table}] severity makes {code} {wanted!r}, but rows that break it can not be stored: "
                "take this entry out."
            )
            raise SettingsError(
                msg,
                zh=f"[{table}] severity 把 {code} 设为“{wanted}”，但违反该规则的数据无法入库，请删除此项。",
            )
        if code in mild and wanted == "error":
            msg = (
                f"[{table}] severity makes {code} 'error', but it tells of two features, neither of "
                "which is refused: use 'warning' or 'off'."
            )
            raise SettingsError(
                msg,
                zh=f"[{table}] severity 把 {code} 设为“error”，但该规则涉及两个要素，均不退回："
                "请使用 warning 或 off。",
            )
    return {
        code: replace(rule, severity=severity.get(code, rule.severity))
        for code, rule in rules.items()
    }
