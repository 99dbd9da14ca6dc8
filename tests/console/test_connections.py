"""Connections in the console: added, tested at a real endpoint, disabled, removed; no secret is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.console import create_app
from tekil.outgoing import Connections
from tekil.outgoing.grants import ConnectionRefused
from tekil.store import Store
from tests.api.reads_double import FullShop
from tests.console.conftest import HTML, configuration, member
from tests.outgoing.loopback import LOOPBACK, Answer, Asked, Loopback

Client = TestClient[Any]
Send = Callable[..., Any]

SECRET = "çok-gizli-4711"


class Endpoint:
    """A token endpoint that may say no."""

    def __init__(self) -> None:
        self.lets_in = True
        self.given = 0
        self.server = Loopback(self)

    def __call__(self, asked: Asked) -> Answer:
        if not self.lets_in:
            return Answer(b'{"error": "invalid_client", "error_description": "wrong secret"}', 401)
        self.given += 1
        return Answer(json.dumps({"access_token": f"t{self.given}", "expires_in": 3600}).encode())


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.server.close()


class _Clear:
    """Seals nothing: what is under test here is the page."""

    def seal(self, text: str) -> str:
        return text[::-1]

    def open(self, sealed: str) -> str:
        return sealed[::-1]


@pytest.fixture
def outward(store: Store) -> Iterator[Connections]:
    made = Connections(store.connections, _Clear(), LOOPBACK)
    yield made
    made.close()


@pytest.fixture
def keeper(shop: FullShop, store: Store, root: Path, outward: Connections) -> Iterator[Client]:
    app = create_app(shop, store, configuration(root), outward=outward)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(store, "administrator"))
        yield client


def fields(endpoint: Endpoint, **more: str) -> dict[str, str]:
    told = {"name": "crm", "token_url": f"{endpoint.server.url}/token", "grant": "client_credentials"}
    return {**told, "client_id": "tekil", "client_secret": SECRET, "body": "form", **more}


def test_a_connection_is_added_tested_disabled_and_removed(
    keeper: Client, endpoint: Endpoint, outward: Connections, store: Store, send: Send
) -> None:
    assert "Henüz bağlantı yok" in keeper.get("/connections").text
    assert send(keeper, "/connections", "/connections", fields(endpoint)).status_code == 303
    page = keeper.get("/connections").text
    assert "crm" in page
    assert SECRET not in page
    tested = send(keeper, "/connections", "/connections/crm/test", {})
    assert "crm çalışıyor" in tested.text
    assert endpoint.given == 1
    endpoint.lets_in = False
    refused = send(keeper, "/connections", "/connections/crm/test", {})
    assert "crm çalışmıyor" in refused.text
    assert "wrong secret" in refused.text
    assert SECRET not in refused.text
    endpoint.lets_in = True
    send(keeper, "/connections", "/connections/crm/disable", {})
    with pytest.raises(ConnectionRefused, match="disabled"):
        outward.token("crm")
    assert "kapalı" in keeper.get("/connections").text
    send(keeper, "/connections", "/connections/crm/enable", {})
    assert outward.token("crm") == "t1"
    send(keeper, "/connections", "/connections/crm/remove", {})
    assert store.connections.find("crm") is None
    acts = [entry.act for entry in store.audit.entries() if entry.object_kind == "connection"]
    changes = ["connection.disabled", "connection.enabled", "connection.removed"]
    assert acts[-6:] == ["connection.set", "connection.tested", "connection.tested", *changes]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"name": "Bizim CRM"}, "küçük harf"),
        ({"token_url": "ftp://crm.example.com/"}, "https://"),
        ({"token_url": "https://ayse:parola@crm.example.com/"}, "kullanıcı adı olmasın"),
        ({"grant": "password"}, "bilgileri doldurun"),
        ({"grant": "authorization_code"}, "bilgileri doldurun"),
        ({"client_secret": ""}, "bilgileri doldurun"),
    ],
)
def test_what_can_be_no_connection_is_refused_in_words_and_without_its_secret(
    keeper: Client, endpoint: Endpoint, store: Store, send: Send, more: dict[str, str], told: str
) -> None:
    answer = send(keeper, "/connections", "/connections", fields(endpoint, **more))
    assert answer.status_code == 400
    assert told in answer.text
    assert SECRET not in answer.text
    assert store.connections.find("crm") is None


def test_the_page_goes_only_where_the_installation_lets_it(
    chief: Client, endpoint: Endpoint, store: Store, send: Send
) -> None:
    send(chief, "/connections", "/connections", fields(endpoint, name="inner"))
    answer = send(chief, "/connections", "/connections/inner/test", {})
    assert "inner çalışmıyor" in answer.text
    assert endpoint.server.asked == []
    again = send(chief, "/connections", "/connections", fields(endpoint, name="inner"))
    assert "Bu adda bir bağlantı zaten var" in again.text
    send(chief, "/connections", "/connections/inner/remove", {})


def test_who_may_only_look_sees_no_button_and_an_old_second_factor_asks_again(
    keeper: Client, endpoint: Endpoint, store: Store, send: Send
) -> None:
    send(keeper, "/connections", "/connections", fields(endpoint, name="seen"))
    keeper.cookies.set("tekil_session", member(store, "auditor"))
    page = keeper.get("/connections").text
    assert "seen" in page
    assert "/connections/seen/" not in page
    assert send(keeper, "/connections", "/connections/seen/remove", {}).status_code == 403
    keeper.cookies.set("tekil_session", member(store, "administrator", factor=False))
    answer = send(keeper, "/connections", "/connections/seen/remove", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/second-factor")
    assert store.connections.get("seen").state == "working"
