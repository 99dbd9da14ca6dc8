"""Stages: everybody is in the last stage of a chain that holds for them, and how they came there is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.definitions import Definition, InvalidDefinitions, Written, apply
from tekil.kinds import KINDS
from tekil.privacy.rectification import OBJECTION
from tekil.store import Store
from tekil.verification import verify
from tests.installation import Installation
from tests.laws.conftest import LAW_EXAMPLES
from tests.laws.test_answers_hold_in_time import hear_now, known_at
from tests.models.test_audiences import FEATURES, members, models_of
from tests.models.test_features import order
from tests.models.test_memberships import journal, since
from tests.streams import cut, streams

CHAIN = {
    "aware": "true",
    "buyer": "orders > 0",
    "loyal": "orders > 1 and orders_7d > 0",
}


def chain(stages: dict[str, str], name: str = "stage", **more: Any) -> Written:
    """Return the document of a chain; `more` gives single stages more than a name and a condition."""
    spec = {"stages": [{"name": n, "sql": sql, **more.get(n, {})} for n, sql in stages.items()]}
    return Written(Definition("stage", name, {}, "", spec))


def define(installation: Installation, *chains: Written, **audiences: str) -> None:
    wanted = [Written(Definition("feature", name, {}, "", {"sql": sql})) for name, sql in FEATURES.items()]
    wanted += [Written(Definition("audience", name, {}, "", {"sql": sql})) for name, sql in audiences.items()]
    apply(installation.store, KINDS, [*wanted, *chains], author="test", prune=True)


@pytest.fixture
def installation(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    apply(store, KINDS, [], author="test", prune=True)
    made = Installation(tmp_path, store=store, defined=models_of)
    yield made
    made.close()
    apply(store, KINDS, [], author="test", prune=True)


def test_everybody_is_in_the_last_stage_that_holds_and_the_journal_tells_the_way(
    installation: Installation,
) -> None:
    define(
        installation,
        chain(CHAIN),
        settled="stage = 'loyal' and since(stage) <= now() - interval 2 day",
        fallen="stage = 'buyer' and orders > 1",
    )
    installation.say({"type": "page", "userId": "u1"}, {"type": "page", "userId": "u2"})
    installation.run()
    installation.pass_time(hours=1)
    installation.say(order("u1", 5), order("u1", 5))
    assert since(installation, "stage.loyal") == {"u1": timedelta(hours=1)}
    assert since(installation, "stage.aware") == {"u2": timedelta()}
    installation.pass_time(days=2, microseconds=-1)
    assert members(installation, "settled") == set()
    installation.pass_time(microseconds=1)
    assert members(installation, "settled") == {"u1"}
    installation.pass_time(days=5, microseconds=-1)
    assert members(installation, "fallen") == set()
    installation.pass_time(microseconds=1)
    assert members(installation, "fallen") == {"u1"}
    told = [(name, entered, at, cause) for name, entered, at, cause, _ in journal(installation)]
    week = timedelta(days=7, hours=1)
    assert [row for row in told if row[0].startswith("stage.")] == [
        ("stage.aware", True, timedelta(), "event"),
        ("stage.aware", True, timedelta(), "event"),
        ("stage.aware", False, timedelta(hours=1), "event"),
        ("stage.loyal", True, timedelta(hours=1), "event"),
        ("stage.buyer", True, week, "time"),
        ("stage.loyal", False, week, "time"),
    ]
    assert verify(installation.engine).holds
    told = journal(installation)
    installation.engine.rebuild()
    assert journal(installation) == told
    assert verify(installation.engine).holds


def test_a_card_tells_the_stage_and_since_when(installation: Installation) -> None:
    define(installation, chain(CHAIN), buyers="orders > 0")
    installation.say(order("u1", 5))
    installation.run()
    body = installation.person("user_id:u1").as_dict()
    assert body["stages"] == {"stage": {"name": "buyer", "since": "2026-03-01T12:00:00.000Z"}}
    assert body["audiences"].keys() == {"buyers"}


def test_who_objects_to_profiling_is_in_no_stage(installation: Installation) -> None:
    define(installation, chain(CHAIN))
    installation.say({"type": "identify", "userId": "u1", "traits": {OBJECTION: True}})
    installation.run()
    assert journal(installation) == []
    assert installation.rows("SELECT stage FROM audiences") == [{"stage": None}]


def test_who_logs_in_goes_on_in_the_stage_they_were_in(installation: Installation) -> None:
    define(installation, chain({"aware": "true", "known": "traits.name is not null"}))
    installation.say({"type": "page", "anonymousId": "a1"}, {"type": "page", "anonymousId": "a2"})
    installation.run()
    installation.pass_time(days=1)
    installation.say(*({"type": "identify", "userId": "u1", "anonymousId": name} for name in ("a1", "a2")))
    assert set(since(installation, "stage.aware").values()) == {timedelta()}
    installation.pass_time(days=1)
    installation.say({"type": "identify", "userId": "u1", "traits": {"name": "Ada"}})
    assert set(since(installation, "stage.known").values()) == {timedelta(days=2)}
    assert verify(installation.engine).holds


@pytest.mark.parametrize(
    ("stages", "more", "told"),
    [
        ({"a": "true"}, {}, "A chain has 2 to 30 stages"),
        ({"a": "true", "b": "ordres > 0"}, {}, "There is no 'ordres' here. Did you mean orders?"),
        ({"a": "true", "b": "orders"}, {}, "Here stands a condition over a person"),
        ({"a": "true", "B b": "orders > 1"}, {}, "is no name of a stage"),
        (
            {"a": "true", "b": "orders > 1"},
            {"b": {"goal": {"percent": 5, "within": "2 day"}}},
            "no later one",
        ),
        (
            {"a": "true", "b": "orders > 1"},
            {"a": {"goal": {"percent": 0, "within": "2 day"}}},
            "from 1 to 100",
        ),
        ({"a": "true", "b": "orders > 1"}, {"a": {"goal": {"percent": 5, "within": "2 month"}}}, "no length"),
        ({"a": "true", "b": "orders > 1"}, {"a": {"stuck_after": "soon"}}, "'soon' is no length of time"),
        ({"a": "true", "b": "stage = 'a'"}, {}, "name each other in a circle"),
        ({"a": "true", "b": "looped"}, {}, "name each other in a circle"),
    ],
)
def test_what_cannot_be_a_chain_is_refused(
    installation: Installation, stages: dict[str, str], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidDefinitions) as caught:
        define(installation, chain(stages, **more), looped="stage = 'b'")
    assert told in str(caught.value)


CONDITIONS = (
    "events_7d > 1",
    "traits.plan is not null",
    "last_seen > now() - interval 3 day",
    "days_since(first_seen) >= 5",
    "orders > 0",
    "active and since(active) <= now() - interval 2 day",
    "first_touch_source = 'google'",
)


@settings(max_examples=LAW_EXAMPLES)
@given(st.data())
def test_laws_4_and_5_hold_for_random_chains(
    store: Store, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    store.cards.clear()
    installation = Installation(tmp_path_factory.mktemp("laws"), store=store, defined=models_of)
    several = st.lists(st.sampled_from(CONDITIONS), min_size=2, max_size=4)
    remembered = []
    for part in cut(data.draw, data.draw(streams(most=5)))[:2]:
        stages = {f"s{n}": sql for n, sql in enumerate(data.draw(several))}
        patient = "since(stage) <= now() - interval 4 day and stage <> 's0'"
        define(installation, chain(stages), active="events_7d > 0", patient=patient)
        hear_now(installation, part)
        assert verify(installation.engine).differences == []
        installation.pass_time(minutes=data.draw(st.integers(1, 12 * 24 * 60)))
        installation.run()
        assert verify(installation.engine).differences == []
        then = installation.sorted_rows("SELECT * FROM audiences")
        remembered.append((installation.now, installation.engine.models, then))
        installation.pass_time(microseconds=1)
    for instant, models, then in remembered:
        assert known_at(installation, instant, models)["audiences"] == then
    installation.close()
    apply(store, KINDS, [], author="test", prune=True)
