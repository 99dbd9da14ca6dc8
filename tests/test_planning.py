"""A plan says whom it would move, and applying it then moves exactly those; what is renamed goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.kinds import KINDS
from tekil.models import feature_model, person_models
from tekil.planning import Effect, Plan, Planning
from tekil.store import Store
from tekil.verification import verify
from tests.installation import Installation
from tests.models.test_audiences import define, members, models_of
from tests.models.test_features import ZONE, order

NIGHT = "2026-02-28T22:30:00Z"
"""Half past one on the first of March in Istanbul."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Five people with one to five orders; the last one's are a day old, by Istanbul's calendar two days."""
    made = Installation(tmp_path_factory.mktemp("plan"), defined=models_of)
    define(
        made, {"orders": "count(*) filter (where event = 'Order')"}, buyers="orders > 0", many="orders > 2"
    )
    for user in range(1, 6):
        made.say(*(order(f"u{user}", 10 * n) for n in range(1, user + 1)))
    made.say({**order("u5", 1), "timestamp": NIGHT})
    made.run()
    yield made
    made.close()


def written(**sqls: str) -> list[Written]:
    """Definitions by name; those that begin with `f_` are features."""
    kinds = {name: "feature" if name.startswith("f_") or name == "orders" else "audience" for name in sqls}
    return [Written(Definition(kinds[name], name, {}, "", {"sql": sql})) for name, sql in sqls.items()]


def planned(shop: Installation, wanted: list[Written], **how: Any) -> Plan:
    return Planning(shop.store, shop.reads, ZONE).plan(wanted, **how)


def by_name(plan: Plan) -> dict[str, Effect]:
    return {effect.name: effect for effect in plan.effects}


def test_features_and_the_audiences_that_name_them_are_counted_in_one_go(shop: Installation) -> None:
    wanted = written(
        orders="count(*) filter (where event = 'Order' and properties.total <> '10')", many="orders > 3"
    )
    plan = planned(shop, [*wanted, *written(f_sum="sum(number(properties.total))", dear="f_sum >= 60")])
    told = by_name(plan)
    assert (told["orders"].people, told["orders"].other) == (5, 5)
    assert (told["f_sum"].people, told["f_sum"].other) == (5, 5)
    assert told["many"] == Effect("audience", "many", 1, 0, 2)
    assert told["buyers"] == Effect("audience", "buyers", 4, 0, 1)
    assert told["dear"] == Effect("audience", "dear", 3, 3, 0)
    assert [(one.name, one.through) for one in plan.dependents] == [("buyers", ["orders"])]
    assert plan.backfill
    assert plan.counted_at == shop.now
    assert plan.uncounted == ""


def test_days_are_those_of_the_workspaces_zone(shop: Installation) -> None:
    plan = planned(shop, written(f_days="distinct_days()", twice="f_days = 2"))
    # In UTC the order at night would be of the day before.
    assert by_name(plan)["twice"].people == 0
    utc = Planning(shop.store, shop.reads, "UTC").plan(written(f_days="distinct_days()", twice="f_days = 2"))
    assert by_name(utc)["twice"].people == 1


def test_a_type_that_changes_and_what_goes_are_counted_too(shop: Installation) -> None:
    assert by_name(
        planned(shop, written(orders="max(event)", buyers="orders is not null", many="orders = 'x'"))
    ) == {
        "orders": Effect("feature", "orders", 5, other=5),
        "buyers": Effect("audience", "buyers", 5),
        "many": Effect("audience", "many", 0, 0, 3),
    }
    everything = planned(shop, written(buyers="events > 2"), prune=True)
    assert by_name(everything) == {
        "orders": Effect("feature", "orders", 0, other=5),
        "buyers": Effect("audience", "buyers", 3, 0, 2),
        "many": Effect("audience", "many", 0, 0, 3),
    }


def test_what_moves_nobody_and_who_is_not_there_are_not_counted(shop: Installation) -> None:
    assert planned(shop, []).effects == []
    titled = [Written(Definition("audience", "many", {"tr": "Çok"}, "", {"sql": "orders > 2"}))]
    plan = planned(shop, titled)
    assert (plan.effects, plan.counted_at, plan.uncounted) == ([], None, "")
    nobody = Planning(shop.store, None, ZONE).plan(written(new="orders > 1"))
    assert (nobody.effects, nobody.uncounted) == ([], "Nothing was ever loaded here.")


def test_a_name_that_is_not_in_force_yet_is_no_mistake(shop: Installation) -> None:
    revision = shop.store.definitions.revision()
    apply(shop.store, KINDS, written(f_new="count(url)"), author="test")
    plan = planned(shop, written(fresh="f_new = 0 and many"))
    assert plan.effects == []
    assert "still being worked out" in plan.uncounted
    shop.run()
    assert by_name(planned(shop, written(fresh="f_new = 0 and many")))["fresh"].people == 3
    define(
        shop, {"orders": "count(*) filter (where event = 'Order')"}, buyers="orders > 0", many="orders > 2"
    )
    shop.run()
    assert shop.store.definitions.revision() > revision


