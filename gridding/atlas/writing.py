"""An atlas into its file, which appears whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gis.errors import DeliveryError
from gridding.atlas.book import Book
from gridding.atlas.drawing import close_paper, open_paper


@dataclass(frozen=True, kw_only=True)
class AtlasResult:
    """What was written."""

    file: str
    pages: int
    sheets: int
    communities: int
    grids: int
    changed: int
    retired: int
    bytes: int
    digest: str


def write_atlas(
    book: Book, output: Path, *, progress: Callable[[int], None] = lambda _: None
) -> AtlasResult:
    """Draw the pages into a PDF; the file appears whole or not at all.

    Parameters
    ----------
    book : Book
        Planned atlas.
    output : pathlib.Path
        File to write; one that is there is replaced.
    progress : callable
        Called with 1 after each page.

    Raises
    ------
    DeliveryError
        The file can not be written.
    """
    contents = book.contents
    try:
        size = _write_whole(book, output, progress)
    except OSError as error:
        msg = (
            f"{output} can not be written: {error.strerror or error}; choose another file with -o."
        )
        raise DeliveryError(
            msg, zh=f"无法写入 {output}：{error.strerror or error}；请用 -o 另选文件。"
        ) from error
    kept = contents.kept
    changes = contents.changes
    return AtlasResult(
        file=str(output),
        pages=len(book.entries),
        sheets=sum(len(one.sheets) for one in kept),
        communities=len(kept),
        grids=sum(len(one.grids) for one in kept),
        changed=sum(int((one.grids["kind"] != "").sum()) for one in kept),
        retired=sum(len(one.retired) for one in kept) if changes is not None else 0,
        bytes=size,
        digest=contents.records.digest,
    )


def _write_whole(book: Book, output: Path, progress: Callable[[int], None]) -> int:
    if output.is_dir():
        raise IsADirectoryError(21, "it is a folder")
    handle, name = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".part", dir=output.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            paper = open_paper(
                file,
                title=book.contents.title,
                author=book.contents.records.name,
                destinations=frozenset(book.contents.pages),
            )
            for entry in book.entries:
                entry.draw(paper)
                if entry.title:
                    paper.outline(entry.title, entry.name, entry.level, closed=entry.level > 0)
                progress(1)
            close_paper(paper)
        size = draft.stat().st_size
        draft.chmod(0o644)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return size
