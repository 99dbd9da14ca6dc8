"""Funnels against the slow way: every beginning tried, step by step."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tekil.acquisition.funnels import FUNNEL_KIND, FunnelSpec, Step, funnel_sql
from tekil.acquisition.reports import Period
from tekil.definitions import Definition
from tekil.warehouse import bind
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.installation import NOON

EVENTS = "abc"
PERIOD = Period(date(2026, 3, 1), date(2026, 3, 2))
Told = list[tuple[int, str, int]]
"""Person, event, hours after noon of the first of March."""


def by_trying(told: Told, within: int, steps: int) -> list[int]:
    """How many people got to each step: from each beginning in the period, the earliest next step in time."""
    reached = []
    for person in {one[0] for one in told}:
        own = sorted((hours, place, event) for place, (who, event, hours) in enumerate(told) if who == person)
        best = 0
        for begin, (start, _, event) in enumerate(own):
            # UTC noon is 15:00 in Istanbul: the period ends 33 hours later.
            if event != "a" or start >= 33:
                continue
            depth = 1
            for hours, _, later in own[begin + 1 :]:
                if depth < steps and later == EVENTS[depth] and hours - start <= within:
                    depth += 1
            best = max(best, depth)
        reached.append(best)
    return [sum(depth >= step for depth in reached) for step in range(1, steps + 1)]


told_events = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(EVENTS), st.integers(0, 40)), min_size=1, max_size=16
)


@pytest.fixture(scope="module")
def warehouse() -> DuckDBWarehouse:
    return DuckDBWarehouse(":memory:")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(told=told_events, within=st.sampled_from([1, 5, 24]))
def test_as_many_get_through_as_trying_every_beginning_says(
    warehouse: DuckDBWarehouse, told: Told, within: int
) -> None:
    rows = [
        {"person_key": who, "event": event, "message_key": key, "occurred_at": NOON + timedelta(hours=hours)}
        for key, (who, event, hours) in enumerate(told)
    ]
    warehouse.stage("told", pa.Table.from_pylist(rows))
    spec = FunnelSpec([Step(f"event = '{event}'") for event in EVENTS], within_hours=within)
    found = warehouse.query(bind(funnel_sql(spec, PERIOD, "Europe/Istanbul"), {"person_events": "told"}))
    expected = by_trying(told, within, len(EVENTS))
    counts = found.to_pylist()[0] if found.num_rows else {f"step_{step}": 0 for step in (1, 2, 3)}
    assert [counts[f"step_{step}"] for step in (1, 2, 3)] == expected


def test_a_breakdown_is_by_what_the_first_step_said(warehouse: DuckDBWarehouse) -> None:
    rows = [
        {"person_key": who, "event": event, "source": source, "message_key": key, "occurred_at": NOON}
        for key, (who, event, source) in enumerate([(1, "a", "web"), (1, "b", "app"), (2, "a", "app")])
    ]
    warehouse.stage("told", pa.Table.from_pylist(rows))
    spec = FunnelSpec([Step("event = 'a'"), Step("event = 'b'")], by="source")
    sql = bind(funnel_sql(spec, PERIOD, "UTC"), {"person_events": "told"})
    assert warehouse.query(sql).to_pylist() == [
        {"label": "app", "step_1": 1, "step_2": 0},
        {"label": "web", "step_1": 1, "step_2": 1},
    ]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"steps": [{"when": "event = 'a'"}]}, "2 to 10 steps"),
        ({"steps": [{"when": "event = 'a'"}, {"when": "evnt = 'b'"}]}, "Did you mean event?"),
        ({"steps": [{"when": "event = 'a'"}] * 2, "by": "occurred_at"}, "by a text"),
        ({"steps": [{"when": "event = 'a'"}] * 2, "within_hours": 0}, "8760 hours"),
    ],
)
def test_what_is_no_funnel_is_told_where_it_stands(spec: dict[str, object], told: str) -> None:
    assert told in " ".join(flaw.text for flaw in FUNNEL_KIND.check(Definition("funnel", "x", {}, "", spec)))
