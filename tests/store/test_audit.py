"""The trail is written with what it tells of, by any number of writers, and shows what was done to it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text

from tekil.access.audit import SYSTEM, Act, Actor, Head, verify
from tekil.errors import NotFound
from tekil.store import Store, open_store
from tekil.store.audit import Wanted

AYSE = Actor("user", "ayşe", "10.0.0.7")


def acts(store: Store) -> list[tuple[str, str, str]]:
    return [(e.act, e.object_kind, e.object_id) for e in store.audit.entries()]


def test_every_change_of_sources_and_keys_is_on_record_with_who_and_what(store: Store) -> None:
    written = store.keys.create_write_key("web", AYSE)
    store.keys.set_source_enabled("web", False, AYSE)
    store.keys.set_source_enabled("web", True, AYSE)
    store.keys.revoke_write_key(written.key, AYSE)
    key, secret = store.keys.create_api_key("reports", ["ledger:read"], AYSE)
    store.keys.revoke_api_key(key.id)
    assert acts(store) == [
        ("source.created", "source", "web"),
        ("write_key.created", "source", "web"),
        ("source.disabled", "source", "web"),
        ("source.enabled", "source", "web"),
        ("write_key.revoked", "source", "web"),
        ("key.created", "key", key.id),
        ("key.revoked", "key", key.id),
    ]
    entries = list(store.audit.entries())
    assert {(e.actor_kind, e.actor, e.origin) for e in entries[:6]} == {("user", "ayşe", "10.0.0.7")}
    assert (entries[6].actor_kind, entries[6].actor) == ("system", SYSTEM.name)
    assert '"scopes":["ledger:read"]' in entries[5].details
    kept = "".join(e.details for e in entries)
    assert secret not in kept
    assert written.key not in kept
    assert verify(entries, store.audit.head()) is None


def test_sign_ins_are_on_record_good_and_bad_without_what_was_typed(store: Store) -> None:
    password = store.users.create_first() or ""
    store.users.sign_in("admin", "wrong", "10.0.0.9")
    store.users.sign_in("hunter2", "wrong", "10.0.0.9")
    store.sessions.end(store.users.sign_in("admin", password, "10.0.0.9") or "", "10.0.0.9")
    entries = list(store.audit.entries())
    assert [(e.act, e.object_id, e.origin) for e in entries] == [
        ("user.created", "admin", ""),
        ("session.refused", "admin", "10.0.0.9"),
        ("session.refused", "", "10.0.0.9"),
        ("session.started", "admin", "10.0.0.9"),
        ("session.ended", "admin", "10.0.0.9"),
    ]


def test_what_fails_leaves_no_entry_and_no_gap(store: Store) -> None:
    store.audit.append(AYSE, Act.SQL_RUN, "warehouse", rows=3)
    with pytest.raises(NotFound):
        store.keys.set_source_enabled("nobody", True, AYSE)
    store.audit.append(AYSE, Act.SQL_RUN, "warehouse", rows=4)
    assert [e.number for e in store.audit.entries()] == [1, 2]


def test_writers_of_several_processes_never_break_the_chain(url: str) -> None:
    stores = [open_store(url) for _ in range(3)]
    failed: list[BaseException] = []

    def work(store: Store, name: str) -> None:
        try:
            for _ in range(12):
                store.audit.append(Actor("user", name), Act.SQL_RUN, "warehouse")
                store.keys.create_write_key(name)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(store, f"w{n}")) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    entries = list(stores[0].audit.entries())
    assert len(entries) == 3 * (12 * 2 + 1)
    assert verify(entries, stores[0].audit.head()) is None
    for store in stores:
        store.close()


def test_the_trail_is_read_newest_first_by_who_by_act_by_time_and_by_the_page(store: Store) -> None:
    for n in range(5):
        store.audit.append(Actor("user", f"u{n % 2}"), Act.SQL_RUN if n else Act.ENGINE_REBUILT, "x", str(n))
    entries = list(store.audit.entries())

    def found(wanted: Wanted, limit: int = 50) -> list[int]:
        return [e.number for e in store.audit.page(wanted, limit)]

    assert found(Wanted()) == [5, 4, 3, 2, 1]
    assert found(Wanted(), 2) == [5, 4]
    assert found(Wanted(before=4), 2) == [3, 2]
    assert found(Wanted(actor="u1")) == [4, 2]
    assert found(Wanted(act="engine.rebuilt")) == [1]
    assert found(Wanted(since=entries[1].at, until=entries[1].at)) == []
    assert found(Wanted(since=0, until=entries[-1].at + 1)) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("damage", "number"),
    [
        ("UPDATE audit_entries SET actor = 'somebody' WHERE number = 2", 2),
        ("DELETE FROM audit_entries WHERE number = 1", 1),
        ("DELETE FROM audit_entries WHERE number = 3", 3),
        ("UPDATE audit_head SET number = 2", 3),
    ],
)
def test_what_somebody_did_to_the_database_is_found(
    store: Store, url: str, damage: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tekil.store.audit.WALK", 2)
    for n in range(3):
        store.audit.append(AYSE, Act.SQL_RUN, "warehouse", str(n))
    noted = store.audit.head()
    assert verify(store.audit.entries(), noted) is None
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(damage))
    engine.dispose()
    misfit = verify(store.audit.entries(), store.audit.head(), Head(noted.number, noted.hash))
    assert misfit is not None
    assert misfit.number == number
