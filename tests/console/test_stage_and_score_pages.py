"""Stages and scores in the console: board, matrix, who is where, and why somebody has their points."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.config import Config
from tekil.console import create_app
from tekil.console.flows import arcs, height
from tekil.privacy.ledger import open_ledger
from tekil.stage_reads import Step
from tests.installation import Installation
from tests.models.test_audiences import models_of
from tests.models.test_features import order
from tests.models.test_scores import LEAD, city, define
from tests.models.test_stages import CHAIN, chain

HTML = {"Accept": "text/html", "Accept-Language": "tr"}
GOAL = {"goal": {"percent": 40, "within": "1 day"}, "stuck_after": "2 day", "title": {"tr": "Haberdar"}}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("pages"), defined=models_of)
    yield made
    made.close()


@pytest.fixture(scope="module")
def console(shop: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    password = shop.store.users.create_first()
    config = Config(root=tmp_path_factory.mktemp("root"))
    consents = open_ledger(shop.store, shop.vault, config.consent)
    with TestClient(create_app(shop.reads, shop.store, config, consents=consents)) as client:
        client.headers.update(HTML)
        token = client.get("/sign-in").text.partition('name="form_token" value="')[2].partition('"')[0]
        client.post("/sign-in", data={"name": "admin", "password": password, "form_token": token})
        yield client


def words(page: str) -> str:
    """Return the visible text of a page, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_where_there_are_none_the_pages_say_how_to_begin(console: TestClient[Any]) -> None:
    assert "tekil starters apply stage" in console.get("/stages").text
    assert "tekil starters apply lead_score" in console.get("/scores").text


@pytest.fixture(scope="module")
def people(shop: Installation, console: TestClient[Any]) -> str:
    """Two come and one of them buys; return who that is."""
    define(shop, LEAD, chain(CHAIN, aware=GOAL))
    shop.say(city("u1", city="İzmir", email="ada@example.com"), city("u2", city="Van"))
    shop.run()
    shop.pass_time(hours=2)
    shop.say(order("u1", 5), *({"type": "page", "userId": "u1"} for _ in range(3)))
    shop.run()
    shop.pass_time(days=3)
    shop.say({"type": "page", "userId": "u2"})
    shop.run()
    return shop.person("user_id:u1").person_id


def test_the_board_tells_people_steps_goals_and_who_is_stuck(console: TestClient[Any], people: str) -> None:
    page = console.get("/stages")
    assert page.status_code == 200
    told = words(page.text)
    assert "Haberdar 1" in told
    assert "Gelenlerin %40 kadarı 1 gün içinde ilerlesin." in told
    assert "tuttu %50,0 2 kişiden 1" in told
    assert page.text.count("on-arc") == 1
    assert told == words(console.get("/stages/stage").text)
    stuck = console.get("/stages/stage/aware?stuck=yes").text
    assert "Yalnızca 2 gün süreden" in words(stuck)
    assert stuck.count("/people/p") == 1
    assert console.get("/stages/stage/nowhere").status_code == 404
    assert console.get("/stages/nothing").status_code == 404


def test_the_matrix_opens_the_people_of_a_cell(console: TestClient[Any], people: str) -> None:
    page = console.get("/scores/lead").text
    assert "A1 1" in words(page)
    assert re.findall(r'shade-(\d)"><a href="/scores/lead/A1"', page) == ["5"]
    assert re.findall(r'shade-(\d)"><a href="/scores/lead/B2"', page) == ["0"]
    cell = console.get("/scores/lead/A1").text
    assert f"/people/{people}" in cell
    assert "ada@example.com" not in cell
    assert console.get("/scores/lead/Z1").status_code == 404


def test_a_persons_page_tells_stage_and_score_and_why(console: TestClient[Any], people: str) -> None:
    told = words(console.get(f"/people/{people}").text)
    assert "A1" in told
    assert "Neden bu puan?" in told
    assert "bought +30" in told
    assert "izmir +20" in told
    assert "3 kez, her biri 4; 7 günde yarıya iner" in told


def test_steps_are_drawn_on_above_and_back_below() -> None:
    drawn = arcs([Step("a", "b", 8), Step("b", "a", 2), Step("", "a", 9)], ["a", "b", "c"])
    assert [(arc.people, arc.is_back) for arc in drawn] == [(8, False), (2, True)]
    assert drawn[0].thick > drawn[1].thick
    assert drawn[0].y < drawn[1].y < height(drawn)
    assert height(drawn[:1]) < height(drawn)
