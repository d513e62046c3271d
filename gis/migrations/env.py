"""Run by Alembic: applies revisions on the connection handed over by ``gis.migrations``."""

from alembic import context

from gis.migrations import VERSION_SCHEMA, VERSION_TABLE
from gis.tables import declare

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=declare(context.config.attributes["srid"]),
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
    include_schemas=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
