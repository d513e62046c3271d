"""Settings from the environment, read once at the entry points and passed down.

``WANMI_WORKSPACE``, ``WANMI_DATABASE_URL``, ``WANMI_LOG_LEVEL`` are all there is; an unknown
``WANMI_…`` name is refused, because a misspelt setting that does nothing is worse than an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gis.errors import SettingsError

_PREFIX = "WANMI_"
_KNOWN = ("WANMI_DATABASE_URL", "WANMI_LOG_LEVEL", "WANMI_WORKSPACE")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the surroundings say."""

    workspace: Path | None = None
    """Workspace folder; None: the nearest folder upwards that holds a ``wanmi.toml``."""
    database_url: str | None = None
    """``postgresql://…`` of a PostGIS; None: the embedded cluster of the workspace."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment, refusing names that are not known.

    Raises
    ------
    SettingsError
        A ``WANMI_`` variable is unknown or has a value out of range.

    Examples
    --------
    >>> read_settings({"WANMI_LOG_LEVEL": "debug"}).log_level
    'DEBUG'
    """
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in _KNOWN)
    if unknown:
        msg = f"Unknown setting {', '.join(unknown)}: the known ones are {', '.join(_KNOWN)}."
        raise SettingsError(
            msg, zh=f"未知的设置 {'、'.join(unknown)}，可用的有 {'、'.join(_KNOWN)}。"
        )
    level = environ.get("WANMI_LOG_LEVEL", "INFO").upper()
    if level not in _LEVELS:
        msg = f"WANMI_LOG_LEVEL is {level!r}; use one of {', '.join(_LEVELS)}."
        raise SettingsError(
            msg, zh=f"WANMI_LOG_LEVEL 的值 {level!r} 无效，可用 {'、'.join(_LEVELS)}。"
        )
    folder = environ.get("WANMI_WORKSPACE")
    return Settings(
        workspace=Path(folder) if folder else None,
        database_url=environ.get("WANMI_DATABASE_URL") or None,
        log_level=level,
    )
