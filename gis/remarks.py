"""What is said of files, rows and deliveries, in English for the command line and in Chinese beside it."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One sentence, or a part of one, in both languages; as text it is English."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


_ROW = re.compile(r"(?P<file>.+) row (?P<row>\d+)")


def row_in_chinese(told: Any) -> Any:
    """Return what names a row of a file by its number as Chinese has it; anything else as it is.

    Examples
    --------
    >>> row_in_chinese("a.shp row 3"), row_in_chinese("裕华路"), row_in_chinese(2.5)
    ('a.shp 第 3 行', '裕华路', 2.5)
    """
    found = _ROW.fullmatch(told) if isinstance(told, str) else None
    return f"{found['file']} 第 {found['row']} 行" if found else told


NOTHING = Remark(en="", zh="")


def name_rows(rows: NDArray[np.int64], *, limit: int = 10) -> Remark:
    """Return row numbers for a remark, the first few of many.

    Examples
    --------
    >>> name_rows(np.array([3]))
    Remark(en='row 3', zh='第 3 行')
    >>> name_rows(np.arange(1, 13), limit=2)
    Remark(en='rows 1, 2 and 10 more', zh='第 1、2 行等 12 行')
    """
    shown = [str(row) for row in rows[:limit]]
    more = f" and {len(rows) - limit} more" if len(rows) > limit else ""
    more_zh = f"等 {len(rows)} 行" if len(rows) > limit else ""
    return Remark(
        en=f"{'row' if len(rows) == 1 else 'rows'} {', '.join(shown)}{more}",
        zh=f"第 {'、'.join(shown)} 行{more_zh}",
    )
