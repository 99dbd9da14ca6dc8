"""Audiences over HTTP: sizes, their history, and who is in, masked and page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.api.audiences import audience_routes
from tekil.audience_reads import AudienceReads
from tekil.config import Config
from tekil.console import create_app
from tekil.definitions import Definition
from tests.installation import Installation
from tests.models.test_audiences import define, models_of
from tests.models.test_features import order


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, defined=models_of)
    define(made, buyers="orders > 0", others="not buyers")
    for user in ("u1", "u2", "u3"):
        made.say(order(user, 5))
        made.run()
        made.pass_time(minutes=1)
    email = {"type": "identify", "userId": "u3", "traits": {"email": "ada@example.com"}}
    made.say(email, {"type": "page", "userId": "u4"})
    made.run()
    yield made
    made.close()


@pytest.fixture
def client(shop: Installation, tmp_path: Path) -> Iterator[TestClient[Any]]:
    routes = audience_routes(AudienceReads(shop.reads, shop.store))
    app = create_app(shop.reads, shop.store, Config(root=tmp_path), [routes])
    _, secret = shop.store.keys.create_api_key("x", ["audiences:read", "profiles:read"])
    with TestClient(app, raise_server_exceptions=False) as opened:
        opened.headers["Authorization"] = f"Bearer {secret}"
        yield opened


def test_audiences_tell_their_sizes_and_history(client: TestClient[Any]) -> None:
    told = client.get("/v1/audiences").json()["audiences"]
    assert [(one["name"], one["people"], one["version"]) for one in told] == [
        ("buyers", 3, 1),
        ("others", 1, 1),
    ]
    one = client.get("/v1/audiences/buyers").json()
    assert one["audience"]["sql"] == "orders > 0"
    assert one["history"][-1] == {
        "hour": "2026-03-01T12:00:00Z", "people": 3, "entered": 3, "gone": 0
    }  # fmt: skip
    assert len(one["sample"]) == 3
    assert client.get("/v1/audiences/nobodys").status_code == 404


def test_people_come_page_by_page_with_masks(client: TestClient[Any], shop: Installation) -> None:
    seen, cursor = [], None
    for _ in range(5):
        asked = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/audiences/buyers/people", params=asked).json()
        seen += page["people"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len({one["person_id"] for one in seen}) == len(seen) == 3
    assert [one["since"] for one in seen] == sorted((one["since"] for one in seen), reverse=True)
    assert "ada@example.com" not in str(seen)
    assert client.get("/v1/audiences/buyers/people?cursor=x").status_code == 400


def test_a_profile_tells_features_and_since_when_in_which_audience(client: TestClient[Any]) -> None:
    told = client.get("/v1/profiles/user_id:u1").json()
    assert told["features"] == {"orders": 1, "orders_7d": 1}
    assert told["audiences"] == {"buyers": "2026-03-01T12:00:00.000Z"}
    assert client.get("/v1/profiles/user_id:u4").json()["audiences"].keys() == {"others"}


def test_whoever_may_not_read_audiences_is_told_so(client: TestClient[Any], shop: Installation) -> None:
    _, secret = shop.store.keys.create_api_key("y", ["profiles:read"])
    answer = client.get("/v1/audiences", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403


def test_a_changed_definition_tells_whom_it_would_move(shop: Installation) -> None:
    audiences = AudienceReads(shop.reads, shop.store)
    wanted = Definition("audience", "buyers", {}, "", {"sql": "orders > 0 and traits.email is null"})
    preview = audiences.preview(wanted)
    assert (preview.move.people, preview.move.entering, preview.move.leaving) == (2, 0, 1)
    assert len(preview.sample) == 2
    assert [(sorted(one.audiences), one.people) for one in audiences.overlap(["buyers", "others"])] == [
        (["buyers"], 3), (["others"], 1)
    ]  # fmt: skip


def test_a_condition_is_looked_at_before_it_is_anything(client: TestClient[Any]) -> None:
    asked = {"name": "buyers", "sql": "orders > 0 and traits.email is null"}
    told = client.post("/v1/audiences/preview", json=asked).json()
    assert (told["people"], told["entering"], told["leaving"], len(told["sample"])) == (2, 0, 1, 2)
    assert client.post("/v1/audiences/preview", json={"sql": "not orders > 0"}).json()["people"] == 1
    wrong = client.post("/v1/audiences/preview", json={"sql": "ordres > 0"})
    assert wrong.status_code == 400
    assert "orders" in wrong.json()["detail"]


def test_cards_follow_definitions_that_come_and_go(client: TestClient[Any], shop: Installation) -> None:
    define(shop, buyers="orders > 1")
    shop.run()
    assert client.get("/v1/profiles/user_id:u1").json()["audiences"] == {}
    define(shop, {})
    shop.run()
    told = client.get("/v1/profiles/user_id:u1").json()
    assert told.get("audiences") is None
    assert told.get("features") is None


def test_some_people_come_by_chance_and_overlaps_for_programs(client: TestClient[Any]) -> None:
    def ids(asked: str) -> list[str]:
        return [
            one["person_id"] for one in client.get(f"/v1/audiences/buyers/sample{asked}").json()["people"]
        ]

    assert ids("") == ids("")
    assert len(ids("?size=2")) == 2
    orders = {tuple(ids(f"?salt={n}")) for n in range(6)}
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(ids(""))}
    told = client.get("/v1/audiences/overlap?among=buyers&among=others").json()["combinations"]
    assert told == [{"audiences": ["buyers"], "people": 3}, {"audiences": ["others"], "people": 1}]
