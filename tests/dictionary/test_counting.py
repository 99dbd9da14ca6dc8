"""What counts is what the dictionary says: each time, once a person, or once for each span of time."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tekil.dictionary import counting
from tests.dictionary.defining import define, undefine
from tests.engines.conftest import Pair, pair, stores
from tests.installation import NOON, Installation
from tests.laws.conftest import Found

__all__ = ["pair", "stores"]

RULES: dict[str, dict[str, Any]] = {
    "Signed 'Up'": {"counting": "once", "synonyms": ["joined"]},
    "Video Played": {"counting": {"per": "30 minutes"}},
    "Order Completed": {},
}


@pytest.fixture
def place(found: Found) -> Iterator[Installation]:
    made = found()
    define(made.store, RULES)
    yield made
    undefine(made.store)
    made.close()


def track(event: str, minutes: float, **who: str) -> dict[str, Any]:
    stamp = (NOON + timedelta(minutes=minutes - 600)).isoformat() + "Z"
    return {"type": "track", "event": event, "timestamp": stamp, **(who or {"userId": "u1"})}


MESSAGES = [
    track("Signed 'Up'", 0),
    track("joined", 1),
    track("Signed 'Up'", 2, anonymousId="a2"),
    *(track("Video Played", minute) for minute in (0, 5, 29, 31, 65)),
    *(track("Order Completed", minute) for minute in (0, 0, 1)),
    track("Never Defined", 0),
    track("Never Defined", 0),
    {"type": "page", "userId": "u1"},
]


def counted(place: Installation) -> dict[str, int]:
    rows = place.rows("SELECT event, count(*) AS n FROM counted_events GROUP BY event")
    return {row["event"]: int(row["n"]) for row in rows}


COUNTS = {"Signed 'Up'": 2, "Video Played": 3, "Order Completed": 3, "Never Defined": 2}


def test_windows_are_read_as_they_are_written() -> None:
    assert doctest.testmod(counting).failed == 0


def test_each_once_and_once_for_each_span(place: Installation) -> None:
    place.say(*MESSAGES)
    place.run()
    assert counted(place) == COUNTS
    # Two visitors who turn out to be one signed up once.
    place.say({"type": "identify", "userId": "u1", "anonymousId": "a2"})
    place.run()
    assert counted(place)["Signed 'Up'"] == 1


def test_a_rule_that_changes_counts_anew(place: Installation) -> None:
    place.say(*MESSAGES)
    place.run()
    define(place.store, {**RULES, "Order Completed": {"counting": "once"}})
    place.say(track("Order Completed", 5))
    place.run()
    assert counted(place)["Order Completed"] == 1


@pytest.mark.slow
def test_both_engines_count_alike(pair: Pair) -> None:
    both = pair()
    try:
        for place in both:
            define(place.store, RULES)
            place.say(*MESSAGES)
            place.run()
        assert [counted(place) for place in both] == [COUNTS, COUNTS]
    finally:
        for place in both:
            undefine(place.store)
            place.close()
