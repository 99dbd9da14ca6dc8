"""A new installation for every example, over one store: migrating a store takes longer than a law."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from tekil.store import Store, open_store
from tekil.store.erasure_tables import tombstones
from tests.installation import Installation

Found = Callable[[], Installation]

LAW_EXAMPLES = int(os.environ.get("TEKIL_LAW_EXAMPLES", "2"))
"""Random installations that each law is tried on; `make test-slow` says how many there."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def found(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Return what founds an installation in which nothing was ever said."""
    folder: Path = tmp_path_factory.mktemp("logs")

    def make() -> Installation:
        store.cards.clear()
        with store._begin() as connection:
            # Who was erased in one example lives in the next.
            connection.execute(delete(tombstones))
        return Installation(folder, store=store)

    return make
