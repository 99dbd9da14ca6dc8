"""Acquisition in the console: every page over a shop that sells, and what to do where nothing is defined."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.config import Config
from tekil.console import create_app
from tekil.console.acquisition import TABS, cohorts_of
from tekil.console.drawings import curves, round_above
from tekil.definitions import apply, parse
from tekil.kinds import KINDS
from tests.acquisition.shop import ADS, attribution, founded, models_of, order, page, share_out, spent
from tests.api.test_acquisition import MORE
from tests.installation import Installation

HTML = {"Accept": "text/html", "Accept-Language": "tr"}
MARCH = "since=2026-03-01&until=2026-03-31"


def visiting(shop: Installation, root: Path) -> Iterator[TestClient[Any]]:
    password = shop.store.users.create_first()
    with TestClient(create_app(shop.reads, shop.store, Config(root=root))) as client:
        client.headers.update(HTML)
        token = client.get("/sign-in").text.partition('name="form_token" value="')[2].partition('"')[0]
        client.post("/sign-in", data={"name": "admin", "password": password, "form_token": token})
        yield client


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = founded(tmp_path_factory.mktemp("pages"))
    apply(made.store, KINDS, parse(MORE), author="test")
    made.say(page("a", ADS), page("b", "utm_source=Bad Name"), spent("2026-03-01", "brand", "linen", 25))
    made.say({"type": "identify", "anonymousId": "a", "traits": {"email": "ada@example.com"}})
    made.pass_time(days=2)
    made.say(order("a", "1", "1234.56"))
    share_out(made)
    made.say(order("a", "1", "234.56", event="Order Refunded"), order("b", "2", 1, currency="EUR"))
    made.pass_time(days=1)
    made.say(order("b", "3", 1))
    share_out(made)
    made.say(order("a", "1", 1, event="Order Refunded"))
    share_out(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def console(shop: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    yield from visiting(shop, tmp_path_factory.mktemp("root"))


def test_the_overview_tells_what_came_and_what_it_cost(console: TestClient[Any]) -> None:
    shown = console.get(f"/acquisition?{MARCH}").text
    assert "Ücretli arama" in shown
    assert "999,00" in shown
    assert "25,00" in shown
    assert "kuru bilinmiyor" in shown
    assert "roas" in shown
    assert "Düzeltilenler" in shown


def test_channels_open_campaigns_and_conversions_open_people(console: TestClient[Any]) -> None:
    shown = html.unescape(console.get(f"/acquisition?{MARCH}").text)
    campaigns = next(link for link in re.findall('href="([^"]+)"', shown) if "channel=paid_search" in link)
    assert "brand" in console.get(campaigns).text
    people = next(
        link for link in re.findall('href="([^"]+)"', shown) if link.startswith("/acquisition/people")
    )
    told = console.get(people).text
    assert "ada@example.com" not in told
    assert "a•••@e•••.com" in told


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"/acquisition/breakdown?by=keyword&{MARCH}", "linen"),
        (f"/acquisition/breakdown?by=keyword&{MARCH}&channel=paid_search&campaign=brand", "linen"),
        (f"/acquisition/models?{MARCH}", "Shapley"),
        (f"/acquisition/paths?{MARCH}", "Ücretli arama"),
        (f"/acquisition/funnels?funnel=buying&{MARCH}", "önceki adımın"),
        ("/acquisition/cohorts?by=week", "2 Mart 2026"),
        (f"/acquisition/links?{MARCH}", "boşluk ya da özel harf"),
    ],
)
def test_each_page_tells_its_own_and_how_it_was_worked_out(
    console: TestClient[Any], path: str, told: str
) -> None:
    answer = console.get(path)
    assert answer.status_code == 200
    assert told in answer.text
    assert "SELECT" in answer.text


def test_an_address_is_built_or_what_is_wrong_is_told(console: TestClient[Any]) -> None:
    asked = {"url": "https://shop.example/", "source": "Google", "medium": "CPC", "campaign": "Kış İndirimi"}
    expected = "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=kis-indirimi"
    assert expected in html.unescape(console.get("/acquisition/links", params=asked).text)
    assert "Bu bir adres değil" in console.get("/acquisition/links", params={**asked, "url": "x"}).text


def test_where_nothing_is_defined_every_page_says_what_to_write(tmp_path: Path) -> None:
    bare = Installation(tmp_path, defined=models_of, beside=founded.__globals__["TABLES"])
    for client in visiting(bare, tmp_path):
        for name, path in TABS:
            shown = client.get(path)
            assert shown.status_code == 200, path
            assert ("Henüz dönüşüm tanımlı değil" in shown.text) == (name != "links")
        example = html.unescape(
            re.findall(r"<pre[^>]*><code>(.*?)</code>", client.get("/acquisition").text, re.S)[0]
        )
        apply(bare.store, KINDS, parse(example), author="test")
        bare.say(order("a", "1", 5))
        bare.run()
        attribution(bare).run()
        assert "5,00" in client.get(f"/acquisition?{MARCH}").text
    bare.close()


def test_cohorts_have_a_place_for_every_period_up_to_the_newest() -> None:
    rows = [
        {"cohort": 24314, "later": 0, "people": 3, "value": 5},
        {"cohort": 24314, "later": 2, "people": 1, "value": 1},
    ]
    (found,) = cohorts_of(rows, "month")
    assert (found.begins.isoformat(), found.value) == ("2026-03-01", 6)
    assert [people for people, _ in found.later] == [3, 0, 1]


def test_curves_share_a_scale_that_ends_in_a_round_number() -> None:
    assert [round_above(value) for value in (0, 0.3, 1, 3, 70, 1200)] == [1, 0.5, 1, 5, 100, 2000]
    drawn = curves([[0, 50, 100], [10, 10, 10]], width=100, height=10)
    assert drawn.top == 100
    assert drawn.lines[0][0] == "M0.0 10.0L50.0 5.0L100.0 0.0"
    assert curves([[]]).lines == [("", "")]
