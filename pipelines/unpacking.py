"""Opening a delivery, be it a folder or a zip archive, with zip archives inside it or not."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from gis.archives import Budget, is_zip, unpack_zip
from gis.errors import DeliveryError
from pipelines.delivery import MANIFEST_NAME, Delivery
from pipelines.files import resolve_inside
from pipelines.manifest import Refused, load_manifest, parse_manifest


@contextmanager
def opened_delivery(path: Path, *, refused: Refused | None = None) -> Iterator[Delivery]:
    """Yield the delivery in a folder or a zip archive; what is unpacked is gone afterwards.

    The manifest of an archive is the ``delivery.toml`` inside, also below folders, else the ``.toml``
    of the archive's own name beside it. Inside a folder, a layer's path may lead into an archive, as
    in ``"东区.zip/雨水箅子.shp"``. A folder and the archive of it are one delivery: same names, same
    hash.

    Parameters
    ----------
    path : Path
        Folder or ``.zip``.
    refused : callable or None
        Told of a layer that is wrong, which is then left out; None: it is an error.

    Raises
    ------
    DeliveryError
        As for `pipelines.manifest.read_manifest`.
    FileFormatError
        An archive can not be unpacked safely.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(prefix="wanmi-delivery-") as scratch:
        if path.is_dir() or not is_zip(path):
            yield _open_folder(path, Path(scratch).resolve(), refused=refused)
            return
        if not path.is_file():
            msg = f"There is no {path}: correct the path of the delivery."
            raise DeliveryError(msg, zh=f"没有 {path}：请更正交付的路径。")
        root = Path(scratch).resolve() / "delivery"
        unpack_zip(path, root)
        yield _open_unpacked(path, root, refused=refused)


@contextmanager
def unpacked_folder(path: Path) -> Iterator[Path]:
    """Yield the folder itself, or a temporary one with what a zip archive holds.

    Raises
    ------
    DeliveryError
        There is no such folder or archive.
    FileFormatError
        The archive can not be unpacked safely.
    """
    if path.is_dir():
        yield path.resolve()
        return
    if not (path.is_file() and is_zip(path)):
        msg = f"{path} is neither a folder nor a .zip: give the delivery's folder or archive."
        raise DeliveryError(msg, zh=f"{path} 既不是文件夹也不是 .zip：请给出交付目录或压缩包。")
    with tempfile.TemporaryDirectory(prefix="wanmi-delivery-") as scratch:
        root = Path(scratch).resolve() / "delivery"
        unpack_zip(path, root)
        yield root


@contextmanager
def all_files(path: Path) -> Iterator[list[tuple[str, Path]]]:
    """Yield every file of a folder or archive as (name as a manifest writes it, path), sorted.

    Archives inside a folder are looked into; a FileGDB counts as one file.

    Raises
    ------
    DeliveryError, FileFormatError
        As for `unpacked_folder`; archives inside that can not be unpacked are left as they are.
    """
    with unpacked_folder(path) as root, tempfile.TemporaryDirectory(prefix="wanmi-") as scratch:
        names = {found.relative_to(root).as_posix(): found for found in _whole_files(root)}
        for name, archive in list(names.items()):
            if is_zip(archive):
                try:
                    unpack_zip(archive, Path(scratch).resolve() / name)
                except DeliveryError:
                    continue
                del names[name]
        unpacked = Path(scratch).resolve()
        names |= {found.relative_to(unpacked).as_posix(): found for found in _whole_files(unpacked)}
        yield sorted(names.items())


def _whole_files(root: Path) -> Iterator[Path]:
    for found in root.rglob("*"):
        is_inside = any(
            parent.suffix.lower() == ".gdb" for parent in found.relative_to(root).parents
        )
        is_whole = found.is_file() or (found.is_dir() and found.suffix.lower() == ".gdb")
        if is_whole and not is_inside and found.resolve().is_relative_to(root):
            yield found


def _open_folder(folder: Path, scratch: Path, *, refused: Refused | None) -> Delivery:
    table = load_manifest(folder / MANIFEST_NAME, of=folder)
    root = folder.resolve()
    entries = table.get("layer")
    named = [
        entry["path"]
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("path"), str)
    ]
    unpacked = _unpack_named(named, root=root, scratch=scratch, refused=refused)
    return parse_manifest(table, root=root, refused=refused, unpacked=unpacked)


def _unpack_named(
    names: list[str], *, root: Path, scratch: Path, refused: Refused | None
) -> Path | None:
    """Unpack the archives that layer paths lead into, each at its own path below `scratch`."""
    budget = Budget.fresh()
    found: dict[str, Path] = {}
    for name in names:
        pattern = archive_part(name)
        if pattern is None:
            continue
        resolve_inside(pattern, root=root, where=name)
        for archive in sorted(root.glob(pattern)):
            found.setdefault(archive.relative_to(root).as_posix(), archive)
    for name, archive in found.items():
        if not archive.is_file():
            continue  # a folder that is called .zip
        resolve_inside(name, root=root, where=name)
        try:
            unpack_zip(archive, scratch / name, budget=budget)
        except DeliveryError as error:
            if refused is None:
                raise
            refused(name, error)
    return scratch if found else None


def archive_part(name: str) -> str | None:
    """Return the part of a path that leads to the first archive in it; None: there is none.

    Examples
    --------
    >>> archive_part("东区/部件.zip/雨水箅子.shp"), archive_part("东区/雨水箅子.shp")
    ('东区/部件.zip', None)
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    for count, part in enumerate(parts, start=1):
        if part.lower().endswith(".zip"):
            return PurePosixPath(*parts[:count]).as_posix()
    return None


def _open_unpacked(archive: Path, root: Path, *, refused: Refused | None) -> Delivery:
    inside = sorted(root.rglob(MANIFEST_NAME), key=lambda found: (len(found.parts), found))
    beside = archive.with_suffix(".toml")
    if inside:
        manifest, folder = inside[0], inside[0].parent
        level = [found for found in inside if len(found.parts) == len(manifest.parts)]
        if len(level) > 1:
            shown = ", ".join(found.relative_to(root).as_posix() for found in level)
            msg = f"{archive.name} holds several deliveries ({shown}): pack each on its own."
            raise DeliveryError(msg, zh=f"{archive.name} 含多个交付（{shown}）：请分别打包。")
    elif beside.is_file():
        manifest, folder = beside, root
    else:
        msg = (
            f"{archive.name} is no delivery: it has no {MANIFEST_NAME}, and there is no {beside.name} beside "
            f"it; have one proposed with: wanmi census manifest {archive} -o {beside}"
        )
        raise DeliveryError(
            msg,
            zh=f"{archive.name} 不是交付：其中没有 {MANIFEST_NAME}，旁边也没有 {beside.name}；"
            f"可用 wanmi census manifest {archive} -o {beside} 生成。",
        )
    table = load_manifest(manifest, of=archive)
    return parse_manifest(table, root=folder, refused=refused, source=archive.resolve())
