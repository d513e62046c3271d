"""Zip archives as survey teams send them: unpacked only where nothing in them can do harm.

Refused are members that lead out of the folder, links, passwords, members twice, and bombs: more than
is declared, more than a share of one archive may grow, more than the disk or the limit takes. Names
without the UTF-8 flag are decoded by evidence, because Windows writes them in GBK.
"""

import os
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from gis.encoding import decide_encoding, decode_values
from gis.errors import EncodingError, FileFormatError

_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field with the name in UTF-8
_CHUNK = 1 << 20
_JUNK = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
_NAME_BYTES = 255  # of one part of a path, on every file system in use


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may unpack to, all archives inside it counted."""

    total_bytes: int = 32 * 1024**3
    members: int = 200_000
    ratio: int = 250
    """Growth of a whole archive; tables of blanks reach 200, what is made to harm 1000."""
    free_bytes: int = 256 * 1024**2
    """Growth is not looked at below this size."""
    depth: int = 3
    """Archives within archives that are opened; 1: only the outermost."""


@dataclass(kw_only=True)
class Budget:
    """What is left of the limits, shared by archives within archives."""

    limits: Limits
    bytes_left: int
    members_left: int

    @classmethod
    def fresh(cls, limits: Limits | None = None) -> "Budget":
        """Return a budget from which nothing was spent."""
        limits = limits or Limits()
        return cls(limits=limits, bytes_left=limits.total_bytes, members_left=limits.members)


@dataclass(frozen=True, kw_only=True)
class _Member:
    info: zipfile.ZipInfo
    name: str
    """Path below the archive's root, with forward slashes."""


def is_zip(path: Path) -> bool:
    """Tell whether a path is called a zip archive.

    Examples
    --------
    >>> is_zip(Path("普查.ZIP")), is_zip(Path("普查.shp"))
    (True, False)
    """
    return path.suffix.lower() == ".zip"


