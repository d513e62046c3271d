"""Which encoding a file's text is in, decided by evidence and told.

Evidence is: what was stated, the ``.cpg`` beside the file, the language byte of a DBF, whether the
bytes decode strictly, and above all whether the decoded text looks like Chinese: the share of
common Han characters. Wrongly decoded Chinese is made of rare ones (石家庄 read as GBK is 鐭冲搴).
"""

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from gis.codes import read_table
from gis.errors import EncodingError
from gis.remarks import Remark

_CANDIDATES = ("utf-8", "gb18030", "big5")
_SAMPLE_BYTES = 200_000
_MAX_BAD_SHARE = 0.05
"""A codec that fails on more of the non-ASCII values than this is not the file's."""
_CLEAR_SCORE = 0.4
_CLOSE_SCORE = 0.15
_LANGUAGE_IDS = {
    0x03: "cp1252",
    0x4D: "gb18030",
    0x4F: "big5",
    0x78: "big5",
    0x7A: "gb18030",
}
"""Language bytes of a DBF header that name an encoding; 0x00 and 0x57 say nothing."""
_SPELLINGS = {
    "936": "gb18030",
    "CP936": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "GB18030": "gb18030",
    "54936": "gb18030",
    "EUC-CN": "gb18030",
    "950": "big5",
    "CP950": "big5",
    "BIG5": "big5",
    "BIG-5": "big5",
    "65001": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "1252": "cp1252",
    "ANSI 1252": "cp1252",
    "88591": "iso-8859-1",
}
FORMAT_IS_UTF8 = Remark(en="the format is UTF-8", zh="该格式规定为 UTF-8")
"""Evidence for formats that have no other encoding."""
_LABELS = {"utf-8": "UTF-8", "gb18030": "GB18030", "big5": "Big5", "ascii": "ASCII"}


@dataclass(frozen=True, kw_only=True)
class EncodingDecision:
    """The encoding of a file's text and why."""

    codec: str
    """Name of the Python codec."""
    label: str
    """Name for people: UTF-8, GBK, GB18030, Big5, ASCII …"""
    evidence: Remark
    """What spoke for it, in one line."""
    warnings: tuple[Remark, ...] = ()
    """Contradictions between what was declared and what the bytes show."""


@dataclass(frozen=True, kw_only=True)
class DecodedColumn:
    """Decoded values and the positions of those that were damaged."""

    values: list[str]
    cut: tuple[int, ...] = ()
    """Positions whose last character was cut in the middle; its bytes were dropped."""
    damaged: tuple[int, ...] = ()
    """Positions with other undecodable bytes; each became U+FFFD."""
    other: tuple[int, ...] = ()
    """Positions that only another encoding reads; they were decoded in theirs."""


@dataclass(frozen=True, kw_only=True)
class _Trial:
    codec: str
    score: float
    bad_share: float


def find_codec(name: str) -> str | None:
    """Return the codec of a declared encoding name; None: not known.

    GBK and GB2312 are read with their superset GB18030.

    Examples
    --------
    >>> find_codec("GBK"), find_codec("cp936"), find_codec("OEM 936"), find_codec("Klingon")
    ('gb18030', 'gb18030', 'gb18030', None)
    """
    plain = name.strip().upper().removeprefix("OEM ").removeprefix("ENCODING:").strip()
    if plain in _SPELLINGS:
        return _SPELLINGS[plain]
    try:
        found = codecs.lookup(plain)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    # Python also knows codecs that are no encodings of text, such as "hex".
    return found.name if found._is_text_encoding else None


def decide_encoding(
    values: Iterable[bytes],
    *,
    stated: str | None = None,
    cpg: str | None = None,
    language_id: int = 0,
) -> EncodingDecision:
    """Decide the encoding of text values by evidence.

    Parameters
    ----------
    values : iterable of bytes
        Values as stored, padding removed; those in plain ASCII prove nothing and are ignored.
    stated : str or None
        Encoding the manifest states; followed unless the bytes do not decode.
    cpg : str or None
        Content of the ``.cpg`` file.
    language_id : int
        Language byte of a DBF header; 0: none.

    Raises
    ------
    EncodingError
        The stated encoding is unknown or does not fit, or nothing fits.

    Examples
    --------
    >>> decide_encoding(["石家庄市".encode("gbk")]).label
    'GBK'
    >>> decide_encoding(["石家庄市".encode()], cpg="GBK").warnings[0].en
    'The .cpg says GBK but the text is UTF-8; read as UTF-8.'
    """
    distinct = sorted({value for value in values if not value.isascii()})
    declared = _declared(cpg, language_id)
    if stated is not None:
        return _follow_stated(stated, distinct)
    if not distinct:
        codec = next((codec for _, _, codec in declared), None) or "utf-8"
        plain = Remark(en="plain ASCII text", zh="全部为 ASCII 字符")
        return EncodingDecision(codec=codec, label="ASCII", evidence=plain)
    trials = sorted((try_codec(codec, distinct) for codec in _CANDIDATES), key=lambda t: -t.score)
    best = trials[0]
    overruled: list[tuple[Remark, str]] = []
    for source, name, codec in declared:
        trial = try_codec(codec, distinct)
        fits = trial.bad_share <= _MAX_BAD_SHARE
        if fits and (trial.score >= best.score - _CLOSE_SCORE or best.score < _CLEAR_SCORE):
            said = Remark(en=f"{source.en} says {name}", zh=f"{source.zh}声明为 {name}")
            return _decision(codec, distinct, overruled, said, trials)
        overruled.append((source, name))
    if best.score < _CLEAR_SCORE and not (best.codec == "utf-8" and best.bad_share == 0):
        raise _undecided(trials)
    itself = Remark(en="by the text itself", zh="由文本本身判定")
    return _decision(best.codec, distinct, overruled, itself, trials)


