"""A person's messages among those that were put aside: each is sealed whole, so each is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tekil.engine import Engine
from tekil.erasure.person import Person
from tekil.load import QUARANTINE, REPETITIONS, seal_json, sealed_identifier
from tekil.messages import hashed_identifier
from tekil.privacy.find import Kind
from tekil.privacy.tombstones import Identifier

Place = tuple[int, int]

OF_MESSAGE = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "user_id"}


@dataclass(frozen=True, slots=True)
class Held:
    """A row of the quarantine that is the person's; `said_before` are other places of the same message."""

    position: int
    number: int
    source: str
    messages: int
    said_before: tuple[Place, ...]


def held_of(engine: Engine, person: Person) -> tuple[Held, ...]:
    """Return the rows of the quarantine that are known to be the person's."""
    rows = engine.warehouse.query(
        f"SELECT position, number, source, messages, body FROM {QUARANTINE.name}"
    ).to_pylist()
    wanted = set(person.identifiers)
    found = []
    for row in rows:
        text = engine.vault.open_body(row["body"])
        if wanted.intersection(_named(engine, text)):
            before = _said_before(engine, row["source"], text, (row["position"], row["number"]))
            found.append(Held(row["position"], row["number"], row["source"], row["messages"], before))
    return tuple(found)


def _named(engine: Engine, text: str) -> Iterator[Identifier]:
    """Yield the identifiers that a message names, in whatever state it is."""
    message = _object(text)
    for member, kind in OF_MESSAGE.items():
        value = message.get(member)
        if isinstance(value, str | int) and not isinstance(value, bool):
            for read_as in {kind, "anonymous_id" if member == "previousId" else kind}:
                sealed = sealed_identifier(read_as, str(value), engine.vault)
                if sealed is not None:
                    yield read_as, sealed
    tokens: list[Identifier] = []

    def token(kind: Kind, value: str) -> str:
        made = engine.vault.token(kind, value)
        tokens.append((kind, made))
        return made

    seal_json(text, token)
    yield from tokens


def _said_before(engine: Engine, source: str, text: str, place: Place) -> tuple[Place, ...]:
    """Return the other places of a message that was replayed and put aside again."""
    message_id = str(_object(text).get("messageId") or "").strip(" ") or f"tekil-{place[0]}-{place[1]}"
    key = hashed_identifier(source, message_id)
    rows = engine.warehouse.query(
        f"SELECT position, number FROM {REPETITIONS.name} WHERE message_key = {key}"
    ).to_pylist()
    return tuple((row["position"], row["number"]) for row in rows)


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}
