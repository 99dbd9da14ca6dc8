"""Audiences in the console: sizes, people and comings and goings; and what to do where there are none."""

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
from tekil.definitions import apply, parse
from tekil.kinds import KINDS
from tests.installation import Installation
from tests.models.test_audiences import define, models_of
from tests.models.test_features import order

HTML = {"Accept": "text/html", "Accept-Language": "tr"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, defined=models_of)
    yield made
    made.close()


@pytest.fixture
def console(shop: Installation, tmp_path: Path) -> Iterator[TestClient[Any]]:
    password = shop.store.users.create_first()
    app = create_app(shop.reads, shop.store, Config(root=tmp_path))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        token = client.get("/sign-in").text.partition('name="form_token" value="')[2].partition('"')[0]
        client.post("/sign-in", data={"name": "admin", "password": password, "form_token": token})
        yield client


def test_what_the_empty_page_shows_can_be_applied_as_it_stands(
    shop: Installation, console: TestClient[Any]
) -> None:
    shown = html.unescape(
        re.findall(r"<pre[^>]*><code>(.*?)</code>", console.get("/audiences").text, re.S)[0]
    )
    apply(shop.store, KINDS, parse(shown), author="test")
    shop.say(*({"type": "page", "userId": "u1"} for _ in range(10)), {"type": "page", "userId": "u2"})
    shop.run()
    assert shop.rows("SELECT audience, count(*) AS people FROM members GROUP BY audience") == [
        {"audience": "regulars", "people": 1}
    ]


def test_where_there_is_none_the_page_says_how_to_make_one(console: TestClient[Any]) -> None:
    page = console.get("/audiences")
    assert page.status_code == 200
    assert "Henüz kitle yok" in page.text
    assert "tekil apply" in page.text


def test_an_audience_shows_its_size_its_people_and_who_came_and_went(
    shop: Installation, console: TestClient[Any]
) -> None:
    define(shop, buyers="orders > 0", others="not buyers", recent="orders_7d > 0")
    shop.say(order("u1", 5), order("u2", 7), {"type": "page", "userId": "u3"})
    shop.say({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}})
    shop.run()
    shop.pass_time(days=8)
    shop.run()
    listed = console.get("/audiences?among=buyers&among=recent").text
    assert 'href="/audiences/buyers"' in listed
    assert "orders_7d &gt; 0" in listed
    assert listed.count(" checked") == 2
    assert (listed.count('class="in"'), listed.count('class="out"')) == (1, 1)
    one = console.get("/audiences/buyers").text
    assert "ada@example.com" not in one
    assert "a•••@e•••.com" in one
    assert one.count("yaptığı bir şey") == 2
    left = console.get("/audiences/recent").text
    assert left.count("geçen zaman") == 2
    assert "İçinde kimse yok" in left
    assert console.get("/audiences/nobodys").status_code == 404
