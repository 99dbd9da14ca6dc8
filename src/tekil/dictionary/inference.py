"""A draft of the dictionary from what was said lately: events, their fields, types, how often, and shapes.

A shape is all that is shown of a value: `A-123` becomes `A-999`, letters `a` or `A`, digits `9`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from tekil.definitions import Definition
from tekil.dictionary.kinds import STEP
from tekil.dictionary.model import FieldType
from tekil.dictionary.sql import quoted

Read = Callable[[str], pa.Table]
"""Runs a SELECT over what is committed."""

SAMPLE = 5_000
"""Messages of an event that are looked at."""

EVENTS_MAX = 300
DEPTH_MAX = 3
FIELDS_MAX = 80
SHAPE_LENGTH_MAX = 24
SHAPES = 3
REQUIRED_SHARE = 0.995
REVIEW_DAYS = 91


class SeenField(msgspec.Struct, frozen=True):
    """A field as it was said: by how many of the messages looked at, as which types, in which shapes.

    `sources` holds, by source, the type that it says the field as most often.
    """

    path: str
    messages: int
    types: dict[FieldType, int]
    shapes: list[str]
    sources: dict[str, str]

    @property
    def type(self) -> FieldType | None:
        """The one type of all values (`number` where only some are whole); nothing where they differ."""
        kinds: set[FieldType] = set(self.types)
        if kinds == {"integer", "number"}:
            return "number"
        return next(iter(kinds)) if len(kinds) == 1 else None


class SeenEvent(msgspec.Struct, frozen=True):
    """An event as it was said: how many messages were looked at, and what they hold, most common first."""

    name: str
    looked_at: int
    fields: list[SeenField]


def look(read: Read, event: str, sample: int = SAMPLE) -> SeenEvent:
    """Return what some messages of a `track` event hold, `sample` at most."""
    rows = read(
        "SELECT source, properties FROM timeline"
        f" WHERE type = 'track' AND event = {quoted(event)} LIMIT {int(sample)}"
    ).to_pylist()
    return describe(event, ((row["source"], row["properties"]) for row in rows))


def event_names(read: Read) -> list[str]:
    """Return the names of the `track` events that were loaded, the most frequent first."""
    rows = read(
        "SELECT event, count(*) AS messages FROM events WHERE type = 'track' GROUP BY event"
        f" ORDER BY messages DESC, event LIMIT {EVENTS_MAX}"
    )
    return [name for name in rows["event"].to_pylist() if name]


def describe(name: str, said: Iterable[tuple[str, str | None]]) -> SeenEvent:
    """Return what messages hold, given each one's source and the JSON text of its properties."""
    looked_at = 0
    messages: Counter[str] = Counter()
    types: dict[str, Counter[FieldType]] = {}
    shapes: dict[str, Counter[str]] = {}
    sources: dict[str, dict[str, Counter[str]]] = {}
    for source, text in said:
        looked_at += 1
        for path, value in _members(msgspec.json.decode(text) if text else {}, "properties", 1):
            kind = type_of(value)
            messages[path] += 1
            types.setdefault(path, Counter())[kind] += 1
            sources.setdefault(path, {}).setdefault(source, Counter())[kind] += 1
            if not isinstance(value, dict | list):
                shapes.setdefault(path, Counter())[shape_of(value)] += 1
    fields = [
        SeenField(
            path,
            count,
            dict(types[path]),
            [shape for shape, _ in shapes.get(path, Counter()).most_common(SHAPES)],
            {source: kinds.most_common(1)[0][0] for source, kinds in sorted(sources[path].items())},
        )
        for path, count in sorted(messages.items(), key=lambda one: (-one[1], one[0]))[:FIELDS_MAX]
    ]
    return SeenEvent(name, looked_at, fields)


def draft(seen: SeenEvent, today: date) -> Definition:
    """Return a definition that everything seen keeps to, in mode warn: a beginning for people to complete.

    It is to be looked at again in a quarter, as every definition should be.
    """
    fields: dict[str, Any] = {}
    for field in seen.fields:
        if field.type is None or not all(STEP.fullmatch(step) for step in field.path.split(".")):
            continue
        told: dict[str, Any] = {"type": field.type}
        if seen.looked_at and field.messages / seen.looked_at >= REQUIRED_SHARE:
            told["required"] = True
        fields[field.path] = told
    # What holds fields of its own is described by them.
    inner = {path.rpartition(".")[0] for path in fields}
    fields = {path: told for path, told in fields.items() if path not in inner}
    review = (today + timedelta(days=REVIEW_DAYS)).isoformat()
    spec = {"mode": "warn", "review": review, "fields": fields}
    return Definition("event", seen.name, {}, "", spec)


def type_of(value: Any) -> FieldType:
    """Return the type a JSON value has in the dictionary's words."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "object" if isinstance(value, dict) else "text"


def shape_of(value: Any) -> str:
    """Return what a value looks like without saying it: `AB-12 çok` → `AA-99 aaa`."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return text
    shape = "".join(
        "9" if letter.isdigit() else ("A" if letter.isupper() else "a") if letter.isalpha() else letter
        for letter in text[:SHAPE_LENGTH_MAX]
    )
    return shape + ("…" if len(text) > SHAPE_LENGTH_MAX else "")


def inconsistent(fields: Sequence[SeenField]) -> list[SeenField]:
    """Return the fields that sources say as different types."""
    kinds = ((field, set(field.sources.values())) for field in fields)
    return [field for field, said in kinds if len(said) > 1 and said != {"integer", "number"}]


def _members(value: Any, above: str, depth: int) -> Iterable[tuple[str, Any]]:
    for name, inner in value.items() if isinstance(value, dict) else ():
        # Nothing and '' count as not said, as the checks have it; a name with a point is no path.
        if inner is None or inner == "" or "." in name or not name:
            continue
        path = f"{above}.{name}"
        yield path, inner
        if isinstance(inner, dict) and depth < DEPTH_MAX:
            yield from _members(inner, path, depth + 1)
