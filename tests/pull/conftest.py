"""A real collector in a process of its own, with a real log behind it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tekil.log import open_log
from tekil.store import open_store

COLLECTOR = """
import sys
from tekil.collect import serve
from tekil.log import open_log
from tekil.store import open_store
serve(open_log(sys.argv[1]), open_store(sys.argv[2]).keys, host="127.0.0.1", port=int(sys.argv[3]))
"""
START_SECONDS = 20.0


@dataclass(frozen=True)
class Collector:
    """Where a collector listens, a source's key, and what lies in its log from that source."""

    url: str
    source: str
    write_key: str
    log_url: str
    store_url: str
    port: int

    def messages(self) -> list[dict[str, Any]]:
        """Return the source's messages in the log, in order."""
        log = open_log(self.log_url)
        try:
            rows = [row for table in log.replay() for row in table.select(["source", "body"]).to_pylist()]
        finally:
            log.close()
        return [
            message
            for row in rows
            if row["source"] == self.source
            for message in msgspec.json.decode(row["body"])["batch"]
        ]

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the collector while the block does."""
        command = [sys.executable, "-c", COLLECTOR, self.log_url, self.store_url, str(self.port)]
        process = subprocess.Popen(command)
        try:
            ends = time.monotonic() + START_SECONDS
            while True:
                try:
                    httpx.get(self.url + "/healthz").raise_for_status()
                    break
                except httpx.TransportError:
                    assert process.poll() is None, "the collector ended"
                    assert time.monotonic() < ends, "the collector did not start"
                    time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.wait()


def prepared(folder: Path, sources: int) -> list[Collector]:
    """Return one collector that is not running yet, as each of some sources sees it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log_url, store_url = f"sqlite:///{folder}/log.db", f"sqlite:///{folder}/store.db"
    store = open_store(store_url)
    keys = [store.keys.create_write_key(f"crm-{number}") for number in range(sources)]
    store.close()
    url = f"http://127.0.0.1:{port}"
    return [Collector(url, key.source, key.key, log_url, store_url, port) for key in keys]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Collector]]:
    """Twenty sources of one collector that runs as long as the module."""
    ready = prepared(tmp_path_factory.mktemp("collector"), 20)
    with ready[0].running():
        yield ready


@pytest.fixture
def collector(sources: list[Collector]) -> Collector:
    """A running collector, as a source sees it that has sent nothing yet."""
    return sources.pop()
