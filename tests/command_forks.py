"""`wanmi` many times over: each command a process of its own, forked from one with the libraries loaded.

What other people wrote is loaded beforehand, which takes longer than most commands; our own packages
are imported by each command, as when it is typed in a terminal.

    python -m tests.command_forks  < one JSON document a line: words, out, err  > exit codes, one a line
"""

import gc
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    "alembic", "fiona", "geoalchemy2", "geopandas", "matplotlib", "numba", "openpyxl", "pandas", "psycopg",
    "pyarrow.parquet", "pyogrio", "pypinyin", "rasterio", "rio_cogeo.cogeo", "scipy.ndimage",
    "scipy.sparse.csgraph", "scipy.spatial", "shapely", "sqlalchemy.dialects.postgresql", "typer",
)  # fmt: skip


@contextmanager
def command_forks(
    cwd: Path, environ: Mapping[str, str]
) -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    """Offer a function that runs `wanmi` with its arguments in `cwd` and returns what it said."""
    (said := cwd / ".said").mkdir()
    out, err = said / "out", said / "err"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.command_forks"],
        cwd=cwd, env=dict(environ), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps([words, str(out), str(err)]) + "\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            told = [path.read_text(encoding="utf-8") for path in (out, err)]
            return subprocess.CompletedProcess(words, code, *told)

        yield run
        process.stdin.close()


def _next_command() -> list[str] | None:
    """Fork for each line; return in the child the words of its command, in the parent nothing."""
    while line := sys.stdin.readline():
        words, out, err = json.loads(line)
        if (child := os.fork()) == 0:
            for number, name in enumerate((os.devnull, out, err)):
                flags = os.O_RDWR | (0 if number == 0 else os.O_CREAT | os.O_TRUNC)
                os.dup2(os.open(name, flags), number)
            return list(words)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return None


if __name__ == "__main__":
    for name in LIBRARIES:
        import_module(name)
    gc.freeze()  # or each command would go through all of the libraries' objects as it ends
    if (command := _next_command()) is not None:
        sys.argv = ["wanmi", *command]
        runpy.run_module("wanmi", run_name="__main__", alter_sys=True)
