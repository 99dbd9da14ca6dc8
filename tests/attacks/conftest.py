"""The console and the API of a shop whose every text was written by somebody who wishes it ill."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from tekil.config import Config, Workspace
from tekil.console import create_app
from tekil.reads import Arrival, Quarantined, TimelineEvent
from tekil.store import Card, Store, open_store
from tests.api.reads_double import FullShop
from tests.console.conftest import HTML, member

SCRIPT = "<script>alert(1)</script>"
BRACES = "{{ 6 * 7 }}{% raw %}{{ visit }}${6*7}#{6*7}"
BREAKING = "\"'><img src=x onerror=alert(1)><svg/onload=alert(1)>"
HOSTILE = SCRIPT + BRACES + BREAKING
Client = TestClient[Any]


def hostile(thing: Any) -> Any:
    """Return a thing of JSON with every text in it made hostile, and all else as it was."""
    if isinstance(thing, dict):
        return {name: hostile(value) for name, value in thing.items()}
    if isinstance(thing, list):
        return [hostile(part) for part in thing]
    return HOSTILE if isinstance(thing, str) else thing


class HostileShop(FullShop):
    """A shop whose people, events, sources and quarantine speak markup and templates."""

    def _card(self, n: int) -> Card:
        card = super()._card(n)
        body = card.as_dict()
        traits = {name: hostile(value) for name, value in body["traits"].items()}
        body["traits"] = {**traits, "name": HOSTILE, HOSTILE[:60]: HOSTILE}
        names = tuple(msgspec.structs.replace(one, value=f"{HOSTILE}{n}") for one in card.identifiers)
        return msgspec.structs.replace(card, body=json.dumps(body), identifiers=names)

    def _event(self, n: int) -> TimelineEvent:
        texts = ("message_id", "source", "event", "url", "title", "campaign")
        properties = json.dumps({HOSTILE: HOSTILE})
        told = dict.fromkeys(texts, HOSTILE)
        return msgspec.structs.replace(super()._event(n), properties=properties, **told)

    def arrivals(self, limit: int = 50) -> list[Arrival]:
        return [
            msgspec.structs.replace(one, event=HOSTILE, source=HOSTILE) for one in super().arrivals(limit)
        ]

    def quarantine(self, source: str | None = None, limit: int = 50) -> list[Quarantined]:
        found = super().quarantine(None, limit)
        return [msgspec.structs.replace(one, body=HOSTILE, source=HOSTILE, reasons=HOSTILE) for one in found]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('attacked')}/store.db")
    opened.users._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    opened.users.create_first()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shop() -> HostileShop:
    return HostileShop(12)


@pytest.fixture(scope="module")
def app(shop: HostileShop, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    root: Path = tmp_path_factory.mktemp("console")
    return create_app(shop, store, Config(workspace=Workspace(name=HOSTILE), root=root))


@pytest.fixture(scope="module")
def session(store: Store) -> str:
    """An administrator's session, with a second factor just shown."""
    return member(store, "administrator")


@pytest.fixture
def chief(app: Litestar, session: str) -> Iterator[Client]:
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", session)
        yield client


@pytest.fixture
def stranger(app: Litestar) -> Iterator[Client]:
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        yield client


def unique(prefix: str) -> str:
    return f"{prefix}-{time.monotonic_ns()}"
