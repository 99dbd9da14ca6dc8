"""Laws 1 and 8, whole: `kill -9` of either part of a real `tekil up`, at any instant, under load."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.running_tekil import Running, eventually, is_alive, running, tekil

CLIENTS = 3


@dataclass
class Client:
    """Sends messages with ids of their own for as long as it may; sends again what was not answered 200."""

    tekil: Running
    name: str
    acknowledged: list[str] = field(default_factory=list)

    def send_until(self, stop: threading.Event) -> None:
        randomly = random.Random(self.name)
        with httpx.Client(auth=(self.tekil.key, ""), timeout=10) as http:
            while not stop.is_set():
                ids = [
                    f"{self.name}-{len(self.acknowledged) + i}" for i in range(randomly.choice([1, 1, 30]))
                ]
                messages = [
                    {"type": "track", "event": "A", "userId": f"u{hash(one) % 50}", "messageId": one}
                    for one in ids
                ]
                try:
                    answer = http.post(f"{self.tekil.door}/v1/batch", json={"batch": messages})
                except httpx.TransportError:
                    # Kept or not: nobody knows. An SDK sends it again, and so do we.
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    self.acknowledged += ids
                else:
                    assert answer.status_code == 503, answer.text
                    time.sleep(0.05)


def kill_under_load(up: Running, part: str, name: str, seconds: float) -> set[str]:
    """Kill a part while clients send, go on, wait for its successor; return what was acknowledged."""
    stop = threading.Event()
    clients = [Client(up, f"{name}-{number}") for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.send_until, args=(stop,)) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    victim = up.part(part)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: not is_alive(victim))
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    up.wait_until_ready()
    return {one for client in clients for one in client.acknowledged}


def check(up: Running, acknowledged: set[str]) -> None:
    total = up.wait_until_loaded()
    assert total["accepted"] == total["loaded"] + total["quarantined"] + total["duplicate"]
    asked = tekil(
        up.folder, "sql", "SELECT message_id, count(*) AS n FROM events GROUP BY message_id", "--json"
    )
    loaded = {row["message_id"]: row["n"] for row in json.loads(asked.stdout)}
    assert not acknowledged - loaded.keys(), "answered 200 and lost"
    assert set(loaded.values()) == {1}, "loaded twice"
    assert sum(loaded.values()) == total["loaded"]
    verified = tekil(up.folder, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def kill_many_times(up: Running, rounds: int) -> None:
    randomly = random.Random(rounds)
    acknowledged: set[str] = set()
    for number in range(rounds):
        part = ("engine", "collector")[number % 2]
        acknowledged |= kill_under_load(up, part, f"{rounds}-{number}", randomly.uniform(0.05, 0.8))
        if number % 10 == 9 or number == rounds - 1:
            check(up, acknowledged)
    assert len(acknowledged) > rounds * CLIENTS


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as started:
        yield started


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_twice_however_often_parts_are_killed(up: Running) -> None:
    kill_many_times(up, rounds=50)
