"""Whatever a `Lead Submitted` says, it is a lead that every database can hold, without an address in it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.config import ConsentSettings
from tekil.leads import LeadHearing
from tekil.leads.hearing import FACT_LENGTH_MAX, FACTS_MAX, facts_of
from tekil.privacy.ledger import ConsentLedger, open_ledger
from tests.leads.desk import SalesDesk

NOON = datetime(2026, 3, 4, 12)
_keys = itertools.count(1)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsentLedger]:
    desk = SalesDesk(tmp_path_factory.mktemp("hearing"), "")
    yield open_ledger(desk.store, desk.shop.vault, ConsentSettings())
    desk.close()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["value", "currency", "channel", "form", "pipeline", "consents", "city", "x~y"])


@given(st.dictionaries(MEMBERS | TEXT, ANY, max_size=8), st.booleans())
def test_whatever_is_said_is_heard_once(ledger: ConsentLedger, said: dict[str, Any], has_email: bool) -> None:
    row = {
        "message_key": next(_keys),
        "message_id": "m",
        "source": "web",
        "identifier_key": 1,
        "user_id": None,
        "email": ledger.tokens.token("email", "ada@example.com") if has_email else None,
        "phone": None,
        "anonymous_id": "a-1",
        "occurred_at": NOON,
        "received_at": NOON,
        "properties": json.dumps(said),
    }
    hearing = LeadHearing(ledger)
    assert (hearing.hear([row]), hearing.hear([row])) == (1, 0)
    lead = ledger.store.leads.get(f"{row['message_key']:016x}")
    assert lead.value is None or 0 <= lead.value < 10**14
    assert "\0" not in f"{lead.channel}{lead.form}{lead.currency}"
    assert len(lead.currency) <= 3
    assert len(lead.said) <= FACTS_MAX


def test_facts_are_short_and_nobodys() -> None:
    said = {
        "city": "İzmir",
        "seats": 3,
        "long": "x" * (FACT_LENGTH_MAX + 1),
        "friend": f"email~{'a' * 26}",
        "list": [1],
        "value": 7,
    }
    assert facts_of(said) == {"city": "İzmir", "seats": 3}
    assert len(facts_of({f"n{i}": i for i in range(99)})) == FACTS_MAX


def test_consents_that_nobody_can_read_or_asks_about_are_passed_over(ledger: ConsentLedger) -> None:
    token = ledger.tokens.token("email", "ece@example.com")
    consents = [
        {"purpose": "marketing", "given": True, "version": "1", "channels": ["email", "sms"]},
        {"purpose": "nothing", "given": True, "version": "1"},
        {"purpose": "marketing", "given": False, "version": "1"},
    ]
    row: dict[str, Any] = {
        "message_key": next(_keys),
        "message_id": "m",
        "source": "web",
        "identifier_key": 1,
        "user_id": None,
        "email": token,
        "phone": None,
        "anonymous_id": "a-1",
        "occurred_at": NOON,
        "received_at": NOON,
        "properties": json.dumps({"consents": consents}),
    }
    LeadHearing(ledger).hear([row])
    assert [(e.purpose, e.channel, e.given) for e in ledger.store.consents.of([token])] == [
        ("marketing", "email", True)
    ]
    LeadHearing(ledger).hear([{**row, "properties": '{"consents": "all"}', "message_key": next(_keys)}])
    assert len(ledger.store.consents.of([token])) == 1
