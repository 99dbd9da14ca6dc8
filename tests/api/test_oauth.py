"""A service trades its key for a token, as RFC 6749 says, and asks with it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.access.policy import parse_condition
from tekil.store import ApiKey, Store
from tekil.store import tokens as tokens_module

Client = TestClient[Any]
Given = tuple[ApiKey, str]
PATH = "/v1/oauth/token"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def given(store: Store) -> Given:
    return store.keys.create_api_key("service", ["ledger:read", "sql:read"])


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_asks_as_its_key_with_the_scopes_it_was_given(
    client: Client, given: Given, store: Store
) -> None:
    key, secret = given
    answer = client.post(PATH, data={**GRANT, "scope": "ledger:read"}, headers=basic(key.id, secret))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 3600, "ledger:read")
    token = told["access_token"]
    assert client.get("/v1/ledger", headers=bearer(token)).status_code == 200
    refused = client.post("/v1/sql", headers=bearer(token), json={"statement": "SELECT 1"})
    assert refused.json()["code"] == "scope_missing"
    last = list(store.audit.entries())[-1]
    assert (last.act, last.actor) == ("token.issued", key.id)
    assert token not in last.details
    whole = client.post(PATH, data={**GRANT, "client_id": key.id, "client_secret": secret}).json()
    assert whole["scope"] == "ledger:read sql:read"


def test_what_ends_the_key_ends_its_tokens(
    client: Client, given: Given, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = given
    token, _ = store.tokens.issue(key, [])
    assert store.tokens.find(token)
    with monkeypatch.context() as later:
        now = tokens_module.now_us() + 3601 * 1_000_000
        later.setattr(tokens_module, "now_us", lambda: now)
        assert store.tokens.find(token) is None
    store.keys.revoke_api_key(key.id)
    assert client.get("/v1/ledger", headers=bearer(token)).status_code == 401


def test_a_token_of_a_narrowed_key_is_narrowed(client: Client, store: Store) -> None:
    rule = parse_condition("city=Van")
    key, _ = store.keys.create_api_key("service", ["*"], condition=rule)
    token, granted = store.tokens.issue(key, [])
    assert "profiles:read" in granted
    assert client.get("/v1/ledger", headers=bearer(token)).json()["code"] == "key_narrowed"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**GRANT, "scope": "keys:write"}, 400, "invalid_scope"),
        ({**GRANT, "scope": "*"}, 400, "invalid_scope"),
        ({**GRANT, "client_secret": "x"}, 401, "invalid_client"),
        ({**GRANT, "scope": ["sql:read", "ledger:read"]}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_granted_is_refused_as_the_standard_says(
    client: Client, given: Given, fields: dict[str, Any], status: int, error: str
) -> None:
    key, secret = given
    answer = client.post(PATH, data=fields, headers=basic(key.id, secret))
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_nobody_gets_a_token_without_the_keys_own_id_and_secret(
    client: Client, given: Given, store: Store
) -> None:
    key, secret = given
    other, _ = store.keys.create_api_key("other", ["*"])
    before = store.audit.head()
    wrong = [basic(other.id, secret), basic(key.id, "x"), basic(key.id, ""), {"Authorization": "Basic ş!"}]
    for headers in [*wrong, {"Authorization": "Basic bm8="}, bearer(secret), {}]:
        sent = {name: value.encode() for name, value in headers.items()}
        answer = client.post(PATH, data=GRANT, headers=sent)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert client.post(PATH, content=b"\xff").json()["error"] == "invalid_request"
    ended, ended_secret = store.keys.create_api_key("old", ["*"], lasts_us=0)
    assert client.post(PATH, data=GRANT, headers=basic(ended.id, ended_secret)).status_code == 401
    assert store.audit.head().number == before.number + 1
