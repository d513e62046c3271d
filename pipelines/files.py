"""The files that a manifest names: found inside the delivery's folder, and nowhere else."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from gis.errors import DeliveryError, FileFormatError
from gis.sources import digest_of, require_file

SUFFIXES = (
    ".shp",
    ".gpkg",
    ".geojson",
    ".geojson.gz",
    ".json",
    ".topojson",
    ".topojson.gz",
    ".fgb",
    ".gdb",
    ".dxf",
    ".parquet",
    ".csv",
    ".csv.gz",
    ".xlsx",
    ".tif",
    ".tiff",
)
"""Files a folder or a pattern stands for; the parts beside a ``.shp`` come with it."""
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def find_files(pattern: str, *, root: Path, where: str) -> tuple[Path, ...]:
    """Return the files that a file, a folder or a pattern stands for, absolute and sorted.

    Parameters
    ----------
    pattern : str
        As in the manifest, relative to `root`.
    root : Path
        The delivery's folder.
    where : str
        Who names it, for the error.

    Raises
    ------
    FileFormatError
        There is no such file, or none of a kind that is read.
    DeliveryError
        It leads out of the folder, directly or by a link.
    """
    if any(sign in pattern for sign in "*?["):
        _refuse_traversal(pattern, where)
        found = [path for path in root.glob(pattern) if is_data(path)]
    else:
        path = resolve_inside(pattern, root=root, where=where)
        if path.is_file() or (path.is_dir() and is_data(path)):
            return (path,)
        if path.is_dir():
            found = [child for child in path.rglob("*") if is_data(child)]
        else:
            if path.suffix.lower() == ".shp" and list(path.parent.glob(f"{path.stem}.*")):
                require_file(path)  # tells which of its parts there are
            raise missing_file(pattern, root, where)
    if not names_archive(pattern):
        found = [path for path in found if not names_archive(path.relative_to(root).as_posix())]
    if not found:
        raise FileFormatError(
            f"{where}: {pattern} stands for no file that is read "
            f"({', '.join(SUFFIXES)}); correct the path or add the files.",
            zh=f"{where}：{pattern} 下没有可读取的文件（{'、'.join(SUFFIXES)}）；请修改路径或补齐文件。",
        )
    for path in found:
        _refuse_unreadable_name(path.relative_to(root).as_posix(), where)
        resolve_inside(path.relative_to(root).as_posix(), root=root, where=where)
    return tuple(sorted(found))


def _refuse_unreadable_name(name: str, where: str) -> None:
    """Refuse names that are not UTF-8, as archives of Windows leave them when others unpack them."""
    raw = name.encode("utf-8", errors="surrogateescape")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        likely = raw.decode("gb18030", errors="replace")
        raise DeliveryError(
            f"{where}: the name of a file is not UTF-8, perhaps {likely} in GBK: rename it, or "
            "deliver the zip as it was made.",
            zh=f"{where}：有文件名不是 UTF-8 编码（可能是 GBK 的“{likely}”）：请重命名，或直接交付原 zip。",
        ) from error


def is_data(path: Path) -> bool:
    """Tell whether a path is of a kind that is read; a FileGDB is a folder, its files are not."""
    if path.suffix.lower() == ".gdb":
        return path.is_dir()
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def names_archive(pattern: str) -> bool:
    """Tell whether a path leads into a zip archive; those that do not stand for nothing inside one.

    Examples
    --------
    >>> names_archive("东区.zip/*.shp"), names_archive("*.zip"), names_archive("东区/*.shp")
    (True, True, False)
    """
    parts = PurePosixPath(pattern.replace("\\", "/")).parts
    return any(part.lower().endswith(".zip") for part in parts)


def missing_file(pattern: str, root: Path, where: str) -> FileFormatError:
    """Return the error of a file that is not there, with the name most like it."""
    there = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if is_data(path))
    hint = f"; did you mean {closest(pattern, there)}?" if there else "; add it to the folder."
    hint_zh = f"；是否应为 {closest(pattern, there)}？" if there else "；请补齐该文件。"
    return FileFormatError(
        f"{where} names {pattern}, which is not in the delivery{hint}",
        zh=f"{where} 所列的 {pattern} 不在交付目录中{hint_zh}",
    )


def resolve_inside(name: str, *, root: Path, where: str) -> Path:
    """Return the absolute path of `name` under `root`.

    Raises
    ------
    DeliveryError
        The name leads out of the folder, directly or by a link.
    """
    _refuse_traversal(name, where)
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise _outside(name, where)
    return path


def _refuse_traversal(name: str, where: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or any(":" in part for part in parts.parts[:1]):
        raise _outside(name, where)


def _outside(name: str, where: str) -> DeliveryError:
    return DeliveryError(
        f"{where}: {name} leads out of the delivery's folder: put the file inside and name it "
        "relative to the folder.",
        zh=f"{where}：{name} 指向交付目录之外：请把文件放入目录并使用相对路径。",
    )


def parts_of(path: Path) -> list[Path]:
    """Return the file itself, or all parts of a shapefile or of a FileGDB."""
    if path.is_dir():
        return sorted(child for child in path.rglob("*") if child.is_file())
    if path.suffix.lower() != ".shp":
        return [path]
    beside = [child for child in path.parent.iterdir() if child.stem == path.stem]
    return [child for child in beside if child.suffix.lower() in _SHAPEFILE_PARTS]


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return digest_of(path).hex()


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like `word`.

    Examples
    --------
    >>> closest("class_cod", ["path", "class_code", "class_field"])
    'class_code'
    """
    return get_close_matches(word, list(known), n=1, cutoff=0.0)[0]
