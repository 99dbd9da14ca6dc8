"""A real Tekil over a copy of the long past, with its processes and keys: what some benches talk to."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from history import past, tell
from tekil import config
from tekil.store import open_store

START_SECONDS = 300.0


@dataclass(frozen=True)
class Running:
    """Where it listens, and what opens it."""

    folder: Path
    door: int
    console: int
    write_key: str
    api_key: str

    def ask(self, connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
        """Ask the API for a path; return status and body."""
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.api_key}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def wait_until_quiet(self) -> None:
        """Wait for the people whose windows closed while the past lay on the shelf: nobody's daily life."""
        connection = http.client.HTTPConnection("127.0.0.1", self.console, timeout=60)
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        question = json.dumps({"statement": "SELECT count(*) AS n FROM activity WHERE wake_at <= now()"})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            connection.request("POST", "/v1/sql", question, headers)
            overdue = json.loads(connection.getresponse().read())["rows"][0]["n"]
            if overdue < 100:
                tell(f"quiet: {overdue} people are due")
                return
            time.sleep(1)
        raise SystemExit("Tekil never came to rest.")

    def send(self, connection: http.client.HTTPConnection, messages: list[dict[str, object]]) -> None:
        """Send a batch through the door; anything but a 200 fails the bench."""
        body = json.dumps({"batch": messages, "writeKey": self.write_key}).encode()
        connection.request("POST", "/v1/batch", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"the door answered {answer.status}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str) -> Iterator[Running]:
    """Start Tekil over a copy of the past; stop it and remove the copy at the end."""
    folder = past().with_name(name)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    for file in ("log.db", "store.db", "warehouse.duckdb", "master.key"):
        shutil.copy(past() / file, folder / "data" / file)
    door, console = free_port(), free_port()
    written = config.write_template(folder, name="Bench", collect_port=door, console_port=console)
    # One key asks for everybody here.
    with written.open("a") as settings:
        settings.write("\n[access]\nrequests_per_second = 0\n")
    store = open_store(f"sqlite:///{(folder / 'data' / 'store.db').resolve()}")
    write_key = store.keys.create_write_key("web").key
    _, api_key = store.keys.create_api_key("bench", ["*"])
    store.close()
    told = (folder / "log.txt").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "tekil", "--dir", str(folder), "up"], stderr=told)
    here = Running(folder, door, console, write_key, api_key)
    try:
        _wait(here)
        yield here
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        told.close()
        shutil.rmtree(folder)


def _wait(here: Running) -> None:
    deadline = time.monotonic() + START_SECONDS
    for port in (here.door, here.console):
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise SystemExit(f"Tekil did not start: {(here.folder / 'log.txt').read_text()[-2000:]}")
            time.sleep(0.2)
    tell("Tekil is up")
