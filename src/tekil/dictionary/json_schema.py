"""An event's definition as JSON Schema (draft 2020-12), and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tekil.definitions import Definition
from tekil.dictionary.model import COLUMNS, Event, EventSpec, Field
from tekil.errors import BadRequest

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "instant": {"type": "string", "format": "date-time"},
    "list": {"type": "array"},
    "object": {"type": "object"},
}
_BACK = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean",
         "array": "list", "object": "object"}  # fmt: skip
REMAINDER = "x-tekil"
"""Where the schema keeps what JSON Schema has no word for, so that nothing is lost on the way and back."""

_FIELD_WORDS = ("pii", "keep", "mode")
_EVENT_WORDS = ("purpose", "steward", "mode", "undefined_fields", "counting", "synonyms", "review", "stage")


def to_json_schema(event: Event) -> dict[str, Any]:
    """Return the schema that messages of an event keep to."""
    spec = event.spec
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": event.title.get("en") or event.title.get("tr") or event.name,
        "description": spec.description,
        "type": "object",
        "properties": {"type": {"const": spec.type}},
        "required": ["type"],
    }
    if spec.type in ("track", "record"):
        member = "event" if spec.type == "track" else "object"
        schema["properties"][member] = {"enum": [event.name, *spec.synonyms]}
        schema["required"].append(member)
    for path, field in spec.fields.items():
        _put(schema, path.split("."), field, closed=spec.undefined_fields == "quarantine")
    told: dict[str, Any] = msgspec.to_builtins(spec)
    schema[REMAINDER] = {
        "name": event.name,
        "title": event.title,
        "owner": event.owner,
        **{word: told[word] for word in _EVENT_WORDS if word in told},
    }
    return schema


def _put(schema: dict[str, Any], steps: list[str], field: Field, *, closed: bool) -> None:
    for depth, step in enumerate(steps[:-1]):
        if field.required:
            _require(schema, step)
        schema = schema.setdefault("properties", {}).setdefault(step, {"type": "object"})
        if closed and depth == 0 and step != "context":
            schema["additionalProperties"] = False
    schema.setdefault("properties", {})[steps[-1]] = _field_schema(field)
    if field.required:
        _require(schema, steps[-1])


def _require(schema: dict[str, Any], name: str) -> None:
    required = schema.setdefault("required", [])
    if name not in required:
        required.append(name)


def _field_schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_TYPES[field.type]) if field.type else {}
    if field.description:
        schema["description"] = field.description
    if field.allowed:
        schema["enum"] = list(field.allowed)
    if field.pattern:
        schema["pattern"] = field.pattern
    if field.min is not None:
        schema["minimum"] = field.min
    if field.max is not None:
        schema["maximum"] = field.max
    told = msgspec.to_builtins(field)
    remainder = {word: told[word] for word in _FIELD_WORDS if word in told}
    return {**schema, REMAINDER: remainder} if remainder else schema


def from_json_schema(schema: Any, name: str = "") -> Definition:
    """Return the definition that a schema stands for: one of ours, or one of an event's `properties` alone.

    `name` is the event's where the schema does not say it.

    Raises `BadRequest` where it is no schema of an object.
    """
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise BadRequest("The schema must be of an object, with `properties`.", code="schema_invalid")
    remainder = dict(schema.get(REMAINDER) or {})
    members: dict[str, Any] = schema["properties"]
    fields: dict[str, Any] = {}
    is_whole = REMAINDER in schema or {"type", "event"} <= members.keys()
    _collect(schema if is_whole else {"properties": {"properties": schema}}, "", fields)
    for told in ("type", "event", "object", "messageId"):
        fields.pop(told, None)
    type_ = (members.get("type") or {}).get("const", "track") if is_whole else "track"
    named = remainder.pop("name", "") or name or _only(members.get("event")) or schema.get("title", "")
    if not named:
        raise BadRequest("The schema does not say the event's name; give one.", code="schema_nameless")
    title = remainder.pop("title", {"en": schema["title"]} if schema.get("title") else {})
    owner = remainder.pop("owner", "")
    spec = {"type": type_, "description": schema.get("description", ""), **remainder, "fields": fields}
    try:
        shaped = msgspec.convert(spec, EventSpec)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The schema cannot become an event: {error}.", code="schema_invalid") from error
    return Definition("event", named, title, owner, msgspec.to_builtins(shaped))


def _collect(schema: Mapping[str, Any], above: str, fields: dict[str, Any]) -> None:
    required = schema.get("required") or []
    for name, inner in schema.get("properties", {}).items():
        path = f"{above}{name}"
        if not isinstance(inner, dict):
            continue
        is_root = not above and path not in COLUMNS
        if inner.get("properties") and (is_root or inner.get("type", "object") == "object"):
            _collect(inner, f"{path}.", fields)
        elif not is_root or path in ("type", "event", "object", "messageId"):
            fields[path] = _field(inner, name in required)


def _field(schema: Mapping[str, Any], required: bool) -> dict[str, Any]:
    said = schema.get("type")
    # A type may be a list with null in it: nothing is the same as not said.
    types = [one for one in (said if isinstance(said, list) else [said]) if one not in (None, "null")]
    field: dict[str, Any] = dict(schema.get(REMAINDER) or {})
    if len(types) == 1 and types[0] in _BACK:
        field["type"] = "instant" if schema.get("format") == "date-time" else _BACK[types[0]]
    allowed = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    words = {
        "description": schema.get("description"),
        "pattern": schema.get("pattern"),
        "min": schema.get("minimum"),
        "max": schema.get("maximum"),
        "allowed": [value for value in allowed if isinstance(value, str | int)],
        "required": required,
    }
    # 0 is a bound like any other, though it equals False.
    said_words = {w: v for w, v in words.items() if v is not None and v is not False and v not in ("", [])}
    return field | said_words


def _only(schema: Any) -> str:
    values = schema.get("enum") or [schema.get("const")] if isinstance(schema, dict) else []
    return values[0] if values and isinstance(values[0], str) else ""
