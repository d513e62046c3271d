"""What reading found out about single values: which rows, what the file holds, what was made of it.

A finding is evidence, not a verdict: `census.texts` says which rule it breaks, and for other datasets
it is one remark of the file's report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gis.remarks import Remark, name_rows

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
_WORDS: dict[Kind, tuple[str, str]] = {
    "cut": (
        "ends in the middle of a character (cut to the column's width); it was dropped",
        "的值在半个汉字处被截断（超出列宽），残缺的字符已去掉",
    ),
    "likely_cut": (
        "is as long as a shapefile's column allows, so it was probably cut",
        "的值已达 Shapefile 列宽上限，很可能被截断",
    ),
    "damaged": (
        "holds bytes that are no text; they were replaced",
        "含有不是文本的字节，已被替换",
    ),
    "mojibake": (
        "was text read in a wrong encoding; it was read back",
        "的文本是以错误编码读取后的乱码，已还原",
    ),
    "suspect": (
        "looks like text read in a wrong encoding, but can not be read back",
        "疑似以错误编码读取后的乱码，无法还原",
    ),
    "question_marks": (
        "lost its characters: question marks stand in their place",
        "的文字已丢失，只剩问号",
    ),
    "other_encoding": (
        "holds values in another encoding than the rest; they were read in theirs",
        "有个别值与其余的编码不同，已按各自的编码读取",
    ),
    "no_number": ("holds what is no number; left blank", "含有不是数字的内容，已置空"),
    "overflow": (
        "holds stars in place of numbers too long for it; they are lost",
        "的数字超出列宽，只剩星号，已丢失",
    ),
    "scientific": (
        "holds numbers in scientific notation, whose digits are lost",
        "含有科学计数法的数字，末几位已丢失",
    ),
    "digits_lost": (
        "holds numbers of more than 15 digits as a spreadsheet keeps them: the last digits are lost",
        "的数字超过 15 位，电子表格未能保存末几位，已丢失",
    ),
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
    def remark(self) -> Remark:
        """What is to be said of it in the file's report."""
        example, example_zh = "", ""
        if self.read and self.kind in ("mojibake", "other_encoding", "suspect"):
            pairs = dict.fromkeys(zip(self.given, self.read, strict=True))
            shown = ", ".join(f"{given} → {read}" for given, read in list(pairs)[:_SHOWN])
            example, example_zh = f" ({shown})", f"（{shown}）"
        en, zh = _WORDS[self.kind]
        rows = name_rows(self.rows)
        return Remark(
            en=f"Column {self.column} {en}{example}: {rows.en}.",
            zh=f"列 {self.column} {zh}{example_zh}：{rows.zh}。",
        )


def remarks(findings: Sequence[Finding]) -> tuple[Remark, ...]:
    """Return what is to be said of a file, one remark per finding."""
    return tuple(finding.remark for finding in findings if len(finding.rows))
