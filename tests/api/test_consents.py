"""Consents over the API: recorded, read, asked about, linked to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.store import Card, Identifier, Store
from tests.ledgers import ledger_of

Client = TestClient[Any]
Bearer = Callable[..., dict[str, str]]
AYSE = "/v1/consents/email:ayse%2B1@example.com"


@pytest.fixture
def writer(bearer: Bearer) -> dict[str, str]:
    return bearer("consents:read", "consents:write")


def test_a_choice_is_recorded_and_read_with_its_proof(client: Client, writer: dict[str, str]) -> None:
    said = {"purpose": "marketing", "channel": "email", "given": True, "proof": {"form": "newsletter"}}
    made = client.post(AYSE, json={**said, "at": "2026-03-01T12:00:00+03:00"}, headers=writer)
    assert made.status_code == 201, made.text
    assert made.json()["at"] == "2026-03-01T09:00:00Z"
    again = client.post(AYSE, json={**said, "at": "2026-03-01T09:00:00"}, headers=writer)
    assert again.json()["id"] == made.json()["id"]
    client.post(AYSE, json={**said, "given": False}, headers=writer)
    told = client.get("/v1/consents/email:AYSE+1@example.com", headers=writer).json()
    assert [s["given"] for s in told["states"]] == [False]
    assert [(h["given"], h["proof"], h["recorded_by"]) for h in told["history"]] == [
        (True, {"form": "newsletter"}, "api"),
        (False, {"form": "newsletter"}, "api"),
    ]


def test_whether_one_may_send_is_asked_for_an_address(client: Client, writer: dict[str, str]) -> None:
    path = "/v1/consents/email:permission@example.com"
    ask = {"purpose": "marketing", "channel": "email"}

    def allowed() -> bool:
        told = client.get(f"{path}/permission", params=ask, headers=writer)
        return bool(told.json()["allowed"])

    assert not allowed()
    client.post(path, json={**ask, "given": True}, headers=writer)
    assert allowed()
    client.post(path, json={**ask, "given": False}, headers=writer)
    assert not allowed()


def test_a_link_comes_with_the_headers_of_one_click(client: Client, writer: dict[str, str]) -> None:
    asked = {"identifier": "email:a@example.com", "purpose": "marketing", "channel": "email"}
    made = client.post("/v1/consents/links", json=asked, headers=writer).json()
    assert made["headers"]["List-Unsubscribe"] == f"<{made['url']}/unsubscribe>"
    assert "example.com" not in made["url"]
    plain = client.post("/v1/consents/links", json={"identifier": "email:a@example.com"}, headers=writer)
    assert plain.json()["headers"] == {}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/consents/nobody", {}, "identifier_invalid"),
        ("/v1/consents/email:nobody", {}, "identifier_invalid"),
        (AYSE, {"purpose": "nothing"}, "purpose_unknown"),
        (AYSE, {"channel": "pigeon"}, "channel_unknown"),
        (AYSE, {"at": "2199-01-01T00:00:00Z"}, "consent_in_future"),
        (AYSE, {"source": "a\0b"}, "nul_character"),
        (AYSE, {"given": "perhaps"}, "invalid_request"),
    ],
)
def test_what_cannot_be_is_refused(
    client: Client, writer: dict[str, str], path: str, body: dict[str, Any], code: str
) -> None:
    said = {"purpose": "marketing", "channel": "email", "given": True, **body}
    answer = client.post(path, json=said, headers=writer)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_reading_and_writing_are_rights_of_their_own(client: Client, bearer: Bearer) -> None:
    reader = bearer("consents:read")
    assert client.get(AYSE, headers=reader).status_code == 200
    body = {"purpose": "marketing", "channel": "email", "given": True}
    for path, sent in ((AYSE, body), ("/v1/consents/links", {"identifier": "email:a@b.co"})):
        assert client.post(path, json=sent, headers=reader).status_code == 403
        assert client.post(path, json=sent).status_code == 401
    assert client.get(AYSE, headers=bearer("consents:write")).status_code == 403


def test_what_a_person_said_under_their_number_counts_for_their_address(
    client: Client, writer: dict[str, str], store: Store, root: Path
) -> None:
    sealed = ledger_of(store, root).tokens.in_tables("email", "merve@example.com")
    owned = (Identifier("email", sealed, "i1"), Identifier("user_id", "M-77", "i2"))
    store.cards.publish([], [Card("p-merve", "{}", 1, owned)], 1)
    said = {"purpose": "marketing", "channel": "email"}
    client.post("/v1/consents/email:merve@example.com", json={**said, "given": True}, headers=writer)
    permission = "/v1/consents/{}/permission?purpose=marketing&channel=email"
    for reference in ("email:merve@example.com", "user_id:M-77"):
        assert client.get(permission.format(reference), headers=writer).json()["allowed"]
    client.post("/v1/consents/user_id:M-77", json={**said, "given": False}, headers=writer)
    told = client.get(permission.format("email:merve@example.com"), headers=writer).json()
    assert not told["allowed"]
    assert [entry["kind"] for entry in told["because"]] == ["user_id"]
