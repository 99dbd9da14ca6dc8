"""Events as JSON Schema: valid, judging as we judge, and read back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tekil.definitions import Definition
from tekil.dictionary import Dictionary, Event
from tekil.dictionary.json_schema import from_json_schema, to_json_schema
from tekil.errors import BadRequest

SPEC: dict[str, Any] = {
    "type": "track",
    "description": "Somebody paid.",
    "purpose": "turnover",
    "steward": "data",
    "mode": "quarantine",
    "counting": {"per": "1 day"},
    "synonyms": ["order_done"],
    "fields": {
        "properties.total": {"type": "number", "required": True, "min": 0.0},
        "properties.currency": {"type": "text", "allowed": ["TRY", "EUR"]},
        "properties.email": {"type": "text", "pii": "email", "keep": False},
        "properties.ship.at": {"type": "instant"},
        "properties.code": {"type": "text", "pattern": "^[A-Z]+$", "mode": "warn"},
        "userId": {"required": True, "type": "text"},
    },
}


def event(spec: dict[str, Any]) -> Event:
    (found,) = Dictionary.of(
        [Definition("event", "Order Completed", {"tr": "Sipariş"}, "growth", spec)]
    ).events
    return found


def test_a_schema_is_valid_and_judges_as_the_definition_does() -> None:
    schema = to_json_schema(event(SPEC))
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    good = {
        "type": "track",
        "event": "order_done",
        "userId": "u",
        "properties": {"total": 5, "currency": "TRY"},
    }
    assert judge.is_valid(good)
    for wrong in (
        {"total": -1},
        {"total": "5"},
        {},
        {"total": 1, "currency": "USD"},
        {"total": 1, "code": "a"},
    ):
        assert not judge.is_valid({**good, "properties": wrong})


def test_what_is_exported_reads_back_as_it_was() -> None:
    definition = from_json_schema(to_json_schema(event(SPEC)))
    assert (definition.name, definition.title, definition.owner) == (
        "Order Completed",
        {"tr": "Sipariş"},
        "growth",
    )
    assert event(definition.spec).spec == event(SPEC).spec


def test_a_schema_of_properties_alone_becomes_an_event() -> None:
    schema = {
        "title": "Cart Viewed",
        "type": "object",
        "properties": {"sku": {"type": ["string", "null"]}, "n": {"type": "integer", "minimum": 1}},
        "required": ["sku"],
    }
    definition = from_json_schema(schema)
    assert definition.name == "Cart Viewed"
    assert definition.spec["fields"] == {
        "properties.sku": {"type": "text", "required": True},
        "properties.n": {"type": "integer", "min": 1.0},
    }


@pytest.mark.parametrize(
    "schema", [5, {}, {"properties": {}}, {"title": "x", "properties": {"a": {"pattern": 5}}}]
)
def test_what_is_no_schema_of_an_event_is_refused(schema: Any) -> None:
    with pytest.raises(BadRequest):
        from_json_schema(schema)
