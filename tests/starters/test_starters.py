"""Every starter by what it says of somebody: events and days ago, then what is known at noon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tekil.definitions import apply, check
from tekil.errors import NotFound
from tekil.kinds import KINDS
from tekil.models import feature_model
from tekil.scores import Formula
from tekil.starters import chosen, library
from tekil.verification import verify
from tekil.warehouse import Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.cli.test_commands import run
from tests.expressions.strategies import NOON, stage_events
from tests.expressions.test_answers_hold_until_they_wake import answers
from tests.installation import Installation
from tests.models.test_audiences import members, models_of

Said = list[tuple[float, str, dict[str, Any]]]
"""Days ago, event, properties."""

BOUGHT, ADDED, VIEWED = "Order Completed", "Product Added", "Product Viewed"
WEEKS: Said = [(float(day), VIEWED, {}) for day in range(8, 30)]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    opened = DuckDBWarehouse(":memory:")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("days_since_order", [(40, BOUGHT, {}), (12.5, BOUGHT, {}), (1, VIEWED, {})], 12),
        ("days_since_order", [(1, VIEWED, {})], None),
        ("orders_365d", [(400, BOUGHT, {}), (364, BOUGHT, {}), (1, BOUGHT, {})], 2),
        ("turnover_365d", [(400, BOUGHT, {"total": 9}), (3, BOUGHT, {"total": "12.5"})], Decimal("12.5")),
        ("turnover_365d", [(3, VIEWED, {})], Decimal(0)),
        ("average_order", [(3, BOUGHT, {"total": 10}), (2, BOUGHT, {"total": 20})], Decimal(15)),
        ("active_days_30d", [(31, VIEWED, {}), (3, VIEWED, {}), (3.1, VIEWED, {}), (1, VIEWED, {})], 2),
        ("activated_in_week", [(20, VIEWED, {}), (13, BOUGHT, {})], True),
        ("activated_in_week", [(20, VIEWED, {}), (12.9, BOUGHT, {})], False),
        ("activated_in_week", [(20, VIEWED, {})], False),
        ("usage_halved", WEEKS, True),
        ("usage_halved", [*WEEKS, (1, VIEWED, {}), (2, VIEWED, {}), (3, VIEWED, {})], False),
        ("usage_halved", [(1, VIEWED, {})], False),
        ("cart_since", [(5, BOUGHT, {}), (2, ADDED, {})], NOON - timedelta(days=2)),
        ("cart_since", [(2, ADDED, {})], NOON - timedelta(days=2)),
        ("cart_since", [(2, ADDED, {}), (1, BOUGHT, {})], None),
        ("mail_opened_share", [(9, "Email Delivered", {})] * 4 + [(8, "Email Opened", {})], Decimal("0.25")),
        ("mail_opened_share", [(8, "Email Opened", {})], None),
        ("tickets_90d", [(91, "Ticket Opened", {}), (89, "Ticket Opened", {})], 1),
        ("coupon_share", [(9, BOUGHT, {"coupon": "KIŞ"}), (8, BOUGHT, {})], Decimal("0.5")),
        (
            "last_category",
            [(9, VIEWED, {"category": "Perde"}), (8, VIEWED, {"category": "Halı"}), (7, BOUGHT, {})],
            "Halı",
        ),
        ("product_views_90d", [(91, VIEWED, {}), (89, VIEWED, {}), (1, BOUGHT, {})], 1),
        ("recommendations", [(9, "Product Reviewed", {}), (8, "Invite Sent", {}), (7, VIEWED, {})], 2),
        ("first_keyword", [(9, VIEWED, {}), (8, VIEWED, {"utm_term": "Keten Perde"})], "keten perde"),
        ("last_click_kind", [(9, VIEWED, {"click_id_kind": "gclid"}), (8, VIEWED, {})], "gclid"),
        ("last_channel", [(9, VIEWED, {}), (8, VIEWED, {})], "web"),
    ],
)
def test_a_feature_says_what_its_title_says(warehouse: Warehouse, name: str, said: Said, told: Any) -> None:
    rows = [
        {
            "person_key": 1,
            "message_key": number,
            "event": event,
            "utm_source": "web",
            **{name: properties.get(name) for name in ("utm_term", "click_id_kind")},
            "occurred_at": NOON - timedelta(days=ago),
            "properties": json.dumps(properties),
        }
        for number, (ago, event, properties) in enumerate(said)
    ]
    stage_events(warehouse, rows)
    model = feature_model([one.definition for one in chosen([name])], "Europe/Istanbul")
    assert answers(warehouse, model, NOON)[1][name] == told


def test_every_feature_has_a_story_and_every_definition_two_titles() -> None:
    stories = test_a_feature_says_what_its_title_says.pytestmark[0].args[1]
    named = {name for name, _, _ in stories}
    assert named == {one.definition.name for one in library() if one.definition.kind == "feature"}
    assert all(set(one.definition.title) == {"tr", "en"} for one in library())


def test_people_come_and_go_through_all_audiences_as_time_goes_by(tmp_path: Path) -> None:
    shop = Installation(tmp_path, defined=models_of)
    apply(shop.store, KINDS, library(), author="test")

    def say(user: str, event: str, ago: int = 0, **properties: Any) -> None:
        at = (NOON - timedelta(days=ago)).isoformat() + "Z"
        shop.say({"type": "track", "userId": user, "event": event, "timestamp": at, "properties": properties})

    for ago in range(12, 0, -1):
        say("keen", VIEWED, ago)
    for ago in range(12, 8, -1):
        say("loyal", BOUGHT, ago, total=100, coupon="KIŞ" if ago > 10 else None)
        say("looker", VIEWED, ago)
    say("cart", ADDED)
    say("mute", "Email Delivered")
    shop.run()
    assert members(shop, "power_users") == {"keen"}
    assert members(shop, "new_and_activated") == {"loyal"}
    assert members(shop, "loyal") == members(shop, "price_hunters") == {"loyal"}
    assert members(shop, "active_not_paying") == {"keen", "looker"}
    assert members(shop, "silent_in_mail") == {"mute"}
    assert members(shop, "abandoned_cart") == set()
    shop.pass_time(hours=1)
    assert members(shop, "abandoned_cart") == {"cart"}
    shop.pass_time(days=10)
    assert members(shop, "abandoned_cart") == set()
    assert members(shop, "usage_falling") >= {"keen"}
    shop.pass_time(days=80)
    assert members(shop, "win_back") == {"loyal"}
    assert members(shop, "loyal") == set()
    assert verify(shop.engine).holds
    shop.close()


def test_starters_are_chosen_with_what_they_are_made_of_and_stand_together(tmp_path: Path) -> None:
    check(KINDS, library(), [])
    assert {one.definition.name for one in chosen(["loyal"])} == {"loyal", "orders_365d", "days_since_order"}
    with pytest.raises(NotFound, match="no starter 'nobody'"):
        chosen(["nobody"])
    assert run(tmp_path, "init").exit_code == 0
    assert "abandoned_cart" in run(tmp_path, "starters", "list").stdout
    assert "sql: orders_365d >= 4" in run(tmp_path, "starters", "show", "loyal").stdout
    assert run(tmp_path, "starters", "apply", "loyal").stdout.count("+ ") == 3
    assert run(tmp_path, "starters", "apply").stdout.count("+ ") == len(library()) - 3


def test_somebody_goes_through_the_lifecycle_and_their_lead_score_fades(tmp_path: Path) -> None:
    shop = Installation(tmp_path, defined=models_of)
    apply(
        shop.store, KINDS, chosen(["stage", "lead_score", "lead_demographic", "lead_behavioural"]), author="t"
    )

    def told(user: str = "ada") -> tuple[str, str, int]:
        shop.run()
        body = shop.person(f"user_id:{user}").as_dict()
        shown = Formula.of(body["formulas"]["lead_score"]).at(shop.now)
        return body["stages"]["stage"]["name"], shown.grade or "", shown.points

    def say(event: str, times: int = 1) -> None:
        shop.say(*({"type": "track", "userId": "ada", "event": event} for _ in range(times)))

    role = {"company": "Nehir", "employees": "80", "role": "Müdür", "city": "Van"}
    shop.say({"type": "identify", "userId": "ada", "traits": role})
    assert told() == ("awareness", "A3", 35)
    say(VIEWED, 5)
    say(ADDED)
    assert told() == ("consideration", "A1", 60)
    shop.pass_time(days=1)
    # 25 points of interest fall below 24.5 within a day; half of them are left after two weeks.
    assert told() == ("consideration", "A2", 59)
    say(BOUGHT)
    assert told()[0] == "purchase"
    shop.pass_time(days=13)
    assert told() == ("purchase", "A2", 48)
    say(BOUGHT)
    assert told()[0] == "loyalty"
    say("Product Reviewed")
    assert told() == ("advocacy", "A2", 58)
    shop.pass_time(days=100)
    assert told()[1] == "A3"
    assert members(shop, "lead_demographic_grade = 'A'") == {"ada"}
    assert members(shop, "lead_behavioural_grade = '3'") == {"ada"}
    shop.pass_time(days=270)
    # Orders of more than a year ago are no longer hers; she is where she began.
    assert told()[0] == "awareness"
    assert verify(shop.engine).holds
    shop.close()