def unpack_zip(
    archive: Path, folder: Path, *, budget: Budget | None = None, depth: int = 1
) -> None:
    """Unpack a zip archive into a folder that is made; archives inside become folders of their name.

    Parameters
    ----------
    archive : Path
        The archive.
    folder : Path
        New folder.
    budget : Budget or None
        What may still be unpacked; None: the default limits.
    depth : int
        How many archives this one lies in, itself counted.

    Raises
    ------
    FileFormatError
        It is no zip archive, is damaged, has a password, or could do harm.
    """
    budget = budget or Budget.fresh()
    if depth > budget.limits.depth:
        raise _refuse(
            archive,
            f"it lies in {budget.limits.depth} other archives: unpack the outer ones",
            f"嵌套超过 {budget.limits.depth} 层：请先解开外层压缩包",
        )
    try:
        with zipfile.ZipFile(archive) as source:
            members = _members(source, archive)
            _check_sizes(members, archive, budget=budget, folder=folder)
            folder.mkdir(parents=True)
            for member in members:
                _write(source, member, folder, archive=archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, OSError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise _refuse(
            archive,
            f"it is damaged or no zip archive ({reason}): send it again",
            "不是 zip 压缩包或已损坏：请重新提交",
        ) from error
    except (NotImplementedError, RuntimeError) as error:
        raise _refuse(
            archive,
            f"it is packed in a way that is not read ({error}): pack it again as an ordinary zip",
            "采用了不支持的压缩方式：请重新打包为普通 zip",
        ) from error
    for inner in sorted(path for path in folder.rglob("*") if is_zip(path) and path.is_file()):
        aside = inner.with_name(f".{inner.name}.packed")
        inner.rename(aside)
        unpack_zip(aside, inner, budget=budget, depth=depth + 1)
        aside.unlink()


def _members(source: zipfile.ZipFile, archive: Path) -> list[_Member]:
    """Return the files of an archive with safe names, in the archive's order."""
    infos = source.infolist()
    names = _decode_names(infos, archive)
    members: list[_Member] = []
    seen: set[str] = set()
    for info, name in zip(infos, names, strict=True):
        path = PurePosixPath(name.replace("\\", "/"))
        if _JUNK & set(path.parts):
            continue
        _check_member(info, path, archive=archive)
        if info.is_dir() or name.endswith(("/", "\\")):
            continue
        plain = path.as_posix()
        if plain in seen:
            raise _refuse(
                archive,
                f"it holds {plain} twice: pack it again",
                f"其中有两个 {plain}：请重新打包",
            )
        seen.add(plain)
        members.append(_Member(info=info, name=plain))
    if not members:
        raise _refuse(archive, "it holds no file: pack it again", "压缩包为空：请重新打包")
    return members


def _decode_names(infos: Sequence[zipfile.ZipInfo], archive: Path) -> list[str]:
    """Return member names: UTF-8 where flagged or given apart, else decoded by evidence."""
    stated = [
        info.orig_filename if info.flag_bits & _UTF8_FLAG else _unicode_path(info) for info in infos
    ]
    raw = [
        info.orig_filename.encode("cp437", errors="replace") if name is None else b""
        for info, name in zip(infos, stated, strict=True)
    ]
    try:
        codec = decide_encoding(raw).codec
    except EncodingError as error:
        raise _refuse(
            archive,
            "the encoding of the names in it can not be decided: pack it again with UTF-8 names",
            "无法判定其中文件名的编码：请以 UTF-8 文件名重新打包",
        ) from error
    decoded = decode_values(raw, codec=codec)
    names = [
        other if name is None else name for name, other in zip(stated, decoded.values, strict=True)
    ]
    return [unicodedata.normalize("NFC", name) for name in names]


def _unicode_path(info: zipfile.ZipInfo) -> str | None:
    """Return the name in the Unicode Path extra field; None: there is none, or it is stale."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and 5 < size <= len(extra) - 4:
            (checksum,) = struct.unpack_from("<I", extra, 5)
            if checksum == zlib.crc32(info.orig_filename.encode("cp437", errors="replace")):
                return extra[9 : 4 + size].decode("utf-8", errors="replace")
        extra = extra[4 + size :]
    return None


def _check_member(info: zipfile.ZipInfo, path: PurePosixPath, *, archive: Path) -> None:
    first = path.parts[0] if path.parts else ""
    if not first or path.is_absolute() or ".." in path.parts or ":" in first or "\0" in str(path):
        raise _refuse(
            archive,
            f"its member {path} leads out of the folder: do not open it, ask who sent it",
            f"其中的 {path} 指向目录之外：请勿打开，并联系提交单位",
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _refuse(
            archive,
            f"its member {path} is a link: pack the file itself",
            f"其中的 {path} 是链接：请打包文件本身",
        )
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise _refuse(
            archive, "it has a password: pack it again without one", "已加密：请去掉密码重新打包"
        )
    if any(len(part.encode()) > _NAME_BYTES for part in path.parts):
        raise _refuse(archive, "a name in it is too long: shorten it", "其中的文件名过长：请缩短")


def _check_sizes(
    members: Sequence[_Member], archive: Path, *, budget: Budget, folder: Path
) -> None:
    """Refuse by the sizes that the archive declares; unpacking holds it to them."""
    limits = budget.limits
    total = sum(member.info.file_size for member in members)
    packed = max(1, archive.stat().st_size)
    budget.members_left -= len(members)
    budget.bytes_left -= total
    if budget.members_left < 0:
        raise _refuse(
            archive,
            f"it holds more than {limits.members:,} files: send them in parts",
            f"文件超过 {limits.members:,} 个：请分批提交",
        )
    if total > limits.free_bytes and total > limits.ratio * packed:
        raise _refuse(
            archive,
            f"it would unpack to {total // packed:,} times its size, which no survey does: "
            "ask who sent it",
            f"解压后为原大小的 {total // packed:,} 倍，不是正常的普查数据：请联系提交单位",
        )
    if budget.bytes_left < 0:
        raise _refuse(
            archive,
            f"it unpacks to more than {limits.total_bytes >> 30} GiB: send it in parts",
            f"解压后超过 {limits.total_bytes >> 30} GiB：请分批提交",
        )
    there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    if total > shutil.disk_usage(there).free * 0.9:
        raise _refuse(
            archive,
            f"it unpacks to {total / 1024**3:.1f} GiB, for which the disk of {there} has no room: "
            "make room, or set TMPDIR to a larger disk",
            f"解压需 {total / 1024**3:.1f} GiB，磁盘空间不足：请清理磁盘，或用 TMPDIR 指定更大的磁盘",
        )


def _write(source: zipfile.ZipFile, member: _Member, folder: Path, *, archive: Path) -> None:
    path = folder / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with source.open(member.info) as packed, path.open("xb") as sink:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > member.info.file_size:
                break
            sink.write(chunk)
    with suppress(ValueError, OverflowError, OSError):  # a date that is none is no fault
        moment = datetime(*member.info.date_time).timestamp()  # noqa: DTZ001 - zip has local time
        os.utime(path, (moment, moment))
    if size != member.info.file_size:
        raise _refuse(
            archive,
            f"its member {member.name} is not as long as it says: send it again",
            f"其中的 {member.name} 与声明的长度不符：请重新提交",
        )


def _refuse(archive: Path, why: str, zh: str) -> FileFormatError:
    name = archive.name.removeprefix(".").removesuffix(".packed")
    return FileFormatError(f"{name} is not unpacked: {why}.", zh=f"未解压 {name}：{zh}。")
