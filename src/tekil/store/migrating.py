"""Running Alembic's migrations. Loaded only where a database is older than this version."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from tekil.store.schema import MIGRATIONS


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision` on a connection; the caller commits."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
