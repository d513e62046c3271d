"""A proposed manifest: its layers, what a person must see to, and its text as TOML."""

import re
from dataclasses import dataclass
from datetime import date

import orjson

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One layer as proposed."""

    path: str
    layer: str | None = None
    sheet: str | None = None
    dataset: str | None = None
    rows: int = 0
    lines: tuple[str, ...] = ()
    """Lines of TOML below dataset and path."""
    problems: tuple[str, ...] = ()
    """What a person must see to."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A manifest, and what is left to do."""

    name: str
    as_of: date
    entries: tuple[Entry, ...]
    unread: dict[str, str]
    """File -> why it is not in the manifest."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person must see to, file by file."""
        return tuple(
            f"{_called(entry)}: {problem}" for entry in self.entries for problem in entry.problems
        )


def write_proposal(proposal: Proposal) -> str:
    """Return the manifest as TOML, with what must be confirmed as comments.

    Examples
    --------
    >>> entry = Entry(path="a.shp", dataset="components", rows=3, lines=('class_code = "0104"',))
    >>> made = Proposal(name="d", as_of=date(2026, 5, 31), entries=(entry,), unread={})
    >>> print(write_proposal(made).split("[[layer]]")[1].strip())
    dataset = "components"   # 3 rows
    path = "a.shp"
    class_code = "0104"
    """
    blocks = [
        "# Proposed by `wanmi census manifest`: read it, correct it, then check or build the delivery.",
        "",
        "[delivery]",
        f"name = {quoted(proposal.name)}",
        f"as_of = {proposal.as_of.isoformat()}   # the day the files describe",
    ]
    for entry in proposal.entries:
        block = ["", *(f"# ! {problem}" for problem in entry.problems)]
        body = ["[[layer]]", f"dataset = {quoted(entry.dataset or '…')}   # {entry.rows:,} rows"]
        body.append(f"path = {quoted(entry.path)}")
        body += [f"layer = {quoted(entry.layer)}"] if entry.layer else []
        body += [f"sheet = {quoted(entry.sheet)}"] if entry.sheet else []
        body += entry.lines
        if entry.dataset is None:  # not part of the delivery until a person says what it is
            body = [f"# {line.removeprefix('# ')}" for line in body]
        blocks += [*block, *body]
    if proposal.unread:
        blocks += ["", "# Not read:"]
        blocks += [f"#   {name}: {why}" for name, why in proposal.unread.items()]
    # A name may have a line break in it, as headings of spreadsheets do: a comment must not end there.
    return "\n".join(_CONTROL.sub(" ", line) for line in blocks) + "\n"


def _called(entry: Entry) -> str:
    part = entry.layer or entry.sheet
    return f"{entry.path}|{part}" if part else entry.path


def quoted(text: str) -> str:
    r"""Return a text as TOML writes it: strings of JSON are strings of TOML, but for DEL.

    Examples
    --------
    >>> print(quoted('a"b\x7f路'))
    "a\"b\u007f路"
    """
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")
