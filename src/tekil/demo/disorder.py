"""What goes wrong on the way: messages sent twice, and messages that are not what they should be."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from tekil.demo.wire import Message, Sending, unique
from tekil.messages import MESSAGE_SIZE_MAX

DUPLICATES = 0.008
"""The share of messages that are sent again, word for word, a moment to three days later."""

MALFORMED = 0.003
"""For every message, how many broken ones come beside it. They are extra: nothing true is lost with them."""


def echoes(rng: Random, sending: Sending) -> list[Sending]:
    """Return what is sent because of a message besides itself: mostly nothing."""
    chance = rng.random()
    if chance < DUPLICATES:
        later = rng.choice((0.4, 3.0, 45.0, 3_600.0, 86_400.0, 259_200.0)) * (0.5 + rng.random())
        again = msgspec.structs.replace(sending, at=sending.at + later, nature="duplicate", fact=None)
        return [again]
    if chance < DUPLICATES + MALFORMED and sending.message["type"] != "record":
        broken = _spoil(rng, {**sending.message, "messageId": f"bad-{unique(rng)}"})
        return [msgspec.structs.replace(sending, message=broken, nature="malformed", fact=None)]
    return []


def _spoil(rng: Random, message: Message) -> Message:
    """Break a message in one of the ways that real senders do."""
    match rng.randrange(9):
        case 0:
            return _without(message, "userId", "anonymousId")
        case 1:
            return {**_without(message, "event", "name"), "type": "track"}
        case 2:
            return {
                **message,
                "timestamp": rng.choice(("dün akşam", "0000-00-00 00:00:00", "Invalid Date", "31.12.2025")),
            }
        case 3:
            return {**message, "type": rng.choice(("trak", "Track Event", "pageview"))}
        case 4:
            return _without(message, "type")
        case 5:
            return {**message, "type": "track", "event": {"name": message.get("event", "Product Viewed")}}
        case 6:
            return {**message, "properties": "[object Object]", "traits": "[object Object]"}
        case 7:
            return {**message, "type": 7}
        case _:
            return {**message, "properties": {"html": "<div>" * (MESSAGE_SIZE_MAX // 5 + 1)}}


def _without(message: Message, *names: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in names}