@pytest.mark.parametrize(
    "changes",
    [
        {"orders": "count(*) filter (where event = 'Order' and number(properties.total) > 15)"},
        {"many": "orders between 2 and 4 and not since(buyers) is null"},
        {"buyers": "orders > 3", "late": "buyers or orders = 1", "f_top": "max(number(properties.total))"},
    ],
)
def test_applying_a_plan_moves_exactly_whom_it_told(
    store: Store, tmp_path: Path, changes: dict[str, str]
) -> None:
    store.cards.clear()
    shop = Installation(tmp_path, store=store, defined=models_of)
    define(
        shop, {"orders": "count(*) filter (where event = 'Order')"}, buyers="orders > 0", many="orders > 2"
    )
    shop.say(*(order(f"u{user}", 10 * n) for user in range(1, 6) for n in range(1, user + 1)))
    shop.run()
    told = by_name(planned(shop, written(**changes)))
    before = shop.rows("SELECT count(*) AS n FROM audience_changes")[0]["n"]
    apply(shop.store, KINDS, written(**changes), author="test")
    shop.pass_time(seconds=1)
    shop.run()
    turned = shop.rows("SELECT audience, entered, count(*) AS n FROM audience_changes GROUP BY ALL")
    moves = sum(effect.entering + effect.leaving for effect in told.values())
    assert sum(row["n"] for row in turned) - before == moves > 0
    for effect in told.values():
        if effect.kind == "audience":
            assert len(members(shop, effect.name)) == effect.people, effect
    shop.close()
    apply(store, KINDS, [], author="test", prune=True)


def test_a_renamed_audience_keeps_who_is_in_since_when_its_journal_and_its_sizes(
    store: Store, tmp_path: Path
) -> None:
    store.cards.clear()
    shop = Installation(tmp_path, store=store, defined=models_of)
    define(shop, buyers="orders > 0", settled="since(buyers) <= now() - interval 2 day")
    shop.say(order("u1", 5))
    shop.run()
    shop.pass_time(days=1)
    wanted = [
        Written(Definition("audience", "customers", {}, "", {"sql": "orders > 0"}, "buyers")),
        Written(
            Definition("audience", "settled", {}, "", {"sql": "since(customers) <= now() - interval 2 day"})
        ),
    ]
    told = planned(shop, wanted)
    assert [change.action for change in told.changes] == ["renamed", "changed"]
    assert [(e.name, e.people, e.entering, e.leaving) for e in told.effects] == [("settled", 0, 0, 0)]
    journal = shop.rows("SELECT turned_at, cause FROM audience_changes")
    apply(shop.store, KINDS, wanted, author="test")
    shop.run()
    assert shop.person("user_id:u1").as_dict()["audiences"] == {"customers": "2026-03-01T12:00:00.000Z"}
    told_now = shop.rows("SELECT audience, turned_at, cause FROM audience_changes")
    assert told_now == [{"audience": "customers", **row} for row in journal]
    assert {row["audience"] for row in shop.rows("SELECT audience FROM audience_sizes")} <= {
        "customers",
        "settled",
    }
    shop.pass_time(days=1)
    assert members(shop, "settled") == {"u1"}
    assert verify(shop.engine).holds
    shop.close()
    apply(store, KINDS, [], author="test", prune=True)


def test_audiences_that_ask_for_stages_and_points_are_counted_as_these_stand(tmp_path: Path) -> None:
    shop = Installation(tmp_path, defined=lambda found: [feature_model(found, ZONE), *person_models(found)])
    stages = {"stages": [{"name": "other", "sql": "events > 0"}, {"name": "buying", "sql": "orders > 1"}]}
    made = [
        Definition("feature", "orders", {}, "", {"sql": "count(*)"}),
        Definition("stage", "life", {}, "", stages),
        Definition("audience", "buying", {}, "", {"sql": "life = 'buying'"}),
    ]
    apply(shop.store, KINDS, [Written(d) for d in made], author="test")
    shop.say(order("u1", 1), order("u2", 2), order("u2", 3))
    shop.run()
    told = planned(shop, written(buying="life = 'other' or orders > 5"))
    assert by_name(told)["buying"] == Effect("audience", "buying", 1, 1, 1)
    plan = planned(shop, written(orders="count(url)"))
    assert [(one.kind, one.name) for one in plan.dependents] == [("audience", "buying"), ("stage", "life")]
    assert by_name(plan)["buying"].leaving == 1
    shop.close()
