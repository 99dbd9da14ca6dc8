"""A ledger over a store of its own, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil.privacy import KeyRing, MasterKey, Vault
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Links
from tekil.privacy.purposes import DEFAULT_PURPOSES
from tekil.privacy.tokens import Tokens
from tekil.store import Store, open_store

KEY = bytes(range(32))
NOON_US = 1_772_366_400_000_000
"""1 March 2026, 12:00 UTC: a Sunday."""


class Clock:
    """Microseconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON_US

    def __call__(self) -> int:
        return self.now

    def pass_time(self, *, days: float = 0, seconds: float = 0) -> None:
        self.now += int((days * 86_400 + seconds) * 1_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


@pytest.fixture
def ledger(store: Store, clock: Clock) -> ConsentLedger:
    vault = Vault(store.sealed_values, KeyRing(store.data_keys, MasterKey(KEY)))
    return ConsentLedger(store, Tokens(vault), Links(lambda: KEY), DEFAULT_PURPOSES, clock)
