"""Law 12: credits sum to conversions, spend out is spend in, whatever happens to either."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tekil.access.audit import SYSTEM
from tekil.acquisition.funnels import FunnelSpec, Step
from tekil.acquisition.reads import AcquisitionReads
from tekil.acquisition.reports import DIMENSIONS
from tekil.acquisition.tables import CREDITS, MODELS, TABLES
from tekil.config import Workspace
from tekil.definitions import Definition, Written, apply, parse
from tekil.erasure import Eraser
from tekil.kinds import KINDS
from tekil.store import Store
from tekil.warehouse import open_warehouse
from tests.acquisition.shop import ADS, attribution, founded, order, page, record, share_out, spent
from tests.acquisition.test_reports import KPIS
from tests.identity.test_assertions import say
from tests.installation import Installation
from tests.spark_server import spark_url

MAIL = "utm_source=bulletin&utm_medium=email&utm_campaign=spring"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A week: two people who buy after several touches, one who buys out of the blue, one who only looks."""
    made = founded(tmp_path_factory.mktemp("shop"))
    for query, visitor in ((ADS, "a"), (MAIL, "a"), ("", "a"), ("gclid=abc", "b"), (MAIL, "b"), (ADS, "c")):
        made.say(page(visitor, query))
        made.pass_time(hours=10)
    made.say(order("a", "1", 100.01), order("b", "2", "20.005"), order("d", "3", 7))
    made.pass_time(minutes=1)
    made.say(order("a", "1", 100.01), order("a", "1", 999))
    made.say(record("ad_click", {"gclid": "abc"}, campaign="Generic", keyword="Towel"))
    made.say(spent("2026-03-01", "Brand", "Linen", "12.5"), spent("2026-03-01", "brand", "linen", 12.5))
    made.say(spent("2026-03-02", "generic", "towel", "3.3333"))
    made.say(record("ad_spend", {"day": "2026-03-02", "platform": "billboards", "campaign": "x"}, cost=40))
    share_out(made)
    yield made
    made.close()


def test_every_model_gives_away_exactly_what_was_converted(shop: Installation) -> None:
    sums = ", ".join(
        f"sum(value_{model}) AS value_{model}, sum(share_{model}) AS share_{model}" for model in MODELS
    )
    totals = shop.rows(f"SELECT conversion_key, {sums} FROM credits GROUP BY conversion_key")
    kept = {row["conversion_key"]: row for row in shop.rows("SELECT * FROM conversions")}
    assert sorted(row["amount"] for row in kept.values()) == [7, Decimal("20.01"), Decimal("100.01")]
    for row in totals:
        of = kept[row["conversion_key"]]
        assert all(row[f"value_{model}"] == of["amount"] for model in MODELS)
        assert all(row[f"share_{model}"] == of["counts"] == 1 for model in MODELS)


def test_each_touch_gets_what_its_place_gives_it(shop: Installation) -> None:
    rows = shop.rows(
        "SELECT touch, channel, value_first, value_last, value_last_non_direct, value_linear FROM credits"
        " WHERE conversion_key = key_of_one ORDER BY touch".replace(
            "key_of_one", "(SELECT conversion_key FROM conversions WHERE touches = 3)"
        )
    )
    assert [(row["touch"], row["channel"]) for row in rows] == [
        (1, "paid_search"),
        (2, "email"),
        (3, "direct"),
    ]
    assert [row["value_first"] for row in rows] == [Decimal("100.01"), 0, 0]
    assert [row["value_last_non_direct"] for row in rows] == [0, Decimal("100.01"), 0]
    assert [row["value_linear"] for row in rows] == [Decimal("33.34"), Decimal("33.34"), Decimal("33.33")]
    assert shop.rows("SELECT path, touches FROM conversions ORDER BY touches") == [
        {"path": "none", "touches": 0},
        {"path": "paid_search > email", "touches": 2},
        {"path": "paid_search > email > direct", "touches": 3},
    ]


