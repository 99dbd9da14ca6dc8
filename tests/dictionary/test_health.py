"""Data quality in figures: what is counted, against what, and when it is an alert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tekil.dictionary.health import DAYS, Measure, days_back, measures
from tekil.dictionary.model import Alerts
from tests.dictionary.defining import define, undefine
from tests.installation import NOON, Installation
from tests.laws.conftest import Found

TODAY = NOON.date()


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    fields = {
        "properties.total": {"type": "number", "mode": "quarantine"},
        "properties.sku": {"required": True},
    }
    define(made.store, {"A": {"fields": fields, "undefined_fields": "warn"}})
    yield made
    undefine(made.store)
    made.close()


def event(number: int, **more: Any) -> dict[str, Any]:
    properties = {"total": 5, "sku": "x"}
    said = {"type": "track", "event": "A", "userId": "u", "messageId": f"m{number}"}
    return {**said, "properties": properties, **more}


def lines(installation: Installation, alerts: Alerts | None = None) -> dict[tuple[str, str, str], Measure]:
    found = measures(installation.warehouse.read, alerts or Alerts(), TODAY)
    return {(line.kind, line.source, line.field): line for line in found}


def test_a_clean_month_has_no_lines(installation: Installation) -> None:
    installation.say(*(event(n) for n in range(5)))
    installation.run()
    assert lines(installation) == {}


def test_breaches_are_a_share_of_what_was_said_and_have_their_days(installation: Installation) -> None:
    day = timedelta(days=1)
    installation.say(*(event(n) for n in range(8)), at=NOON - 2 * day)
    installation.say(
        event(8, properties={"total": 1, "new": 1}), event(9, properties={"total": "x"}), at=NOON
    )
    installation.say(event(10), source="app", at=NOON)
    installation.run()
    found = lines(installation)
    missing, invalid = found["missing", "web", "properties.sku"], found["invalid", "web", "properties.total"]
    # One of the two that lack the sku was held back for its total, and still counts as said.
    assert (missing.messages, round(missing.share, 2), missing.days[-1]) == (2, 0.2, 2)
    assert (invalid.messages, round(invalid.share, 2), sum(invalid.days[:-1])) == (1, 0.1, 0)
    assert found["inconsistent", "web", "properties.total"].alert
    assert not any(field == "properties.new" for _, _, field in found)


def test_an_alert_is_a_share_over_its_threshold(installation: Installation) -> None:
    key = ("missing", "web", "properties.sku")
    installation.say(*(event(n, properties={"total": 1}) for n in range(4)))
    installation.run()
    # All of four is all, and still too few to alarm anybody.
    assert not lines(installation)[key].alert
    installation.say(*(event(n) for n in range(4, 49)), event(49, properties={"total": 1}))
    installation.run()
    assert lines(installation, Alerts(missing=0.05))[key].alert
    assert not lines(installation, Alerts(missing=0.1))[key].alert


def test_what_came_late_or_twice_is_counted_by_source(installation: Installation) -> None:
    late = event(1, timestamp=(NOON - timedelta(hours=30)).isoformat() + "Z")
    history = event(2, timestamp="2025-01-01T00:00:00Z")
    installation.say(late, event(3), event(3))
    installation.say(history, door="import")
    installation.run()
    found = lines(installation)
    assert found["late", "web", ""].messages == 1
    assert (found["duplicate", "web", ""].messages, found["duplicate", "web", ""].share) == (1, 0.25)


def test_a_month_ends_today() -> None:
    days = days_back(date(2026, 3, 1))
    assert (len(days), days[0], days[-1]) == (DAYS, "2026-01-31", "2026-03-01")
