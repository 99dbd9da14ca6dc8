"""Reports: spend and value add up for any filter, figures tell their people, names are kept to a standard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.acquisition.campaigns import CampaignLink, build_link, standard_name
from tekil.acquisition.kpis import KPI_KIND
from tekil.acquisition.reads import AcquisitionReads
from tekil.acquisition.reports import DIMENSIONS, Period
from tekil.acquisition.tables import MODELS
from tekil.config import Workspace
from tekil.definitions import InvalidDefinitions, apply, parse
from tekil.errors import BadRequest, NotFound
from tekil.kinds import KINDS
from tests.acquisition.shop import ADS, founded, order, page, record, share_out, spent
from tests.installation import Installation

MAIL = "utm_source=Bulletin&utm_medium=email&utm_campaign=Spring Sale"
KPIS = """
kind: kpi
name: roas
title: {en: ROAS}
spec: {value: order_value / spend, unit: number, goal: 4}
---
kind: kpi
name: cac
spec: {value: spend / order_new_customers, unit: money, better: lower}
---
kind: kpi
name: ltv_to_cac
spec: {value: (order_value_so_far / order_customers_so_far) / (spend / order_new_customers)}
---
kind: kpi
name: conversion_rate
spec: {value: order_conversions / sessions, unit: percent}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = founded(tmp_path_factory.mktemp("reports"))
    apply(made.store, KINDS, parse(KPIS), author="test")
    made.say(page("a", ADS), page("b", MAIL), page("c"))
    made.pass_time(hours=2)
    made.say(page("a"), order("a", "1", 100), order("b", "2", "50.50"), order("x", "3", 7))
    made.pass_time(days=31)
    made.say(page("b"), order("b", "4", 20))
    made.say(spent("2026-03-01", "brand", "linen", "12.34"), spent("2026-03-02", "brand", "towel", 10))
    made.say(record("ad_spend", {"day": "2026-03-01", "platform": "meta", "campaign": "spring"}, cost="5.5"))
    share_out(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def reads(shop: Installation) -> AcquisitionReads:
    return AcquisitionReads(shop.reads, shop.store, Workspace())


MARCH = ("2026-03-01", "2026-03-31")


def test_spend_stands_beside_what_it_brought_and_neither_is_lost(reads: AcquisitionReads) -> None:
    report = reads.breakdown(reads.ask("order", "last_non_direct", *MARCH), "channel")
    told = {line.name: (line.cost, line.value, line.conversions, line.visits) for line in report.lines}
    assert told == {
        "paid_search": (Decimal("22.34"), 100, 1, 1),
        "paid_social": (Decimal("5.5"), 0, 0, 0),
        "email": (0, Decimal("50.5"), 1, 1),
        "none": (0, 7, 1, 0),
        "direct": (0, 0, 0, 2),
    }
    assert (report.total.cost, report.total.value) == (Decimal("27.84"), Decimal("157.5"))


def test_law_12_spend_out_is_spend_in_and_value_too_for_any_breakdown_model_and_filter(
    shop: Installation, reads: AcquisitionReads
) -> None:
    spend = {
        row["channel"]: row["amount"]
        for row in shop.rows("SELECT channel, sum(amount) AS amount FROM spend GROUP BY channel")
    }
    for by in DIMENSIONS:
        for model in MODELS:
            whole = reads.breakdown(reads.ask("order", model, *MARCH), by).total
            assert (whole.cost, whole.value, whole.conversions) == (Decimal("27.84"), Decimal("157.5"), 3)
        for channel in ("paid_search", "paid_social", "email", "none", ""):
            kept = reads.breakdown(reads.ask("order", None, *MARCH, {"channel": channel}), by).total
            assert kept.cost == spend.get(channel, 0)
    parts = [
        reads.breakdown(reads.ask("order", "linear", since, until), "campaign").total.value
        for since, until in (("2026-03-01", "2026-03-01"), ("2026-03-02", "2026-12-31"))
    ]
    assert sum(parts) == Decimal("177.5")


def test_a_figure_opens_its_people_and_its_sql_runs_by_itself(
    shop: Installation, reads: AcquisitionReads
) -> None:
    people, sql = reads.people(reads.ask("order", None, *MARCH, {"channel": "email"}))
    assert [(one.value, one.conversions, one.day) for one in people] == [(Decimal("50.5"), 1, "2026-03-01")]
    assert people[0].card.identifiers[0].value == "b"
    assert len(shop.rows(sql)) == 1
    assert shop.rows(reads.breakdown(reads.ask("order", None, *MARCH), "keyword").sql)


def test_models_paths_and_intervals_are_told(reads: AcquisitionReads) -> None:
    question = reads.ask("order", "first", *MARCH)
    rows = reads.models(question).rows
    for model in MODELS:
        assert sum(row[model] for row in rows) == Decimal("157.5")
    assert {row["name"] for row in reads.paths(question).rows} == {"paid_search > direct", "email", "none"}
    assert {row["model"] for row in reads.intervals("order").rows} == {"markov", "shapley"}
    assert reads.run()["version"] == 1
    assert reads.unconverted(question) == {"conversions": 0, "spend": 0}


def test_key_figures_are_what_they_say_now_and_before(reads: AcquisitionReads) -> None:
    told = {one.name: one for one in reads.figures(Period(date(2026, 3, 1), date(2026, 3, 31)))}
    assert told["roas"].value == Decimal("157.5") / Decimal("27.84") // Decimal("0.0001") * Decimal("0.0001")
    assert told["roas"].is_good
    assert told["cac"].value == Decimal("9.28")
    assert told["ltv_to_cac"].value == Decimal("52.5") / Decimal("9.28") // Decimal("0.0001") * Decimal(
        "0.0001"
    )
    assert told["conversion_rate"].value == Decimal("0.75")
    assert told["cac"].before is None
    april = {one.name: one for one in reads.figures(Period(date(2026, 4, 1), date(2026, 4, 30)))}
    # The thirty days before April are without the first of March.
    assert (april["roas"].value, april["roas"].before) == (None, 0)
    assert april["cac"].value is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("order_value / spnd", "Did you mean spend?"),
        ("sum(order_value)", "is over events"),
        ("orders_value / spend", "There is no 'orders_value'"),
        ("spend > 0", "A key figure is a number"),
    ],
)
def test_a_key_figure_that_cannot_be_is_refused(shop: Installation, value: str, told: str) -> None:
    assert KPI_KIND.name == "kpi"
    with pytest.raises(InvalidDefinitions) as caught:
        apply(shop.store, KINDS, parse(f"kind: kpi\nname: x\nspec: {{value: {value}}}"), author="test")
    assert told in str(caught.value)


