"""Passkeys, identities elsewhere and connections as they are kept, in every database."""

from __future__ import annotations

import threading

import pytest

from tekil.access.audit import Actor
from tekil.access.passkeys import Assertion, NewPasskey
from tekil.errors import BadRequest, Forbidden, NotFound
from tekil.store import Store
from tekil.store.identities import Arrival
from tekil.store.passkeys import PASSKEYS_MAX

BY = Actor("user", "root")
MADE = NewPasskey("key-1", b"public", 0, synced=False)


def acts(store: Store) -> list[str]:
    return [entry.act for entry in store.audit.entries()]


def added(store: Store, name: str = "ayse") -> None:
    store.users.create(name, ["sales"])
    store.passkeys.add(name, store.passkeys.handle(name), "Telefon", MADE, BY)


def test_a_passkey_is_kept_found_and_forgotten(store: Store) -> None:
    added(store)
    kept = store.passkeys.find("key-1")
    assert kept is not None
    assert (kept.user_name, kept.title, kept.public_key, kept.suspect_at) == (
        "ayse",
        "Telefon",
        b"public",
        None,
    )
    assert store.passkeys.handle("ayse") == kept.handle != store.passkeys.handle("veli")
    user = store.users.get("ayse")
    assert (user.passkeys, user.has_authenticator, user.has_second_factor) == (1, False, True)
    with pytest.raises(BadRequest, match="known already"):
        store.passkeys.add("veli", "handle", "Benim", MADE, BY)
    with pytest.raises(NotFound):
        store.passkeys.remove("veli", "key-1", BY)
    store.passkeys.remove_all("ayse", BY)
    assert not store.users.get("ayse").has_second_factor
    assert acts(store)[-2:] == ["passkey.added", "passkey.removed"]


def test_nobody_has_passkeys_without_end(store: Store) -> None:
    store.users.create("ayse", ["sales"])
    for n in range(PASSKEYS_MAX):
        store.passkeys.add("ayse", "handle", "x" * 200, NewPasskey(f"key-{n}", b"", 0, synced=True), BY)
    with pytest.raises(BadRequest, match="remove one first"):
        store.passkeys.add("ayse", "handle", "one more", NewPasskey("more", b"", 0, synced=True), BY)


def test_of_two_who_show_one_count_at_once_one_comes_in(store: Store) -> None:
    added(store)
    kept = store.passkeys.find("key-1")
    assert kept is not None
    tokens: list[str | None] = []

    def enter() -> None:
        tokens.append(store.passkeys.sign_in(kept, Assertion("key-1", 1), "10.0.0.1"))

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (token,) = [token for token in tokens if token]
    found = store.sessions.find(token)
    assert found is not None
    assert found[1].second_factor_at is not None


def test_a_count_that_goes_back_closes_a_passkey(store: Store) -> None:
    added(store)
    for count, opens in ((5, True), (5, False), (9, False)):
        kept = store.passkeys.of("ayse")[0]
        assert bool(store.passkeys.sign_in(kept, Assertion("key-1", count), "")) is opens
    assert store.passkeys.find("key-1") is None
    assert acts(store).count("passkey.suspect") >= 1


def arrival(roles: tuple[str, ...] = ("sales",), subject: str = "1", name: str = "ayse") -> Arrival:
    return Arrival("company", "https://login.example", subject, name, roles)


def test_whoever_arrives_is_made_a_user_once_and_follows_their_groups(store: Store) -> None:
    store.users.create_first()
    name, token = store.identities.sign_in(arrival(), "10.0.0.1")
    assert name == "ayse"
    assert store.sessions.find(token)
    assert store.identities.issuers_of("ayse") == ["https://login.example"]
    name, _ = store.identities.sign_in(arrival(("analyst", "sales"), name="called otherwise"), "")
    assert (name, store.users.get("ayse").roles) == ("ayse", ("analyst", "sales"))
    before = len(acts(store))
    store.identities.sign_in(arrival(("sales", "analyst")), "")
    assert acts(store)[before:] == ["session.started"]


def test_nobody_becomes_somebody_else_by_choosing_their_name(store: Store) -> None:
    store.users.create("ayse", ["administrator"])
    with pytest.raises(Forbidden, match="tekil user link"):
        store.identities.sign_in(arrival(), "")
    with pytest.raises(Forbidden, match="Nobody has let you in"):
        store.identities.sign_in(Arrival("c", "https://login.example", "1", "new", ("sales",), False), "")
    store.identities.link("ayse", "https://login.example", "1", BY)
    with pytest.raises(BadRequest, match="left to administrate"):
        store.identities.sign_in(arrival(), "")
    assert store.users.get("ayse").roles == ("administrator",)
    with pytest.raises(BadRequest, match="somebody's already"):
        store.identities.link("ayse", "https://login.example", "1", BY)
    with pytest.raises(NotFound):
        store.identities.link("nobody", "https://login.example", "2", BY)


def test_connections_are_kept_by_name_and_renewed_by_one(store: Store) -> None:
    store.connections.put("crm", "client_credentials", "https://crm.example/token", "1:sealed", BY)
    assert store.connections.claim("crm", 100.0, 45)
    assert not store.connections.claim("crm", 144.0, 45)
    assert store.connections.claim("crm", 146.0, 45)
    store.connections.fail("crm", "away", "it answered 503")
    assert (store.connections.get("crm").state, store.connections.claim("crm", 147.0, 45)) == ("away", True)
    store.connections.save("crm", "1:other", 5)
    kept = store.connections.get("crm")
    assert (kept.sealed, kept.expires_at, kept.state, kept.error) == ("1:other", 5, "working", "")
    store.connections.put("crm", "password", "https://crm.example/token", "1:new", BY)
    assert [(row.grant, row.expires_at) for row in store.connections.all()] == [("password", None)]
    store.connections.remove("crm", BY, revoked=True)
    assert store.connections.find("crm") is None
    assert acts(store) == ["connection.set", "connection.set", "connection.removed"]
