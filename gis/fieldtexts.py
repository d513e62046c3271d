"""The encoding of each column of a table, and of each value that is in none of its column's.

A file has one encoding as a rule. Columns joined from another table and rows appended from another
team's file do not keep to it, and no single choice reads them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gis.encoding import (
    DecodedColumn,
    EncodingDecision,
    decide_encoding,
    decode_values,
    encoding_label,
    likeness,
    try_codec,
)
from gis.errors import EncodingError
from gis.remarks import Remark

_MAX_BAD_SHARE = 0.05
_CLEAR = 0.6
_GAIN = 0.4
_CODECS = ("utf-8", "gb18030", "big5")
_LEAST = 2
"""Characters that must come out of a value for it to prove its encoding."""


@dataclass(frozen=True, kw_only=True)
class FieldEncodings:
    """The file's encoding, and where a column differs."""

    decision: EncodingDecision
    names: tuple[str, ...]
    """Decoded column names."""
    codecs: tuple[str, ...]
    """Codec of each column."""

    def conflicts(self, names: Sequence[str]) -> list[Remark]:
        """Return what is to be said of columns that are not in the file's encoding."""
        return [
            Remark(
                en=f"Column {name} is in {encoding_label(codec)} although the file is in "
                f"{self.decision.label}; read as {encoding_label(codec)}.",
                zh=f"列 {name} 的编码是 {encoding_label(codec)}，而文件是 {self.decision.label}；"
                f"该列已按 {encoding_label(codec)} 读取。",
            )
            for name, codec in zip(names, self.codecs, strict=True)
            if codec != self.decision.codec
        ]


def decide_fields(
    names: Sequence[bytes],
    columns: Sequence[Sequence[bytes]],
    *,
    stated: str | None = None,
    cpg: str | None = None,
    language_id: int = 0,
) -> FieldEncodings:
    """Decide the encoding of a file by all its text, then let columns differ that plainly do.

    Parameters
    ----------
    names : sequence of bytes
        Column names as stored.
    columns : sequence of sequence of bytes
        Distinct values of each column, padding removed; empty for columns that are no text.
    stated, cpg, language_id
        As for `gis.encoding.decide_encoding`; where one is stated no column differs.

    Raises
    ------
    EncodingError
        Neither the file's encoding nor that of every single column can be decided, or the stated one
        does not fit.

    Examples
    --------
    >>> one, other = ["石家庄市".encode("gbk")], ["道路桥梁管理处".encode()]
    >>> decide_fields([b"a", b"b"], [one, other], cpg="GBK").codecs
    ('gb18030', 'utf-8')
    """
    samples = [*names, *(value for column in columns for value in column)]
    try:
        decision = decide_encoding(samples, stated=stated, cpg=cpg, language_id=language_id)
    except EncodingError:
        if stated is not None:
            raise
        decision = _largest(columns, cpg=cpg, language_id=language_id)
    codecs = tuple(
        decision.codec if stated is not None else _codec_of(column, decision.codec)
        for column in columns
    )
    return FieldEncodings(
        decision=decision,
        names=tuple(decode_mixed(list(names), codec=decision.codec).values),
        codecs=codecs,
    )


def _largest(
    columns: Sequence[Sequence[bytes]], *, cpg: str | None, language_id: int
) -> EncodingDecision:
    """Return the decision about the column with the most foreign text; no column may stay undecided."""
    decisions = [
        (
            sum(not value.isascii() for value in column),
            decide_encoding(column, cpg=cpg, language_id=language_id),
        )
        for column in columns
        if any(not value.isascii() for value in column)
    ]
    if not decisions:
        return decide_encoding([], cpg=cpg, language_id=language_id)
    return max(decisions, key=lambda pair: pair[0])[1]


def _codec_of(column: Sequence[bytes], codec: str) -> str:
    foreign = [value for value in column if not value.isascii()]
    if not foreign:
        return codec
    own = try_codec(codec, foreign)
    if own.bad_share <= _MAX_BAD_SHARE and own.score > 1.0 - _GAIN:
        return codec  # none can be so much better
    best = max((try_codec(name, foreign) for name in _CODECS), key=lambda trial: trial.score)
    is_other = best.codec != codec and best.bad_share <= _MAX_BAD_SHARE and best.score >= _CLEAR
    return best.codec if is_other and best.score - own.score >= _GAIN else codec


def decode_mixed(values: Sequence[bytes], *, codec: str) -> DecodedColumn:
    """Decode values as `gis.encoding.decode_values`, those in another encoding in theirs.

    Only what does not decode is tried otherwise, and only what comes out as everyday Chinese counts.

    Examples
    --------
    >>> decode_mixed(["裕华路".encode("gbk"), "长安区政府".encode()], codec="gb18030").values
    ['裕华路', '长安区政府']
    """
    decoded = decode_values(values, codec=codec)
    texts, other = list(decoded.values), []
    for place in sorted({*decoded.cut, *decoded.damaged}):
        read = _read_otherwise(values[place], codec)
        if read is not None:
            texts[place] = read
            other.append(place)
    kept = set(other)
    return DecodedColumn(
        values=texts,
        cut=tuple(place for place in decoded.cut if place not in kept),
        damaged=tuple(place for place in decoded.damaged if place not in kept),
        other=tuple(other),
    )


def _read_otherwise(value: bytes, codec: str) -> str | None:
    for name in _CODECS:
        if name == codec:
            continue
        try:
            text = value.decode(name)
        except UnicodeDecodeError:
            continue
        foreign = sum(character > "\x7f" for character in text)
        if foreign >= _LEAST and likeness(text, codec=name) >= _CLEAR:
            return text
    return None
