"""A rule catalogue as tables in a page of the documentation, written from the data.

``python -m census.rulebook docs/census/rules.md`` brings the page of the census up to date, and
``python -m census.rulebook docs/topography-rules.md pipelines.topography`` that of base topography.
"""

import re
import sys
from pathlib import Path

from census.catalogue import FIXED
from gis.codes import read_rules, read_table

_FIXED = FIXED | {"TP01"}
_BLOCK = "<!-- rules {part} -->\n{table}\n<!-- end -->"
_FOUND = re.compile(r"<!-- rules (\w+) -->\n.*?<!-- end -->", flags=re.DOTALL)


def rule_table(part: str, package: str = "census") -> str:
    """Return the rules of one file of a package's folder ``rules`` as a table, in both languages.

    Examples
    --------
    >>> print(rule_table("identity").splitlines()[2][:31])
    | C001 | **error**, always | No
    """
    rules = read_rules(package)
    lines = [
        "| rule | severity | what, why, how to mend it | 问题、原因、处理 |",
        "|---|---|---|---|",
    ]
    for row in read_table(f"{package}.rules", f"{part}.csv"):
        rule = rules[row["code"]]
        severity = "**error**" if rule.severity == "error" else str(rule.severity)
        severity += ", always" if rule.code in _FIXED else ""
        english = f"{rule.reason_en}<br>{rule.why_en}<br>*{rule.fix_en}*"
        chinese = f"{rule.reason_zh}<br>{rule.why_zh}<br>*{rule.fix_zh}*"
        lines.append(f"| {rule.code} | {severity} | {_cell(english)} | {_cell(chinese)} |")
    return "\n".join(lines)


def refresh(page: str, package: str = "census") -> str:
    """Return the page with every table of rules between its markers written anew.

    Raises
    ------
    FileNotFoundError
        A marker names no file of the package's ``rules``.
    """

    def table(match: "re.Match[str]") -> str:
        return _BLOCK.format(part=match.group(1), table=rule_table(match.group(1), package))

    return _FOUND.sub(table, page)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    path, *package = sys.argv[1:]
    text = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(refresh(text, *package), encoding="utf-8")
