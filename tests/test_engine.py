"""The loop when things go wrong around it: clocks that jump, places that are away, tasks at the end."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tekil.engine import Engine
from tekil.errors import TekilError, Unavailable
from tekil.models import ACTIVITY, attributes
from tekil.verification import verify
from tests.installation import NOON, Installation
from tests.laws.conftest import Found

TRACK: dict[str, Any] = {"type": "track", "event": "A", "userId": "u1"}


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def test_a_clock_that_jumps_back_changes_nothing_that_was_known(installation: Installation) -> None:
    installation.say(TRACK)
    installation.pass_time(days=8)
    installation.run()
    assert installation.person("user_id:u1").as_dict()["events_7d"] == 0
    installation.now = NOON
    installation.say({**TRACK, "userId": "u2"})
    installation.run()
    assert installation.person("user_id:u1").as_dict()["events_7d"] == 0
    assert verify(installation.engine).holds
    assert installation.warehouse.marks().clock == NOON.replace(day=9)


def test_a_clock_that_jumps_far_ahead_and_comes_back_loses_no_message(installation: Installation) -> None:
    for year in (2026, 2090, 2027):
        installation.now = NOON.replace(year=year)
        installation.say({**TRACK, "messageId": str(year)})
        installation.run()
        assert verify(installation.engine).holds
    assert installation.person("user_id:u1").as_dict()["events"] == 3


def test_with_nothing_to_do_nothing_is_done(installation: Installation) -> None:
    assert installation.engine.step() is None
    installation.say(TRACK)
    assert installation.engine.step() is not None
    assert installation.engine.step() is None
    assert installation.warehouse.marks().cycle == 1


def test_a_store_that_is_away_is_waited_for_and_the_cards_are_right_afterwards(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    # The store waits for a lock for five seconds; a test need not.
    impatient = "pragma busy_timeout = 100"
    event.listen(installation.store._engine, "checkout", lambda raw, *_: raw.execute(impatient))
    told: list[TekilError] = []
    stop = threading.Event()
    loop = threading.Thread(target=installation.engine.run, args=(stop, told.append))
    installation.say(TRACK)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("begin immediate")
    try:
        loop.start()
        wait_for(lambda: told)
        assert isinstance(told[0], Unavailable)
        assert installation.rows("SELECT count(*) AS n FROM events") == [{"n": 1}]
        assert installation.store.cards.count() == 0
        other.execute("rollback")
        wait_for(lambda: installation.store.cards.count() == 1)
    finally:
        other.close()
        stop.set()
        loop.join()
    assert verify(installation.engine).holds
    installation.close()


def wait_for(look: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_whoever_waits_for_a_task_when_the_loop_ends_is_told(installation: Installation) -> None:
    stop = threading.Event()
    stop.set()
    waiting = installation.engine.submit(lambda engine: engine.drain())
    installation.engine.run(stop, lambda error: None)
    for future in (waiting, installation.engine.submit(lambda engine: engine.drain())):
        with pytest.raises(Unavailable, match="stopping"):
            future.result(timeout=1)


def test_a_task_that_fails_tells_who_asked_and_the_loop_goes_on(installation: Installation) -> None:
    stop = threading.Event()
    loop = threading.Thread(target=installation.engine.run, args=(stop, lambda error: None))
    loop.start()
    try:
        with pytest.raises(ZeroDivisionError):
            installation.engine.submit(lambda engine: 1 // 0).result(timeout=5)
        assert installation.engine.submit(lambda engine: 7).result(timeout=5) == 7
    finally:
        stop.set()
        loop.join()


def test_few_messages_gather_so_that_a_quiet_shop_costs_few_cycles(installation: Installation) -> None:
    stop = threading.Event()
    loop = threading.Thread(target=installation.engine.run, args=(stop, lambda error: None))
    loop.start()
    try:
        for _ in range(40):
            installation.say(TRACK)
            time.sleep(0.02)
        # By a cursor of its own: the loop is using the connection.
        read = installation.engine.warehouse.read
        wait_for(lambda: read("SELECT count(*) AS n FROM events")["n"].to_pylist() == [40])
        started = time.monotonic()
        assert installation.engine.submit(lambda engine: 7).result(timeout=5) == 7
        assert time.monotonic() - started < 0.3
    finally:
        stop.set()
        loop.join()
    assert installation.engine.warehouse.marks().cycle <= 6


def test_a_new_versions_models_are_built_from_what_is_there(installation: Installation) -> None:
    for source, city in (("crm", "Van"), ("web", "Muş")):
        installation.say({"type": "identify", "userId": "u1", "traits": {"city": city}}, source=source)
        installation.pass_time(minutes=1)
    installation.run()
    assert installation.person("user_id:u1").as_dict()["traits"]["city"] == "Muş"
    models = [ACTIVITY, attributes(["crm"])]
    engine = Engine(
        installation.log,
        installation.warehouse,
        installation.store,
        models,
        installation.vault,
        clock=lambda: installation.now,
    )
    engine.recover()
    assert installation.person("user_id:u1").as_dict()["traits"]["city"] == "Van"
    assert verify(engine).holds


def test_a_store_that_is_another_one_gets_everybody(installation: Installation, tmp_path: Path) -> None:
    for user in ("u1", "u2", "u3"):
        installation.say({**TRACK, "userId": user})
        installation.run()
    before = installation.cards()
    other = Installation(tmp_path, warehouse=installation.warehouse)
    assert other.cards() == before
    assert len(before) == 3
    other.store.close()
