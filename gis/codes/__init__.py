"""Code tables as data: every row carries the standard it comes from and the evidence for it."""

import csv
import io
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Literal

Severity = Literal["error", "warning", "off"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a catalogue: ``rules.csv``, or the files of a folder ``rules``."""

    code: str
    """Stable rule code, as in ``G002``."""
    severity: Severity
    """``error``: the row is refused; ``warning``: it is loaded and reported; ``off``: unsaid."""
    reason_en: str
    """What is wrong, with placeholders for the row's values."""
    reason_zh: str
    fix_en: str = ""
    """What the surveyor should do."""
    fix_zh: str = ""
    subject: str = ""
    """What the rule looks at, as ``code`` or ``position``."""
    why_en: str = ""
    """Why it is a rule: the clause of the standard, or what goes wrong without it."""
    why_zh: str = ""


@cache
def read_rules(package: str) -> dict[str, Rule]:
    """Return the rules of ``rules.csv`` in `package`, or of its folder ``rules``, by code.

    Parameters
    ----------
    package : str
        Importable package that holds the catalogue, as in ``gis.codes``.
    """
    columns = [field.name for field in fields(Rule)]
    return {
        row["code"]: Rule(**{name: row[name] for name in columns if name in row})  # type: ignore[arg-type]
        for row in _rule_rows(package)
    }


def _rule_rows(package: str) -> list[dict[str, str]]:
    folder = resources.files(package).joinpath("rules")
    if not folder.is_dir():
        return read_table(package, "rules.csv")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".csv"))
    rows = [row for name in names for row in read_table(f"{package}.rules", name)]
    return sorted(rows, key=lambda row: row["code"])


def read_table(package: str, name: str) -> list[dict[str, str]]:
    """Return the rows of the CSV `name` in `package`; all values are text, codes keep zeros."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
