"""One application over a shop that is full of people, and keys for each scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tekil.config import Config
from tekil.console import create_app
from tekil.store import Store, open_store
from tests.api.reads_double import SOURCES, FullShop


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def store(root: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{root}/store.db")
    for name in SOURCES:
        opened.keys.create_write_key(name)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shop() -> FullShop:
    return FullShop()


@pytest.fixture(scope="module")
def app(shop: FullShop, store: Store, root: Path) -> Litestar:
    return create_app(shop, store, Config(root=root))


@pytest.fixture(scope="module")
def client(app: Litestar) -> Iterator[TestClient[Any]]:
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def bearer(store: Store) -> Callable[..., dict[str, str]]:
    def with_scopes(*scopes: str) -> dict[str, str]:
        _, secret = store.keys.create_api_key("test", list(scopes))
        return {"Authorization": f"Bearer {secret}"}

    return with_scopes
