"""Features: defined once, right for everyone from then on, whatever is said and however time goes by."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition, InvalidDefinitions, Written, apply
from tekil.kinds import KINDS
from tekil.models import audience_model, feature_model
from tekil.store import Store
from tekil.verification import verify
from tests.expressions.strategies import features
from tests.installation import Installation
from tests.laws.conftest import LAW_EXAMPLES
from tests.laws.test_answers_hold_in_time import hear_now, known_at
from tests.streams import cut, streams

ZONE = "Europe/Istanbul"
MADE = ("features", "audiences")
AUDIENCES = (
    "events_7d > 1 and traits.plan is not null",
    "last_seen between now() - interval 9 day and now() - interval 2 day",
    "days_since(first_seen) < 20 or events = 1",
    "contains(lower(traits.name), 'i') and last_seen <= now() - interval 1 hour",
    "since(active) <= now() - interval 3 day",
    "days_since(since(active)) between 1 and 4 or not active",
)


def define(installation: Installation, **sqls: str) -> None:
    """Make these features, by name and SQL, all there are."""
    wanted = [Written(Definition("feature", name, {}, "", {"sql": sql})) for name, sql in sqls.items()]
    apply(installation.store, KINDS, wanted, author="test", prune=True)


@pytest.fixture
def installation(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    apply(store, KINDS, [], author="test", prune=True)
    made = Installation(tmp_path, store=store, defined=lambda found: [feature_model(found, ZONE)])
    yield made
    made.close()
    apply(store, KINDS, [], author="test", prune=True)


def order(user: str, total: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order", "userId": user, "properties": {"total": total}}


def told(installation: Installation) -> list[dict[str, Any]]:
    installation.run()
    hidden = ("person_key", "wake_at")
    rows = installation.rows("SELECT * FROM features")
    found = [{k: v for k, v in row.items() if k not in hidden} for row in rows]
    return sorted(found, key=str)


def test_a_feature_is_there_for_everybody_and_stays_true(installation: Installation) -> None:
    installation.say(order("u1", 12.5), order("u1", "7.50"), order("u2", None))
    installation.run()
    define(
        installation,
        orders_7d="count(*) filter (where event = 'Order' and occurred_at > now() - interval 7 day)",
        turnover="sum(number(properties.total))",
    )
    assert told(installation) == [
        {"orders_7d": 1, "turnover": None},
        {"orders_7d": 2, "turnover": Decimal("20.0000")},
    ]
    installation.pass_time(days=7, microseconds=-1)
    installation.say(order("u2", 3))
    assert [row["orders_7d"] for row in told(installation)] == [2, 2]
    installation.pass_time(microseconds=1)
    assert [row["orders_7d"] for row in told(installation)] == [0, 1]
    assert verify(installation.engine).holds


def test_definitions_come_change_and_go(installation: Installation) -> None:
    installation.say(order("u1", 12.5))
    assert told(installation) == []
    define(installation, n="count(*)")
    assert told(installation) == [{"n": 1}]
    define(installation, n="max(event)", m="count(*) > 0")
    assert told(installation) == [{"m": True, "n": "Order"}]
    define(installation, renamed="max(event)")
    assert told(installation) == [{"renamed": "Order"}]
    define(installation)
    assert told(installation) == []
    assert verify(installation.engine).holds


def test_an_engine_that_starts_after_a_definition_changed_makes_it_true_first(
    installation: Installation,
) -> None:
    define(installation, n="count(*)")
    installation.say(order("u1", 12.5))
    installation.run()
    define(installation, m="max(event)")
    again = Installation(
        Path(), store=installation.store, warehouse=installation.warehouse, log=installation.log,
        vault=installation.vault, defined=lambda found: [feature_model(found, ZONE)],
    )  # fmt: skip
    assert again.rows("SELECT m FROM features") == [{"m": "Order"}]
    assert verify(again.engine).holds


def test_a_definition_that_this_version_cannot_read_takes_no_other_with_it() -> None:
    found = feature_model(
        [
            Definition("feature", "good", {}, "", {"sql": "count(*)"}),
            Definition("feature", "odd", {}, "", {"sql": "percentile(x)"}),
            Definition("feature", "older", {}, "", {"query": "count(*)"}),
        ],
        ZONE,
    )
    assert list(found.columns) == ["good"]


@pytest.mark.parametrize(
    ("name", "spec", "told"),
    [
        ("Orders", {"sql": "count(*)"}, "a.yaml:2: Orders: This becomes a column"),
        ("wake_at", {"sql": "count(*)"}, "This becomes a column"),
        ("a; drop", {"sql": "count(*)"}, "This becomes a column"),
        ("order", {"sql": "count(*)"}, "'order' is a word of SQL"),
        ("n", {"sql": "cuont(*)"}, "line 1, column 1: There is no function cuont(). Did you mean count?"),
        ("n", {"sql": "first(null)"}, "first wants"),
        ("n", {}, "missing required field `sql`"),
        ("n", {"sql": "count(*)", "sq": 1}, "unknown field `sq`"),
        ("n", {"sql": 5}, "Expected `str`"),
    ],
)
def test_a_mistake_is_told_where_it_stands(
    installation: Installation, name: str, spec: dict[str, Any], told: str
) -> None:
    written = Written(
        Definition("feature", name, {}, "", spec), "a.yaml", lambda path: 2 if path == ("name",) else 3
    )
    with pytest.raises(InvalidDefinitions) as caught:
        apply(installation.store, KINDS, [written], author="test")
    assert told in str(caught.value)


@settings(max_examples=LAW_EXAMPLES)
@given(st.data())
def test_laws_4_and_5_hold_for_random_features(
    store: Store, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    store.cards.clear()
    installation = Installation(
        tmp_path_factory.mktemp("laws"),
        store=store,
        defined=lambda found: [feature_model(found, ZONE), audience_model(found)],
    )
    several = st.lists(features(), max_size=3)
    remembered = []
    for part in cut(data.draw, data.draw(streams(most=8)))[:2]:
        define(installation, **{f"f{n}": sql for n, sql in enumerate(data.draw(several))})
        audience = data.draw(st.sampled_from(AUDIENCES))
        asked = {"active": "events_7d > 0", "among": audience}
        wanted = [Written(Definition("audience", name, {}, "", {"sql": sql})) for name, sql in asked.items()]
        apply(installation.store, KINDS, wanted, author="test")
        hear_now(installation, part)
        assert verify(installation.engine).differences == []
        installation.pass_time(minutes=data.draw(st.integers(1, 12 * 24 * 60)))
        installation.run()
        outcome = verify(installation.engine)
        assert outcome.differences == []
        assert outcome.ledger == []
        then = {table: installation.sorted_rows(f"SELECT * FROM {table}") for table in MADE}
        remembered.append((installation.now, installation.engine.models, then))
        # What is noted at an instant belongs to it; what comes next is noted later.
        installation.pass_time(microseconds=1)
    for instant, models, then in remembered:
        answered = known_at(installation, instant, models)
        assert {table: answered[table] for table in MADE} == then
    installation.close()
    apply(store, KINDS, [], author="test", prune=True)
