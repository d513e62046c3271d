"""The reasons of decisions as a table in ``docs/decision.md``, written from the data.

``python -m api.telling.reasonbook docs/decision.md`` brings the page up to date.
"""

import re
import sys
from pathlib import Path

from api.telling.wording import reasons

_BLOCK = "<!-- reasons -->\n{table}\n<!-- end -->"
_FOUND = re.compile(r"<!-- reasons -->\n.*?<!-- end -->", flags=re.DOTALL)


def reason_lines() -> str:
    """Return a table of the reasons: code, whether a person should look, both languages.

    Examples
    --------
    >>> print(reason_lines().splitlines()[0])
    | reason | a person looks | meaning | 含义 |
    """
    lines = [
        f"| `{code}` | {row['review']} | {row['en']} | {row['zh']} |"
        for code, row in reasons().items()
    ]
    return "\n".join(["| reason | a person looks | meaning | 含义 |", "|---|---|---|---|", *lines])


def refresh(page: str) -> str:
    """Return the page with the table of reasons between its markers written anew."""
    return _FOUND.sub(lambda _: _BLOCK.format(table=reason_lines()), page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(refresh(path.read_text(encoding="utf-8")), encoding="utf-8")
