"""What definitions are made of: which one names which, and what follows from that.

Any text of a `spec` that stands under one of `EXPRESSIONS` is an expression, whatever the kind. What it names
is what it uses, and so are the events that it compares `event` with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tekil.definitions.change import Key
from tekil.definitions.document import Definition
from tekil.expressions import ExpressionFlaw, events_in, names_in

EXPRESSIONS = ("sql", "when", "condition", "if", "each", "among", "audience")
"""Members of a spec that hold expressions."""

SCORE = "score"
"""The kind whose parts have names of their own."""

EVENT = "event"
"""The kind that a name in an expression never means, but a text compared with `event` does."""

Uses = Mapping[Key, frozenset[Key]]
"""Each definition and those that it uses itself."""


def expressions_of(definition: Definition) -> list[str]:
    """Return all expressions in a definition, in the order in which they stand there."""
    return list(_texts(definition.spec))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in EXPRESSIONS and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def uses(definitions: Sequence[Definition]) -> dict[Key, frozenset[Key]]:
    """Return what each of some definitions uses among them. One that cannot be read uses nothing."""
    named: dict[str, list[Key]] = {}
    events: dict[str, Key] = {}
    for definition in definitions:
        key = (definition.kind, definition.name)
        if definition.kind == EVENT:
            events[definition.name] = key
        else:
            for name in _names_of(definition):
                named.setdefault(name, []).append(key)
    return {(d.kind, d.name): frozenset(_used(d, named, events)) - {(d.kind, d.name)} for d in definitions}


def _names_of(definition: Definition) -> list[str]:
    """Return what expressions call a definition: a score has names for its grade and its groups, too."""
    groups = definition.spec.get("groups")
    more = ["grade", *groups] if definition.kind == SCORE and isinstance(groups, dict) else []
    return [definition.name, *(f"{definition.name}_{one}" for one in more)]


def _used(definition: Definition, named: Mapping[str, list[Key]], events: Mapping[str, Key]) -> Iterator[Key]:
    for text in expressions_of(definition):
        try:
            names, said = names_in(text), events_in(text)
        except ExpressionFlaw:
            continue
        yield from (key for name in names for key in named.get(name, ()))
        yield from (events[name] for name in said if name in events)


def dependents(of: Iterable[Key], used: Uses) -> dict[Key, list[Key]]:
    """Return who depends on some definitions, directly or through others: each with the way that leads there.

    A way begins with one of `of`; the shortest is told, and none of `of` is told itself.
    """
    users: dict[Key, list[Key]] = {}
    for key, parts in used.items():
        for part in parts:
            users.setdefault(part, []).append(key)
    ways: dict[Key, list[Key]] = {key: [] for key in of}
    asked = list(ways)
    for key in asked:
        for user in sorted(users.get(key, [])):
            if user not in ways:
                ways[user] = [*ways[key], key]
                asked.append(user)
    return {key: way for key, way in ways.items() if way}
