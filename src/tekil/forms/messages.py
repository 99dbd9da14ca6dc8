"""From a lead to the messages that lie in the log."""

from __future__ import annotations

from typing import Any

import msgspec

from tekil.forms.intake import Submission
from tekil.messages import LEAD_SUBMITTED, Envelope, hashed_identifier, pack

LIBRARY = {"name": "tekil-forms", "version": "1"}

_encode = msgspec.json.Encoder(decimal_format="number").encode


def lead_id(source: str, message_id: str) -> str:
    """Return a lead's id: the key by which its message is known, in 16 hex digits.

    Whoever knows source and message id knows the lead, and the same message twice is one lead.
    """
    return f"{hashed_identifier(source, message_id):016x}"


def messages_of(lead: Submission, message_id: str) -> Envelope:
    """Return the body for the log: who it is, and that they asked to hear from the company.

    Somebody of whom nothing is known yet gets a device of their own, for this lead alone: their address
    joins it to whoever they are.
    """
    own: dict[str, Any] = {"anonymousId": lead.anonymous_id or message_id}
    if lead.user_id:
        own = {"userId": lead.user_id, **({"anonymousId": lead.anonymous_id} if lead.anonymous_id else {})}
    context: dict[str, Any] = {
        "library": LIBRARY,
        **({"page": lead.page} if lead.page else {}),
        **({"campaign": lead.campaign} if lead.campaign else {}),
        **({"locale": lead.language} if lead.language else {}),
    }
    who = {"type": "identify", "messageId": f"{message_id}-who", **own, "traits": lead.traits}
    contacts = {name: lead.traits[name] for name in ("email", "phone") if name in lead.traits}
    said = {
        "type": "track",
        "event": LEAD_SUBMITTED,
        "messageId": message_id,
        **own,
        "properties": properties_of(lead),
        "context": {**context, "traits": contacts},
    }
    return pack([_encode({**who, "context": context}), _encode(said)])


def properties_of(lead: Submission) -> dict[str, Any]:
    """Return what the event says of a lead: how it came, what it wants, which choices were made."""
    about = {
        "channel": lead.channel,
        "form": lead.form,
        "pipeline": lead.pipeline,
        "currency": lead.currency,
        "language": lead.language,
    }
    properties: dict[str, Any] = {name: text for name, text in about.items() if text} | lead.wishes
    if lead.value is not None:
        properties["value"] = lead.value
    if lead.consents:
        properties["consents"] = msgspec.to_builtins(lead.consents)
    return properties
