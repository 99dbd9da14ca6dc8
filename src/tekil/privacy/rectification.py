"""Putting right what is known of a person (KVKK article 11, GDPR articles 16 and 21): said, never edited.

A correction is a message like everyone else's, an identify from a source of its own, sent through the log. It
outranks what others say, is replayed with them, and stays when the profile is made anew.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tekil.errors import BadRequest
from tekil.log import Entry, Log
from tekil.messages import pack
from tekil.store import Card
from tekil.store.clock import now_us

SOURCE = "tekil-rectification"
"""Nobody can make a write key of it: names that begin with `tekil-` are Tekil's own."""

OBJECTION = "profiling_objection"
"""The trait of somebody who objects to profiling: audiences and scores leave out whoever has it."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,63}")
VALUE_LENGTH_MAX = 1_000
KINDS = {"user_id": "userId", "anonymous_id": "anonymousId"}
"""Identifiers that a message can be about, the surest first, with their member."""


class Rectification:
    """Says what is right about a person. Safe for many threads."""

    def __init__(self, log: Log, clock: Callable[[], int] = now_us) -> None:
        """Take the log, and what says which instant it is (microseconds)."""
        self._log, self._clock = log, clock

    def correct(self, card: Card, name: str, text: str) -> None:
        """Say that a person's trait is something else; an empty text says that it is nothing.

        A text that is JSON (`5`, `true`, `"5"`) is that value. Raises `BadRequest` for a name or a text that
        cannot be one, or where the person has no identifier to be named by.
        """
        if not NAME.fullmatch(name):
            raise BadRequest(
                f"{name!r} is no trait's name: write letters, digits, - and _.", code="trait_invalid"
            )
        if len(text) > VALUE_LENGTH_MAX or "\0" in text:
            raise BadRequest(
                f"A value has up to {VALUE_LENGTH_MAX} printable characters.", code="trait_invalid"
            )
        self.say(card, {name: _value(text)})

    def say(self, card: Card, traits: dict[str, Any]) -> None:
        """Say traits of a person, by a card with tokens on it."""
        by_kind = {i.kind: i.value for i in card.identifiers}
        kind = next((kind for kind in KINDS if kind in by_kind), None)
        if kind is None:
            raise BadRequest("The person has no id that a message can name.", code="person_unnamed")
        now = self._clock()
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
        message = {
            "type": "identify",
            "messageId": f"rectification-{secrets.token_hex(8)}",
            KINDS[kind]: by_kind[kind],
            "traits": traits,
            "timestamp": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        packed = pack([msgspec.json.encode(message)])
        self._log.append([Entry(SOURCE, "batch", now, packed.messages, packed.body)])


def _value(text: str) -> Any:
    if not text:
        # A null says nothing at all, so what is taken away is said to be empty.
        return ""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, str | bool | int | float) else text
