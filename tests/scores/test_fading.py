"""The laws of fading: nobody wakes too late, steps converge, and a card says what a condition says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import log2
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition
from tekil.models import person_models
from tekil.models.audiences import read_people
from tekil.scores import Formula, columns_of, value_sql
from tekil.warehouse import Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.expressions.strategies import NOON, events, stage_events
from tests.laws.conftest import LAW_EXAMPLES
from tests.scores.strategies import scores

MICROSECOND = timedelta(microseconds=1)
ASKED = {"high": "lead >= 9", "some": "lead_fit between 2 and 4 or lead in (1, 5)", "low": "lead < 0"}
Answers = dict[int, dict[str, Any]]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    opened = DuckDBWarehouse(":memory:")
    yield opened
    opened.close()


def definitions_of(spec: dict[str, Any]) -> list[Definition]:
    asked = [Definition("audience", name, {}, "", {"sql": sql}) for name, sql in ASKED.items()]
    return [Definition("score", "lead", {}, "", spec), *asked]


def stage(warehouse: Warehouse, said: list[dict[str, Any]]) -> None:
    """Make what scores and audiences read, of some events."""
    stage_events(warehouse, said)
    warehouse.derive(
        "activity", "SELECT person_key, max(occurred_at) AS last_seen FROM person_events GROUP BY 1"
    )
    warehouse.stage("features", pa.table({"person_key": pa.array([], pa.int64())}))
    warehouse.stage(
        "attributes",
        pa.table(
            {"person_key": pa.array([1], pa.int64()), "traits": pa.array(['{"plan":"x"}'], pa.string())}
        ),
    )


def answer(warehouse: Warehouse, definitions: list[Definition], now: datetime) -> Answers:
    """Return of each person everything that is answered at an instant, exact points among it."""
    reading = read_people(definitions)
    assert not reading.flaws
    (score,) = reading.scores
    warehouse.set_now(now)
    for model in person_models(definitions):
        warehouse.derive(model.name, model.compiled)
    points = ", ".join(
        f'{value_sql(score, group)} AS "{name}_points"'
        for name, group in columns_of("lead", score.spec).items()
    )
    found: Answers = {}
    for sql in (f"SELECT s.*, {points} FROM scores AS s", "SELECT * FROM audiences"):
        for row in warehouse.query(sql).to_pylist():
            found.setdefault(row.pop("person_key"), {}).update(row)
    return found


def discrete(answered: dict[str, Any]) -> dict[str, Any]:
    """Return what may change at a waking only."""
    return {k: v for k, v in answered.items() if not k.endswith("_points") and k != "wake_at"}


CONDITIONS = ("last_seen > now() - interval 9 day", "traits.plan = 'x'")
GIVEN = scores(conditions=CONDITIONS)


@settings(max_examples=2 * LAW_EXAMPLES)
@given(said=events(), spec=GIVEN, share=st.floats(0, 1))
def test_until_a_person_wakes_no_grade_and_no_audience_changes(
    warehouse: Warehouse, said: list[dict[str, Any]], spec: dict[str, Any], share: float
) -> None:
    definitions = definitions_of(spec)
    stage(warehouse, said)
    for person, answered in answer(warehouse, definitions, NOON).items():
        wake = answered.get("wake_at")
        assert wake is None or wake > NOON
        last = wake - MICROSECOND if wake else NOON.replace(year=2090)
        for instant in (NOON + (last - NOON) * share, last):
            later = answer(warehouse, definitions, instant)[person]
            assert discrete(later) == discrete(answered), (instant, wake)
            assert later.get("wake_at") is None or wake is not None
            assert wake is None or later["wake_at"] is None or later["wake_at"] >= wake - 5 * MICROSECOND


@settings(max_examples=LAW_EXAMPLES)
@given(said=events(), spec=GIVEN)
def test_steps_are_few_and_come_to_an_end(
    warehouse: Warehouse, said: list[dict[str, Any]], spec: dict[str, Any]
) -> None:
    definitions = definitions_of(spec)
    stage(warehouse, said)
    for person in sorted({row["person_key"] for row in said})[:1]:
        now, wakes = NOON, 0
        while (wake := answer(warehouse, definitions, now)[person].get("wake_at")) is not None:
            assert wake > now
            now, wakes = wake, wakes + 1
            assert wakes < 400
        assert wakes < 400


@settings(max_examples=2 * LAW_EXAMPLES)
@given(said=events(), spec=GIVEN, share=st.floats(0, 1))
def test_a_card_says_until_its_person_wakes_what_a_condition_says(
    warehouse: Warehouse, said: list[dict[str, Any]], spec: dict[str, Any], share: float
) -> None:
    definitions = definitions_of(spec)
    stage(warehouse, said)
    for person, held in answer(warehouse, definitions, NOON).items():
        until = held.get("wake_at") or NOON + timedelta(days=100)
        instant = NOON + (until - MICROSECOND - NOON) * share
        shown = Formula.of(json.loads(held["lead"])).at(instant)
        told = answer(warehouse, definitions, instant)[person]
        assert shown.points == told["lead_points"]
        assert shown.groups == {name: told[f"lead_{name}_points"] for name in spec["groups"]}
        assert shown.grade == told.get("lead_grade")
        assert told["high"] == (shown.points >= 9)
        assert told["some"] == (2 <= shown.groups["fit"] <= 4 or shown.points in (1, 5))


def occurred(*days_ago: float, event: str = "A") -> list[dict[str, Any]]:
    return [
        {
            "person_key": 1,
            "message_key": number,
            "event": event,
            "occurred_at": NOON - timedelta(days=ago),
            "properties": "{}",
            "context": "{}",
        }
        for number, ago in enumerate(days_ago)
    ]


def one_rule(**rule: Any) -> dict[str, Any]:
    return {"groups": {"fit": {"rules": [{"name": "a", "each": "event = 'A'", **rule}]}}}


@pytest.mark.parametrize(
    ("days_ago", "rule", "crossing"),
    [
        # 16 points fall below 8.5 a little before half of their half-life is over: 16 * 2**-t = 8.5.
        ([0.0], {"points": 16, "half_life": "1 day"}, log2(16 / 8.5)),
        # Two of 10 points, one of them a half-life old: 15 * 2**-t = 8.5.
        ([0.0, 2.0], {"points": 10, "half_life": "2 day"}, 2 * log2(15 / 8.5)),
        # At most 12 of 40: as if of 40 until they are 12, and on from there.
        ([0.0], {"points": 40, "half_life": "1 day", "most": 12}, log2(40 / 8.5)),
    ],
)
def test_with_one_half_life_a_person_wakes_at_the_very_instant(
    warehouse: Warehouse, days_ago: list[float], rule: dict[str, Any], crossing: float
) -> None:
    definitions = definitions_of(one_rule(**rule))
    stage(warehouse, occurred(*days_ago))
    answered = answer(warehouse, definitions, NOON)[1]
    assert answered["high"]
    wakes = 0
    while answered["high"]:
        now, wakes = answered["wake_at"], wakes + 1
        answered = answer(warehouse, definitions, now)[1]
    assert abs(now - NOON - timedelta(days=crossing)) < timedelta(milliseconds=1)
    assert answer(warehouse, definitions, now - MICROSECOND)[1]["high"]
    # One or two to get over the last microsecond, and one where the limit ends.
    assert wakes <= 6


def test_points_are_whole_and_the_order_of_arrival_never_shows(warehouse: Warehouse) -> None:
    definitions = definitions_of(one_rule(points=7, half_life="3 day"))
    days = [0.0, 0.1, 1.7, 2.9, 11.3]
    found = []
    for order in (days, days[::-1]):
        stage(warehouse, occurred(*order))
        found.append(answer(warehouse, definitions, NOON)[1])
    assert found[0] == found[1]
    assert found[0]["lead_points"] == round(sum(7 * 2 ** (-ago / 3) for ago in days))