def test_a_click_known_by_its_id_alone_is_its_keywords(shop: Installation) -> None:
    assert shop.rows("SELECT campaign, keyword FROM credits WHERE campaign = 'generic'") == [
        {"campaign": "generic", "keyword": "towel"}
    ]


def test_spend_is_what_was_said_last_in_the_channel_of_its_clicks(shop: Installation) -> None:
    rows = shop.rows("SELECT day, channel, campaign, keyword, cost, amount FROM spend ORDER BY cost")
    assert [tuple(row.values()) for row in rows] == [
        ("2026-03-02", "paid_search", "generic", "towel", Decimal("3.3333"), Decimal("3.3333")),
        ("2026-03-01", "paid_search", "brand", "linen", Decimal("12.5"), Decimal("12.5")),
        ("2026-03-01", "paid_search", "brand", "linen", Decimal("12.5"), Decimal("12.5")),
        ("2026-03-02", "paid_other", "x", None, Decimal("40"), Decimal("40")),
    ]


def test_what_data_driven_models_learned_is_told_with_how_sure_it_is(shop: Installation) -> None:
    rows = shop.rows(
        "SELECT model, sum(share) AS share, min(share - low) AS low FROM channel_shares GROUP BY model"
    )
    assert {row["model"] for row in rows} == {"markov", "shapley"}
    assert all(abs(row["share"] - 1) < Decimal("0.001") and row["low"] >= 0 for row in rows)


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    made = founded(tmp_path, store)
    yield made
    made.close()


def amounts(shop: Installation) -> list[tuple[object, ...]]:
    share_out(shop)
    rows = shop.rows("SELECT gross, refunded, amount, counts FROM conversions ORDER BY gross")
    return [tuple(None if value is None else float(value) for value in row.values()) for row in rows]


def test_a_refund_takes_credit_back_and_a_late_conversion_is_restated_with_a_version(
    own: Installation,
) -> None:
    own.say(page("a", ADS))
    own.say(order("a", "1", 100), order("a", "2", 50))
    own.pass_time(days=2)
    own.say(order("a", "3", 10))
    assert amounts(own) == [(10, 0, 10, 1), (50, 0, 50, 1), (100, 0, 100, 1)]
    own.say(order("a", "1", 30, event="Order Refunded"), order("a", "2", 50, event="Order Refunded"))
    own.say({**order("a", "4", 7), "timestamp": "2026-03-01T14:00:00Z"}, door="import")
    assert amounts(own) == [(7, 0, 7, 1), (10, 0, 10, 1), (50, 50, 0, 0), (100, 30, 70, 1)]
    assert own.rows("SELECT sum(value_last) AS v, sum(share_last) AS s FROM credits") == [{"v": 87, "s": 3}]
    runs = own.rows(
        "SELECT version, conversions, amount, restated > 0 AS restated FROM credit_runs ORDER BY version"
    )
    assert [tuple(row.values()) for row in runs] == [(1, 3, 160, False), (2, 4, 87, True)]
    told = own.rows(
        "SELECT day, before_value, after_value FROM credit_restatements"
        " WHERE model = 'first' AND version = 2 AND channel = 'paid_search'"
    )
    assert told == [{"day": "2026-03-01", "before_value": 150, "after_value": 77}]


def test_other_currencies_count_by_the_rate_of_their_day_and_not_at_all_before_there_is_one(
    own: Installation,
) -> None:
    own.say(order("a", "1", "10.33", currency="EUR"), order("a", "2", 5, currency="GBP"))
    own.say(spent("2026-03-01", "brand", "linen", 2, currency="EUR"))
    own.say(record("currency_rate", {"day": "2026-02-27", "currency": "EUR"}, rate=49.1234))
    own.say(record("currency_rate", {"day": "2026-03-02", "currency": "EUR"}, rate=60))
    assert amounts(own) == [(5, 0, None, 1), (10.33, 0, 507.44, 1)]
    assert own.rows("SELECT amount FROM spend") == [{"amount": Decimal("98.25")}]


