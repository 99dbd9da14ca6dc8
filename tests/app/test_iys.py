"""The thread that keeps İYS in step: there only where it is wanted, and gone when the engine goes."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tekil.app.iys import PASSWORD, kept_in_step
from tekil.config import Config, IysSettings
from tekil.errors import Misconfigured
from tekil.outgoing import Connections, Outgoing
from tekil.store import Store
from tekil.store.second_factors import Plain
from tests.ledgers import ledger_of
from tests.privacy.iys.stand_in import TRT, Server, StandIn
from tests.running_tekil import eventually


def configured(folder: Path, url: str) -> Config:
    settings = IysSettings(url, 700001, 700002, "api", every_seconds=0.05)
    return Config(iys=settings, root=folder)


LOOPBACK = Outgoing(["127.0.0.0/8"])


def step(config: Config, store: Store, stop: threading.Event) -> AbstractContextManager[None]:
    connections = Connections(store.connections, Plain(), LOOPBACK)
    return kept_in_step(config, ledger_of(store, config.root), connections, LOOPBACK, stop, print)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "iys"]


def test_without_a_section_there_is_no_thread(tmp_path: Path, store: Store) -> None:
    with step(Config(root=tmp_path), store, threading.Event()):
        assert threads() == []


def test_without_a_password_the_engine_says_so_and_does_not_start(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    with (
        pytest.raises(Misconfigured, match=PASSWORD),
        step(configured(tmp_path, "http://127.0.0.1:9"), store, threading.Event()),
    ):
        pass


def test_a_consent_given_while_it_runs_reaches_iys_and_it_ends_with_the_engine(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "gizli")
    stand_in = StandIn(lambda: datetime.now(UTC).astimezone(TRT) + timedelta(seconds=1))
    server = Server(stand_in)
    config = configured(tmp_path, server.url)
    stop = threading.Event()
    try:
        ledger = ledger_of(store, tmp_path)
        with step(config, store, stop):
            address = f"{tmp_path.name}@example.com".replace("_", "-")
            ledger.record("email", address, "marketing", "email", True, source="x", recorded_by="x")
            eventually(lambda: (address, "BIREYSEL", "EPOSTA") in stand_in.held)
        assert stop.is_set()
        assert threads() == []
    finally:
        server.close()
