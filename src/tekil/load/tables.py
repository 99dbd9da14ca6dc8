"""What loading fills."""

from __future__ import annotations

from tekil.dictionary import VIOLATIONS
from tekil.warehouse import Column, Table
from tekil.warehouse.protocol import ColumnType


def _table(name: str, key: str, columns: dict[str, ColumnType]) -> Table:
    return Table(name, tuple(Column(n, t) for n, t in columns.items()), key)


EVENTS = _table(
    "events",
    "identifier_key",
    {
        # message_key is key64(source, message_id); identifier_key is key64 of the event's own identifier,
        # the user id where there is one, else the anonymous id.
        "message_key": "bigint",
        "message_id": "text",
        "source": "text",
        "type": "text",
        "event": "text",
        "identifier_key": "bigint",
        "user_id": "text",
        "anonymous_id": "text",
        "previous_id": "text",
        "group_id": "text",
        "email": "text",
        "phone": "text",
        "occurred_at": "timestamp",
        "received_at": "timestamp",
        # When this could first be known: on arrival, or, for imported history, when it happened.
        "known_at": "timestamp",
        "url": "text",
        "url_host": "text",
        "url_path": "text",
        "title": "text",
        "referrer": "text",
        "referrer_host": "text",
        "utm_source": "text",
        "utm_medium": "text",
        "utm_campaign": "text",
        "utm_term": "text",
        "utm_content": "text",
        "click_id_kind": "text",
        "click_id": "text",
        "user_agent": "text",
        "locale": "text",
        "library": "text",
        # What else names the person: a JSON object whose members are `kind:value`.
        "identifiers": "text",
        "context": "variant",
        "properties": "variant",
        "traits": "variant",
    },
)

TRAITS = _table(
    "traits",
    "identifier_key",
    {
        "identifier_key": "bigint",
        "message_key": "bigint",
        "source": "text",
        "name": "text",
        # The value's JSON text: a string keeps its quotes, so 1 and "1" stay apart.
        "value": "text",
        "occurred_at": "timestamp",
        "known_at": "timestamp",
    },
)

RECORD_CHANGES = _table(
    "record_changes",
    "record_key",
    {
        "message_key": "bigint",
        "message_id": "text",
        "source": "text",
        "object": "text",
        # key64 of object and key; `key` is the JSON object as sent.
        "record_key": "bigint",
        "key": "text",
        "fields": "variant",
        "identifiers": "text",
        "occurred_at": "timestamp",
        "received_at": "timestamp",
        "known_at": "timestamp",
    },
)

QUARANTINE = _table(
    "quarantine",
    "position",
    {
        "position": "bigint",
        "number": "bigint",
        "source": "text",
        "received_at": "timestamp",
        "reasons": "text",
        "body": "text",
        # How many messages the row stands for: one, but for a body that could not be taken apart.
        "messages": "bigint",
    },
)

LEDGER = _table(
    "ledger",
    "source",
    {
        "source": "text",
        "loaded": "bigint",
        "quarantined": "bigint",
        "duplicate": "bigint",
        "last_received": "timestamp",
    },
)

FLOORS = _table(
    "retention_floors",
    "source",
    # Of a source and an event (empty for all) nothing from before `until` is kept, or taken in again.
    {"source": "text", "event": "text", "until": "timestamp"},
)

DESTROYED = _table(
    "destroyed",
    "source",
    # How many of the messages that the ledger counts are in no table any more, because their time was over.
    {"source": "text", "loaded": "bigint", "quarantined": "bigint"},
)

USER_AGENTS = _table(
    "user_agents",
    "user_agent",
    {
        "user_agent": "text",
        "browser": "text",
        "browser_version": "text",
        "os": "text",
        "device": "text",
        "is_bot": "boolean",
    },
)

REFERRERS = _table(
    "referrers",
    "referrer_host",
    {"referrer_host": "text", "referrer_medium": "text", "referrer_name": "text"},
)

SEALED_VALUES = _table(
    "sealed_values",
    "token",
    {
        "token": "text",
        "kind": "text",
        # What may be known of the value by everybody: an address's domain, a phone number's country code.
        "shadow": "text",
    },
)

REFUSED_IDENTIFIERS = _table(
    "refused_identifiers",
    "refusal_key",
    {
        # key64 of source, kind and reason. Values are never here; sample_key is the key of one such message.
        "refusal_key": "bigint",
        "source": "text",
        "kind": "text",
        # invalid, blocked, kind_invalid (no name for a kind) or too_many (in one message).
        "reason": "text",
        "messages": "bigint",
        "sample_key": "bigint",
        "last_seen": "timestamp",
    },
)

TABLES = (
    EVENTS,
    TRAITS,
    RECORD_CHANGES,
    QUARANTINE,
    LEDGER,
    FLOORS,
    DESTROYED,
    USER_AGENTS,
    REFERRERS,
    SEALED_VALUES,
    REFUSED_IDENTIFIERS,
    VIOLATIONS,
)
