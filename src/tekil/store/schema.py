"""Bringing a database's tables up to date: made at once where there are none, migrated where they are old."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, select

from tekil.store.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
REVISION = re.compile(r'^(down_)?revision = "(\w+)"$', re.MULTILINE)

# Alembic's own table: not among ours, and named and shaped as it makes it.
_version = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True, nullable=False)
)


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables, or run the migrations that are missing. Two processes may start at once; one waits."""
    newest = newest_revision()
    with engine.connect() as connection:
        if _revision(connection) == newest:
            return
        connection.rollback()
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("select pg_advisory_lock(7436017)")
        else:
            connection.exec_driver_sql("begin immediate")
        if not inspect(connection).get_table_names():
            create(connection, newest)
        elif _revision(connection) != newest:
            # Alembic takes longer to load than everything else here, and is seldom needed.
            migrate: Callable[[Connection], None] = importlib.import_module("tekil.store.migrating").migrate
            migrate(connection)
        connection.commit()
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("select pg_advisory_unlock(7436017)")
            connection.commit()


def create(connection: Connection, revision: str) -> None:
    """Make all tables in an empty database, marked as migrated to `revision`.

    They are as the migrations would leave them, first rows included: a test compares the two ways.
    """
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=revision))


def newest_revision() -> str:
    """Return the revision that no other follows, from the text of the migrations."""
    texts = [path.read_text(encoding="utf-8") for path in MIGRATIONS.glob("versions/*.py")]
    links: list[tuple[str, str]] = [link for text in texts for link in REVISION.findall(text)]
    (newest,) = {name for down, name in links if not down} - {name for down, name in links if down}
    return newest


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_version.name):
        return None
    revision: str | None = connection.execute(select(_version.c.version_num)).scalar()
    return revision
