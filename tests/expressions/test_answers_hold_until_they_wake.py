"""The law of waking: until the instant that a model names, time alone changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition
from tekil.models import Model, feature_model
from tekil.warehouse import Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.expressions.strategies import NOON, events, features, stage_events

MICROSECOND = timedelta(microseconds=1)
Answers = dict[int, dict[str, Any]]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    opened = DuckDBWarehouse(":memory:")
    yield opened
    opened.close()


def model_of(*sqls: str, zone: str = "Europe/Istanbul") -> Model:
    return feature_model(
        [Definition("feature", f"f{number}", {}, "", {"sql": sql}) for number, sql in enumerate(sqls)], zone
    )


def answers(warehouse: Warehouse, model: Model, now: datetime) -> Answers:
    warehouse.set_now(now)
    rows = warehouse.query(model.compiled).to_pylist()
    return {row.pop("person_key"): row for row in rows}


def without_wake(answered: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answered.items() if name != "wake_at"}


@settings(max_examples=40)
@given(said=events(), sqls=st.lists(features(), min_size=1, max_size=3), share=st.floats(0, 1))
def test_until_a_person_wakes_no_answer_changes(
    warehouse: Warehouse, said: list[dict[str, Any]], sqls: list[str], share: float
) -> None:
    model = model_of(*sqls)
    assert len(model.columns) == len(sqls)
    stage_events(warehouse, said)
    first = answers(warehouse, model, NOON)
    for person, answered in first.items():
        wake = answered.get("wake_at")
        assert wake is None or wake > NOON
        last = wake - MICROSECOND if wake else NOON.replace(year=2090)
        between = NOON + (last - NOON) * share
        for instant in (between, last):
            later = answers(warehouse, model, instant)[person]
            assert without_wake(later) == without_wake(answered), (instant, model.compiled)


@pytest.mark.parametrize(
    ("sql", "edge"),
    [
        ("count(*) filter (where occurred_at > now() - interval 7 day)", timedelta(days=7)),
        ("count(*) filter (where occurred_at <= now() - interval 7 day)", timedelta(days=7)),
        ("count(*) filter (where occurred_at >= now() - interval 7 day)", timedelta(days=7) + MICROSECOND),
        ("count(*) filter (where now() - interval 7 day > occurred_at)", timedelta(days=7) + MICROSECOND),
        ("max(occurred_at) > now() - interval 90 minute", timedelta(minutes=90)),
        ("days_since(max(occurred_at))", timedelta(days=1)),
        ("max(occurred_at) + interval 3 day < now()", timedelta(days=3) + MICROSECOND),
        ("max(occurred_at) + interval 3 day <= now() + interval 1 day", timedelta(days=2)),
        ("max(occurred_at) between now() - interval 2 day and now()", timedelta(days=2) + MICROSECOND),
    ],
)
def test_at_the_instant_it_wakes_the_answer_is_another(
    warehouse: Warehouse, sql: str, edge: timedelta
) -> None:
    model = model_of(sql)
    stage_events(warehouse, [{"person_key": 1, "message_key": 1, "event": "A", "occurred_at": NOON}])
    before = answers(warehouse, model, NOON)[1]
    assert before["wake_at"] == NOON + edge
    at = answers(warehouse, model, NOON + edge)[1]
    assert at["f0"] != before["f0"]


def test_only_events_that_a_filter_lets_through_wake_anybody(warehouse: Warehouse) -> None:
    model = model_of("count(*) filter (where event = 'A' and occurred_at > now() - interval 7 day)")
    rows = [
        {"person_key": person, "message_key": 1, "event": event, "occurred_at": NOON}
        for person, event in ((1, "A"), (2, "B"))
    ]
    stage_events(warehouse, rows)
    found = answers(warehouse, model, NOON)
    assert [found[person]["wake_at"] for person in (1, 2)] == [NOON + timedelta(days=7), None]


def test_what_time_cannot_change_has_no_instant_to_wake_at(warehouse: Warehouse) -> None:
    model = model_of("count(*)", "days_since(first(occurred_at)) > 3")
    assert "wake_at" in model.table.column_names
    assert "wake_at" not in model_of("count(*)").table.column_names