def test_a_deal_counts_from_when_it_was_won_and_no_more_where_it_is_not(own: Installation) -> None:
    for stage, amount in (("open", 100), ("won", 120), ("won", 130)):
        own.say(record("deal", {"id": "d1"}, stage=stage, amount=amount))
        own.pass_time(days=1)
    assert amounts(own) == [(130, 0, 130, 1)]
    assert own.rows("SELECT day FROM conversions") == [{"day": "2026-03-02"}]
    own.say(record("deal", {"id": "d1"}, stage="lost", amount=130))
    assert amounts(own) == []
    assert own.rows("SELECT count(*) AS n FROM credits") == [{"n": 0}]


def test_law_6_people_who_are_parted_take_their_touches_and_their_credit_with_them(
    own: Installation,
) -> None:
    own.say(page("a", ADS), {"type": "identify", "anonymousId": "a", "userId": "u1"})
    own.pass_time(days=1)
    own.say(page("b", MAIL), order("b", "1", 100))
    credit = "SELECT channel, value_linear AS value FROM credits ORDER BY channel"
    share_out(own)
    apart = own.rows(credit)
    assert apart == [{"channel": "email", "value": 100}]
    own.pass_time(minutes=1)
    say(own, "merge", "user_id:u1", "anonymous_id:b")
    share_out(own)
    assert own.rows(credit) == [{"channel": "email", "value": 50}, {"channel": "paid_search", "value": 50}]
    own.pass_time(minutes=1)
    say(own, "split", "user_id:u1", "anonymous_id:b")
    share_out(own)
    assert own.rows(credit) == apart


def test_who_is_erased_is_in_no_conversion_and_no_credit_at_once(own: Installation) -> None:
    # The store outlives the test, and so does its tombstone: nobody else is called so.
    own.say(page("gone", ADS), order("gone", "1", 100))
    own.say(page("b", ADS), order("b", "2", 50))
    share_out(own)
    Eraser(own.engine).apply("anonymous_id:gone", SYSTEM)
    kept = (
        "SELECT sum(value_first) AS value FROM credits UNION ALL SELECT sum(amount) AS value FROM conversions"
    )
    assert [row["value"] for row in own.rows(kept)] == [50, 50]
    assert own.rows("SELECT count(*) AS n FROM touches") == [{"n": 1}]
    share_out(own)
    assert [row["value"] for row in own.rows(kept)] == [50, 50]


def test_what_cannot_be_read_is_told_and_the_loop_goes_on(
    own: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = attribution(own)
    own.say(page("a", ADS), order("a", "1", 5))
    own.run()

    def finish() -> None:
        shared.step()
        while not shared.step():
            time.sleep(0.01)

    with monkeypatch.context() as broken:
        broken.setattr(own.engine.warehouse, "read", lambda *_args, **_more: 1 / 0)
        finish()
    assert "division by zero" in shared.problem
    shared.ask()
    assert shared.is_running
    finish()
    assert (shared.problem, shared.is_running) == ("", False)
    assert not shared.step()
    assert own.rows("SELECT sum(amount) AS amount FROM conversions") == [{"amount": 5}]
    own.pass_time(hours=2)
    shared.step()
    assert not shared.is_running
    own.say(page("b"))
    own.run()
    finish()
    assert own.rows("SELECT max(version) AS version FROM credit_runs") == [{"version": 2}]
    shared.close()


cases = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([ADS, MAIL, "", "gclid=abc"]),
        st.integers(0, 4),
        st.decimals(0, 10_000, places=2),
    ),
    min_size=3,
    max_size=8,
)


