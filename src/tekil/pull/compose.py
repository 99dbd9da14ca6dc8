"""A row and a mapping make a message: the same bytes every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tekil.messages import LEAD_SUBMITTED, normalise
from tekil.pull.mapping import Mapping, Plan
from tekil.pull.rows import Row
from tekil.pull.values import as_key, as_text, as_value, instant, opened

TEXT_TRAITS = frozenset({"email", "phone", "first_name", "last_name", "name", "postal_code"})
"""What is never a number, however many digits it has."""

PARTS = {"identify": "traits", "track": "properties", "record": "fields", "lead": "properties"}

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to send, the number of its row, and what is wrong with it (nothing, mostly).

    A lead's row makes two messages: `body` holds both, as they stand in a batch.
    """

    row: int
    body: bytes
    problems: tuple[str, ...]
    messages: int = 1


def to_messages(rows: Iterable[Row], mapping: Mapping, file_digest: str) -> Iterator[bytes]:
    """Yield one message a row, as JSON; of a lead its two, with a comma between.

    The same file, mapping and row give the same message and id.
    """
    for row in rows:
        yield compose(row, mapping, file_digest).body


def compose(row: Row, mapping: Mapping, file_digest: str) -> Composed:
    """Return the message that a row makes.

    A row with a problem makes a message too, one that the loader will quarantine: with the cells as they were
    written, and without the part that could not be understood.
    """
    message: dict[str, Any] = {
        "type": "track" if mapping.kind == "lead" else mapping.kind,
        "messageId": f"import-{fingerprint(mapping, file_digest)}-{row.number}",
    }
    context: dict[str, Any] = {
        "library": {"name": "tekil-import"},
        "import": {"file": file_digest[:16], "row": row.number},
    }
    if row.problem is not None:
        message |= {"raw": row.raw, "context": context}
        return Composed(row.number, _encoder.encode(message), (row.problem,))
    plan = mapping.plan(row.columns)
    problems = _top(message, row, plan, mapping)
    zone = ZoneInfo(mapping.timezone)

    def bag(pairs: Iterable[tuple[str, str]], *, of_a_person: bool) -> dict[str, Any]:
        return {
            name: as_text(value)
            if of_a_person and name in TEXT_TRAITS and _is_scalar(value)
            else as_value(value, untyped=row.untyped, sign=mapping.decimal, zone=zone)
            for column, name in pairs
            if (value := row.cells.get(column)) is not None
        }

    rest = bag(plan.rest, of_a_person=mapping.kind == "identify")
    traits = bag(plan.traits, of_a_person=True)
    if mapping.kind == "record":
        problems += _record(message, rest, row, plan, mapping)
    else:
        if mapping.kind == "identify" and mapping.name:
            rest[f"list_{mapping.name.removeprefix('-')}"] = not mapping.name.startswith("-")
        problems += _person(message, rest if mapping.kind == "identify" else traits, file_digest)
        if traits:
            context["traits"] = traits
    message |= {PARTS[mapping.kind]: rest, "context": context}
    if mapping.kind == "lead":
        return _lead(message, traits, tuple(problems), row.number)
    return Composed(row.number, _encoder.encode(message), tuple(problems))


@lru_cache(maxsize=16)
def fingerprint(mapping: Mapping, file_digest: str) -> str:
    """Return 24 hex digits that stand for this file sent under this mapping."""
    said = file_digest.encode() + msgspec.json.encode(mapping)
    return hashlib.blake2b(said, digest_size=12).hexdigest()


def _lead(message: dict[str, Any], traits: dict[str, Any], problems: tuple[str, ...], row: int) -> Composed:
    """Return a lead's two messages: who it is, and that they asked to hear from the company."""
    wishes = {"channel": "file", **message["properties"]}
    contacts = {name: traits[name] for name in ("email", "phone") if name in traits}
    context = {**message["context"], "traits": contacts}
    asked = message | {"event": LEAD_SUBMITTED, "properties": wishes, "context": context}
    who = {name: value for name, value in message.items() if name not in ("properties", "event", "context")}
    who |= {"type": "identify", "messageId": f"{message['messageId']}-who", "traits": traits}
    return Composed(row, b",".join((_encoder.encode(who), _encoder.encode(asked))), problems, 2)


def _top(message: dict[str, Any], row: Row, plan: Plan, mapping: Mapping) -> list[str]:
    """Fill the message's own fields; return what could not be understood."""
    problems = []
    for name, column in plan.top.items():
        value = opened(row.cells.get(column))
        if value is None or value == "":
            continue
        if isinstance(value, dict | list | bool):
            message[name] = value
            problems.append(f"column {column!r}: {name} is no text or number")
        elif name == "timestamp":
            message[name] = as_text(value)
            try:
                message[name] = instant(value, ZoneInfo(mapping.timezone), mapping.dates)
            except ValueError as error:
                problems.append(f"column {column!r}: {error}")
        elif text := as_text(value):
            message[name] = text
    if mapping.kind == "track" and "event" not in message:
        if mapping.name:
            message["event"] = mapping.name
        else:
            problems.append("has no event; say --as 'track:EVENT NAME' or map a column to event")
    return problems


def _person(message: dict[str, Any], traits: dict[str, Any], file_digest: str) -> list[str]:
    """Make sure the message says whose it is; return the complaint where it cannot."""
    if "userId" in message or "anonymousId" in message:
        return []
    known = [
        f"{kind}:{found}"
        for kind in ("email", "phone")
        if isinstance(said := traits.get(kind), str) and (found := normalise(kind, said))
    ]
    if not known:
        return ["names nobody: no user id, anonymous id, e-mail or phone; map a column to one of them"]
    # The wire wants an id, and an e-mail must not become one in the clear. Keyed by the file, so that
    # who sees the id cannot try e-mails against it, and so that a person's rows in one file share it.
    key = bytes.fromhex(file_digest)[:32] if _is_hex(file_digest) else file_digest.encode()[:64]
    message["anonymousId"] = (
        "import-" + hashlib.blake2b(known[0].encode(), key=key, digest_size=12).hexdigest()
    )
    return []


def _record(
    message: dict[str, Any], rest: dict[str, Any], row: Row, plan: Plan, mapping: Mapping
) -> list[str]:
    """Fill a record's object and key; a key with a hole would name another thing, so it is not sent."""
    message["object"] = mapping.name
    key = {name: as_key(cell) for column, name in plan.key if _is_scalar(cell := row.cells.get(column))}
    if plan.key and len(key) == len(plan.key) and all(key.values()):
        message["key"] = key
        return []
    rest.update({name: value for name, value in key.items() if name not in rest})
    empty = ", ".join(repr(column) for column, name in plan.key if not key.get(name))
    return [f"has no key: {empty or 'its columns'} is empty"]


def _is_scalar(cell: Any) -> bool:
    """Return whether a cell holds one text, number or date: what can name somebody or something."""
    value = opened(cell)
    return value is not None and not isinstance(value, dict | list | bool)


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and all(character in "0123456789abcdef" for character in text) and text != ""
