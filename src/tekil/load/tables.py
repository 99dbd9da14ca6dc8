"""What loading fills."""

from __future__ import annotations

from tekil.dictionary import VIOLATIONS
from tekil.warehouse import BY_IDENTIFIER, Column, Erasure, Table
from tekil.warehouse.protocol import ColumnType


def _table(name: str, key: str, erasure: Erasure, columns: dict[str, ColumnType]) -> Table:
    return Table(name, tuple(Column(n, t) for n, t in columns.items()), key, erasure)


EVENTS = _table(
    "events",
    "identifier_key",
    BY_IDENTIFIER,
    {
        # message_key is key64(source, message_id); identifier_key is key64 of the event's own identifier,
        # the user id where there is one, else the anonymous id.
        "message_key": "bigint",
        "message_id": "text",
        # Where in the log it lies: position of its body, and its number there.
        "position": "bigint",
        "number": "bigint",
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
    BY_IDENTIFIER,
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
    Erasure("own", "rows that name the person go"),
    {
        "message_key": "bigint",
        "message_id": "text",
        "position": "bigint",
        "number": "bigint",
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
    Erasure("own", "each message is opened; those of the person go"),
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
    Erasure("nobody", "counts by source"),
    {
        "source": "text",
        "loaded": "bigint",
        "quarantined": "bigint",
        "duplicate": "bigint",
        # Of the loaded: those whose rows are gone, or never were, because their person was erased.
        "erased": "bigint",
        "last_received": "timestamp",
    },
)

FLOORS = _table(
    "retention_floors",
    "source",
    Erasure("nobody", "how far back things are kept"),
    # Of a source and an event (empty for all), or of the records of an object, nothing from before `until` is
    # kept, or taken in again.
    {"source": "text", "event": "text", "until": "timestamp", "object": "text"},
)

DESTROYED = _table(
    "destroyed",
    "source",
    Erasure("nobody", "counts by source"),
    # How many of the messages that the ledger counts are in no table any more, because their time was over.
    {"source": "text", "loaded": "bigint", "quarantined": "bigint"},
)

USER_AGENTS = _table(
    "user_agents",
    "user_agent",
    Erasure("nobody", "browsers, not people"),
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
    Erasure("nobody", "sites, not people"),
    {"referrer_host": "text", "referrer_medium": "text", "referrer_name": "text"},
)

SEALED_VALUES = _table(
    "sealed_values",
    "token",
    Erasure("own", "the person's tokens go, unless somebody else's rows hold them, too"),
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
    Erasure("own", "counts; no message of the person stays as their sample"),
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

REPETITIONS = _table(
    "repetitions",
    "message_key",
    Erasure("own", "rows of the person's messages go"),
    {
        # Where in the log a message that was loaded lies once more.
        "message_key": "bigint",
        "position": "bigint",
        "number": "bigint",
    },
)

TOKEN_PLACES = _table(
    "token_places",
    "token_key",
    Erasure("own", "rows of the person's tokens and of the person's identifiers go"),
    {
        # key64 of a token, and of what its message is known by: identifier_key, or a record's record_key.
        "token_key": "bigint",
        "place_key": "bigint",
        "is_record": "boolean",
    },
)

LOOSENED = _table(
    "loosened_tokens",
    "token",
    Erasure("own", "the person's tokens go, unless somebody else's rows hold them, too"),
    # Tokens that rows held which retention took out: it is still to be looked whether any other row does.
    {"token": "text"},
)

CUTTINGS = _table(
    "cuttings",
    "position",
    Erasure("nobody", "places in the log that are still to be emptied"),
    {
        "position": "bigint",
        "number": "bigint",
        # The message whole, or only what in it tells of somebody who was erased.
        "whole": "boolean",
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
    REPETITIONS,
    TOKEN_PLACES,
    LOOSENED,
    CUTTINGS,
    VIOLATIONS,
)


def texts_of(table: Table) -> str:
    """Return the SQL of all texts of a row, one after the other."""
    parts = []
    for column in table.columns:
        if column.type == "text":
            parts.append(column.name)
        elif column.type == "variant":
            parts.append(f"variant_json({column.name})")
    return f"concat_ws(' ', {', '.join(parts)})"
