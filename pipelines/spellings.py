"""The known spellings of delivered columns as tables in ``docs/deliveries.md``, written from the data.

``python -m pipelines.spellings docs/deliveries.md`` brings the page up to date.
"""

import re
import sys
from pathlib import Path

from gis.codes import read_table
from pipelines.delivery import DATASETS

_BLOCK = "<!-- spellings {dataset} -->\n{table}\n<!-- end -->"
_FOUND = re.compile(r"<!-- spellings (\w+) -->\n.*?<!-- end -->", flags=re.DOTALL)


def spelling_table(dataset: str) -> str:
    """Return a table of the platform columns of a dataset and the file columns known to mean them.

    Examples
    --------
    >>> print(spelling_table("imagery").splitlines()[0])
    | platform column | known spellings |
    """
    known: dict[str, list[str]] = {}
    for row in read_table("gis.codes", "field_aliases.csv"):
        if row["dataset"] == dataset:
            known.setdefault(row["column"], []).append(row["alias"])
    lines = [f"| `{column}` | {' · '.join(names)} |" for column, names in known.items()]
    return "\n".join(["| platform column | known spellings |", "|---|---|", *lines])


def refresh(page: str) -> str:
    """Return the page with every table of spellings between its markers written anew.

    Raises
    ------
    ValueError
        A marker names no dataset.
    """

    def table(match: "re.Match[str]") -> str:
        dataset = match.group(1)
        if dataset not in DATASETS:
            msg = f"The page marks spellings of {dataset}, which is no dataset."
            raise ValueError(msg)
        return _BLOCK.format(dataset=dataset, table=spelling_table(dataset))

    return _FOUND.sub(table, page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(refresh(path.read_text(encoding="utf-8")), encoding="utf-8")
