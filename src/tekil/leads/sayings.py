"""What salespeople did with a lead, said through the log like everything else that happens to a person.

So a first contact, a sale and what a lead was worth stand in the person's history, and whatever counts events
(conversions, features, attribution) counts them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from tekil.leads.life import Outcome
from tekil.log import Entry
from tekil.messages import pack_one
from tekil.store.leads import Lead, LeadEntry, LeadNotice

SOURCE = "tekil-leads"
"""The source by which what Tekil says of leads is told from all others."""

SAID = "log.said"
"""What a notice is called that is owed to the log, and not to the webhook."""

EVENTS = {
    "contacted": "Lead Contacted",
    "won": "Lead Won",
    "lost": "Lead Lost",
    "judged": "Lead Rated",
}
"""What is put on record → the event that says so."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def sayings(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what is to be said of an outcome: notices that are owed to the log."""
    return [
        (SAID, _encode(_message(outcome.lead, told)).decode())
        for told in outcome.entries
        if told.act in EVENTS and told.told().get("first", True)
    ]


def entry_of(notice: LeadNotice, now: int) -> Entry:
    """Return the body for the log. The notice's own id is the message's, so that saying it twice is inert."""
    message = {**msgspec.json.decode(notice.body, type=dict[str, msgspec.Raw]), "messageId": notice.id}
    packed = pack_one(_encode(message))
    return Entry(SOURCE, "batch", now, packed.messages, packed.body)


def _message(lead: Lead, told: LeadEntry) -> dict[str, Any]:
    about = {
        "lead": lead.id,
        "pipeline": lead.pipeline,
        "stage": lead.stage,
        "channel": lead.channel,
        "form": lead.form,
        "lead_source": lead.source,
        "currency": lead.currency if lead.value is not None else "",
        "quality": lead.quality,
        "reason": lead.lost_reason,
    }
    properties: dict[str, Any] = {name: text for name, text in about.items() if text}
    if lead.value is not None:
        properties["value"] = Decimal(lead.value) / 100
    own = {"userId": lead.user_id, "anonymousId": lead.anonymous_id}
    return {
        "type": "track",
        "event": EVENTS[told.act],
        **{name: value for name, value in own.items() if value},
        "timestamp": datetime.fromtimestamp(told.at / 1e6, UTC).isoformat(),
        "properties": properties,
    }
