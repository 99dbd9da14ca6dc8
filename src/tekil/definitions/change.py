"""What would change, and changing it: from the definitions in force to those somebody wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from tekil.definitions.document import Definition, Flaw, InvalidDefinitions, Kind, Problem, Written, stored
from tekil.store import NewVersion, Store

Action = Literal["new", "changed", "removed"]


class FieldChange(msgspec.Struct, frozen=True):
    """A member of a definition before and after; nothing where there is none."""

    path: str
    before: Any
    after: Any


class Change(msgspec.Struct, frozen=True):
    """What would happen to one definition, field by field; `version` is the number it would get."""

    action: Action
    kind: str
    name: str
    version: int
    fields: list[FieldChange]


def check(kinds: Mapping[str, Kind], wanted: Sequence[Written], in_force: Sequence[Definition]) -> None:
    """Return if `wanted` may stand, together with what stays in force beside it.

    Raises `InvalidDefinitions` with the file and line of every flaw.
    """
    problems: list[Problem] = []
    seen: dict[tuple[str, str], Written] = {}
    for one in wanted:
        definition = one.definition
        kind = kinds.get(definition.kind)
        key = (definition.kind, definition.name)
        if kind is None:
            told = f"There is no kind {definition.kind!r}; there are {', '.join(kinds)}."
            problems.append(one.problem(Flaw(("kind",), told)))
        elif key in seen:
            told = f"This {definition.kind} is written a second time; first in {seen[key].file}."
            problems.append(one.problem(Flaw(("name",), told)))
        else:
            problems += [one.problem(flaw) for flaw in kind.check(definition)]
        seen.setdefault(key, one)
    if not problems:
        problems = _problems_together(kinds, seen, in_force)
    if problems:
        raise InvalidDefinitions(problems)


def _problems_together(
    kinds: Mapping[str, Kind], seen: Mapping[tuple[str, str], Written], in_force: Sequence[Definition]
) -> list[Problem]:
    problems = []
    for kind in kinds.values():
        looked_at = (kind.name, *kind.reads)
        staying = [d for d in in_force if d.kind in looked_at and (d.kind, d.name) not in seen]
        mine = [one.definition for (of, _), one in seen.items() if of in looked_at]
        for name, flaw in kind.check_together([*staying, *mine]):
            # A flaw of one that stays is told at its name: it is what the written ones do to it.
            written = seen.get((kind.name, name), Written(Definition(kind.name, name)))
            problems.append(written.problem(flaw))
    return problems


def plan(store: Store, wanted: Sequence[Definition], *, prune: bool = False) -> list[Change]:
    """Return what applying `wanted` would change. Those that are missing from it go only with `prune`."""
    current = {(v.kind, v.name): v for v in store.definitions.current()}
    numbers = store.definitions.numbers()
    changes = []
    for definition in sorted(wanted, key=lambda d: (d.kind, d.name)):
        key = (definition.kind, definition.name)
        before = flat(stored(current[key])) if key in current else {}
        fields = _differences(before, flat(definition))
        if fields:
            action: Action = "changed" if key in current else "new"
            changes.append(Change(action, *key, numbers.get(key, 0) + 1, fields))
    kept = {(d.kind, d.name) for d in wanted}
    if prune:
        changes += [
            Change("removed", *key, numbers[key] + 1, _differences(flat(stored(version)), {}))
            for key, version in sorted(current.items())
            if key not in kept
        ]
    return changes


def apply(
    store: Store,
    kinds: Mapping[str, Kind],
    wanted: Sequence[Written],
    *,
    author: str,
    note: str = "",
    prune: bool = False,
) -> list[Change]:
    """Check, then make `wanted` what is in force; return what changed.

    Raises `InvalidDefinitions`; and `BadRequest` where somebody else changed definitions meanwhile.
    """
    revision = store.definitions.revision()
    staying = [] if prune else [stored(version) for version in store.definitions.current()]
    check(kinds, wanted, staying)
    by_key = {(one.definition.kind, one.definition.name): one.definition for one in wanted}
    changes = plan(store, list(by_key.values()), prune=prune)
    store.definitions.add(
        [
            NewVersion(
                change.kind,
                change.name,
                change.version,
                None
                if change.action == "removed"
                else msgspec.json.encode(by_key[change.kind, change.name]).decode(),
            )
            for change in changes
        ],
        author=author,
        note=note,
        expected=revision,
    )
    return changes


def flat(definition: Definition) -> dict[str, Any]:
    """Return a definition's members by where they stand: `spec.fields.properties.total.min` → 0."""
    found: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(inner, f"{path}.{name}" if path else name)
        elif path:
            found[path] = value

    walk({k: v for k, v in msgspec.to_builtins(definition).items() if k not in ("kind", "name")}, "")
    return {path: value for path, value in found.items() if value not in ("", {})} or {
        "name": definition.name
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    paths = [*before, *(path for path in after if path not in before)]
    return [
        FieldChange(path, before.get(path), after.get(path))
        for path in paths
        if _spelled(before.get(path)) != _spelled(after.get(path))
    ]


def _spelled(value: Any) -> bytes:
    # As JSON, because to Python 1 and true are the same.
    return msgspec.json.encode(value)
