"""The versions of the database schema, applied by Alembic inside one transaction.

Each revision is written by hand and never edited once released; a test proves that an empty
database upgraded to the newest revision equals the declarations of ``gis.tables``.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gis.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_SCHEMA = "meta"
VERSION_TABLE = "alembic_version"

logger = logging.getLogger(__name__)
# Alembic tells at each look that it looks; what is applied is told here instead.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


def head() -> str:
    """Return the newest revision this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def revisions() -> list[str]:
    """Return all revisions this program knows, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def current(connection: "Connection") -> str | None:
    """Return the revision the database is at; None: never migrated."""
    options = {"version_table": VERSION_TABLE, "version_table_schema": VERSION_SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def pending(connection: "Connection") -> list[str]:
    """Return the revisions not yet applied, oldest first; changes nothing.

    Raises
    ------
    DatabaseError
        A newer Wanmi migrated it.
    """
    known = revisions()
    at = current(connection)
    if at is not None and at not in known:
        msg = f"The database is at revision {at} of a newer Wanmi: install that version."
        raise DatabaseError(msg, zh=f"数据库版本 {at} 来自更新的 Wanmi：请安装该版本。")
    return known if at is None else known[known.index(at) + 1 :]


def upgrade(connection: "Connection", *, srid: int, revision: str = "head") -> None:
    """Upgrade the database to `revision`; the caller's transaction commits it.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Connection inside a transaction.
    srid : int
        SRID of the city's CRS, for geometry columns.
    revision : str
        Revision, or ``head``.
    """
    for name in pending(connection):
        logger.info("Migration %s will be applied", name)
    command.upgrade(_config(connection, srid=srid), revision)


def downgrade(connection: "Connection", *, srid: int, revision: str) -> None:
    """Take the database back to `revision` (``base``: empty); the caller's transaction commits it."""
    command.downgrade(_config(connection, srid=srid), revision)


def _config(connection: "Connection | None" = None, *, srid: int | None = None) -> Config:
    config = Config()
    # ConfigParser reads % as interpolation; a package folder may hold one.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["srid"] = srid
    return config
