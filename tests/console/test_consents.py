"""Consents in the console, and the page where a person chooses for themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from tekil.console.consents_view import CURVE_DAYS, curve
from tekil.privacy.consents import state
from tekil.privacy.ledger import ConsentLedger
from tekil.store import Change, Store
from tests.api.reads_double import FullShop
from tests.ledgers import ledger_of

Client = TestClient[Any]
Send = Callable[..., Any]


@pytest.fixture
def ledger(store: Store, root: Path) -> ConsentLedger:
    return ledger_of(store, root)


@pytest.fixture
def someone() -> str:
    """An address nobody used in another test."""
    return f"zeynep{next(_numbers)}@example.com"


_numbers = iter(range(1_000))


def given(ledger: ConsentLedger, address: str) -> dict[str, bool]:
    return {f"{p}:{c}": e.given for (p, c), e in state(ledger.entries([("email", address)])).items()}


def test_a_choice_told_on_the_phone_is_recorded_found_and_answered_for(
    admin: Client, send: Send, ledger: ConsentLedger, someone: str
) -> None:
    form = {"identifier": someone.upper(), "choice": "marketing:email", "given": "yes", "note": "görüşme 41"}
    answer = send(admin, "/consents", "/consents", form)
    assert answer.status_code == 303
    page = admin.get(answer.headers["location"]).text
    assert "görüşme 41" in page
    assert "Kampanya ve duyurular" in page
    assert "Verildi" in page
    (entry,) = ledger.entries([("email", someone)])
    assert (entry.recorded_by, entry.source) == ("admin", "console")
    assert "z•••@e•••.com" in admin.get("/consents").text
    assert someone not in admin.get("/consents").text


@pytest.mark.parametrize(
    "form",
    [
        {"identifier": "", "choice": "marketing:email", "given": "yes"},
        {"identifier": "email:a@b.co", "choice": "marketing:email", "given": "perhaps"},
        {"identifier": "email:a@b.co", "choice": "nothing:email", "given": "yes"},
        {"identifier": "email:a@b.co", "choice": "analytics:pigeon", "given": "yes"},
    ],
)
def test_what_cannot_be_recorded_is_said_and_not_kept(
    admin: Client, send: Send, ledger: ConsentLedger, form: dict[str, str]
) -> None:
    assert send(admin, "/consents", "/consents", form).status_code == 400
    assert ledger.entries([("email", "a@b.co")]) == []


def test_a_persons_page_shows_what_they_allow(admin: Client, shop: FullShop, ledger: ConsentLedger) -> None:
    card = shop.cards[5]
    assert "henüz bir seçim yapmadı" in admin.get(f"/people/{card.person_id}").text
    phone = next(i for i in card.identifiers if i.kind == "phone")
    sealed = tuple(replace(i, value=ledger.tokens.in_tables(i.kind, i.value)) for i in card.identifiers)
    ledger.store.cards.publish([], [replace(card, identifiers=sealed)], None)
    ledger.record("phone", phone.value, "marketing", "sms", True, source="fuar", recorded_by="x")
    page = admin.get(f"/people/{card.person_id}").text
    assert "fuar" in page
    assert "SMS" in page


def test_a_curve_is_what_was_valid_at_the_end_of_each_day() -> None:
    changes = [
        Change(1, "p", "c", 5),
        Change(95, "p", "c", -2),
        Change(100, "p", "c", 1),
        Change(9, "p", "x", 7),
    ]
    values = curve(changes, "p", "c", 100)
    assert len(values) == CURVE_DAYS
    assert (values[0], values[-7], values[-6], values[-1]) == (5, 5, 3, 4)


def choices(page: str) -> dict[str, bool]:
    boxes = re.findall(r'name="allow" value="([\w:]+)"( checked)?', page)
    return {name: bool(checked) for name, checked in boxes}


def test_a_person_sees_and_changes_their_choices_without_signing_in(
    visitor: Client, send: Send, ledger: ConsentLedger, someone: str
) -> None:
    ledger.record("email", someone, "marketing", "email", True, source="web", recorded_by="x")
    path = f"/consent/{ledger.link('email', someone, 7)}"
    page = visitor.get(path)
    assert page.status_code == 200
    assert "İletişim tercihleriniz" in page.text
    assert someone not in page.text
    assert "z•••@e•••.com" in page.text
    shown = choices(page.text)
    assert shown["marketing:email"]
    assert "marketing:sms" not in shown
    assert not shown["analytics:web"]
    saved = send(visitor, path, path, {"allow": ["analytics:web"]})
    assert (saved.status_code, saved.headers["location"]) == (303, f"{path}?saved=true")
    assert "Tercihleriniz kaydedildi" in visitor.get(saved.headers["location"]).text
    assert given(ledger, someone) == {"marketing:email": False, "analytics:web": True}
    last = ledger.entries([("email", someone)])[-1]
    assert last.recorded_by == "preferences"
    assert "Kampanya" in (ledger.store.consents.text(last.text_version) or "")
    send(visitor, path, path, {"allow": ["analytics:web"]})
    assert len(ledger.entries([("email", someone)])) == 3
    send(visitor, path, path, {"allow": ["analytics:web"], "all": "no"})
    assert given(ledger, someone) == {"marketing:email": False, "analytics:web": False}


def test_the_text_that_proves_a_choice_is_in_the_language_it_was_read_in(
    visitor: Client, send: Send, ledger: ConsentLedger, someone: str
) -> None:
    path = f"/consent/{ledger.link('email', someone, 7)}"
    visitor.headers["Accept-Language"] = "en"
    assert "Your preferences" in visitor.get(path).text
    send(visitor, path, path, {"allow": ["marketing:email"]})
    (entry,) = ledger.entries([("email", someone)])
    assert json.loads(entry.proof)["language"] == "en"
    assert "You allow us" in (ledger.store.consents.text(entry.text_version) or "")


def test_a_mail_program_ends_a_consent_by_one_post_and_a_scanner_by_none(
    visitor: Client, ledger: ConsentLedger, someone: str
) -> None:
    ledger.record("email", someone, "marketing", "email", True, source="web", recorded_by="x")
    path = f"/consent/{ledger.link('email', someone, 7, 'marketing', 'email')}/unsubscribe"
    assert "İletileri durdurmak" in visitor.get(path).text
    assert given(ledger, someone) == {"marketing:email": True}
    body = {"List-Unsubscribe": "One-Click"}
    foreign = {"Sec-Fetch-Site": "cross-site", "Accept": "*/*"}
    visitor.cookies.clear()
    assert visitor.post(path, data=body, headers=foreign).status_code == 200
    assert given(ledger, someone) == {"marketing:email": False}
    assert ledger.entries([("email", someone)])[-1].source == "one-click"


def test_a_link_without_a_purpose_ends_marketing_to_its_address(
    visitor: Client, ledger: ConsentLedger
) -> None:
    path = f"/consent/{ledger.link('phone', '+905321112233', 7)}/unsubscribe"
    assert visitor.post(path).status_code == 200
    entries = ledger.entries([("phone", "+905321112233")])
    assert {(e.purpose, e.channel) for e in entries} == {
        ("marketing", channel) for channel in ("sms", "call", "whatsapp")
    }


def test_a_worn_or_touched_link_opens_nothing(
    visitor: Client, send: Send, ledger: ConsentLedger, someone: str
) -> None:
    worn = f"/consent/{ledger.link('email', someone, -1)}"
    assert visitor.get(worn).status_code == 403
    assert "süresi doldu" in visitor.get(worn).text
    assert send(visitor, "/sign-in", worn, {"allow": "marketing:email"}).status_code == 403
    for path in ("/consent/AAAA", f"{worn}x", "/consent/AAAA/unsubscribe"):
        assert visitor.get(path).status_code == 404
    assert visitor.post(f"{worn}/unsubscribe").status_code == 403
    assert ledger.entries([("email", someone)]) == []


def test_only_the_page_itself_saves_choices(visitor: Client, ledger: ConsentLedger, someone: str) -> None:
    path = f"/consent/{ledger.link('email', someone, 7)}"
    visitor.get(path)
    assert visitor.post(path, data={"allow": "marketing:email"}).status_code == 403
    assert ledger.entries([("email", someone)]) == []
