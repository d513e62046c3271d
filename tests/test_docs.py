"""Every command the documentation shows exists: options, targets and paths as written."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

import wanmi

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
# Commands of others that a reader may be asked for; each is checked by hand when it is added.
FOREIGN = {
    "cd",
    "dask",
    "git",
    "sudo",
    "conda",
    "ogrinfo",
    "psql",
    "jupyter",
    "export",
    "brew",
    "systemctl",
}


def shown_commands() -> list[tuple[str, str]]:
    """Return (page, command line) of every line in the fenced ``sh`` blocks, joined at backslashes."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip() and not line.startswith("#"):
                    found.append((page.relative_to(ROOT).as_posix(), line.strip()))
    return found


COMMANDS = shown_commands()


def words_of(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    return words


def check_wanmi(words: list[str]) -> None:
    """Parse the words as the command would, without running it."""
    command: click.Command = typer.main.get_command(wanmi.app)
    context = command.make_context("wanmi", list(words), resilient_parsing=True)
    # Click keeps the subcommand's name apart from what follows it.
    rest = [*getattr(context, "_protected_args", []), *context.args]
    while hasattr(command, "commands"):
        stands_alone = getattr(command, "invoke_without_command", False)
        if stands_alone and (not rest or rest[0].startswith("-")):
            break
        assert rest, f"{' '.join(words)}: a subcommand is missing"
        name, *rest = rest
        assert name in command.commands, f"{' '.join(words)}: no command {name}"
        command = command.commands[name]
    known = {
        option
        for parameter in command.params
        for option in parameter.opts + parameter.secondary_opts
    }
    given = {word.split("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)}
    assert given - {"--help"} <= known, f"{' '.join(words)}: unknown {given - known}"


def check_make(words: list[str]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE))
    assert {word for word in words if "=" not in word} <= targets


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{p}:{c[:60]}" for p, c in COMMANDS])
def test_shown_command_exists(page: str, line: str) -> None:
    words = words_of(line)
    name = Path(words[0]).name
    if name == "wanmi":
        check_wanmi(words[1:])
    elif name == "make":
        check_make(words[1:])
    elif name == "curl":
        assert page == "README.md", (
            f"{page} shows a lookup; tests/test_readme.py asks only the README's"
        )
    else:
        assert name in FOREIGN, f"{page} shows {name}, which nothing checks"


def test_documentation_shows_commands() -> None:
    assert len(COMMANDS) > 10
