"""A stand-in of İYS with a clock that the test moves, and a client that never really sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tekil.access.audit import SYSTEM
from tekil.config import IysSettings
from tekil.outgoing import Connections, Outgoing
from tekil.privacy.iys.client import CONNECTION, IysClient, connection
from tekil.privacy.iys.sync import IysSync
from tekil.privacy.ledger import ConsentLedger
from tekil.store import Store
from tekil.store.second_factors import Plain
from tests.privacy.conftest import Clock
from tests.privacy.iys.stand_in import TRT, Server, StandIn

LOOPBACK = Outgoing(["127.0.0.0/8"])


def moment(clock: Clock) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=clock.now)


@pytest.fixture
def stand_in(clock: Clock) -> StandIn:
    return StandIn(lambda: moment(clock).astimezone(TRT))


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def connections(store: Store, clock: Clock) -> Iterator[Connections]:
    opened = Connections(store.connections, Plain(), LOOPBACK, clock=lambda: clock.now / 1_000_000)
    yield opened
    opened.close()


@pytest.fixture
def client(stand_in: StandIn, slept: list[float], connections: Connections) -> Iterator[IysClient]:
    server = Server(stand_in)
    connections.put(connection(server.url, "api", "gizli"), SYSTEM)
    opened = IysClient(
        server.url,
        700001,
        700002,
        connections.of(CONNECTION),
        LOOPBACK,
        sleep=slept.append,
    )
    yield opened
    opened.close()
    server.close()


@pytest.fixture
def sync(ledger: ConsentLedger, client: IysClient, clock: Clock) -> IysSync:
    settings = IysSettings(base_url="x", sources={"fair": "HS_ETKINLIK"})
    return IysSync(ledger, client, settings, clock=lambda: moment(clock))
