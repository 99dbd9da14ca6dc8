"""Tokens for other systems, against a token endpoint that counts what it gives."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from tekil.access.audit import Actor
from tekil.errors import BadRequest, NotFound, Unavailable
from tekil.outgoing import Connection, Connections, Outgoing
from tekil.outgoing.grants import ConnectionRefused, challenge
from tekil.privacy import KeyRing, MasterKey, Vault
from tekil.store import Store, open_store
from tests.outgoing.loopback import LOOPBACK, Answer, Asked, Loopback

BY = Actor("user", "ayse")
SECRET = "çok gizli:/&"


class Endpoint:
    """A token endpoint by RFC 6749, with refresh tokens that are good once, and revocation by RFC 7009."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.refresh_tokens: set[str] = set()
        self.codes: dict[str, str] = {}
        self.revoked: list[str] = []
        self.grants: list[str] = []
        self.lasts: Any = 3600
        self.down = 0
        self.gate: threading.Event | None = None

    def __call__(self, asked: Asked) -> Answer:
        if self.gate is not None:
            self.gate.wait(5)
        if self.down:
            self.down -= 1
            return Answer(b"<h1>busy</h1>", 503)
        expected = base64.b64encode(b"tekil:%C3%A7ok%20gizli%3A%2F%26").decode()
        if asked.headers.get("authorization") != f"Basic {expected}":
            return self.no("invalid_client", 401)
        fields = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if asked.path == "/revoke":
            self.revoked.append(fields["token"])
            return Answer(b"")
        self.grants.append(fields["grant_type"])
        return self.token(fields)

    def token(self, fields: dict[str, str]) -> Answer:
        grant = fields["grant_type"]
        if grant == "refresh_token":
            if fields["refresh_token"] not in self.refresh_tokens:
                return self.no("invalid_grant")
            self.refresh_tokens.discard(fields["refresh_token"])
        if grant == "authorization_code":
            expected = self.codes.pop(fields["code"], "")
            if challenge(fields["code_verifier"]) != expected:
                return self.no("invalid_grant")
        number = next(self.numbers)
        told = {"access_token": f"access-{number}", "token_type": "Bearer", "expires_in": self.lasts}
        if grant != "client_credentials":
            told["refresh_token"] = f"refresh-{number}"
            self.refresh_tokens.add(f"refresh-{number}")
        return Answer(json.dumps(told).encode())

    def no(self, error: str, status: int = 400) -> Answer:
        return Answer(json.dumps({"error": error, "error_description": f"no: {error}"}).encode(), status)


class Clock:
    """Seconds since the epoch, moved by hand."""

    now = 1_772_366_400.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def server(endpoint: Endpoint) -> Iterator[Loopback]:
    opened = Loopback(endpoint)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def opened(store: Store, clock: Clock, outgoing: Outgoing = LOOPBACK) -> Connections:
    vault = Vault(store.sealed_values, KeyRing(store.data_keys, MasterKey(bytes(32))))
    return Connections(store.connections, vault.texts("connections"), outgoing, clock=clock)


@pytest.fixture
def connections(store: Store, clock: Clock) -> Iterator[Connections]:
    made = opened(store, clock)
    yield made
    made.close()


@pytest.fixture
def crm(server: Loopback) -> Connection:
    return Connection(
        "crm",
        f"{server.url}/token",
        client_id="tekil",
        client_secret=SECRET,
        authorize_url="https://crm.example/authorize?tenant=1",
        revoke_url=f"{server.url}/revoke",
        scope="contacts:write",
    )


def by_leave(crm: Connection) -> Connection:
    return msgspec.structs.replace(crm, grant="authorization_code")


def give_leave(connections: Connections, endpoint: Endpoint, name: str = "crm") -> str:
    """Walk through a browser's part: go where we are sent, come back with state and code."""
    url = connections.start(name, "https://tekil.example/back")
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    assert (query["tenant"], query["response_type"], query["scope"]) == ("1", "code", "contacts:write")
    assert query["code_challenge_method"] == "S256"
    endpoint.codes["code"] = query["code_challenge"]
    return query["state"]


def test_a_token_is_asked_for_once_and_renewed_before_its_end(
    connections: Connections, crm: Connection, endpoint: Endpoint, clock: Clock
) -> None:
    connections.put(crm, BY)
    assert [connections.token("crm") for _ in range(3)] == ["access-1"] * 3
    clock.now += 3600 - 59
    assert connections.token("crm") == "access-2"
    endpoint.lasts = 10
    clock.now += 3600
    assert connections.token("crm") == "access-3"
    clock.now += 8
    assert connections.token("crm") == "access-3"
    clock.now += 1.5
    assert connections.of("crm").token() == "access-4"
    assert set(endpoint.grants) == {"client_credentials"}


@pytest.mark.parametrize("lasts", [None, "soon", -5, [1]])
def test_a_life_that_makes_no_sense_is_taken_to_be_short(
    connections: Connections, crm: Connection, endpoint: Endpoint, clock: Clock, lasts: Any
) -> None:
    endpoint.lasts = lasts
    connections.put(crm, BY)
    connections.token("crm")
    clock.now += 301
    assert connections.token("crm") == "access-2"


def test_nothing_secret_lies_open_in_the_store(
    connections: Connections, crm: Connection, endpoint: Endpoint, tmp_path: Path
) -> None:
    connections.put(by_leave(crm), BY)
    connections.finish("crm", give_leave(connections, endpoint), "code", BY)
    secrets = [SECRET, "access-1", "refresh-1"]
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"/token" in kept
    assert [secret for secret in secrets if secret.encode() in kept] == []


