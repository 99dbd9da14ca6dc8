"""Leads at a real door: on disk before they are answered, refused by the field, counted, and never twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tekil.collect.addresses import Addresses
from tekil.definitions import apply, parse
from tekil.forms import lead_id
from tekil.kinds import KINDS
from tests.collect.running import Answer, Collector, running
from tests.forms.test_forms import DOCUMENT
from tests.running_tekil import eventually

LEAD = {"email": "ada@example.com", "first_name": "Ada", "fields": {"product": "plus", "city": "İzmir"}}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A door of its own: what one address may send a minute is counted there."""
    with running(tmp_path_factory.mktemp("leads")) as started:
        apply(started.store, KINDS, parse(DOCUMENT), author="test")
        yield started


def told(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


def test_a_lead_is_on_disk_when_it_is_answered_and_its_id_is_that_of_its_message(door: Collector) -> None:
    after = door.log.head()
    answer = door.post("/v1/leads", LEAD)
    assert answer.status == 201
    who, asked = door.messages(after)
    assert who["traits"] == {"email": "ada@example.com", "first_name": "Ada"}
    assert asked["properties"] == {"channel": "api", "product": "plus", "city": "İzmir"}
    assert told(answer) == {"lead": lead_id("web", asked["messageId"]), "source": "web"}
    assert answer.headers["location"] == f"/v1/leads/{told(answer)['lead']}"


def test_the_same_key_is_the_same_lead_and_the_loader_sees_one_message(door: Collector) -> None:
    after = door.log.head()
    first, again, other = (
        told(door.post("/v1/leads", LEAD, Idempotency_Key=key))["lead"] for key in ("k-1", "k-1", "k-2")
    )
    assert first == again != other
    assert len({m["messageId"] for m in door.messages(after)}) == 4
    assert door.post("/v1/leads", LEAD, Idempotency_Key="x" * 300).code == "idempotency_key_invalid"


def test_flaws_come_back_by_field_as_a_problem_document_that_a_page_may_read(door: Collector) -> None:
    answer = door.post(
        "/v1/leads", {"email": "ada", "colour": "red"}, Origin="https://www.example.com", Accept_Language="tr"
    )
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
    problem = told(answer)
    assert problem["type"] == "urn:tekil:problem:fields_invalid"
    assert {e["field"]: e["code"] for e in problem["errors"]} == {"colour": "unknown", "email": "not_email"}
    assert "e-posta adresi değil" in str(problem["errors"])


def test_a_program_that_fills_in_the_hidden_field_is_thanked_and_not_kept(door: Collector) -> None:
    after = door.log.head()
    assert door.post("/v1/leads", {**LEAD, "homepage": "https://spam.example"}).status == 201
    assert door.messages(after) == []


def test_who_may_send_is_as_for_tracking(door: Collector) -> None:
    assert door.post("/v1/leads", LEAD, key=None).code == "write_key_missing"
    wrong = door.post("/v1/leads", LEAD, key="wrong")
    assert (wrong.status, wrong.code) == (401, "write_key_unknown")
    assert door.post("/v1/leads", {**LEAD, "write_key": door.key}, key=None).status == 201
    assert door.ask("GET", "/v1/leads").code == "method_refused"
    assert door.post("/v1/leads", b"[]").code == "json_invalid"
    assert door.post("/v1/leads", b" " * 40_000).code == "lead_too_large"
    asked = door.ask("OPTIONS", "/v1/leads", Origin="https://a.example", **_preflight("idempotency-key"))
    assert asked.headers["access-control-allow-headers"] == "idempotency-key"


def _preflight(header: str) -> dict[str, str]:
    return {"Access_Control_Request_Headers": header, "Access_Control_Request_Method": "POST"}


def test_the_hosted_form_takes_a_lead_without_a_script(door: Collector) -> None:
    page = door.ask(
        "GET", "/f/contact?lang=tr&utm_source=google&anonymous_id=a-7", Referer="https://www.example.com/"
    )
    assert page.status == 200
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body.decode()))
    assert hidden.keys() == {"submission", "page_url", "utm_source", "anonymous_id"}
    after = door.log.head()
    refused = fill(door, {**hidden, "phone": "12"})
    assert refused.status == 422
    assert 'value="12"' in refused.body.decode()
    assert hidden["submission"] in refused.body.decode()
    sent = {**hidden, "first_name": "Ada", "phone": "0532 123 45 67", "rules": "yes", "consent_0": "yes"}
    for _ in range(2):
        thanked = fill(door, sent)
        assert (thanked.status, "Teşekkürler" in thanked.body.decode()) == (200, True)
    messages = door.messages(after)
    assert len({message["messageId"] for message in messages}) == 2
    assert messages[1]["anonymousId"] == "a-7"
    assert messages[1]["context"]["campaign"] == {"source": "google"}
    assert messages[1]["properties"]["consents"][0]["given"] is True
    assert fill(door, {**sent, "homepage": "x"}).status == 200
    assert len(door.messages(after)) == 4
    assert door.ask("GET", "/f/nobodys").code == "form_unknown"


def test_a_form_needs_no_write_key_and_goes_when_its_source_is_disabled(door: Collector) -> None:
    kiosk = DOCUMENT.replace("contact", "kiosk").replace("source: web", "source: kiosk")
    apply(door.store, KINDS, parse(kiosk), author="test")
    typed = {"first_name": "Ece", "phone": "0532 123 45 67", "rules": "yes"}

    def status() -> int:
        return fill(door, typed, "kiosk").status

    assert eventually(lambda: status() == 200)
    assert door.bodies()[-1]["source"] == "kiosk"
    key = door.store.keys.create_write_key("kiosk").key
    door.store.keys.set_source_enabled("kiosk", False)
    assert eventually(lambda: door.ask("GET", "/sourceConfig", key=key).status == 403)
    assert status() == 403


def fill(door: Collector, fields: dict[str, str], form: str = "contact") -> Answer:
    body = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in fields.items()).encode()
    kind = "application/x-www-form-urlencoded"
    return door.ask("POST", f"/f/{form}?lang=tr", body, key=None, Content_Type=kind)


def test_one_address_may_send_only_so_many_a_minute(door: Collector) -> None:
    # Last in this module: it uses up what the address has.
    answers = [door.post("/v1/leads", LEAD) for _ in range(31)]
    busy = [answer for answer in answers if answer.status == 429]
    assert busy
    assert told(busy[0])["code"] == "too_many_requests"
    assert int(busy[0].headers["retry-after"]) >= 1
    assert {answer.status for answer in answers} <= {201, 429}


def test_a_visitor_behind_a_proxy_of_ours_is_known_by_what_it_says() -> None:
    class Asked:
        client = "127.0.0.1:5000"
        headers: dict[str, str]

    asked: Any = Asked()
    asked.headers = {"x-forwarded-for": "6.6.6.6, 203.0.113.9"}
    assert Addresses(("127.0.0.1",)).of(asked) == "203.0.113.9"
    assert Addresses(("127.0.0.1", "203.0.113.9")).of(asked) == "6.6.6.6"
    assert Addresses().of(asked) == "127.0.0.1"
