"""Who may send: keys in every place that clients put them, and what happens as they come and go."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collect.running import Collector, running


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Collector]:
    """A collector that a test may do what it likes with."""
    with running(tmp_path) as collector:
        yield collector


def status_within(collector: Collector, seconds: float, wanted: int, key: str) -> float:
    """Ask until the door answers `wanted`; return how long that took."""
    begin = time.monotonic()
    while collector.post("/v1/track", {}, key=key).status != wanted:
        assert time.monotonic() - begin < seconds
        time.sleep(0.05)
    return time.monotonic() - begin


def test_a_key_is_found_wherever_clients_put_it(collector: Collector) -> None:
    key = collector.key
    headers = [basic(f"{key}:"), basic(f"{key}:secret"), basic(key), f"Bearer {key}", f"bearer  {key}"]
    for header in [*headers, basic(f"{key}:").rstrip("=")]:
        assert collector.post("/v1/track", {}, key=None, Authorization=header).status == 200, header
    assert collector.post("/v1/track", {"writeKey": key}, key=None).status == 200
    assert collector.post("/v1/batch", {"writeKey": key, "batch": []}, key=None).status == 200
    assert collector.post(f"/v1/track?writeKey={key}", {}, key=None).status == 200
    assert collector.post("/v1/track", {"writeKey": key}, key="stale").status == 200


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Bearer", "Bearer nobody", "Digest x", "Basic /w==", basic(":"), ""]
)
def test_a_wrong_key_is_refused_and_nothing_is_kept(collector: Collector, after: int, header: str) -> None:
    answer = collector.post("/v1/track", {"a": 1}, key=None, Authorization=header)
    assert (answer.status, answer.code[:9]) == (401, "write_key")
    assert collector.log.head() == after


@pytest.mark.parametrize("key", [None, 17, ["a"], {"a": 1}, "", "\u0000", "nobody"])
def test_a_key_in_the_body_that_is_none_is_refused(collector: Collector, key: object) -> None:
    assert collector.post("/v1/track", {"writeKey": key}, key=None).status == 401


def test_a_new_key_works_within_a_second(collector: Collector, after: int) -> None:
    key = collector.store.keys.create_write_key("shop").key
    begin = time.monotonic()
    assert collector.post("/v1/track", {}, key=key).status == 200
    assert time.monotonic() - begin < 1
    assert [row["source"] for row in collector.bodies(after)] == ["shop"]


def test_a_disabled_source_stops_and_may_start_again(collector: Collector) -> None:
    key = collector.store.keys.create_write_key("till").key
    assert collector.post("/v1/track", {}, key=key).status == 200
    collector.store.keys.set_source_enabled("till", False)
    assert status_within(collector, 2, 403, key) < 2
    assert collector.post("/v1/track", {}, key=key).code == "source_disabled"
    assert collector.ask("GET", f"/v1/projects/{key}/settings", key=None).status == 403
    collector.store.keys.set_source_enabled("till", True)
    assert status_within(collector, 2, 200, key) < 2


def test_a_revoked_key_stops(collector: Collector) -> None:
    key = collector.store.keys.create_write_key("kiosk").key
    assert collector.post("/v1/track", {}, key=key).status == 200
    collector.store.keys.revoke_write_key(key)
    assert status_within(collector, 2, 401, key) < 2


def test_many_wrong_keys_at_once_ask_the_store_once(collector: Collector) -> None:
    begin = time.monotonic()
    for number in range(5):
        assert collector.post("/v1/track", {}, key=f"nobody-{number}").status == 401
    assert time.monotonic() - begin < 5
    assert collector.post("/v1/track", {}).status == 200


def test_while_the_store_is_away_known_keys_work_and_of_others_nobody_can_say(own: Collector) -> None:
    # As the door sees it, a store without its table is a store that does not answer.
    database = sqlite3.connect(own.folder / "store.db", isolation_level=None)
    database.execute("alter table write_keys rename to hidden")
    time.sleep(1.5)
    assert own.post("/v1/track", {"kept": True}).status == 200
    answer = own.post("/v1/track", {}, key="unknown")
    assert (answer.status, answer.code) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    database.execute("alter table hidden rename to write_keys")
    database.close()
    assert status_within(own, 5, 401, "unknown") < 5
    assert own.messages() == [{"kept": True}]
