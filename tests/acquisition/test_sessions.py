"""Sessions and touches: when a visit ends, what brought it, and that a refresh says what a rebuild says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tekil.acquisition.channels import CHANNELS_KIND, SHIPPED
from tekil.acquisition.sessions import touch_models
from tekil.definitions import Definition, InvalidDefinitions, Written, apply, parse
from tekil.kinds import KINDS
from tekil.models import ACTIVITY, ATTRIBUTES
from tekil.store import Store
from tekil.verification import verify
from tekil.warehouse import open_warehouse
from tests.acquisition.shop import ADS, channels, models_of, page, sessions
from tests.installation import Installation
from tests.spark_server import spark_url


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    made = Installation(tmp_path, store=store, defined=models_of)
    yield made
    made.close()
    apply(store, KINDS, [], author="test", prune=True)


def test_a_session_ends_after_half_an_hour_or_where_something_else_brings_the_visitor_back(
    shop: Installation,
) -> None:
    steps = [
        (0, page("a", ADS, "https://www.google.com/", "/linen")),
        (5, page("a", path="/cart", referrer="https://shop.example/linen")),
        (20, page("a", "utm_source=bulletin&utm_medium=email&utm_campaign=spring")),
        (50, page("a", path="/cart", referrer="https://checkout.iyzipay.com/done")),
        (81, page("a")),
        (82, page("a", referrer="https://www.bing.com/")),
        (83, page("b")),
    ]
    for minutes, said in steps:
        shop.say(said, at=shop.now + timedelta(minutes=minutes))
    shop.pass_time(hours=2)
    found = sessions(shop)
    assert [(s["channel"], s["source"], s["events"], s["landing_path"]) for s in found] == [
        ("paid_search", "google", 2, "/linen"),
        ("email", "bulletin", 2, "/"),
        # After 31 minutes, and then from a search engine, which is what brought this one.
        ("direct", None, 1, "/"),
        ("organic_search", "www.bing.com", 1, "/"),
        ("direct", None, 1, "/"),
    ]
    assert [(s["started_at"].minute, s["ended_at"].minute) for s in found[:2]] == [(0, 5), (20, 50)]


@pytest.mark.parametrize(
    ("query", "referrer", "channel"),
    [
        ("gclid=x1", "", "paid_search"),
        ("fbclid=x1", "https://l.facebook.com/", "organic_social"),
        ("utm_source=facebook&utm_medium=paid_social&fbclid=x", "https://l.facebook.com/", "paid_social"),
        ("", "https://yandex.com.tr/", "organic_search"),
        ("", "https://t.co/abc", "organic_social"),
        ("", "https://gemini.google.com/", "assistant"),
        ("", "https://mail.google.com/", "email"),
        ("", "https://www.akakce.com/", "organic_shopping"),
        ("", "https://blog.example.org/", "referral"),
        ("utm_source=Google&utm_medium=CPC&utm_campaign=Shopping-TR", "", "paid_shopping"),
        ("utm_source=youtube&utm_medium=clip", "", "organic_video"),
        ("utm_source=youtube&utm_medium=cpc", "", "paid_video"),
        ("utm_source=partner&utm_medium=affiliate", "", "affiliates"),
        ("utm_source=news&utm_medium=banner", "", "display"),
        ("utm_source=news&utm_medium=cpm", "", "display"),
        ("utm_source=x&utm_medium=web-push", "", "mobile_push"),
        ("utm_source=sms", "", "sms"),
        ("utm_source=what&utm_medium=ever", "", "unassigned"),
    ],
)
def test_the_shipped_channels_say_what_ga4_says(
    channel_of: object, query: str, referrer: str, channel: str
) -> None:
    assert channel_of[query, referrer] == channel  # type: ignore[index]


@pytest.fixture(scope="module")
def channel_of(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """Every row of the table above, through one installation."""
    mark = next(m for m in test_the_shipped_channels_say_what_ga4_says.pytestmark if m.name == "parametrize")
    made = Installation(tmp_path_factory.mktemp("channels"), defined=models_of)
    cases = [(query, referrer) for query, referrer, _ in mark.args[1]]
    made.say(*(page(f"v{i}", *case) for i, case in enumerate(cases)))
    made.run()
    rows = made.rows(
        "SELECT e.anonymous_id, s.channel FROM sessions s"
        " JOIN person_events e ON e.message_key = s.session_key"
    )
    made.close()
    return {cases[int(row["anonymous_id"][1:])]: row["channel"] for row in rows}


def test_calls_and_stores_are_touches_and_channels_may_be_written_anew(shop: Installation) -> None:
    shop.say(page("a", ADS))
    shop.say({"type": "track", "event": "Call Received", "anonymousId": "a"})
    shop.say({"type": "track", "event": "Order", "anonymousId": "a"}, source="stores")
    assert sorted(channels(shop)) == ["paid_search", "phone"]
    wanted = """
