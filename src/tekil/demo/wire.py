"""The wire format: how a message looks, and what surrounds it on its way to the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any, Literal

import msgspec

Message = dict[str, Any]
Nature = Literal["message", "duplicate", "malformed"]


class Purchase(msgspec.Struct, frozen=True):
    """A purchase as it truly was. `total` is TRY, a decimal string. `person` is -1 for somebody unknown."""

    person: int
    order_id: str
    at: datetime
    channel: str
    total: str


class Touch(msgspec.Struct, frozen=True):
    """The start of a visit as it truly was: who came, when, and how."""

    person: int
    at: datetime
    channel: str
    campaign: str | None


class Sending(msgspec.Struct, frozen=True):
    """One message on its way. `at` is when it leaves for the door and `happened` when it came about, both in
    seconds since 1970 UTC; `skew` is how far the sender's clock is ahead. `fact`, `nature` are not sent."""

    at: float
    source: str
    message: Message
    happened: float
    skew: float = 0.0
    nature: Nature = "message"
    fact: Purchase | Touch | None = None


def utc(at: float) -> datetime:
    """Return seconds since 1970 as an instant in UTC, to the millisecond."""
    return datetime.fromtimestamp(round(at, 3), UTC)


def instant(at: float) -> str:
    """Return seconds since 1970 as the wire writes an instant: ISO 8601 in UTC with milliseconds."""
    minutes, milliseconds = divmod(int(at * 1000), 60_000)
    return f"{_minute(minutes)}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}Z"


@lru_cache(4096)
def _minute(minutes: int) -> str:
    """The calendar is slow and every message asks it, mostly about a minute it was just asked about."""
    return datetime.fromtimestamp(minutes * 60, UTC).strftime("%Y-%m-%dT%H:%M")


def unique(rng: Random) -> str:
    """Draw an identifier in the shape of a random UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def lira(amount: float) -> str:
    """Return an amount of money as a decimal string in TRY."""
    return f"{amount:.2f}"


def record(message_id: str, at: float, entity: str, key: dict[str, str], fields: dict[str, Any]) -> Message:
    """Return an upsert of something that is no person's event: spend, products, orders."""
    return {
        "type": "record",
        "object": entity,
        "key": key,
        "fields": fields,
        "timestamp": instant(at),
        "messageId": message_id,
    }


def server_context(library: str, **more: Any) -> dict[str, Any]:
    """Return the context a server-side SDK sends: its library, and what the caller adds."""
    return {"library": {"name": library, "version": "2.3.4"}, **more}


def named_in(message: Message) -> Iterator[tuple[str, str]]:
    """Yield every identifier that a message names, as kind and value."""
    for name, kind in (("userId", "user_id"), ("anonymousId", "anonymous_id")):
        if name in message:
            yield kind, message[name]
    for traits in (message.get("traits", {}), message.get("context", {}).get("traits", {})):
        for kind in ("email", "phone"):
            if kind in traits:
                yield kind, traits[kind]
