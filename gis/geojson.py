"""The text of GeoJSON and TopoJSON files: unpacked, in UTF-8, and what it says of its CRS."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gis.encoding import EncodingDecision, decide_encoding
from gis.remarks import Remark
from gis.sources import unpacked

_TOPOLOGY = re.compile(rb'"type"\s*:\s*"Topology"')
_CRS = re.compile(rb'"crs"\s*:\s*\{\s*"type"')
_HEAD_BYTES = 100_000


@dataclass(frozen=True, kw_only=True)
class JsonText:
    """A JSON file ready for GDAL."""

    path: Path
    """Plain file in UTF-8, there as long as the context is."""
    is_topology: bool
    has_crs: bool
    """It states a CRS itself (GeoJSON 2008); without one RFC 7946 means WGS 84 degrees."""
    decision: EncodingDecision
    warnings: tuple[Remark, ...]


@contextmanager
def opened_json(path: Path, *, encoding: str | None) -> Iterator[JsonText]:
    """Yield the text of a ``.geojson`` or ``.topojson`` (also ``.gz``); other encodings are converted.

    Raises
    ------
    FileFormatError
        The archive is damaged.
    EncodingError
        The encoding can not be decided, or the stated one does not fit.
    """
    with unpacked(path) as plain, tempfile.TemporaryDirectory(prefix="wanmi-") as folder:
        text = plain.read_bytes()
        decision = decide_encoding(text.split(b'"'), stated=encoding)
        warnings = decision.warnings
        if decision.label not in ("UTF-8", "ASCII"):
            told = Remark(
                en=f"The file is in {decision.label}, where JSON must be UTF-8.",
                zh=f"文件的编码是 {decision.label}，而 JSON 须用 UTF-8。",
            )
            warnings = (*warnings, told)
        if not _is_utf8(text):
            plain = Path(folder, f"layer{plain.suffix}")
            decoded = text.decode(decision.codec, errors="replace")
            plain.write_text(decoded, encoding="utf-8")
            if "\ufffd" in decoded:
                lost = Remark(
                    en=f"Bytes that are no {decision.label} text were replaced.",
                    zh=f"不是 {decision.label} 文本的字节已被替换。",
                )
                warnings = (*warnings, lost)
        yield JsonText(
            path=plain,
            is_topology=bool(_TOPOLOGY.search(text[:_HEAD_BYTES])),
            has_crs=bool(_CRS.search(text)),
            decision=decision,
            warnings=warnings,
        )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def find_json_fault(path: Path) -> ValueError | None:
    """Return where a file stops being JSON; None: it is JSON."""
    try:
        json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except ValueError as fault:
        return fault
    return None
