"""Opening a store: new, again, twice at once, and where there is none."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from argon2 import PasswordHasher
from sqlalchemy import create_engine, text

from tekil.access.audit import verify
from tekil.errors import Misconfigured, Unavailable
from tekil.store import Store, open_store
from tekil.store.open import MIGRATIONS
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


def test_the_migrations_make_the_tables_that_the_code_knows(url: str) -> None:
    open_store(url).close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


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
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        hashed = PasswordHasher().hash("the first password")
        connection.execute(text("INSERT INTO users VALUES ('admin', :hashed, 1)"), {"hashed": hashed})
        secret = hashlib.sha256(b"tk_old").hexdigest()
        key = text("INSERT INTO api_keys VALUES ('k1', 'old', :hash, 'ledger:read', 1, NULL)")
        connection.execute(key, {"hash": secret})
        connection.commit()
    engine.dispose()
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
