"""Messages against the dictionary: every rule by example, in every mode, and what becomes of the message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tekil.verification import check_ledger
from tests.dictionary.defining import define, undefine
from tests.installation import Installation
from tests.laws.conftest import Found


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    undefine(made.store)
    yield made
    undefine(made.store)
    made.close()


def order(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "messageId": f"m{number}",
        "properties": properties,
    }


def hear(installation: Installation, *messages: Any) -> None:
    installation.say(*messages)
    installation.run()
    assert check_ledger(installation.engine) == []


def reasons(installation: Installation) -> list[str]:
    return [
        row["reasons"]
        for row in installation.rows("SELECT reasons FROM quarantine ORDER BY position, number")
    ]


def loaded(installation: Installation) -> list[str]:
    return [
        row["message_id"] for row in installation.rows("SELECT message_id FROM events ORDER BY message_id")
    ]


MISSING: Any = object()

BREACHES: list[tuple[dict[str, Any], Any, str | None]] = [
    ({"required": True}, MISSING, "missing"),
    ({"required": True}, None, "missing"),
    ({"required": True}, "", "missing"),
    ({"required": True}, 0, None),
    ({"required": True}, False, None),
    ({"type": "text"}, MISSING, None),
    ({"type": "text"}, 5, "not_text"),
    ({"type": "text"}, {"a": 1}, "not_text"),
    ({"type": "text"}, '{"a":1}', None),
    ({"type": "number"}, "5", "not_a_number"),
    ({"type": "number"}, True, "not_a_number"),
    ({"type": "number"}, -5.25, None),
    ({"type": "integer"}, 5.0, None),
    ({"type": "integer"}, 5.5, "not_an_integer"),
    ({"type": "integer"}, "5", "not_a_number"),
    ({"type": "boolean"}, False, None),
    ({"type": "boolean"}, "true", "not_a_boolean"),
    ({"type": "instant"}, "2026-03-01T10:00:00+03:00", None),
    ({"type": "instant"}, "2026-03-01", None),
    ({"type": "instant"}, "1772366400000", None),
    ({"type": "instant"}, "yesterday", "not_an_instant"),
    ({"type": "instant"}, 5, "not_an_instant"),
    ({"type": "list"}, [1], None),
    ({"type": "list"}, "[1]", "not_a_list"),
    ({"type": "object"}, {}, None),
    ({"type": "object"}, [1], "not_an_object"),
    ({"allowed": ["TRY", "it's"]}, "it's", None),
    ({"allowed": ["TRY"]}, "try", "not_allowed"),
    ({"type": "integer", "allowed": [1, 2]}, 2.0, None),
    ({"type": "integer", "allowed": [1, 2]}, 3, "not_allowed"),
    ({"type": "boolean", "allowed": [True]}, False, "not_allowed"),
    ({"type": "boolean", "allowed": [True]}, True, None),
    ({"type": "number", "min": 0}, -0.01, "too_small"),
    ({"type": "number", "min": 0, "max": 10}, 10, None),
    ({"type": "number", "max": 10}, 10.5, "too_large"),
    ({"pattern": "^[A-Z]{2}\\d+$"}, "AB12", None),
    ({"pattern": "^[A-Z]{2}\\d+$"}, "AB1x", "no_match"),
    ({"pattern": "^it's \\\\ fine$"}, "it's \\ fine", None),
    ({"pattern": "^x"}, 7, "no_match"),
]


@pytest.mark.parametrize("place", ["properties.x", "properties.deep.down.x", "traits.x"])
def test_every_rule_is_kept_or_broken_as_it_says(installation: Installation, place: str) -> None:
    root, *between, _ = place.split(".")
    events, messages = {}, []
    for number, (rules, value, _) in enumerate(BREACHES):
        events[f"E{number}"] = {"mode": "quarantine", "fields": {place: rules}}
        holder: Any = {} if value is MISSING else {"x": value}
        for step in reversed(between):
            holder = {step: holder}
        messages.append(
            {"type": "track", "event": f"E{number}", "userId": "u", "messageId": f"{number}", root: holder}
        )
    define(installation.store, events)
    hear(installation, *messages)
    label = place.removeprefix("properties.")
    expected = [f"e{n}.{label}:{rule}" for n, (_, _, rule) in enumerate(BREACHES) if rule]
    assert reasons(installation) == expected
    kept = {int(message_id) for message_id in loaded(installation)}
    assert kept == {n for n, (_, _, rule) in enumerate(BREACHES) if rule is None}


def test_a_mode_says_what_a_breach_does(installation: Installation) -> None:
    fields = {
        "properties.total": {"type": "number", "mode": "quarantine"},
        "properties.currency": {"type": "text", "mode": "warn"},
        "properties.note": {"type": "text", "mode": "evolve"},
    }
    define(installation.store, {"Order Completed": {"fields": fields}})
    hear(
        installation, order(1, total="x", currency=1, note=1), order(2, total=1, currency=1), order(3, note=1)
    )
    assert reasons(installation) == ["order_completed.total:not_a_number"]
    assert loaded(installation) == ["m2", "m3"]
    counted = installation.rows("SELECT field, rule, mode, day, messages FROM violations ORDER BY field")
    assert [tuple(row.values()) for row in counted] == [
        ("properties.currency", "not_text", "warn", "2026-03-01", 2),
        ("properties.total", "not_a_number", "quarantine", "2026-03-01", 1),
    ]
    hear(installation, order(4, total=1, currency=2))
    (row,) = installation.rows("SELECT messages, sample_key FROM violations WHERE mode = 'warn'")
    assert row["messages"] == 3
    # The sample is one of those messages' keys, by which it is found where it was loaded.
    keys = {one["message_key"] for one in installation.rows("SELECT message_key FROM events")}
    (held,) = installation.rows("SELECT sample_key FROM violations WHERE mode = 'quarantine'")
    assert row["sample_key"] in {*keys, held["sample_key"]}


def test_the_message_itself_and_its_context_have_rules_too(installation: Installation) -> None:
    fields = {
        "userId": {"required": True},
        "timestamp": {"required": True},
        "source": {"allowed": ["web"]},
        "campaign": {"required": True},
        "context.locale": {"allowed": ["tr-TR"]},
        "context.app.build": {"type": "integer"},
    }
    define(installation.store, {"Order Completed": {"mode": "quarantine", "fields": fields}})
    good = {
        **order(1),
        "timestamp": "2026-03-01T10:00:00Z",
        "context": {
            "locale": "tr-TR",
            "app": {"build": 7},
            "page": {"url": "https://a.example/?utm_campaign=kis"},
        },
    }
    bad = {
        "type": "track",
        "event": "Order Completed",
        "anonymousId": "a",
        "context": {"locale": "en", "app": {"build": "7"}},
    }
    hear(installation, good)
    installation.say(bad, source="app")
    installation.run()
    assert loaded(installation) == ["m1"]
    assert reasons(installation)[0].split(",") == [
        "order_completed.campaign:missing",
        "order_completed.context.app.build:not_a_number",
        "order_completed.context.locale:not_allowed",
        "order_completed.source:not_allowed",
        "order_completed.timestamp:missing",
        "order_completed.userId:missing",
    ]


def test_other_messages_than_events_have_definitions(installation: Installation) -> None:
    define(
        installation.store,
        {
            "Customer": {
                "type": "identify",
                "mode": "quarantine",
                "fields": {"traits.email": {"required": True}},
            },
            "order": {"type": "record", "mode": "quarantine", "fields": {"fields.total": {"type": "number"}}},
        },
    )
    hear(
        installation,
        {"type": "identify", "userId": "u1", "traits": {"name": "x"}},
        {"type": "identify", "userId": "u1", "traits": {"email": "a@example.com"}},
        {"type": "record", "object": "order", "key": {"id": 1}, "fields": {"total": "x"}},
        {"type": "record", "object": "order", "key": {"id": 2}, "fields": {"total": 5}},
        {"type": "record", "object": "deal", "key": {"id": 2}, "fields": {"total": "x"}},
    )
    assert reasons(installation) == ["customer.traits.email:missing", "order.total:not_a_number"]


def test_a_synonym_is_the_event_itself_and_what_was_said_is_kept(installation: Installation) -> None:
    define(
        installation.store,
        {
            "Order Completed": {
                "synonyms": ["sipariş"],
                "mode": "quarantine",
                "fields": {"properties.n": {"required": True}},
            }
        },
    )
    said = {**order(1, n=1), "event": "sipariş"}
    hear(
        installation,
        said,
        {**said, "messageId": "m2", "context": {"app": {"a": [1]}}},
        {**order(3), "event": "sipariş"},
    )
    rows = installation.rows("SELECT event, CAST(context AS JSON) AS context FROM events ORDER BY message_id")
    assert [row["event"] for row in rows] == ["Order Completed", "Order Completed"]
    assert json.loads(rows[0]["context"]) == {"said_event": "sipariş"}
    assert json.loads(rows[1]["context"]) == {"said_event": "sipariş", "app": {"a": [1]}}
    assert reasons(installation) == ["order_completed.n:missing"]


def test_what_nobody_defined_is_told_without_showing_what_may_be_a_value(installation: Installation) -> None:
    fields = {"properties.a.b": {"type": "number"}}
    define(
        installation.store,
        {"Order Completed": {"mode": "warn", "undefined_fields": "quarantine", "fields": fields}},
        unknown_events="warn",
    )
    hear(
        installation,
        order(1, a={"b": 1}),
        order(2, color="red"),
        order(3, **{"ayse@example.com": 1}),
        {**order(4), "event": "Cart Viewed"},
        {**order(5), "event": "ayse@example.com viewed"},
        {"type": "page", "userId": "u"},
    )
    assert reasons(installation) == ["order_completed.color:undefined", "order_completed.*:undefined"]
    told = installation.rows(
        "SELECT event, field FROM violations WHERE rule = 'event_undefined' ORDER BY event"
    )
    assert told == [{"event": "*", "field": ""}, {"event": "Cart Viewed", "field": ""}]


def test_a_new_version_counts_from_the_next_message_on_and_judges_nothing_before(
    installation: Installation,
) -> None:
    hear(installation, order(1, total="x"))
    define(
        installation.store,
        {"Order Completed": {"mode": "quarantine", "fields": {"properties.total": {"type": "number"}}}},
    )
    hear(installation, order(2, total="x"))
    undefine(installation.store)
    hear(installation, order(3, total="x"))
    assert loaded(installation) == ["m1", "m3"]


NASTY = ["'; DROP TABLE events; --", "a' OR '1'='1", "{0}", "$now", 'x"y', "%s", "back\\slash", "é ' ü"]


@pytest.mark.parametrize("text", NASTY)
def test_nothing_in_a_definition_is_read_as_sql(installation: Installation, text: str) -> None:
    name = text.replace(";", ":")
    fields = {
        f"properties.{name}": {"allowed": [text], "description": text},
        "properties.p": {"pattern": "^it's '' (?:fine|x)$"},
    }
    spec = {"mode": "quarantine", "fields": fields, "synonyms": [text + "2"], "undefined_fields": "warn"}
    define(installation.store, {text: spec})
    good = {"type": "track", "event": text, "userId": "u", "messageId": "1", "properties": {name: text}}
    wrong = {**good, "messageId": "2", "properties": {name: "other"}}
    hear(installation, good, wrong, {**good, "event": text + "2", "messageId": "3"})
    assert loaded(installation) == ["1", "3"]
    assert {row["event"] for row in installation.rows("SELECT event FROM events")} == {text}
    assert len(reasons(installation)) == 1