def test_leave_is_given_once_and_lasts_by_its_refresh_token(
    connections: Connections, crm: Connection, endpoint: Endpoint, clock: Clock, store: Store
) -> None:
    connections.put(by_leave(crm), BY)
    with pytest.raises(ConnectionRefused, match="in a browser"):
        connections.token("crm")
    state = give_leave(connections, endpoint)
    with pytest.raises(BadRequest):
        connections.finish("crm", "made-up", "code", BY)
    connections.finish("crm", state, "code", BY)
    with pytest.raises(BadRequest):
        connections.finish("crm", state, "code", BY)
    assert connections.token("crm") == "access-1"
    for number in (2, 3):
        clock.now += 4000
        assert connections.token("crm") == f"access-{number}"
    assert endpoint.refresh_tokens == {"refresh-3"}
    assert [e.act for e in store.audit.entries()] == ["connection.set", "connection.authorised"]


def test_leave_that_was_taken_back_is_said_and_not_asked_for_again(
    connections: Connections, crm: Connection, endpoint: Endpoint, clock: Clock, store: Store
) -> None:
    connections.put(by_leave(crm), BY)
    connections.finish("crm", give_leave(connections, endpoint), "code", BY)
    endpoint.refresh_tokens.clear()
    clock.now += 4000
    asked = len(endpoint.grants)
    for _ in range(3):
        with pytest.raises(ConnectionRefused, match="connect it anew") as caught:
            connections.token("crm")
        assert caught.value.code == "connection_broken"
    assert len(endpoint.grants) == asked + 1
    assert store.connections.get("crm").state == "broken"
    connections.finish("crm", give_leave(connections, endpoint), "code", BY)
    assert connections.token("crm") == "access-2"


def test_many_threads_and_two_processes_renew_once(
    connections: Connections, crm: Connection, endpoint: Endpoint, store: Store, clock: Clock
) -> None:
    connections.put(by_leave(crm), BY)
    connections.finish("crm", give_leave(connections, endpoint), "code", BY)
    clock.now += 4000
    elsewhere = opened(store, clock)
    endpoint.gate = threading.Event()
    got: list[str] = []
    threads = [
        threading.Thread(target=lambda c=one: got.append(c.token("crm")))
        for one in (connections, elsewhere) * 4
    ]
    for thread in threads:
        thread.start()
    endpoint.gate.set()
    for thread in threads:
        thread.join()
    elsewhere.close()
    assert got == ["access-2"] * 8
    assert endpoint.grants == ["authorization_code", "refresh_token"]


def test_of_somebody_who_died_while_renewing_others_take_over(
    connections: Connections, crm: Connection, store: Store, clock: Clock
) -> None:
    connections.put(crm, BY)
    assert store.connections.claim("crm", clock(), 45)
    assert not store.connections.claim("crm", clock(), 45)
    clock.now += 46
    assert connections.token("crm") == "access-1"


def test_a_token_that_was_refused_before_its_time_is_replaced(
    connections: Connections, crm: Connection
) -> None:
    connections.put(crm, BY)
    first = connections.token("crm")
    connections.of("crm").spoiled("another's")
    assert connections.token("crm") == first
    connections.of("crm").spoiled(first)
    assert connections.token("crm") == "access-2"


def test_another_side_that_is_away_is_asked_again(
    connections: Connections, crm: Connection, endpoint: Endpoint, store: Store
) -> None:
    connections.put(crm, BY)
    endpoint.down = 1
    with pytest.raises(Unavailable, match="503"):
        connections.token("crm")
    assert store.connections.get("crm").state == "away"
    assert connections.token("crm") == "access-1"
    assert store.connections.get("crm").state == "working"


def test_a_wrong_secret_is_explained_and_never_told(
    connections: Connections, crm: Connection, store: Store
) -> None:
    connections.put(msgspec.structs.replace(crm, client_secret="yanlış"), BY)
    with pytest.raises(ConnectionRefused, match="id or secret is wrong") as caught:
        connections.token("crm")
    assert "yanlış" not in caught.value.message + store.connections.get("crm").error
    connections.put(crm, BY)
    assert connections.token("crm") == "access-1"


@pytest.mark.parametrize("body", [b"[]", b'{"access_token": ""}', b'{"access_token": "a\\r\\nX: y"}', b"{}"])
def test_an_answer_without_a_usable_token_is_none(
    connections: Connections, crm: Connection, server: Loopback, body: bytes
) -> None:
    server.answer = lambda _: Answer(body)
    connections.put(crm, BY)
    with pytest.raises(ConnectionRefused):
        connections.token("crm")


def test_a_removed_connection_is_taken_back_at_the_other_side(
    connections: Connections, crm: Connection, endpoint: Endpoint, store: Store
) -> None:
    connections.put(by_leave(crm), BY)
    connections.finish("crm", give_leave(connections, endpoint), "code", BY)
    assert connections.remove("crm", BY)
    assert endpoint.revoked == ["refresh-1"]
    assert store.connections.all() == []
    with pytest.raises(NotFound):
        connections.token("crm")
    connections.put(crm, BY)
    connections.token("crm")
    endpoint.down = 1
    assert not connections.remove("crm", BY)
    assert [e.details for e in store.audit.entries() if e.act == "connection.removed"] == [
        '{"revoked":true}',
        '{"revoked":false}',
    ]


def test_a_token_endpoint_inside_is_not_asked(store: Store, clock: Clock, crm: Connection) -> None:
    guarded = opened(store, clock, Outgoing())
    guarded.put(crm, BY)
    with pytest.raises(Exception, match="open internet"):
        guarded.token("crm")
    guarded.close()
