"""What reading found out about single values: which rows, what the file holds, what was made of it.

A finding is evidence, not a verdict: `census.texts` says which rule it breaks, and for other datasets
it is one sentence of the file's report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal[
    "cut",
    "likely_cut",
    "damaged",
    "mojibake",
    "suspect",
    "question_marks",
    "other_encoding",
    "no_number",
    "overflow",
    "scientific",
    "digits_lost",
]
_SHOWN = 3
_WORDS: dict[Kind, str] = {
    "cut": "ends in the middle of a character (cut to the column's width); it was dropped",
    "likely_cut": "is as long as a shapefile's column allows, so it was probably cut",
    "damaged": "holds bytes that are no text; they were replaced",
    "mojibake": "was text read in a wrong encoding; it was read back",
    "suspect": "looks like text read in a wrong encoding, but can not be read back",
    "question_marks": "lost its characters: question marks stand in their place",
    "other_encoding": "holds values in another encoding than the rest; they were read in theirs",
    "no_number": "holds what is no number; left blank",
    "overflow": "holds stars in place of numbers too long for it; they are lost",
    "scientific": "holds numbers in scientific notation, whose digits are lost",
    "digits_lost": "holds numbers of more than 15 digits as a spreadsheet keeps them: the last "
    "digits are lost",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Rows of one column of which the same is to be said."""

    kind: Kind
    column: str
    """The file's column."""
    rows: NDArray[np.int64]
    """``source_row`` of each."""
    given: tuple[str, ...] = ()
    """What the file holds, as far as it can be shown, one per row."""
    read: tuple[str, ...] = ()
    """What it was read as, one per row."""

    def within(self, rows: NDArray[np.int64]) -> "Finding":
        """Return the finding about those of its rows that are in `rows`."""
        kept = np.flatnonzero(np.isin(self.rows, rows))
        return replace(
            self,
            rows=self.rows[kept],
            given=tuple(self.given[place] for place in kept),
            read=tuple(self.read[place] for place in kept),
        )

    @property
    def sentence(self) -> str:
        """One sentence for the file's report."""
        example = ""
        if self.read and self.kind in ("mojibake", "other_encoding", "suspect"):
            pairs = dict.fromkeys(zip(self.given, self.read, strict=True))
            shown = ", ".join(f"{given} → {read}" for given, read in list(pairs)[:_SHOWN])
            example = f" ({shown})"
        return f"Column {self.column} {_WORDS[self.kind]}{example}: {name_rows(self.rows)}."


def sentences(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what is to be said of a file, one sentence per finding."""
    return tuple(finding.sentence for finding in findings if len(finding.rows))


def name_rows(rows: NDArray[np.int64], *, limit: int = 10) -> str:
    """Return row numbers for a message, the first few of many.

    Examples
    --------
    >>> name_rows(np.array([3])), name_rows(np.arange(1, 13), limit=2)
    ('row 3', 'rows 1, 2 and 10 more')
    """
    shown = ", ".join(str(row) for row in rows[:limit])
    more = f" and {len(rows) - limit} more" if len(rows) > limit else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
