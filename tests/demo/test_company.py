"""The company is always the same one, and it behaves as a shop does."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tekil.demo import SOURCES, Company
from tekil.demo.rhythm import ZONE
from tekil.demo.wire import Touch
from tekil.errors import BadRequest
from tests.demo.conftest import UNTIL, Story


def told(seed: int) -> list[bytes]:
    company = Company(seed=seed, people=60, days=8, until=UNTIL)
    return [msgspec.json.encode(sending) for sending in company.history()]


def test_the_same_seed_tells_the_same_story() -> None:
    assert told(3) == told(3)


def test_another_seed_tells_another_story() -> None:
    assert not set(told(3)) & set(told(4))


def test_telling_it_twice_changes_nothing() -> None:
    company = Company(seed=3, people=60, days=8, until=UNTIL)
    first = list(company.history())
    truth = msgspec.json.encode(company.truth())
    assert list(company.history()) == first
    assert msgspec.json.encode(company.truth()) == truth


def test_history_is_told_in_order_and_ends_in_time(story: Story) -> None:
    leaves = [sending.at for sending in story.sendings]
    assert leaves == sorted(leaves)
    assert leaves[-1] < UNTIL.timestamp()
    assert leaves[0] < (UNTIL - timedelta(days=30)).timestamp()


def test_the_first_message_comes_before_the_story_is_made_up() -> None:
    company = Company(seed=1, people=200, days=3_000, until=UNTIL)
    assert next(company.history()).message["object"] == "product"


@pytest.mark.parametrize(("people", "days"), [(0, 10), (10, 0)])
def test_a_company_of_nobody_or_no_time_is_refused(people: int, days: int) -> None:
    with pytest.raises(BadRequest, match="at least one of each"):
        Company(seed=1, people=people, days=days, until=UNTIL)


def test_an_end_without_a_zone_is_refused() -> None:
    with pytest.raises(BadRequest, match="time zone"):
        Company(seed=1, people=1, days=1, until=UNTIL.replace(tzinfo=None))


def test_every_source_speaks(story: Story) -> None:
    assert {sending.source for sending in story.sendings} == set(SOURCES)


def test_people_buy_as_often_as_people_do(story: Story) -> None:
    visits = Counter(s.fact.channel for s in story.sendings if isinstance(s.fact, Touch))
    checkouts = len(story.tracks("Checkout Started"))
    orders = [
        s for s in story.sendings if s.nature == "message" and s.message.get("event") == "Order Completed"
    ]
    online = [s for s in orders if s.source in ("web-shop", "mobile-app")]
    total = sum(visits.values())
    assert 1_000 < total < 4_000
    assert 0.008 < len(online) / total < 0.06
    assert len(online) < checkouts < len(story.tracks("Cart Viewed")) < 0.12 * total
    values = [s.message["properties"]["total"] for s in orders]
    assert 1_200 < sum(values) / len(values) < 3_000


def test_visits_come_by_every_road(story: Story) -> None:
    visits = Counter(s.fact.channel for s in story.sendings if isinstance(s.fact, Touch))
    roads = {"paid search", "paid social", "organic search", "direct", "app", "social", "comparison"}
    assert roads | {"marketplace", "assistant", "email"} <= set(visits)
    assert visits["paid search"] / sum(visits.values()) > 0.1


def test_a_paid_landing_carries_its_tags_and_click(story: Story) -> None:
    landings = [
        m for m in story.messages() if "gclid=" in m.get("context", {}).get("page", {}).get("search", "")
    ]
    assert len(landings) > 100
    for message in landings:
        assert message["context"]["campaign"]["source"] == "google"
        assert message["context"]["campaign"]["medium"] == "cpc"
        assert "utm_campaign=" + message["context"]["campaign"]["name"] in message["context"]["page"]["url"]


def test_campaigns_run_only_in_their_season(story: Story) -> None:
    spend = [m["key"] for m in story.messages() if m["type"] == "record" and m["object"] == "ad_spend"]
    days = {key["day"] for key in spend if key["campaign"] == "sonbahar-sallari"}
    assert max(days) == "2026-11-15"
    assert "anneler-gunu" not in {key["campaign"] for key in spend}


def test_billed_clicks_follow_the_clicks_the_site_saw(story: Story) -> None:
    final = {
        tuple(m["key"].values()): m["fields"]["clicks"]
        for m in story.messages()
        if m["type"] == "record" and m["object"] == "ad_spend"
    }
    seen = sum("gclid=" in m["properties"]["search"] for m in story.messages() if m["type"] == "page")
    billed = sum(clicks for key, clicks in final.items() if key[1] == "google")
    assert 1.0 < billed / seen < 1.9


def test_stores_open_by_day_and_the_web_is_busiest_in_the_evening(story: Story) -> None:
    hours: dict[str, Counter[int]] = {"stores": Counter(), "web-shop": Counter()}
    for sending in story.sendings:
        if sending.source in hours and sending.message.get("type") in ("track", "page"):
            local = datetime.fromtimestamp(sending.happened, UTC).astimezone(ZONE)
            hours[sending.source][local.hour] += 1
    assert min(hours["stores"]) >= 10
    assert hours["web-shop"][21] > 5 * hours["web-shop"][4]


def test_robots_and_the_uptime_check_are_among_the_visitors(story: Story) -> None:
    agents = " ".join({m["context"].get("userAgent", "") for m in story.messages() if m["type"] == "page"})
    for name in ("Googlebot", "UptimeRobot", "SamsungBrowser", "iPhone", "Firefox", "Edg/"):
        assert name in agents


def test_the_present_goes_on_where_history_ended() -> None:
    company = Company(seed=9, people=80, days=5, until=UNTIL)
    last = list(company.history())[-1].at
    now = UNTIL.timestamp()
    present = company.present(now, pace=5.0)
    said = [sending for second in range(1, 240) for sending in present.due(now + second)]
    assert 200 < len(said) < 12_000
    assert min(sending.at for sending in said) >= last
    assert [s.at for s in said] == sorted(s.at for s in said)


def test_a_slept_through_night_does_not_end_in_a_flood() -> None:
    company = Company(seed=9, people=80, days=5, until=UNTIL)
    now = UNTIL.timestamp()
    asleep, awake = company.present(now), company.present(now)
    awake.due(now + 10)
    assert len(asleep.due(now + 9 * 3_600)) < 600
