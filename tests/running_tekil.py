"""A whole Tekil, started as people start it: `tekil up` in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 60.0
COMMAND = [sys.executable, "-m", "tekil"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tekil(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end, whatever that is."""
    command = [*COMMAND, "--dir", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def eventually(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Look again and again until there is something to see, and return it."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return seen


@dataclass
class Running:
    """A running Tekil: its door, its console, and a key for each."""

    folder: Path
    door: str
    console: str
    process: subprocess.Popen[bytes]
    key: str = ""
    reader: httpx.Client = field(default_factory=httpx.Client)

    @property
    def said(self) -> str:
        """What `tekil up` told people so far."""
        return (self.folder / "up.log").read_text(encoding="utf-8")

    def part(self, name: str) -> int:
        """Return the process id of the collector or the engine."""

        def look() -> list[int]:
            mine = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
            children = [int(pid) for pid in Path(mine).read_text().split()]
            return [pid for pid in children if name.encode() in _arguments(pid)]

        found: list[int] = eventually(look)
        return found[0]

    def wait_until_ready(self) -> None:
        """Wait until the door and the engine answer."""

        def look() -> bool:
            assert self.process.poll() is None, self.said
            with contextlib.suppress(httpx.TransportError):
                return (
                    httpx.get(f"{self.door}/healthz").status_code == 200
                    and httpx.get(f"{self.console}/readyz").status_code == 200
                )
            return False

        eventually(look, START_SECONDS)

    def create_key(self, *options: str) -> str:
        made = tekil(self.folder, "key", "create", "--json", *options)
        assert made.returncode == 0, made.stderr
        return str(json.loads(made.stdout)["key"])

    def send(self, kind: str, **message: Any) -> None:
        """Send one message, or a batch, through the door."""
        answer = httpx.post(f"{self.door}/v1/{kind}", json=message, auth=(self.key, ""), timeout=10)
        assert answer.status_code == 200, answer.text

    def get(self, path: str) -> httpx.Response:
        """Ask the API."""
        return self.reader.get(self.console + path)

    def ledger(self) -> dict[str, Any]:
        told: dict[str, Any] = self.get("/v1/ledger").raise_for_status().json()
        return told

    def wait_until_loaded(self) -> dict[str, Any]:
        """Wait until nothing waits in the log; return the ledger's total."""

        def look() -> dict[str, Any] | None:
            with contextlib.suppress(httpx.HTTPError):
                total: dict[str, Any] = self.ledger()["total"]
                return total if total["accepted"] and not total["waiting"] else None
            return None

        total: dict[str, Any] = eventually(look, START_SECONDS)
        return total

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def found(folder: Path) -> tuple[str, str]:
    """Write a configuration with two free ports; return the door's and the console's address."""
    door, console = free_port(), free_port()
    made = tekil(folder, "init", "--collect-port", str(door), "--console-port", str(console))
    assert made.returncode == 0, made.stderr
    return f"http://127.0.0.1:{door}", f"http://127.0.0.1:{console}"


@contextlib.contextmanager
def running(folder: Path, *, settings: str = "") -> Iterator[Running]:
    """Run a new Tekil until the end of the block. `settings` are further lines for its tekil.toml."""
    door, console = found(folder)
    with (folder / "tekil.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    with (folder / "up.log").open("wb") as out:
        process = subprocess.Popen([*COMMAND, "--dir", str(folder), "up"], stdout=out, stderr=out)
    try:
        running = Running(folder, door, console, process)
        running.key = running.create_key("--source", "web")
        secret = running.create_key("--api", "--scope", "*")
        running.reader = httpx.Client(headers={"Authorization": f"Bearer {secret}"}, timeout=30)
        running.wait_until_ready()
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
