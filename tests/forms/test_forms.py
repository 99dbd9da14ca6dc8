"""Forms and what is filled in: every flaw by the name of its field, and nothing but what was asked."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.definitions import InvalidDefinitions, check, parse
from tekil.errors import BadRequest
from tekil.forms import (
    FieldsInvalid,
    Form,
    FormSpec,
    Shown,
    Submission,
    flaws_in,
    lead_id,
    messages_of,
    read_answers,
    read_submission,
    render,
)
from tekil.forms.intake import MEMBERS, decode
from tekil.forms.page import page_headers
from tekil.kinds import KINDS
from tekil.messages import normalise

DOCUMENT = """\
kind: form
name: contact
title: {tr: Sizi arayalım, en: Let us call you}
spec:
  source: web
  pipeline: sales
  origins: [https://www.example.com]
  fields:
    - {name: first_name, required: true}
    - {name: email, type: email, title: {tr: E-posta, en: E-mail}}
    - {name: phone, type: phone}
    - name: product
      type: choice
      choices: {basic: {tr: Temel, en: Basic}, plus: {tr: Artı, en: Plus}}
    - {name: seats, type: number}
    - {name: rules, type: checkbox, required: true}
    - {name: message, type: long_text, most: 20}
  consents:
    - {purpose: marketing, channels: [email, sms], version: "2026-03", text: {tr: Arayın, en: Call me}}
"""


def form(document: str = DOCUMENT) -> Form:
    [written] = parse(document)
    check(KINDS, [written], [])
    found = written.definition
    return Form(found.name, found.title, msgspec.convert(found.spec, FormSpec))


FORMS = {"contact": form()}
GOOD: dict[str, Any] = {
    "form": "contact",
    "email": "Ada@Example.com",
    "first_name": "Ada",
    "fields": {"product": "plus", "rules": True, "seats": 3},
}


def said(**members: Any) -> Submission:
    return read_submission({**GOOD, **members}, FORMS, "en")


def wrong(said: dict[str, Any], language: str = "en") -> dict[str, str]:
    with pytest.raises(FieldsInvalid) as refused:
        read_submission(said, FORMS, language)
    return {flaw.field: flaw.code for flaw in refused.value.flaws}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: contact", "name: Contact us", "stands in its address"),
        ("type: email,", "type: text,", "email is of type email"),
        ("{name: phone, type: phone}", "{name: value}", "No field can be called 'value'"),
        ("{name: phone, type: phone}", "{name: seats}", "is asked for twice"),
        ("type: choice", "type: text", "belong to a field of type choice"),
        ("https://www.example.com", "example", "is no site"),
        ('"2026-03"', '""', "version of 1 to 64"),
        ("{tr: Arayın, en: Call me}", "{}", "Write what the person reads"),
        ("channels: [email, sms]", "channels: []", "for which channels"),
        ("spec:", "spec:\n  colour: red", "unknown field `colour`"),
    ],
)
def test_a_form_that_cannot_be_shown_is_refused_with_the_reason(old: str, new: str, told: str) -> None:
    with pytest.raises(InvalidDefinitions, match=told):
        form(DOCUMENT.replace(old, new))


def test_a_form_that_asks_for_no_contact_is_refused() -> None:
    with pytest.raises(InvalidDefinitions, match="asks for email or phone"):
        form("kind: form\nname: x\nspec:\n  fields:\n    - {name: message}\n")


def test_what_is_said_is_split_into_who_it_is_and_what_they_want() -> None:
    lead = said(value="1500.50", currency="TRY", page={"url": "https://shop.example/contact"})
    assert lead.traits == {"email": "Ada@Example.com", "first_name": "Ada"}
    assert lead.wishes == {"product": "plus", "rules": True, "seats": Decimal(3)}
    assert (lead.channel, lead.pipeline, lead.value) == ("form", "sales", Decimal("1500.50"))


def test_every_flaw_is_told_by_the_name_of_its_field() -> None:
    bad = {
        "form": "contact",
        "email": "nobody",
        "colour": "red",
        "value": "12.345",
        "currency": "lira",
        "consents": [{"purpose": "marketing"}],
        "page": {"colour": "red"},
        "user_id": " ",
        "fields": {"product": "gold", "seats": "many", "message": "x" * 21, "phone": 5, "none": 1},
    }
    assert wrong(bad) == {
        "colour": "unknown",
        "email": "not_email",
        "product": "not_a_choice",
        "seats": "not_a_number",
        "message": "too_long",
        "phone": "not_text",
        "none": "unknown",
        "first_name": "missing",
        "rules": "missing",
        "value": "not_money",
        "currency": "malformed",
        "user_id": "malformed",
        "consents": "consent_malformed",
        "page": "members",
    }
    assert wrong({"form": "nobodys"}) == {"form": "unknown_form", "email": "contact_missing"}
    assert wrong({"fields": {"channel": "call"}, "phone": "0532 123 45 67"}) == {"channel": "unknown"}
    assert wrong({**GOOD, "first_name": ""}) == {"first_name": "missing"}


def test_flaws_are_told_in_the_readers_language() -> None:
    with pytest.raises(FieldsInvalid) as refused:
        read_submission({"email": "x"}, {}, "tr")
    assert flaws_in(refused.value)["email"].startswith("Bu bir e-posta adresi değil")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*sorted(MEMBERS), "fields", "x", "message", "product"])


@given(st.dictionaries(NAMES, JSON, max_size=8), st.sampled_from(["tr", "en"]))
def test_whatever_is_said_is_a_lead_somebody_can_be_called_by_or_names_its_flaws(
    anything: dict[str, Any], language: str
) -> None:
    anything = decode(json.dumps(anything, allow_nan=False).encode()) if _is_json(anything) else {}
    lead, flaws = None, []
    try:
        lead = read_submission(anything, FORMS, language)
    except FieldsInvalid as error:
        flaws = error.flaws
    assert (lead is None) == bool(flaws)
    assert all(flaw.code and flaw.message for flaw in flaws)
    if lead is None:
        return
    contacts = {kind: lead.traits[kind] for kind in ("email", "phone") if kind in lead.traits}
    assert contacts
    assert all(normalise(kind, value) for kind, value in contacts.items())
    assert messages_of(lead, "lead-1").messages == 2


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False).encode()
    except ValueError:
        return False
    return True


def test_a_body_that_is_no_object_is_told_so_and_numbers_stay_exact() -> None:
    for body in (b"[]", b"{", b"\xff", b"[" * 5000):
        with pytest.raises(BadRequest):
            decode(body)
    assert decode(b'{"value": 0.10}') == {"value": Decimal("0.10")}


def test_a_lead_is_two_messages_of_one_person_known_by_source_and_message_id() -> None:
    lead = said(consents=[{"purpose": "marketing", "given": True, "version": "7", "channels": ["email"]}])
    who, asked = json.loads(messages_of(lead, "lead-5").body)["batch"]
    assert (who["type"], asked["type"], asked["event"]) == ("identify", "track", "Lead Submitted")
    assert who["anonymousId"] == asked["anonymousId"] == "lead-5"
    assert asked["context"]["traits"] == {"email": "Ada@Example.com"}
    assert asked["properties"]["consents"][0]["version"] == "7"
    assert "first_name" not in asked["properties"]
    assert lead_id("web", "lead-5") == lead_id("web", "lead-5") != lead_id("app", "lead-5")
    known = json.loads(messages_of(said(user_id="u-1", anonymous_id="a-1"), "lead-6").body)["batch"][1]
    assert (known["userId"], known["anonymousId"]) == ("u-1", "a-1")


def test_what_the_page_sends_is_read_as_the_form_asks_it() -> None:
    typed = {
        "first_name": " Ada ",
        "phone": "0532 123 45 67",
        "seats": "2,5",
        "rules": "yes",
        "consent_0": "yes",
        "page_url": "https://www.example.com/offer",
        "utm_source": "google",
        "anonymous_id": "a-1",
        "unasked": "x",
    }
    lead = read_answers(FORMS["contact"], typed, "tr")
    assert lead.wishes == {"seats": Decimal("2.5"), "rules": True}
    assert lead.consents[0].given
    assert (lead.page, lead.campaign) == ({"url": "https://www.example.com/offer"}, {"source": "google"})
    assert lead.anonymous_id == "a-1"
    with pytest.raises(FieldsInvalid) as refused:
        read_answers(FORMS["contact"], {"phone": "5"}, "tr")
    assert flaws_in(refused.value).keys() == {"first_name", "phone", "rules"}


def test_the_page_shows_what_was_typed_as_text_and_runs_nothing() -> None:
    typed = {"message": "<script>alert(1)</script>", "product": "plus"}
    page = render(FORMS["contact"], Shown("tr", typed, {"message": "Olmaz"}, {"page_url": '"><b>'})).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert 'aria-describedby="message-wrong"' in page
    assert '<option value="plus" selected>Artı</option>' in page
    headers = dict(page_headers(FORMS["contact"]))
    assert "frame-ancestors https://www.example.com" in headers["content-security-policy"]
    assert "Let us call you" in render(FORMS["contact"], Shown("en", is_sent=True)).decode()
