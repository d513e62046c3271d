"""Compiled functions are forgotten when a source that was compiled into them changes."""

import ast
import subprocess
import sys
from pathlib import Path

from gis.compiled import forget_stale

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gis", "gridding", "census", "pipelines", "api")
COMPILERS = ("njit", "compiled_in_place")
INNER = "import numba\n@numba.njit(cache=True)\ndef inner(x):\n    return x + {}\n"
OUTER = """from pathlib import Path
from gis.compiled import forget_stale
forget_stale(Path(__file__).parent, modules=["inner", "outer"])
import numba
from inner import inner
@numba.njit(cache=True)
def outer(x):
    return inner(x) * 10
print(outer(1))
"""


def answer(folder: Path) -> str:
    root = Path(__file__).resolve().parents[2]
    code = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(root)!r}]; import outer"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_changed_source_reaches_the_functions_it_is_compiled_into(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(OUTER, encoding="utf-8")
    (tmp_path / "inner.py").write_text(INNER.format(1), encoding="utf-8")
    assert answer(tmp_path) == "20"
    assert list((tmp_path / "__pycache__").glob("outer.*.nbi"))
    # Of another length: Python tells sources apart by their size and the second they were written in.
    (tmp_path / "inner.py").write_text(INNER.format(17), encoding="utf-8")
    assert answer(tmp_path) == "180"


def test_unchanged_sources_keep_what_was_compiled(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("", encoding="utf-8")
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    kept, other = cache / "one.f-1.py311.nbi", cache / "two.g-1.py311.nbi"
    kept.write_bytes(b"")
    other.write_bytes(b"")
    assert forget_stale(tmp_path, modules=["one"])
    assert (kept.exists(), other.exists()) == (False, True)
    kept.write_bytes(b"")
    assert not forget_stale(tmp_path, modules=["one"])
    assert kept.exists()


def named_by_compiled(tree: ast.Module) -> set[str]:
    """Return the names that compiled functions of a module use, annotations apart."""
    marks = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and is_compiling(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {
        node.id
        for made in tree.body
        if isinstance(made, ast.FunctionDef)
        for mark in made.decorator_list
        if is_compiling(mark) or ast.unparse(mark).split("(")[0] in marks
        for statement in made.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }


def is_compiling(mark: ast.AST) -> bool:
    return any(name in ast.unparse(mark) for name in COMPILERS)


def compiled_from(tree: ast.Module) -> set[str]:
    """Return the modules of this project whose functions or numbers are compiled into a module's."""
    used = named_by_compiled(tree)
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.split(".")[0] in PACKAGES
        for name in node.names
        if (name.asname or name.name) in used
    }


def watched_in(tree: ast.Module, folder: str) -> list[tuple[set[str], set[str]]]:
    """Return for each call of ``forget_stale`` whose compiled functions go, and what they are made of."""
    calls = [
        {word.arg: names_in(word.value, folder) for word in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "forget_stale"
    ]
    return [(call["modules"], call["modules"] | call.get("built_from", set())) for call in calls]


def names_in(value: ast.AST, folder: str) -> set[str]:
    return {
        f"{folder}.{node.value!s}" for node in ast.walk(value) if isinstance(node, ast.Constant)
    }


def test_whatever_is_compiled_into_a_function_is_watched() -> None:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    trees = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
        for path in paths
        if any(name in path.read_text("utf-8") for name in (*COMPILERS, "forget_stale"))
    }
    watched = [
        pair for name, tree in trees.items() for pair in watched_in(tree, name.rpartition(".")[0])
    ]
    made = {name: compiled_from(tree) for name, tree in trees.items()}
    assert "gis.packing" in made["gis.probe"]
    assert "gridding.network" in made["gridding.search"]
    unwatched = {
        (name, source)
        for name, sources in made.items()
        for source in sources
        if not any(name in gone and source in built_from for gone, built_from in watched)
    }
    assert unwatched == set()
