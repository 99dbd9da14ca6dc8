"""Identity's routes: explaining, planning, saying; and the command that asks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.access.audit import Act
from tekil.api.identity import identity_routes
from tekil.config import Config
from tekil.console import create_app
from tekil.identity import IdentityDesk
from tests.installation import Installation

Client = TestClient[Any]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.say({"type": "identify", "userId": "u1", "traits": {"email": "ayse@example.com"}})
    made.say({"type": "page", "userId": "u2"})
    made.run()
    yield made
    made.close()
    made.store.close()


@pytest.fixture
def client(shop: Installation, tmp_path: Path) -> Iterator[Client]:
    desk = IdentityDesk(shop.log, shop.warehouse, shop.store, shop.vault)
    routes = [identity_routes(shop.store, desk)]
    with TestClient(create_app(shop.reads, shop.store, Config(root=tmp_path), routes)) as opened:
        _, secret = shop.store.keys.create_api_key("x", ["profiles:read", "identity:write"])
        opened.headers["Authorization"] = f"Bearer {secret}"
        yield opened


def test_a_chain_of_evidence_is_told_masked(client: Client) -> None:
    told = client.get("/v1/identity/explain", params={"of": "user_id:u1", "other": "email:ayse@example.com"})
    assert told.status_code == 200
    (link,) = told.json()["chain"]
    assert (link["messages"], link["sources"]) == (1, ["web"])
    assert "ayse@example.com" not in told.text
    missing = client.get("/v1/identity/explain", params={"of": "user_id:nobody"})
    assert (missing.status_code, missing.json()["code"]) == (404, "person_unknown")


def test_a_plan_changes_nothing_and_what_is_said_is_done_and_on_record(
    shop: Installation, client: Client
) -> None:
    saying = {
        "act": "merge",
        "one": "email:ayse@example.com",
        "other": "user_id:u2",
        "reason": "a call",
    }
    plan = client.post("/v1/identity/plan", json=saying).json()
    assert (plan["effect"], len(plan["people"])) == ("Two people become one.", 2)
    assert shop.run() == 0
    said = client.post("/v1/identity/apply", json=saying).json()
    assert said["plan"] == plan
    assert shop.run() == 1
    assert shop.person("user_id:u1").person_id == shop.person("user_id:u2").person_id
    assert Act.IDENTITY_SAID in [entry.act for entry in shop.store.audit.entries()]


def test_whoever_may_only_read_says_nothing(shop: Installation, client: Client) -> None:
    _, secret = shop.store.keys.create_api_key("y", ["profiles:read"])
    saying = {"act": "share", "one": "email:ayse@example.com"}
    answer = client.post("/v1/identity/apply", json=saying, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403
