"""A real collector in a process of its own, with a real log and a real store behind it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tekil.log import Log, open_log
from tekil.store import Store, open_store

PROGRAM = """
import sys
from tekil.collect import serve
from tekil.log import open_log
from tekil.store import open_store
store = open_store(sys.argv[2])
serve(open_log(sys.argv[1]), store.keys, host="127.0.0.1", port=int(sys.argv[3]), forms=store.definitions)
"""
HOST = "127.0.0.1"
START_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What the door said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error's code."""
        code: str = msgspec.json.decode(self.body)["code"]
        return code


@dataclass
class Collector:
    """A collector, running or not, and the places behind it."""

    folder: Path
    port: int
    log: Log
    store: Store
    key: str
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def log_url(self) -> str:
        return f"sqlite:///{self.folder}/log.db"

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.folder}/store.db"

    def start(self, **options: Any) -> None:
        """Start the process and wait until it answers. `options` go to `Popen`."""
        arguments = [sys.executable, "-c", PROGRAM, self.log_url, self.store_url, str(self.port)]
        self.process = subprocess.Popen(arguments, **options)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, f"The collector ended with {self.process.returncode}."
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("The collector does not listen.")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the process a signal and return its exit code."""
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.process.wait(timeout=15)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        timeout: float = 20.0,
        **headers: str,
    ) -> Answer:
        """Send one request, as a Bearer of the collector's key. `_` in a header's name is a dash."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named["Authorization"] = f"Bearer {key or self.key}"
        if isinstance(body, dict | list):
            body = msgspec.json.encode(body)
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        """POST a body: bytes as they are, anything else as JSON."""
        return self.ask("POST", path, body, **options)

    def bodies(self, after: int = 0) -> list[dict[str, Any]]:
        """Return what lies in the log after a position, with each body decoded."""
        return [
            {**row, "body": msgspec.json.decode(row["body"])}
            for table in self.log.replay(after)
            for row in table.to_pylist()
        ]

    def messages(self, after: int = 0) -> list[Any]:
        """Return the messages in the log after a position."""
        return [message for row in self.bodies(after) for message in row["body"]["batch"]]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[Collector]:
    """Run a collector over new places in `folder` while the block does."""
    store = open_store(f"sqlite:///{folder}/store.db")
    log = open_log(f"sqlite:///{folder}/log.db")
    collector = Collector(folder, free_port(), log, store, store.keys.create_write_key("web").key)
    collector.start(**options)
    try:
        yield collector
    finally:
        if collector.process is not None and collector.process.poll() is None:
            collector.stop(signal.SIGKILL)
        log.close()
        store.close()
