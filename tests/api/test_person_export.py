"""Everything about a person, for the person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar.testing import TestClient
from msgspec.structs import replace

from tekil.store import Store
from tests.api.reads_double import FullShop
from tests.ledgers import ledger_of

Client = TestClient[Any]
Bearer = Callable[..., dict[str, str]]


def test_an_export_holds_the_profile_all_events_in_order_and_the_consents(
    client: Client, bearer: Bearer, shop: FullShop, store: Store, root: Path
) -> None:
    card = shop.cards[2]
    email = next(i.value for i in card.identifiers if i.kind == "email")
    tokens = ledger_of(store, root).tokens
    sealed = tuple(replace(i, value=tokens.in_tables(i.kind, i.value)) for i in card.identifiers)
    store.cards.publish([], [replace(card, identifiers=sealed)], None)
    said = {"purpose": "marketing", "channel": "email", "given": True}
    client.post(f"/v1/consents/email:{email}", json=said, headers=bearer("consents:write"))
    told = client.get(f"/v1/profiles/email:{email}/export", headers=bearer("requests:read")).json()
    assert told["profile"]["person_id"] == card.person_id
    moments = [event["occurred_at"] for event in told["events"]]
    assert len(moments) > 1
    assert moments == sorted(moments)
    assert [entry["channel"] for entry in told["consents"]] == ["email"]


def test_an_export_is_a_right_of_its_own(client: Client, bearer: Bearer) -> None:
    path = "/v1/profiles/email:nobody@example.com/export"
    assert client.get(path, headers=bearer("profiles:read", "events:read")).status_code == 403
    assert client.get(path, headers=bearer("requests:read")).status_code == 404
