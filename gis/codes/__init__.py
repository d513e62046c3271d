"""Code tables as data: every row carries the standard it comes from and the evidence for it."""

import csv
import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a catalogue ``rules.csv``."""

    code: str
    """Stable rule code, as in ``G002``."""
    severity: Severity
    """``error``: the row is refused; ``warning``: it is loaded and reported."""
    reason_en: str
    """What is wrong, with placeholders for the row's values."""
    reason_zh: str
    fix_en: str = ""
    """What the surveyor should do."""
    fix_zh: str = ""


@cache
def read_rules(package: str) -> dict[str, Rule]:
    """Return the rules of ``rules.csv`` in `package`, by code.

    Parameters
    ----------
    package : str
        Importable package that holds the file, as in ``gis.codes``.
    """
    return {
        row["code"]: Rule(
            code=row["code"],
            severity="error" if row["severity"] == "error" else "warning",
            reason_en=row["reason_en"],
            reason_zh=row["reason_zh"],
            fix_en=row["fix_en"],
            fix_zh=row["fix_zh"],
        )
        for row in read_table(package, "rules.csv")
    }


def read_table(package: str, name: str) -> list[dict[str, str]]:
    """Return the rows of the CSV `name` in `package`; all values are text, codes keep zeros."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
