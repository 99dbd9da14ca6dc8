"""What each function and operator answers, over the events of one person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tekil.expressions import FUNCTIONS
from tekil.warehouse import Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.expressions.strategies import NOON, stage_events
from tests.expressions.test_answers_hold_until_they_wake import model_of

ORDERS = [("A", 21, "12.50"), ("A", 3, "7.5"), ("B", 2, "x"), ("A", 1, None)]
"""Event, days ago, price; the first at half past nine in the evening, UTC."""


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    opened = DuckDBWarehouse(":memory:")
    opened.set_now(NOON)
    rows: list[dict[str, Any]] = [
        {
            "person_key": 1,
            "message_key": number,
            "event": event,
            "occurred_at": NOON - timedelta(days=ago) + (timedelta(hours=9.5) if ago == 21 else timedelta()),
            "properties": json.dumps(
                {"price": price, "gift": True, "due": "2026-03-05T00:00:00+03:00", "Sipariş No": "ş1"}
            ),
        }
        for number, (event, ago, price) in enumerate(ORDERS)
    ]
    stage_events(opened, rows)
    yield opened
    opened.close()


MEANINGS: list[tuple[str, Any]] = [
    ("count(*)", 4),
    ("count(number(properties.price))", 2),
    ("count(distinct event)", 2),
    ("count(*) filter (where event = 'A' and occurred_at > now() - interval 7 day)", 2),
    ("sum(number(properties.price))", Decimal("20.0000")),
    ("sum(case when event = 'A' then 1 else 0 end)", 3),
    ("sum(number(properties.nothing))", None),
    ("coalesce(sum(number(properties.nothing)), 0)", Decimal(0)),
    ("avg(number(properties.price))", Decimal("10.0000")),
    ("avg(number(properties.price)) / 3", Decimal("3.3333")),
    ("count(*) / 0", None),
    ("count(*) * 2 - 1", 7),
    ("-count(*) + 0.5", Decimal("-3.5000")),
    ("sum(number('99999999999999')) * 10", None),
    ("min(event)", "A"),
    ("max(number(properties.price))", Decimal("12.5000")),
    ("first(properties.price)", "12.50"),
    ("last(properties.price)", "x"),
    ("last(event) filter (where occurred_at < now() - interval 2 day)", "A"),
    ("first(properties.\"Sipariş No\")", "ş1"),
    ("nth(2, occurred_at)", NOON - timedelta(days=3)),
    ("nth(2, occurred_at) filter (where event = 'A' and number(properties.price) is null)", None),
    ("nth(9, occurred_at)", None),
    ("distinct_days()", 4),
    ("days_since(max(occurred_at))", 1),
    ("days_since(max(instant(properties.due)))", -4),
    ("days_between(min(occurred_at), max(occurred_at))", 19),
    ("min(instant(properties.due))", datetime(2026, 3, 4, 21)),
    ("max(occurred_at) + interval 2 weeks", NOON + timedelta(days=13)),
    ("min(instant('9999-01-01'))", None),
    ("count(*) filter (where is_true(properties.gift))", 4),
    ("first(is_true(properties.price))", None),
    ("first(lower(event)) filter (where event <> 'A')", "b"),
    ("count(*) filter (where contains(properties.price, '.') and starts_with(properties.price, '7'))", 1),
    ("nullif(count(*), 4)", None),
    ("max(occurred_at) between now() - interval 1 day and now()", True),
    ("max(occurred_at) not between now() - interval 5 day and now() - interval 2 day", True),
    ("case when count(*) > 3 then 'many' when true then 'few' end", "many"),
    ("last(event) in ('B', 'C')", False),
    ("last(event) not in ('B', 'C') and not count(*) is null", True),
    ("last(event) in ('B', null, 'C')", None),
    ("first(event) in (null, 'A')", True),
    ("first(event) not in (null)", None),
    ("last(case when event not in ('B', null) then number('1') / 3 else 1 end)", Decimal("1.0000")),
    ("count(*) = 4 or count(*) = 5 and false", True),
    ("2 + 3 * 4 - count(*) * 0", 14),
    ("count(*) filter (where event = 'it''s {0} \\')", 0),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "answer"), MEANINGS)
def test_meaning(warehouse: Warehouse, sql: str, answer: Any) -> None:
    found = warehouse.query(model_of(sql).compiled).to_pylist()
    assert [row["f0"] for row in found] == [answer]


def test_a_day_is_a_day_of_the_workspaces_time_zone(warehouse: Warehouse) -> None:
    sql = "distinct_days() filter (where occurred_at < instant('2026-02-09'))"
    stage_events(
        warehouse,
        [
            {"person_key": 1, "message_key": n, "event": "A", "occurred_at": at}
            for n, at in enumerate([datetime(2026, 2, 8, 20), datetime(2026, 2, 8, 22)])
        ],
    )
    found = [
        warehouse.query(model_of(sql, zone=zone).compiled)["f0"].to_pylist()
        for zone in ("UTC", "Europe/Istanbul")
    ]
    assert found == [[1], [2]]


def test_every_function_has_a_meaning_here_and_is_explained_in_both_languages() -> None:
    for function in FUNCTIONS:
        assert any(f"{function.name}(" in sql for sql, _ in MEANINGS), function.name
        assert function.tr
        assert function.en
