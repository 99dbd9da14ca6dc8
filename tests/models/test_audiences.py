"""Audiences: who is in follows from what is known, to the instant, and they may name each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tekil.definitions import Definition, InvalidDefinitions, Written, apply
from tekil.kinds import KINDS
from tekil.models import Model, feature_model, person_models
from tekil.privacy.rectification import OBJECTION
from tekil.store import Store
from tekil.verification import verify
from tests.installation import Installation
from tests.models.test_features import ZONE, order

FEATURES = {
    "orders": "count(*) filter (where event = 'Order')",
    "orders_7d": "count(*) filter (where event = 'Order' and occurred_at > now() - interval 7 day)",
}


def models_of(definitions: Sequence[Definition]) -> list[Model]:
    return [feature_model(definitions, ZONE), *person_models(definitions)]


def define(installation: Installation, features: dict[str, str] = FEATURES, **audiences: str) -> None:
    wanted = [Written(Definition("feature", name, {}, "", {"sql": sql})) for name, sql in features.items()]
    wanted += [Written(Definition("audience", name, {}, "", {"sql": sql})) for name, sql in audiences.items()]
    apply(installation.store, KINDS, wanted, author="test", prune=True)


@pytest.fixture
def installation(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    made = Installation(tmp_path, store=store, defined=models_of)
    yield made
    made.close()
    apply(store, KINDS, [], author="test", prune=True)


def members(installation: Installation, audience: str) -> set[str]:
    installation.run()
    rows = installation.rows(
        f"SELECT i.value FROM audiences a JOIN identity i ON i.person_key = a.person_key WHERE a.{audience}"
    )
    return {row["value"] for row in rows}


def test_who_is_in_follows_from_features_traits_activity_and_other_audiences(
    installation: Installation,
) -> None:
    define(
        installation,
        buyers="orders > 0",
        from_izmir="traits.city = 'İzmir'",
        lapsed="buyers and not recent",
        recent="orders_7d > 0 or last_seen > now() - interval 1 day",
        local_buyers="buyers and from_izmir",
    )
    installation.say(order("u1", 5), order("u2", 5))
    installation.say({"type": "identify", "userId": "u2", "traits": {"city": "İzmir"}})
    installation.say({"type": "identify", "userId": "u3", "traits": {"city": "Van"}})
    assert members(installation, "buyers") == {"u1", "u2"}
    assert members(installation, "from_izmir") == {"u2"}
    assert members(installation, "local_buyers") == {"u2"}
    assert members(installation, "recent") == {"u1", "u2", "u3"}
    assert members(installation, "lapsed") == set()
    installation.pass_time(days=1)
    assert members(installation, "recent") == {"u1", "u2"}
    installation.pass_time(days=6, microseconds=-1)
    assert members(installation, "lapsed") == set()
    installation.pass_time(microseconds=1)
    assert members(installation, "lapsed") == {"u1", "u2"}
    assert verify(installation.engine).holds
    define(installation, buyers="orders > 1")
    assert members(installation, "buyers") == set()
    assert verify(installation.engine).holds


def test_who_objects_to_profiling_is_in_no_audience_until_they_take_it_back(
    installation: Installation,
) -> None:
    define(installation, buyers="orders > 0", others="not buyers")
    installation.say(order("u1", 5), {"type": "identify", "userId": "u2", "traits": {"city": "Van"}})
    assert (members(installation, "buyers"), members(installation, "others")) == ({"u1"}, {"u2"})
    for objects, expected in ((True, (set(), set())), (False, ({"u1"}, {"u2"}))):
        installation.pass_time(minutes=1)
        for user in ("u1", "u2"):
            installation.say({"type": "identify", "userId": user, "traits": {OBJECTION: objects}})
        assert (members(installation, "buyers"), members(installation, "others")) == expected


@pytest.mark.parametrize(
    ("audiences", "told"),
    [
        ({"a": "b", "b": "not a"}, "name each other in a circle"),
        ({"a": "a or orders > 1"}, "name each other in a circle"),
        ({"a": "ordrs > 1"}, "line 1, column 1: There is no 'ordrs' here. Did you mean orders?"),
        ({"a": "count(*) > 1"}, "count is over events; make it a feature, and name that here."),
        ({"a": "orders"}, "An audience is a condition over a person"),
        ({"a": "true"}, "An audience is a condition over a person"),
        ({"orders": "events > 1"}, "is the name of something else"),
        ({"a": "(select 1)"}, "Here a value should stand"),
    ],
)
def test_what_cannot_be_an_audience_is_refused(
    installation: Installation, audiences: dict[str, str], told: str
) -> None:
    with pytest.raises(InvalidDefinitions) as caught:
        define(installation, **audiences)
    assert told in str(caught.value)


def test_a_feature_that_an_audience_names_cannot_be_taken_from_it(installation: Installation) -> None:
    define(installation, buyers="orders > 0")
    with pytest.raises(InvalidDefinitions, match="There is no 'orders' here"):
        define(installation, {}, buyers="orders > 0")
