"""The dictionary's routes, and replaying the quarantine through the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.api.dictionary import dictionary_routes
from tekil.config import Config
from tekil.console import create_app
from tekil.load import QuarantineDesk
from tests.dictionary.defining import define
from tests.installation import Installation

Client = TestClient[Any]
TOTAL = {"properties.total": {"type": "number", "mode": "quarantine"}}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    define(made.store, {"a/b c": {"fields": TOTAL}})
    yield made
    made.close()
    made.store.close()


@pytest.fixture
def client(shop: Installation, tmp_path: Path) -> Iterator[Client]:
    desk = QuarantineDesk(shop.log, shop.warehouse, shop.vault)
    reads = shop.reads
    routes = [dictionary_routes(shop.store, desk)]
    with TestClient(create_app(reads, shop.store, Config(root=tmp_path), routes, desk)) as opened:
        _, secret = shop.store.keys.create_api_key("x", ["dictionary:read", "quarantine:write"])
        opened.headers["Authorization"] = f"Bearer {secret}"
        yield opened


def test_an_event_is_read_as_json_schema_by_its_name(client: Client) -> None:
    assert client.get("/v1/dictionary").json() == {"events": ["a/b c"]}
    schema = client.get("/v1/dictionary/a%2Fb%20c").json()
    assert schema["properties"]["properties"]["properties"]["total"]["type"] == "number"
    missing = client.get("/v1/dictionary/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "event_unknown")


def test_what_waits_is_said_again_as_chosen(shop: Installation, client: Client) -> None:
    said = {"type": "track", "event": "a/b c", "userId": "u", "properties": {"total": "5"}}
    shop.say(said, {"type": "track", "userId": "u"})
    shop.run()
    define(shop.store, {"a/b c": {}})
    assert client.post("/v1/quarantine/replay", json={"event": "other"}).json() == {"replayed": 0}
    answer = client.post("/v1/quarantine/replay", json={"reason": "a_b_c.total:not_a_number"})
    assert (answer.status_code, answer.json()) == (200, {"replayed": 1})
    shop.run()
    assert shop.rows("SELECT event FROM events") == [{"event": "a/b c"}]
    assert client.post("/v1/quarantine/replay", json={"limit": 0}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/dictionary"), ("GET", "/v1/dictionary/x"), ("POST", "/v1/quarantine/replay")],
)
def test_a_key_without_the_scope_is_refused(
    shop: Installation, client: Client, method: str, path: str
) -> None:
    _, secret = shop.store.keys.create_api_key("other", ["ledger:read"])
    told = {"Authorization": f"Bearer {secret}"}
    answer = client.request(method, path, headers=told, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    del client.headers["Authorization"]
    assert client.request(method, path, json={} if method == "POST" else None).status_code == 401