kind: channels
name: channels
spec:
  rules:
    - {channel: our_brand, when: "campaign = 'brand' and paid"}
  events:
    - {channel: branch, event: Order, when: "source = 'stores'"}
"""
    apply(shop.store, KINDS, parse(wanted), author="test")
    assert sorted(channels(shop)) == ["branch", "our_brand"]
    assert verify(shop.engine).holds


def test_a_visitor_who_turns_out_to_be_somebody_brings_their_touches_along(shop: Installation) -> None:
    shop.say(page("a", ADS))
    shop.say(page("b", user="u1"))
    shop.run()
    shop.pass_time(hours=1)
    shop.say({"type": "identify", "anonymousId": "a", "userId": "u1"})
    shop.run()
    assert shop.rows("SELECT count(DISTINCT person_key) AS people, count(*) AS touches FROM touches") == [
        {"people": 1, "touches": 2}
    ]
    assert verify(shop.engine).holds


said = st.tuples(
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", ADS, "gclid=1", "gclid=2", "utm_source=x"]),
    st.sampled_from(["", "https://www.google.com/", "https://shop.example/"]),
    st.integers(0, 100),
)


@settings(
    max_examples=1,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(visits=st.lists(said, min_size=4, max_size=12))
def test_law_4_sessions_and_touches_refreshed_are_those_rebuilt(
    store: Store, tmp_path_factory: pytest.TempPathFactory, visits: list[tuple[str, str, str, int]]
) -> None:
    store.cards.clear()
    shop = Installation(tmp_path_factory.mktemp("law4"), store=store, defined=models_of)
    for visitor, query, referrer, minutes in visits:
        late = {"timestamp": (shop.now.replace(hour=0)).isoformat() + "Z"} if minutes % 5 == 0 else {}
        shop.say({**page(visitor, query, referrer), **late})
        shop.pass_time(minutes=minutes)
        if minutes % 2:
            shop.run()
    shop.run()
    assert verify(shop.engine).holds
    shop.close()


@pytest.mark.slow
def test_law_7_engines_agree_on_sessions_and_touches(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, found = tmp_path_factory.mktemp("law7"), []
    lake = open_warehouse(spark_url(folder / "lake"))
    for place in (None, lake):
        store.cards.clear()
        models = (ACTIVITY, ATTRIBUTES, *touch_models([]))
        shop = Installation(folder, store=store, warehouse=place, models=models)
        for query, referrer in ((ADS, ""), ("", "https://www.bing.com/"), ("", ""), ("gclid=1", "")):
            shop.say(page("a", query, referrer), page("b", query, referrer, "/x?utm_source=İstanbul"))
            shop.say({"type": "track", "event": "Call Received", "anonymousId": "b"})
            shop.pass_time(minutes=25)
        shop.run()
        found.append([shop.sorted_rows(f"SELECT * FROM {table}") for table in ("sessions", "touches")])
        shop.close()
    assert found[0] == found[1]
    assert len(found[0][0]) > 4


def test_what_ships_can_be_applied_and_what_is_wrong_is_told_where_it_stands(shop: Installation) -> None:
    assert CHANNELS_KIND.check(SHIPPED) == []
    for spec, told in (
        ({"rules": [{"channel": "x", "when": "medum = 'cpc'"}]}, "Did you mean medium?"),
        ({"rules": [{"channel": "x", "when": "count(*) > 1"}]}, "a condition over one row"),
        ({"rules": [{"channel": "Paid Search", "when": "paid"}]}, "no name of a channel"),
        ({"rules": [], "inactive_minutes": 0}, "1 to 240 minutes"),
        ({"rules": [], "events": [{"channel": "x", "event": "y", "when": "z"}]}, "There is no 'z'"),
    ):
        with pytest.raises(InvalidDefinitions) as caught:
            apply(shop.store, KINDS, [Written(Definition("channels", "channels", {}, "", spec))], author="t")
        assert told in str(caught.value)
