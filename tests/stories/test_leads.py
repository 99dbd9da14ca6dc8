"""From a form half done to a customer: in a running Tekil in seconds, and over hours in simulated time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tekil.leads.life import Accept, Contacted, Won
from tests.leads.desk import CHIEF, SalesDesk
from tests.running_tekil import Running, eventually

FORM = """\
kind: form
name: story
title: {tr: Sizi arayalım, en: Let us call you}
spec:
  source: web
  fields:
    - {name: name, required: true}
    - {name: email, type: email, required: true}
    - {name: city}
  consents:
    - {purpose: marketing, channels: [email], version: "7", text: {en: You may write to me.}}
---
kind: routing
name: story_desk
spec:
  agents: [{name: ada}]
  first_contact: 1 hour
  hours: {days: {mon: 24h, tue: 24h, wed: 24h, thu: 24h, fri: 24h, sat: 24h, sun: 24h}, holidays: ""}
"""


def listed(up: Running, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = up.get(f"/v1/leads?{query}").raise_for_status().json()["leads"]
    return found


def test_who_sends_a_form_is_somebodys_lead_within_seconds_and_known_with_their_past(up: Running) -> None:
    applied = up.reader.post(f"{up.console}/v1/definitions/apply", json={"text": FORM})
    assert applied.status_code == 200, applied.text
    # Somebody begins, gives up, and comes back another day.
    up.send("track", anonymousId="visitor-1", event="Form Started", properties={"form": "story"})
    up.send("track", anonymousId="visitor-1", event="Form Abandoned", properties={"form": "story"})
    page = eventually(lambda: _page(f"{up.door}/f/story?lang=en&anonymous_id=visitor-1&utm_source=google"))
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    typed = {"name": "Ece Deniz", "email": "ece.story@example.com", "city": "İzmir", "consent_0": "yes"}
    sent = httpx.post(f"{up.door}/f/story?lang=en", data={**hidden, **typed})
    assert "Thank you" in sent.text
    lead = eventually(lambda: next(iter(listed(up, "owner=ada")), None), 5.0)
    assert (lead["state"], lead["channel"], lead["called"]) == ("assigned", "form", "e•••@e•••.com")
    # It is one person, with the form half done in their past, and their word in the consent ledger.
    who = "email:ece.story@example.com"
    events = up.get(f"/v1/profiles/{who}/events").json()["events"]
    assert {"Form Abandoned", "Lead Submitted"} <= {event["event"] for event in events}
    may = up.get(f"/v1/consents/{who}/permission?purpose=marketing&channel=email").json()
    assert may["allowed"] is True
    for act in ({"act": "contacted"}, {"act": "won", "value": "1500.50"}):
        up.reader.post(f"{up.console}/v1/leads/{lead['id']}/acts", json=act).raise_for_status()
    assert [one["value"] for one in listed(up, "status=won&owner=ada")] == [150050]


def _page(address: str) -> str:
    answer = httpx.get(address)
    return answer.text if answer.status_code == 200 else ""


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = SalesDesk(tmp_path)
    yield made
    made.close()


def test_a_lead_that_nobody_calls_goes_to_somebody_else_who_wins_it(desk: SalesDesk) -> None:
    about = {"type": "track", "anonymousId": "visitor-2", "properties": {"form": "contact"}}
    desk.shop.say({**about, "event": "Form Started"}, {**about, "event": "Form Abandoned"})
    desk.shop.run()
    desk.later(hours=1)
    lead = desk.comes("returns@example.com", anonymous_id="visitor-2", form="contact")
    first = desk.lead(lead)
    assert first.assigned_at == first.received_at
    desk.does(first.owner, lead, Accept())
    desk.later(hours=1)
    late = desk.lead(lead)
    assert (late.breaches, late.owner != first.owner) == (1, True)
    desk.does(late.owner, lead, Accept())
    desk.later(minutes=20)
    desk.does(late.owner, lead, Contacted())
    desk.does(late.owner, lead, Won("49900"))
    told = desk.desk.one(lead, CHIEF)
    assert told.first_contact == 80 * 60
    assert [e.act for e in told.entries] == [
        "received", "assigned", "accepted", "breached", "assigned", "accepted", "contacted", "won",
    ]  # fmt: skip
    assert desk.notices() == ["lead.assigned", "lead.breached", "lead.assigned", "lead.won"]
    # What was done about it is in the person's history, where conversions are counted.
    desk.look()
    desk.shop.run()
    timeline = [e.event for e in desk.shop.reads.timeline(told.shown.person_id).events if e.event]
    assert set(timeline) == {
        "Form Started", "Form Abandoned", "Lead Submitted", "Lead Contacted", "Lead Won",
    }  # fmt: skip
