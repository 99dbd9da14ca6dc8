"""What would change, and changing it: from the definitions in force to those somebody wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from tekil.definitions.document import Definition, Flaw, InvalidDefinitions, Kind, Problem, Written, stored
from tekil.store import NewVersion, Store

Action = Literal["new", "changed", "renamed", "removed"]

Key = tuple[str, str]
"""A kind and a name."""


class FieldChange(msgspec.Struct, frozen=True):
    """A member of a definition before and after; nothing where there is none."""

    path: str
    before: Any
    after: Any


class Change(msgspec.Struct, frozen=True):
    """What would happen to one definition, field by field; `version` is the number it would get.

    `renamed_from` is the name that it gives up, where it is renamed.
    """

    action: Action
    kind: str
    name: str
    version: int
    fields: list[FieldChange]
    renamed_from: str = ""


def check(kinds: Mapping[str, Kind], wanted: Sequence[Written], in_force: Sequence[Definition]) -> None:
    """Return if `wanted` may stand, together with what stays in force beside it.

    Raises `InvalidDefinitions` with the file and line of every flaw.
    """
    problems: list[Problem] = []
    seen: dict[Key, Written] = {}
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
        known = {(d.kind, d.name) for d in in_force}
        problems = _names_kept(seen, known)
        gone = renames([one.definition for one in wanted], known)
        staying = [d for d in in_force if (d.kind, d.name) not in gone]
        problems = problems or _problems_together(kinds, seen, staying)
    if problems:
        raise InvalidDefinitions(problems)


def renames(wanted: Sequence[Definition], in_force: Collection[Key]) -> dict[Key, str]:
    """Return what is called anew by some definitions: the key that is given up → the new name.

    A document keeps its `renamed_from` for good; once the new name is in force it says nothing any more.
    """
    return {
        (d.kind, d.renamed_from): d.name
        for d in wanted
        if (d.kind, d.renamed_from) in in_force and (d.kind, d.name) not in in_force
    }


def _names_kept(seen: Mapping[Key, Written], known: Collection[Key]) -> list[Problem]:
    """Return what is called anew and, by its old name, written as well."""
    told = (
        "{!r} is written as well. It can be renamed, or stay; if it is another one, leave renamed_from out."
    )
    return [
        one.problem(Flaw(("renamed_from",), told.format(one.definition.renamed_from)))
        for key, one in seen.items()
        if key not in known and (key[0], one.definition.renamed_from) in seen
    ]


def _problems_together(
    kinds: Mapping[str, Kind], seen: Mapping[Key, Written], in_force: Sequence[Definition]
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


def plan(
    store: Store, wanted: Sequence[Definition], *, prune: bool = False, without: Collection[Key] = ()
) -> list[Change]:
    """Return what applying `wanted` would change.

    Of those that are missing from it `without` go, or, with `prune`, all.
    """
    current = {(v.kind, v.name): v for v in store.definitions.current()}
    numbers = store.definitions.numbers()
    gone = renames(wanted, current)
    was = {(kind, new): (kind, old) for (kind, old), new in gone.items()}
    changes = []
    for definition in sorted(wanted, key=lambda d: (d.kind, d.name)):
        key = (definition.kind, definition.name)
        old = was.get(key, key)
        before = flat(stored(current[old])) if old in current else {}
        fields = _differences(before, flat(definition))
        if fields:
            action: Action = "renamed" if key in was else "changed" if key in current else "new"
            # Versions go on where the old name's end, its last one being that it went.
            number = max(numbers.get(key, 0), numbers[old] + 1 if key in was else 0) + 1
            changes.append(Change(action, *key, number, fields, was[key][1] if key in was else ""))
    kept = {(d.kind, d.name) for d in wanted} | gone.keys()
    changes += [
        Change("removed", *key, numbers[key] + 1, _differences(flat(stored(version)), {}))
        for key, version in sorted(current.items())
        if key not in kept and (prune or key in without)
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
    without: Collection[Key] = (),
) -> list[Change]:
    """Check, then make `wanted` what is in force; return what changed.

    Raises `InvalidDefinitions`; and `BadRequest` where somebody else changed definitions meanwhile.
    """
    revision = store.definitions.revision()
    current = [] if prune else store.definitions.current()
    check(kinds, wanted, [stored(v) for v in current if (v.kind, v.name) not in without])
    by_key = {(one.definition.kind, one.definition.name): one.definition for one in wanted}
    changes = plan(store, list(by_key.values()), prune=prune, without=without)
    numbers = store.definitions.numbers()
    versions = [
        version
        for change in changes
        for version in _versions(change, by_key.get((change.kind, change.name)), numbers)
    ]
    store.definitions.add(versions, author=author, note=note, expected=revision)
    return changes


def _versions(change: Change, wanted: Definition | None, numbers: Mapping[Key, int]) -> list[NewVersion]:
    """Return the versions that a change makes; before a renamed one stands the end of its old name."""
    kind, old = change.kind, change.renamed_from
    ended = [NewVersion(kind, old, numbers[kind, old] + 1, None)] if old else []
    body = None if change.action == "removed" else msgspec.json.encode(wanted).decode()
    return [*ended, NewVersion(kind, change.name, change.version, body)]


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
