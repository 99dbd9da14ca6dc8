"""Opening a store: new, again, twice at once, and where there is none."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from argon2 import PasswordHasher
from sqlalchemy import Connection, create_engine, inspect, text

from tekil.access.audit import verify
from tekil.errors import Misconfigured, Unavailable
from tekil.store import Store, open_store
from tekil.store.migrating import migrate
from tekil.store.schema import MIGRATIONS, newest_revision
from tekil.store.tables import metadata


def test_what_was_written_is_there_when_opened_again(url: str) -> None:
    first = open_store(url)
    key = first.keys.create_write_key("web")
    first.close()
    second = open_store(url)
    second.ping()
    assert second.keys.write_keys() == [key]
    second.close()


def test_two_processes_may_open_a_new_store_at_once(url: str) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(url))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 2
    opened[0].keys.create_write_key("web")
    assert [source.name for source in opened[1].keys.sources()] == ["web"]
    for store in opened:
        store.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def anatomy(connection: Connection) -> dict[str, Any]:
    """Everything that a database says of its tables, and all rows in them."""
    seen, anatomy = inspect(connection), {}
    for table in seen.get_table_names():
        columns = {c["name"]: {**c, "type": str(c["type"])} for c in seen.get_columns(table)}
        anatomy[table] = {
            "columns": columns,
            "primary key": seen.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted(map(repr, seen.get_indexes(table))),
            "unique": sorted(repr(u["column_names"]) for u in seen.get_unique_constraints(table)),
            "rows": [
                {name: row[name] for name in sorted(columns)}
                for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()
            ],
        }
        if connection.dialect.name == "sqlite":
            made = text("SELECT sql FROM sqlite_master WHERE name = :table")
            sql = connection.execute(made, {"table": table}).scalar_one()
            anatomy[table]["never gives an id twice"] = "AUTOINCREMENT" in sql
    return anatomy


def test_a_new_store_is_as_the_migrations_would_have_made_it(
    url: str,
) -> None:
    """What a migration adds stands in the tables that the code knows, and its first rows beside them."""
    open_store(url).close()
    with connected(url) as connection:
        made = anatomy(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        connection.rollback()
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        migrate(connection)
        connection.commit()
        assert anatomy(connection) == made


def test_the_newest_revision_is_the_one_that_alembic_goes_to() -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_an_up_to_date_store_is_opened_without_loading_alembic(tmp_path: Path) -> None:
    twice = f"""
import sys
from tekil.store import open_store
for _ in range(2):
    open_store("sqlite:///{tmp_path}/store.db").close()
sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", twice], check=True)


@pytest.mark.parametrize("url", ["", "nonsense", "carrierpigeon://roof/loft"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"store\.url"):
        open_store(url)


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(Unavailable):
        open_store(f"sqlite:///{tmp_path}/store.db")


def test_an_error_never_shows_the_password() -> None:
    with pytest.raises(Unavailable) as caught:
        open_store("postgresql://tekil:hunter2@127.0.0.1:1/tekil?connect_timeout=1")
    assert "hunter2" not in str(caught.value)


def test_the_users_and_keys_of_the_first_version_go_on(url: str) -> None:
    with connected(url) as connection:
        migrate(connection, "0001")
        hashed = PasswordHasher().hash("the first password")
        connection.execute(text("INSERT INTO users VALUES ('admin', :hashed, 1)"), {"hashed": hashed})
        secret = hashlib.sha256(b"tk_old").hexdigest()
        key = text("INSERT INTO api_keys VALUES ('k1', 'old', :hash, 'ledger:read', 1, NULL)")
        connection.execute(key, {"hash": secret})
        connection.commit()
    store = open_store(url)
    user = store.users.get("admin")
    assert (user.roles, user.disabled, user.must_change, user.condition) == (
        ("administrator",),
        False,
        False,
        None,
    )
    assert store.users.sign_in("admin", "the first password")
    found = store.keys.find_api_key("tk_old")
    assert found
    assert found.allows("ledger:read")
    assert verify(store.audit.entries(), store.audit.head()) is None
    store.close()