def test_cohorts_are_people_by_their_first_time(reads: AcquisitionReads) -> None:
    rows = [tuple(row.values()) for row in reads.cohorts("order", "month").rows]
    march = 2026 * 12 + 2
    assert rows == [(march, 0, 3, Decimal("157.5")), (march, 1, 1, Decimal("20"))]
    assert [row["later"] for row in reads.cohorts("order", "week").rows] == [0, 5]


def test_names_that_do_not_keep_to_the_standard_are_found(reads: AcquisitionReads) -> None:
    (row,) = reads.hygiene(Period(date(2026, 3, 1), date(2026, 3, 31))).rows
    assert (row["said_campaign"], row["sessions"]) == ("Spring Sale", 1)
    assert set(row["faults"].split(",")) == {"capitals", "letters"}


def test_what_is_asked_wrong_is_told(reads: AcquisitionReads) -> None:
    for asked in (("order", "guess"), ("order", None, "x"), ("order", None, "2026-04-01", "2026-03-01")):
        with pytest.raises(BadRequest):
            reads.ask(*asked)
    with pytest.raises(NotFound):
        reads.ask("nothing")
    with pytest.raises(NotFound):
        reads.funnel_of("nothing")
    with pytest.raises(BadRequest, match="campaign"):
        reads.ask("order", None, *MARCH, {"person_key": "1"})
    assert reads.ask().conversion == "order"


def test_a_campaigns_address_is_built_by_the_standard() -> None:
    link = CampaignLink(
        "https://shop.example/a?x=1&utm_source=old#top", "Google", "CPC", "Kış İndirimi 2026!"
    )
    expected = (
        "https://shop.example/a?x=1&utm_source=google&utm_medium=cpc&utm_campaign=kis-indirimi-2026#top"
    )
    assert build_link(link) == expected
    for url, campaign in (("shop.example", "x"), ("javascript:alert(1)", "x"), ("https://a.example", " ! ")):
        with pytest.raises(BadRequest):
            build_link(CampaignLink(url, "google", "cpc", campaign))


@given(text=st.text(max_size=150))
def test_a_standard_name_stays_as_it_is(text: str) -> None:
    assert standard_name(standard_name(text)) == standard_name(text)
