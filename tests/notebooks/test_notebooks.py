"""The notebooks run from the first cell to the last on the sample district, and show what they say."""

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Playwright

from api import Snapshot
from tests.sample_fixtures import BuiltSample

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def folder(
    built_sample: BuiltSample, sample_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder whose ``demo`` looks as `make demo` leaves it."""
    folder = tmp_path_factory.mktemp("notebooks")
    demo = folder / "demo"
    demo.mkdir()
    for name in ("wanmi.toml", "snapshots"):
        (demo / name).symlink_to(built_sample.workspace.root / name)
    (demo / "sample").symlink_to(built_sample.delivery)
    return folder


def run(name: str, folder: Path) -> nbformat.NotebookNode:
    notebook = jupytext.read(NOTEBOOKS / name)
    # A kernel of its own interpreter, whatever kernels the machine has installed.
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}})
    client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable
    client.execute()
    return notebook


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if kind in output.get("data", {})
    ]


@pytest.fixture(scope="module")
def hotspots(folder: Path) -> nbformat.NotebookNode:
    return run("01_hotspots.py", folder)


def test_hotspots_are_found_and_named(hotspots: nbformat.NotebookNode) -> None:
    texts = "\n".join(outputs(hotspots, "text/plain"))
    assert "hot" in texts
    assert "main_unit" in texts
    printed = "".join(
        output.get("text", "") for cell in hotspots.cells for output in cell.get("outputs", [])
    )
    assert "data version" in printed


@pytest.mark.browser
def test_the_map_draws_without_a_network(
    hotspots: nbformat.NotebookNode, tmp_path: Path, playwright: Playwright, chromium: str
) -> None:
    page = next(html for html in outputs(hotspots, "text/html") if "srcdoc" in html)
    path = tmp_path / "map.html"
    path.write_text(page, encoding="utf-8")
    asked: list[str] = []
    faults: list[str] = []
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    tab = browser.new_page(viewport={"width": 1200, "height": 800})
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(path.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("path.leaflet-interactive").first.wait_for(timeout=120_000)
    drawn = frame.locator("path.leaflet-interactive").count()
    hot = frame.locator('path[fill="#c2185b"]').count()
    browser.close()
    assert faults == []
    assert [url for url in asked if url.startswith("http")] == []
    assert drawn > 50
    assert hot >= 1


@pytest.fixture(scope="module")
def owners(folder: Path) -> nbformat.NotebookNode:
    return run("02_owners.py", folder)


def test_owners_are_told_with_trace_and_reasons(owners: nbformat.NotebookNode) -> None:
    texts = "\n".join(outputs(owners, "text/plain"))
    for word in ("unit_name", "candidate", "accepted", "probability"):
        assert word in texts
    tables = "\n".join(outputs(owners, "text/html"))
    assert "meaning" in tables
    assert "low_probability" in tables
    page = next(html for html in outputs(owners, "text/html") if "srcdoc" in html)
    assert page.count("needs_review") > 100
    loaded = re.findall(r"src=&quot;(https?:[^&]*)", page)
    assert loaded == []


def test_notebooks_are_kept_as_text() -> None:
    kept = subprocess.run(
        ["git", "ls-files", "*.ipynb"],
        cwd=NOTEBOOKS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert kept.stdout == ""
