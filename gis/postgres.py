"""PostgreSQL's programs on this machine: where they are, their version, whether PostGIS is there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gis.errors import ClusterError

MIN_VERSION = 14
"""Oldest PostgreSQL major version that Wanmi runs on."""
MIN_POSTGIS = (3, 3)
"""Oldest PostGIS version that Wanmi runs on."""

_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)
_APT_VERSIONS = {
    ("debian", "11"): 13,
    ("debian", "12"): 15,
    ("debian", "13"): 17,
    ("ubuntu", "22.04"): 14,
    ("ubuntu", "24.04"): 16,
    ("ubuntu", "25.04"): 17,
    ("ubuntu", "26.04"): 18,
}
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """One installation of PostgreSQL."""

    folder: Path
    """Folder that holds ``postgres``, ``initdb``, ``pg_dump``, ``pg_restore``, ``psql``."""
    version: int
    """Major version."""
    postgis: tuple[int, int] | None
    """PostGIS version it has, major and minor; None: PostGIS is not installed for it."""

    def program(self, name: str) -> str:
        """Return the full path of one of its programs."""
        return str(self.folder / name)

    @property
    def is_usable(self) -> bool:
        """Both versions are new enough."""
        return (
            self.version >= MIN_VERSION
            and self.postgis is not None
            and (self.postgis >= MIN_POSTGIS)
        )


def child_environment(**values: str) -> dict[str, str]:
    """Return the whole environment for PostgreSQL's programs.

    A fixed one: ``PGDATA``, ``PGHOST`` or a translated log of the user's shell change nothing.
    """
    return {**_ENVIRONMENT, **values}


def find_binaries(*, version: int | None = None, places: Iterable[Path] | None = None) -> Binaries:
    """Return the installation to run the server with.

    The one on the PATH or in the running conda environment wins when it has PostGIS, then the
    newest that has.

    Parameters
    ----------
    version : int
        Major version that made the data; None: any that is new enough.
    places : iterable of pathlib.Path
        Folders to look in; None: the usual ones of this machine.

    Raises
    ------
    ClusterError
        PostgreSQL or PostGIS is missing or too old; the sentence names the command to install it.
    """
    found = list(_installations(usual_places() if places is None else places))
    fitting = [one for one in found if version is None or one.version == version]
    for one in fitting:
        if one.is_usable:
            return one
    if version is not None and not fitting:
        others = ", ".join(str(one.version) for one in found) or "none"
        command = install_command(version)
        msg = (
            f"The database of this workspace was made by PostgreSQL {version}, installed here: {others}; "
            f"install that version with `{command}`."
        )
        raise ClusterError(
            msg,
            zh=f"本工作区的数据库由 PostgreSQL {version} 建立，本机没有该版本：请运行 {command}。",
        )
    raise _missing(fitting)


def find_client(name: str, *, version: int) -> str:
    """Return the path of a client program that understands a server of `version`.

    Of several the one nearest to the server's version: a newer one may write what it can not read.

    Raises
    ------
    ClusterError
        There is none as new as the server.
    """
    found: dict[int, Path] = {}
    for folder in usual_places():
        if (folder / name).is_file():
            found.setdefault(_client_version(folder / name), folder / name)
    fitting = sorted(one for one in found if one >= version)
    if fitting:
        return str(found[fitting[0]])
    here = ", ".join(str(one) for one in sorted(found) if one) or "none"
    command = (
        install_command(version)
        .replace("-postgis-3", "")
        .replace("postgresql-", "postgresql-client-")
    )
    msg = f"The server is PostgreSQL {version} and needs a {name} as new, here: {here}; run `{command}`."
    raise ClusterError(
        msg, zh=f"服务器为 PostgreSQL {version}，需要同版本的 {name}：请运行 {command}。"
    )


def usual_places() -> list[Path]:
    """Return the folders to look in: the PATH, the conda environment, then newest version first."""
    folders = []
    for program in ("postgres", "psql"):
        on_path = shutil.which(program)
        if on_path is not None:
            # Debian's psql is a wrapper in a folder of its own; only a real program's siblings count.
            folders.append(Path(on_path).resolve().parent)
    folders.append(Path(sys.prefix) / "bin")
    rest = [folder for pattern in _PLACES for folder in Path("/").glob(pattern[1:])]
    return folders + sorted(rest, key=_version_in_path, reverse=True)


def install_command(version: int | None = None) -> str:
    """Return the command that installs PostgreSQL with PostGIS on this machine.

    Parameters
    ----------
    version : int
        Major version wanted; None: the distribution's own.
    """
    if (Path(sys.prefix) / "conda-meta").is_dir():
        wanted = "postgresql" if version is None else f"postgresql={version}"
        return f"conda install -c conda-forge {wanted} postgis"
    if sys.platform == "darwin":
        return f"brew install postgresql@{version or 17} postgis"
    return apt_command(_read_os_release(), version=version)


def apt_command(os_release: str, *, version: int | None = None) -> str:
    r"""Return the command for Debian or Ubuntu, from the text of ``/etc/os-release``.

    Examples
    --------
    >>> apt_command('ID=ubuntu\nVERSION_ID="24.04"')
    'sudo apt-get install postgresql-16-postgis-3'
    >>> apt_command("ID=devuan", version=17)
    'sudo apt-get install postgresql-17-postgis-3'
    >>> apt_command("ID=devuan")
    'sudo apt-get install postgresql-postgis'
    """
    facts = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    release = (facts.get("ID", ""), facts.get("VERSION_ID", ""))
    wanted = version or _APT_VERSIONS.get(release)
    package = "postgresql-postgis" if wanted is None else f"postgresql-{wanted}-postgis-3"
    return f"sudo apt-get install {package}"


def _installations(places: Iterable[Path]) -> Iterator[Binaries]:
    seen = set()
    for folder in places:
        if folder in seen or not all((folder / name).is_file() for name in ("postgres", "initdb")):
            continue
        seen.add(folder)
        version = _major_version(folder)
        if version is not None:
            yield Binaries(folder=folder, version=version, postgis=_postgis_version(folder))


def _major_version(folder: Path) -> int | None:
    try:
        text = _output([str(folder / "postgres"), "--version"])
    except (OSError, subprocess.SubprocessError):
        return None  # built for another machine, or not readable
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(found[1]) if found else None


def _client_version(program: Path) -> int:
    try:
        found = re.search(r"(\d+)", _output([str(program), "--version"]).partition(")")[2])
    except (OSError, subprocess.SubprocessError):
        return 0
    return int(found[1]) if found else 0


def _postgis_version(folder: Path) -> tuple[int, int] | None:
    for control in _control_files(folder):
        found = re.search(r"default_version\s*=\s*'(\d+)\.(\d+)", control.read_text("utf-8"))
        if found:
            return int(found[1]), int(found[2])
    return None


def _control_files(folder: Path) -> Iterator[Path]:
    shares = [folder.parent / "share" / "postgresql", folder.parent / "share"]
    try:
        shares.insert(0, Path(_output([str(folder / "pg_config"), "--sharedir"]).strip()))
    except (OSError, subprocess.SubprocessError):
        shares.append(Path("/usr/share/postgresql") / folder.parent.name)  # Debian, no pg_config
    for share in shares:
        control = share / "extension" / "postgis.control"
        if control.is_file():
            yield control


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, env=child_environment(), capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout


def _version_in_path(folder: Path) -> int:
    found = re.findall(r"\d+", str(folder))
    return int(found[-1]) if found else 0


def _read_os_release() -> str:
    try:
        return Path("/etc/os-release").read_text("utf-8")
    except OSError:
        return ""


def _missing(found: list[Binaries]) -> ClusterError:
    ready = [one for one in found if one.version >= MIN_VERSION]
    if not ready:
        what, zh = "PostgreSQL with PostGIS is not installed", "未安装 PostgreSQL 和 PostGIS"
        version = None
    elif ready[0].postgis is None:
        version = ready[0].version
        what = f"PostGIS is not installed for PostgreSQL {version}"
        zh = f"PostgreSQL {version} 未安装 PostGIS"
    else:
        version = ready[0].version
        what = f"PostGIS {ready[0].postgis[0]}.{ready[0].postgis[1]} is too old, 3.3 is needed"
        zh = "PostGIS 版本过低，需要 3.3 以上"
    command = install_command(version)
    ask = "" if command.startswith(("conda", "brew")) else " (without root: ask the administrator)"
    msg = f"{what}: run `{command}`{ask}, or name a database by WANMI_DATABASE_URL."
    return ClusterError(msg, zh=f"{zh}：请运行 {command}，或用 WANMI_DATABASE_URL 指定数据库。")
