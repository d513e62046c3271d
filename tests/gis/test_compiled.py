"""Compiled functions are forgotten when a source that was compiled into them changes."""

import subprocess
import sys
from pathlib import Path

from gis.compiled import forget_stale

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
    (tmp_path / "inner.py").write_text(INNER.format(7), encoding="utf-8")
    assert answer(tmp_path) == "80"


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
