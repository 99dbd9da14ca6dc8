"""Law 1. After `kill -9` at any instant, every message answered 200 is in the log, once."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.collect.running import HOST, Collector, running

CLIENTS = 8


@dataclass
class Client:
    """Sends one message after the other, each with an id of its own, until the door is gone."""

    collector: Collector
    number: int
    sent: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def send_until_it_breaks(self) -> None:
        connection = http.client.HTTPConnection(HOST, self.collector.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.collector.key}"}
        randomly = random.Random(self.number)
        try:
            while True:
                ids = [f"{self.number}-{len(self.sent) + i}" for i in range(randomly.choice([1, 1, 1, 20]))]
                messages = [{"messageId": one, "text": "x" * randomly.randrange(2_000)} for one in ids]
                self.sent += ids
                path, body = ("batch", {"batch": messages}) if len(ids) > 1 else ("track", messages[0])
                connection.request("POST", f"/v1/{path}", msgspec.json.encode(body), headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged += ids
        except (OSError, http.client.HTTPException):
            connection.close()


def kill_under_load(collector: Collector, round_number: int, seconds: float) -> int:
    """Kill the door while clients send, and check the law. Return how many messages were acknowledged."""
    after = collector.log.head()
    before = sum(count.accepted for count in collector.log.counts(0))
    clients = [Client(collector, round_number * CLIENTS + number) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.send_until_it_breaks) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    collector.stop(signal.SIGKILL)
    for thread in threads:
        thread.join()
    kept = Counter(message["messageId"] for message in collector.messages(after))
    acknowledged = {one for client in clients for one in client.acknowledged}
    assert not acknowledged - kept.keys(), "answered 200 and lost"
    assert max(kept.values()) == 1, "kept twice"
    assert not kept.keys() - {one for client in clients for one in client.sent}, "never sent"
    accepted = sum(count.accepted for count in collector.log.counts(0))
    assert accepted - before == kept.total(), "the count and the log disagree"
    return len(acknowledged)


def kill_many_times(folder: Path, rounds: int) -> None:
    randomly = random.Random(rounds)
    with running(folder) as collector:
        acknowledged = 0
        for number in range(rounds):
            if number:
                collector.start()
            acknowledged += kill_under_load(collector, number, randomly.uniform(0.05, 0.6))
        assert acknowledged > rounds * CLIENTS


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    kill_many_times(tmp_path, rounds=2)


@pytest.mark.slow
def test_what_was_acknowledged_outlives_many_kills(tmp_path: Path) -> None:
    kill_many_times(tmp_path, rounds=25)
