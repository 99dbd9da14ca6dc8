"""The e-mail tool: newsletters delivered, opened, clicked through to the shop, and unsubscribed from."""

from __future__ import annotations

from typing import Any

from tekil.demo.campaigns import mailed
from tekil.demo.life import Life
from tekil.demo.people import Person
from tekil.demo.rhythm import moment
from tekil.demo.shopping import come
from tekil.demo.truth import person_label
from tekil.demo.wire import Message, instant, server_context, unique

BOUNCES = 0.012
OPENS = 0.34
CLICKS = 0.09
"""Of the opened."""
UNSUBSCRIBES = 0.004
"""Of the opened."""


def deliver(life: Life, person: Person, mailing: str, at: float) -> None:
    """Send one newsletter to one person, and let them do with it what people do."""
    rng = life.rng
    if rng.random() < BOUNCES:
        _event(life, person, at, "Email Bounced", mailing, {"bounce_type": "soft"})
        return
    _event(life, person, at, "Email Delivered", mailing)
    if rng.random() > OPENS:
        return
    opened = at + rng.expovariate(1 / (5 * 3_600))
    _event(life, person, opened, "Email Opened", mailing)
    if rng.random() < CLICKS:
        origin = mailed(mailing)
        clicked = opened + rng.uniform(3, 90)
        _event(life, person, clicked, "Email Link Clicked", mailing, {"link_url": f"/?{origin.query}"})
        come(life, person, clicked + 1.5, origin, 1.3)
    elif rng.random() < UNSUBSCRIBES / (1 - CLICKS):
        life.opted_out.add(person.index)
        _event(life, person, opened + 40, "Unsubscribed", mailing)


def newsletter(life: Life, mailing: str, day_start: float) -> None:
    """Send a mailing to everybody who wants it, within the morning of a day."""
    for person in life.town.people:
        if life.subscribed(person):
            deliver(
                life,
                person,
                mailing,
                min(moment(life.rng, day_start), day_start + 10 * 3_600) + life.rng.random() * 600,
            )


def _event(
    life: Life, person: Person, at: float, event: str, mailing: str, more: dict[str, Any] | None = None
) -> None:
    number = life.numbers.get(person.index)
    owner = person_label(person.index)
    who = (
        {"userId": number}
        if number
        else {"anonymousId": life.witness.owns(owner, "anonymous_id", f"posta-{person.index:06d}")}
    )
    address = person.emails[person.numbers.index(number)] if number else person.emails[0]
    message: Message = {
        "type": "track",
        "event": event,
        "messageId": unique(life.rng),
        **who,
        "properties": {"campaign_id": mailing, "campaign_name": mailing, **(more or {})},
        "timestamp": instant(at),
        "context": server_context(
            "minderevi-posta", traits={"email": life.witness.owns(owner, "email", address)}
        ),
    }
    life.send("e-mail", at, message)
