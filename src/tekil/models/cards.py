"""From a person's rows to the card that is published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from tekil.identity import person_id
from tekil.store import Card, Identifier

CARD_QUERY = """
SELECT a.*, t.traits, t.trait_sources, u.browser, u.os, u.device, u.is_bot
FROM activity a
LEFT JOIN attributes t ON t.person_key = a.person_key
LEFT JOIN user_agents u ON u.user_agent = a.user_agent
ORDER BY a.person_key
"""
"""Everything on a card but its identifiers."""

IDENTIFIERS_QUERY = "SELECT person_key, kind, value, identifier_key FROM identity"

CARD_TABLES = ("activity", "attributes", "identity")
"""What the two queries read of persons; bind these to ask for some persons only."""

_encoder = msgspec.json.Encoder()


class _TraitSource(msgspec.Struct):
    source: str
    at: int


_trait_sources = msgspec.json.Decoder(dict[str, _TraitSource])


def build_cards(rows: pa.Table, identifiers: pa.Table) -> Iterator[Card]:
    """Yield a card for each row of `CARD_QUERY`.

    `identifiers` has `person_key`, `kind`, `value`, `identifier_key`. A card's body is JSON; its instants are
    ISO 8601 in UTC.
    """
    owned: dict[int, list[Identifier]] = {}
    columns = (identifiers[name].to_pylist() for name in ("person_key", "kind", "value", "identifier_key"))
    for person_key, kind, value, identifier_key in zip(*columns, strict=True):
        owned.setdefault(person_key, []).append(Identifier(kind, value, person_id(identifier_key)))
    for row in rows.to_pylist():
        last_seen: datetime = row["last_seen"]
        yield Card(
            person_id=person_id(row["person_key"]),
            body=_encoder.encode(_body(row)).decode(),
            last_seen=_microseconds(last_seen),
            identifiers=tuple(sorted(owned.get(row["person_key"], []), key=lambda i: (i.kind, i.value))),
        )


def _body(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "person_id": person_id(row["person_key"]),
        "first_seen": _iso(row["first_seen"]),
        "last_seen": _iso(row["last_seen"]),
        "events": row["events"],
        "pages": row["pages"],
        "events_7d": row["events_7d"],
        "events_30d": row["events_30d"],
        "sources": row["sources"],
        "traits": msgspec.Raw(row["traits"].encode()) if row["traits"] else {},
        "trait_sources": {
            name: {"source": told.source, "at": _iso_us(told.at)}
            for name, told in _trait_sources.decode(row["trait_sources"] or b"{}").items()
        },
        "last_page": _timed(row["last_page"]),
        "first_touch": _timed(row["first_touch"]),
        "last_touch": _timed(row["last_touch"]),
        "locale": row["locale"],
        "browser": row["browser"],
        "os": row["os"],
        "device": row["device"],
        "is_bot": bool(row["is_bot"]),
    }


def _timed(struct: dict[str, Any] | None) -> dict[str, Any] | None:
    if struct is None:
        return None
    names = {"seen_at": "at", "referrer_host": "referrer"}
    told = {names.get(name, name): value for name, value in struct.items()}
    return {**told, "at": _iso(struct["seen_at"])}


_EPOCH = datetime(1970, 1, 1)


def _microseconds(instant: datetime) -> int:
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds") + "Z"


def _iso_us(microseconds: int) -> str:
    return _iso(_EPOCH + timedelta(microseconds=microseconds))