def _declared(cpg: str | None, language_id: int) -> list[tuple[Remark, str, str]]:
    """Return (source, name, codec) of what the file declares, the strongest first."""
    found = []
    if cpg and cpg.strip():
        codec = find_codec(cpg)
        if codec is not None:
            found.append((Remark(en="the .cpg", zh=".cpg 文件"), cpg.strip(), codec))
    if language_id in _LANGUAGE_IDS:
        codec = _LANGUAGE_IDS[language_id]
        source = Remark(en="the DBF language byte", zh="DBF 语言字节")
        found.append((source, f"0x{language_id:02X} ({encoding_label(codec)})", codec))
    return found


def encoding_label(codec: str) -> str:
    """Return the name of a codec for people.

    Examples
    --------
    >>> encoding_label("utf-8")
    'UTF-8'
    """
    return _LABELS.get(codec, codec)


def _decision(
    codec: str,
    values: Sequence[bytes],
    overruled: Sequence[tuple[Remark, str]],
    reason: Remark,
    trials: Sequence[_Trial],
) -> EncodingDecision:
    label = encoding_label(codec)
    if codec == "gb18030" and not decode_values(values, codec="gbk").damaged:
        label = "GBK"
    shown = ", ".join(f"{encoding_label(t.codec)} {t.score:.2f}" for t in trials)
    warnings = [
        Remark(
            en=f"{source.en[0].upper()}{source.en[1:]} says {name} but the text is {label}; "
            f"read as {label}.",
            zh=f"{source.zh}声明为 {name}，但文本实为 {label}，已按 {label} 读取。",
        )
        for source, name in overruled
    ]
    best, second = trials[0], trials[1]
    if not reason.en.startswith("the") and best.score - second.score < _CLOSE_SCORE:
        warnings.append(
            Remark(
                en=f"The encoding is doubtful ({shown}); "
                "state encoding in delivery.toml if names look wrong.",
                zh=f"编码存疑（{shown}）：如名称显示有误，请在 delivery.toml 中声明 encoding。",
            )
        )
    evidence = Remark(
        en=f"{reason.en}; likeness to Chinese text: {shown}",
        zh=f"{reason.zh}；与中文文本的相似度：{shown}",
    )
    return EncodingDecision(codec=codec, label=label, evidence=evidence, warnings=tuple(warnings))


def _follow_stated(stated: str, values: Sequence[bytes]) -> EncodingDecision:
    codec = find_codec(stated)
    if codec is None:
        msg = f"Unknown encoding {stated!r}: write GBK, GB18030, UTF-8 or Big5."
        raise EncodingError(msg, zh=f"未知的编码 {stated!r}：请写 GBK、GB18030、UTF-8 或 Big5。")
    trials = sorted((try_codec(name, values) for name in _CANDIDATES), key=lambda t: -t.score)
    trial = try_codec(codec, values)
    if trial.bad_share > _MAX_BAD_SHARE:
        msg = (
            f"The text is not in the stated encoding {stated} ({trial.bad_share:.0%} of its values do not "
            f"decode; {encoding_label(trials[0].codec)} fits best): correct or remove encoding in delivery.toml."
        )
        raise EncodingError(
            msg,
            zh=f"文本不是所声明的编码 {stated}（{trial.bad_share:.0%} 的值无法解码，最符合 "
            f"{encoding_label(trials[0].codec)}）：请修改或删除 delivery.toml 中的 encoding。",
        )
    warnings: tuple[Remark, ...] = ()
    if values and trials[0].score - trial.score > _CLOSE_SCORE:
        like = encoding_label(trials[0].codec)
        warnings = (
            Remark(
                en=f"The text looks like {like}, but {stated} is stated and was used.",
                zh=f"文本像是 {like}，但清单声明为 {stated}，已按声明读取。",
            ),
        )
    return EncodingDecision(
        codec=codec,
        label=encoding_label(codec),
        evidence=Remark(en="stated in the manifest", zh="清单中声明"),
        warnings=warnings,
    )


def _undecided(trials: Sequence[_Trial]) -> EncodingError:
    shown = ", ".join(f"{encoding_label(trial.codec)} {trial.score:.2f}" for trial in trials)
    msg = f'The text encoding can not be decided ({shown}): state encoding in delivery.toml, as "GBK".'
    return EncodingError(
        msg, zh=f'无法判定文本编码（{shown}）：请在 delivery.toml 中声明 encoding，如 "GBK"。'
    )


