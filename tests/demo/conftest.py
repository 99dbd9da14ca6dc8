"""One small story told once, and a real door in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from tekil.demo import SOURCES, Company, Sending
from tekil.log import open_log
from tekil.store import open_store

UNTIL = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
COLLECTOR = """
import sys
from tekil.collect import serve
from tekil.log import open_log
from tekil.store import open_store
serve(open_log(sys.argv[1]), open_store(sys.argv[2]).keys, host="127.0.0.1", port=int(sys.argv[3]))
"""


@dataclass(frozen=True)
class Story:
    """A company and everything it said."""

    company: Company
    sendings: list[Sending]

    def messages(self, nature: str = "message") -> list[dict[str, Any]]:
        return [sending.message for sending in self.sendings if sending.nature == nature]

    def tracks(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages() if message.get("event") == event]


class Logged(NamedTuple):
    """A message in the log: whose it is, how it came in, when, and when its sender says it sent it."""

    source: str
    door: str
    received_at: datetime
    message: dict[str, Any]
    sent_at: str | None


@dataclass(frozen=True)
class Door:
    """A real collector, the keys it knows, and what lies in its log."""

    url: str
    keys: dict[str, str]
    log_url: str
    after: int = 0

    def logged(self) -> list[Logged]:
        """Return every message since this test began, in the order of the log."""
        log = open_log(self.log_url)
        try:
            rows = [row for table in log.replay(self.after) for row in table.to_pylist()]
        finally:
            log.close()
        bodies = [(row, msgspec.json.decode(row["body"])) for row in rows]
        return [
            Logged(
                row["source"],
                row["door"],
                row["received_at"].replace(tzinfo=UTC),
                message,
                body.get("sentAt"),
            )
            for row, body in bodies
            for message in body["batch"]
        ]


@pytest.fixture(scope="session")
def story() -> Story:
    company = Company(seed=5, people=500, days=30, until=UNTIL)
    return Story(company, list(company.history()))


@pytest.fixture
def door(collector: Door) -> Door:
    """The one collector, as if its log began with this test."""
    log = open_log(collector.log_url)
    try:
        return replace(collector, after=log.head())
    finally:
        log.close()


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    tmp_path = tmp_path_factory.mktemp("door")
    log_url, store_url = f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(store_url)
    keys = {source: store.keys.create_write_key(source).key for source in SOURCES}
    store.close()
    open_log(log_url).close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", COLLECTOR, log_url, store_url, str(port)])
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_open(url, process)
        yield Door(url, keys, log_url)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_open(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        assert process.poll() is None, "the collector ended"
        try:
            httpx.get(url, timeout=1, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the collector did not open within 20 seconds")
