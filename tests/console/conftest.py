"""The console over a full shop and over an empty one, and a visitor who is signed in."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tekil.access.audit import Actor
from tekil.access.policy import parse_condition
from tekil.access.totp import STEP_SECONDS, code_at
from tekil.config import Collect, Config, Workspace
from tekil.console import create_app
from tekil.store import Store, open_store
from tests.api.reads_double import SOURCES, EmptyShop, FullShop

HTML = {"Accept": "text/html", "Accept-Language": "tr"}
Client = TestClient[Any]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def store(root: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{root}/store.db")
    for name in SOURCES:
        opened.keys.create_write_key(name)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def password(store: Store) -> str:
    made = store.users.create_first()
    assert made
    return made


@pytest.fixture(scope="module")
def shop() -> FullShop:
    return FullShop()


def configuration(root: Path) -> Config:
    return Config(workspace=Workspace(name="Minder Evi"), collect=Collect(port=8765), root=root)


@pytest.fixture(scope="module")
def app(shop: FullShop, store: Store, root: Path) -> Litestar:
    return create_app(shop, store, configuration(root))


@pytest.fixture
def visitor(app: Litestar, password: str) -> Iterator[Client]:
    """Somebody who has not signed in."""
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        yield client


def token(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found, page[:400]
    return found.group(1)


@pytest.fixture
def send() -> Callable[..., Any]:
    """Send a form as the page `seen` at would."""

    def send(client: Client, seen: str, path: str, fields: dict[str, Any]) -> Any:
        form = {"form_token": token(client.get(seen).text), **fields}
        return client.post(path, data=form, follow_redirects=False)

    return send


@pytest.fixture
def admin(visitor: Client, password: str, send: Callable[..., Any]) -> Client:
    """Somebody who has signed in."""
    answer = send(visitor, "/sign-in", "/sign-in", {"name": "admin", "password": password})
    assert answer.status_code == 303
    return visitor


def member(store: Store, *roles: str, condition: str = "", factor: bool = True) -> str:
    """Make a user with these roles who signed in, with a second factor just shown; return the session."""
    name = f"member-{secrets.token_hex(4)}"
    by = Actor("system", "test")
    old = store.users.create(name, roles, parse_condition(condition))
    store.users.change_password(name, old, PASSWORD, by)
    session = store.users.sign_in(name, PASSWORD) or ""
    if factor:
        secret = store.second_factors.enrol(name)
        store.second_factors.confirm(name, code_at(secret, int(time.time()) // STEP_SECONDS), by)
        found = store.sessions.find(session)
        assert found
        store.sessions.note_second_factor(found[1].id)
    return session


PASSWORD = "korrekt at pil zımba"


@pytest.fixture
def chief(app: Litestar, store: Store) -> Iterator[Client]:
    """An administrator who has just shown a second factor."""
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(store, "administrator"))
        yield client


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Somebody signed in to an installation that nothing was ever sent to."""
    root = tmp_path_factory.mktemp("empty")
    store = open_store(f"sqlite:///{root}/store.db")
    password = store.users.create_first()
    with TestClient(create_app(EmptyShop(), store, configuration(root))) as client:
        client.headers.update(HTML)
        form = {"form_token": token(client.get("/sign-in").text), "name": "admin", "password": password}
        assert client.post("/sign-in", data=form, follow_redirects=False).status_code == 303
        yield client
    store.close()