def decode_values(values: Sequence[bytes], *, codec: str) -> DecodedColumn:
    """Decode values, dropping a last character that was cut and marking other damage.

    Examples
    --------
    >>> decode_values(["裕华路".encode("gbk")[:5], b"ok"], codec="gb18030")
    DecodedColumn(values=['裕华', 'ok'], cut=(0,), damaged=(), other=())
    """
    whole = _decode_whole(values, codec=codec)
    if whole is not None:
        return DecodedColumn(values=whole)
    texts, cut, damaged = [], [], []
    for position, value in enumerate(values):
        try:
            texts.append(value.decode(codec))
        except UnicodeDecodeError as error:
            tail = _cut_at(error, value)
            if tail is None:
                damaged.append(position)
                texts.append(value.decode(codec, errors="replace"))
            else:
                cut.append(position)
                texts.append(value[:tail].decode(codec))
    return DecodedColumn(values=texts, cut=tuple(cut), damaged=tuple(damaged))


def _decode_whole(values: Sequence[bytes], *, codec: str) -> list[str] | None:
    """Decode all values in one go, which is many times faster; None: one of them is damaged.

    A NUL is no part of a character in any of the encodings in use, so it parts the values.
    """
    try:
        texts = b"\x00".join(values).decode(codec).split("\x00")
    except UnicodeDecodeError:
        return None
    return texts if len(texts) == len(values) else None


def _cut_at(error: UnicodeDecodeError, value: bytes) -> int | None:
    """Return where a character cut at the end begins; None: the damage is elsewhere."""
    is_end = "unexpected end" in error.reason or "incomplete" in error.reason
    return error.start if is_end and len(value) - error.start <= 3 else None


def try_codec(codec: str, values: Sequence[bytes]) -> _Trial:
    """Decode a sample of values and score how much it looks like Chinese text, 0 to 1."""
    sample: list[bytes] = []
    size = 0
    step = max(1, sum(map(len, values)) // _SAMPLE_BYTES)
    for value in values[::step]:
        sample.append(value)
        size += len(value)
    if not sample:
        return _Trial(codec=codec, score=0.0, bad_share=0.0)
    decoded = decode_values(sample, codec=codec)
    damaged = frozenset(decoded.damaged)
    bad_share = len(damaged) / len(sample)
    text = "".join(
        value for position, value in enumerate(decoded.values) if position not in damaged
    )
    score = likeness(text, codec=codec)
    if codec == "utf-8":
        # Multi-byte sequences hardly ever come out as valid UTF-8 by accident.
        foreign = sum(1 for character in text if ord(character) > 0x7F)
        score = max(score, 0.75 * (1.0 - 0.5**foreign))
    return _Trial(codec=codec, score=score * (1.0 - bad_share) ** 2, bad_share=bad_share)


def likeness(text: str, *, codec: str = "utf-8") -> float:
    """Return the mean weight of the non-ASCII characters: common Han 1, ordinary 0.6, others 0.

    Examples
    --------
    >>> likeness("石家庄"), likeness("ok"), round(likeness("鐭冲搴"), 2)
    (1.0, 0.0, 0.42)
    """
    common = _common_han()
    ordinary = _ordinary_han(codec)
    total, count = 0.0, 0
    for character in text:
        if character < "\x80":
            continue
        count += 1
        if character in common:
            total += 1.0
        elif character in ordinary:
            total += 0.6
        elif "\u3000" <= character <= "\u303f" or "\uff00" <= character <= "\uff5e":
            total += 0.8  # Chinese punctuation and full-width letters
        elif "\u4e00" <= character <= "\u9fff":
            total += 0.05
    return total / count if count else 0.0


@cache
def everyday_characters() -> frozenset[str]:
    """Return ASCII, Chinese punctuation, and the everyday characters of both scripts.

    Examples
    --------
    >>> "庄" in everyday_characters(), "鐭" in everyday_characters()
    (True, False)
    """
    ascii_only = map(chr, range(0x80))
    marks = map(chr, (*range(0x3000, 0x3040), *range(0xFF00, 0xFF5F)))
    return frozenset({*ascii_only, *marks, *_common_han(), *_ordinary_han("utf-8")})


@cache
def _common_han() -> frozenset[str]:
    """Return the commonest characters of names and of urban management, in both scripts."""
    rows = read_table("gis.codes", "common_han.csv")
    return frozenset("".join(row["characters"] for row in rows))


@cache
def _ordinary_han(codec: str) -> frozenset[str]:
    """Return level 1 of GB 2312, or of Big5 for Big5, or both for Unicode: the everyday characters."""
    simplified = _zone(range(0xB0, 0xD8), range(0xA1, 0xFF), "gb2312")
    traditional = _zone(range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF)), "big5")
    if codec == "gb18030":
        return simplified
    return traditional if codec == "big5" else simplified | traditional


def _zone(leads: Iterable[int], trails: Iterable[int], codec: str) -> frozenset[str]:
    cells = tuple(trails)
    pairs = b"".join(bytes((lead, trail)) for lead in leads for trail in cells)
    return frozenset(pairs.decode(codec, errors="ignore"))
