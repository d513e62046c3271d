"""The verdict on a delivery 交付质量评定: accept, accept with warnings, or reject, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from census.report.subjects import SUBJECTS
from gis.remarks import Remark

Level = Literal["accept", "warnings", "reject"]

NAMES: dict[Level, tuple[str, str]] = {
    "accept": ("Accept", "合格"),
    "warnings": ("Accept with warnings", "基本合格"),
    "reject": ("Reject", "不合格"),
}
"""Level -> its name in English and Chinese."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Rows of one dataset, each counted once however many faults it has."""

    dataset: str
    read: int
    refused: int
    """Rows with a fault of severity ``error``: they would not be loaded."""
    doubted: int
    """Rows that would be loaded, with a warning."""

    @property
    def share(self) -> float:
        """Share of the rows refused, 0 to 1; 0 where there are none."""
        return self.refused / self.read if self.read else 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to become of a delivery."""

    level: Level
    reasons: tuple[Remark, ...]
    """Why, the gravest first; never empty."""
    refused_limit: float
    """Greatest share that may be refused, of the subject's rows and of all others together."""

    @property
    def is_accepted(self) -> bool:
        """Tell whether the delivery may be loaded as it is."""
        return self.level != "reject"


def decide(
    tallies: Sequence[Tally],
    *,
    refused_limit: float,
    obstacles: int = 0,
    unread: int = 0,
    file_warnings: int = 0,
    subject: str = "components",
) -> Verdict:
    """Return the verdict on a delivery.

    It is rejected for an obstacle to loading, for a file that can not be read, if it has no row of
    the subject, or if more than the limit is refused of those, or of all other rows taken together;
    exactly the limit is still accepted.

    Parameters
    ----------
    tallies : sequence of Tally
        One per dataset judged.
    refused_limit : float
        Greatest share of rows that may be refused, 0 to 1.
    obstacles : int
        What keeps the delivery as a whole from being loaded.
    unread : int
        Files that can not be read.
    file_warnings : int
        Doubts about whole files.
    subject : str
        Dataset that is judged, one of `census.report.subjects.SUBJECTS`.

    Examples
    --------
    >>> rows = Tally(dataset="components", read=200, refused=2, doubted=0)
    >>> decide([rows], refused_limit=0.01).level, decide([rows], refused_limit=0.005).level
    ('warnings', 'reject')
    """
    reasons = _grave(obstacles, unread) or _emptiness(tallies, subject)
    reasons += [
        _excess(part, refused_limit)
        for part in _parts(tallies, subject)
        if part.share > refused_limit
    ]
    if reasons:
        return Verdict(level="reject", reasons=tuple(reasons), refused_limit=refused_limit)
    refused, doubted = sum(t.refused for t in tallies), sum(t.doubted for t in tallies)
    mild = [*_few(refused, refused_limit), *_doubts(doubted, file_warnings)]
    if mild:
        return Verdict(level="warnings", reasons=tuple(mild), refused_limit=refused_limit)
    clean = Remark(en="No fault was found.", zh="未发现问题。")
    return Verdict(level="accept", reasons=(clean,), refused_limit=refused_limit)


def _grave(obstacles: int, unread: int) -> list[Remark]:
    reasons = []
    if obstacles:
        en = f"{_many(obstacles, 'obstacle')} to loading the delivery as a whole."
        reasons.append(Remark(en=en, zh=f"有 {obstacles} 个问题使整个交付无法加载。"))
    if unread:
        en = f"{_many(unread, 'file')} can not be read."
        reasons.append(Remark(en=en, zh=f"有 {unread} 个文件无法读取。"))
    return reasons


def _emptiness(tallies: Sequence[Tally], subject: str) -> list[Remark]:
    if any(tally.read for tally in tallies if tally.dataset == subject):
        return []
    row = SUBJECTS[subject].row
    return [Remark(en=f"The delivery has not one {row.en}.", zh=f"交付中没有任何{row.zh}。")]


def _parts(tallies: Sequence[Tally], subject: str) -> list[Tally]:
    """Return what the limit is applied to: a small table beside the subject decides nothing alone."""
    groups = {
        subject: [tally for tally in tallies if tally.dataset == subject],
        "others": [tally for tally in tallies if tally.dataset != subject],
    }
    return [
        Tally(
            dataset=name,
            read=sum(tally.read for tally in group),
            refused=sum(tally.refused for tally in group),
            doubted=0,
        )
        for name, group in groups.items()
    ]


def _excess(part: Tally, limit: float) -> Remark:
    share = f"{part.refused:,} / {part.read:,}"
    known = SUBJECTS.get(part.dataset)
    what = known.rows if known else Remark(en="other rows", zh="其他记录")
    return Remark(
        en=f"{percent(part.share)} of the {what.en} are refused ({share}); the limit is {percent(limit)}.",
        zh=f"{percent(part.share)} 的{what.zh}不合格（{share}），限值为 {percent(limit)}。",
    )


def _few(refused: int, limit: float) -> list[Remark]:
    if not refused:
        return []
    en = f"{_many(refused, 'row')} refused, within the limit of {percent(limit)}."
    return [Remark(en=en, zh=f"有 {refused:,} 条记录不合格，未超过限值 {percent(limit)}。")]


def _doubts(doubted: int, file_warnings: int) -> list[Remark]:
    reasons = []
    if doubted:
        en = f"{_many(doubted, 'row')} with warnings."
        reasons.append(Remark(en=en, zh=f"有 {doubted:,} 条记录存疑。"))
    if file_warnings:
        en = f"{_many(file_warnings, 'warning')} about whole files."
        reasons.append(Remark(en=en, zh=f"有 {file_warnings:,} 条针对整个文件的警告。"))
    return reasons


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(share: float) -> str:
    """Return a share in percent, with as many digits as keep it from being 0.

    Examples
    --------
    >>> percent(0.01), percent(0.000123), percent(0), percent(1)
    ('1%', '0.012%', '0%', '100%')
    """
    text = f"{share * 100:.2f}" if share * 100 >= 1 or share == 0 else f"{share * 100:.2g}"
    return f"{float(text):g}%"
