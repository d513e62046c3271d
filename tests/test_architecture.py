"""The layout holds: who may import whom, and who alone touches files, connections, surroundings."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("gis", "gridding", "census", "pipelines", "api")
MAY_IMPORT = {
    "gis": set(),
    "gridding": {"gis"},
    "census": {"gis"},
    "pipelines": {"gis", "gridding", "census"},
    "api": {"gis", "gridding", "census"},
}
VAGUE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "manager",
    "service",
    "base",
    "misc",
}
# Modules that open geodata files, and nobody else.
FILE_OPENERS = {"gis/vector.py", "gis/streams.py", "gis/raster.py"}
CONNECTION_OPENERS = {"gis/database.py"}
ENVIRONMENT_READERS = {"gis/command.py"}
LONGEST = 400


def modules() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" in path.parts or "vendor" in path.parts:
                continue
            yield path.relative_to(ROOT).as_posix()


NAMES = tuple(modules())
Trees = dict[str, ast.Module]


@pytest.fixture(scope="module")
def trees() -> Trees:
    """Each module read once, by the worker that tests them: to read them takes a second or two."""
    return {name: ast.parse((ROOT / name).read_text(encoding="utf-8")) for name in NAMES}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("name", NAMES)
def test_packages_import_only_downstream(trees: Trees, name: str) -> None:
    package = name.split("/")[0]
    ours = {found.split(".")[0] for found in imports(trees[name])} & set(PACKAGES)
    assert ours - {package} <= MAY_IMPORT[package]


def test_only_the_http_edge_imports_the_web_framework(trees: Trees) -> None:
    web = {"fastapi", "starlette", "granian", "pydantic", "tipg", "titiler"}
    found = {
        name
        for name, tree in trees.items()
        if not name.startswith("api/http/") and {part.split(".")[0] for part in imports(tree)} & web
    }
    assert found == set()


def test_only_the_database_module_opens_connections(trees: Trees) -> None:
    openers = {"psycopg.connect", "create_engine", "sqlalchemy.create_engine", "ConnectionPool"}
    found = {
        name
        for name, tree in trees.items()
        if name not in CONNECTION_OPENERS and openers & set(calls(tree))
    }
    assert found == set()


def test_only_the_vector_and_raster_modules_open_geodata(trees: Trees) -> None:
    libraries = {"fiona", "pyogrio", "rasterio"}
    opening = {"gpd.read_file", "geopandas.read_file", "gpd.read_parquet", "rasterio.open"}
    writers = ("to_file", "to_parquet_geo")
    found = set()
    for name, tree in trees.items():
        if name in FILE_OPENERS or name.startswith("api/http/"):
            continue
        named = set(calls(tree))
        direct = {module.split(".")[0] for module in imports(tree)} & libraries
        # Pure arithmetic of the raster library (transforms, windows, features) opens nothing.
        pure = {
            "rasterio.transform",
            "rasterio.windows",
            "rasterio.features",
            "rasterio.rpc",
            "rasterio.enums",
            "rasterio.crs",
            "rasterio.warp",
        }
        opens = {module for module in imports(tree) if module.split(".")[0] in direct} - pure
        if opens or named & opening or any(call.endswith(writers) for call in named):
            found.add(name)
    assert found == set()


def test_the_environment_is_read_in_one_place(trees: Trees) -> None:
    found = {
        name
        for name, tree in trees.items()
        if name not in ENVIRONMENT_READERS
        and any(
            isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
            for node in ast.walk(tree)
        )
    }
    assert found == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_module_has_one_name_for_what_it_does(name: str) -> None:
    parts = {part.removesuffix(".py") for part in name.split("/")}
    assert not parts & VAGUE
    length = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    assert length <= LONGEST, f"{name} has {length} lines: it wants a second name"


def test_wanmi_only_mounts_commands() -> None:
    tree = ast.parse((ROOT / "wanmi.py").read_text(encoding="utf-8"))
    commands = [call for call in calls(tree) if call.endswith(".command")]
    assert commands == []


def test_help_loads_no_geodata_library() -> None:
    """What a command works with is imported when it runs, so that `wanmi --help` answers at once."""
    heavy = ("pandas", "geopandas", "numba", "sqlalchemy", "scipy", "matplotlib")
    program = f"import sys, wanmi; wanmi.app; print([n for n in {heavy!r} if n in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert shown.stdout.strip() == "[]"