@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(said=cases)
def test_law_12_for_any_filter(
    store: Store, tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str, int, Decimal]]
) -> None:
    store.cards.clear()
    own = founded(tmp_path_factory.mktemp("law12"), store)
    for number, (visitor, query, hours, total) in enumerate(said):
        own.say(page(visitor, query))
        if hours:
            own.say(
                order(visitor, str(number), str(total)),
                spent("2026-03-01", query[:3], str(number), str(total)),
            )
        own.pass_time(hours=hours)
    share_out(own)
    assert own.rows("SELECT sum(amount) AS out FROM spend")[0]["out"] == (
        sum(total for _, _, hours, total in said if hours) if any(hours for _, _, hours, _ in said) else None
    )
    for column in ("conversion", "day", "person_key", "conversion_key"):
        sums = ", ".join(f"sum(value_{model}) AS value_{model}" for model in MODELS)
        given_out = own.rows(f"SELECT {column}, {sums} FROM credits GROUP BY ALL ORDER BY ALL")
        counted = own.rows(
            f"SELECT {column}, sum(amount) AS amount FROM conversions GROUP BY ALL ORDER BY ALL"
        )
        assert [row[column] for row in given_out] == [row[column] for row in counted]
        for row, expected in zip(given_out, counted, strict=True):
            assert {row[f"value_{model}"] for model in MODELS} == {expected["amount"]}
    own.close()


def reported(shop: Installation) -> list[str]:
    """Every report there is, as text."""
    reads = AcquisitionReads(shop.reads, shop.store, Workspace())
    question = reads.ask("order", None, "2026-03-01", "2026-03-31")
    steps = [Step("type = 'page'"), Step("event = 'Order Completed'")]
    tables = [
        reads.models(question),
        reads.paths(question),
        reads.intervals("order"),
        reads.cohorts("order", "month"),
        reads.cohorts("order", "week"),
        reads.hygiene(question.period),
        reads.funnel(FunnelSpec(steps, by="channel"), question.period),
        reads.funnel(FunnelSpec(steps, by="source"), question.period),
        reads.restatements("linear"),
    ]
    told = [repr(table.rows) for table in tables]
    told += [repr(reads.breakdown(question, by).lines) for by in DIMENSIONS]
    told += [repr([(one.value, one.before) for one in reads.figures(question.period)])]
    return [*told, repr(reads.people(question)[0]), repr(reads.unconverted(question))]


@pytest.mark.slow
def test_law_7_engines_agree_on_credit(store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, found = tmp_path_factory.mktemp("law7"), []
    for place in (None, open_warehouse(spark_url(folder / "lake"))):
        store.cards.clear()
        own = founded(folder, store, warehouse=place)
        apply(own.store, KINDS, parse(KPIS), author="test")
        own.say(page("a", ADS), page("b", MAIL), record("deal", {"id": "d1"}, stage="won", amount=5))
        own.pass_time(hours=1)
        own.say(
            order("a", "1", 10.01), order("b", "2", 3, currency="EUR"), spent("2026-03-01", "brand", "x", 3)
        )
        own.say(record("currency_rate", {"day": "2026-02-27", "currency": "EUR"}, rate=49.1234))
        share_out(own)
        found.append({table.name: own.sorted_rows(f"SELECT * FROM {table.name}") for table in TABLES})
        found[-1]["reports"] = reported(own)
        own.close()
    assert found[0] == found[1]
    assert found[0][CREDITS.name]


def test_a_deal_is_of_whom_its_record_names(own: Installation) -> None:
    identity = {"kinds": {}, "records": {"deal": {"fields.customer": "user_id"}}}
    apply(own.store, KINDS, [Written(Definition("identity", "identity", {}, "", identity))], author="test")
    own.say(page("a", ADS, user="u1"))
    own.pass_time(days=1)
    own.say(record("deal", {"id": "d1"}, stage="won", amount=5, customer="u1"))
    share_out(own)
    assert own.rows("SELECT conversion, channel, value_last FROM credits") == [
        {"conversion": "deal", "channel": "paid_search", "value_last": 5}
    ]
