"""The plan of a change: what would be other, whom it would move, what depends on it, and what it costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tekil.definitions import (
    Change,
    Definition,
    Key,
    Written,
    check,
    dependents,
    plan,
    renames,
    stored,
    uses,
)
from tekil.errors import BadRequest
from tekil.kinds import KINDS
from tekil.models import AUDIENCE_KIND, FEATURE_KIND, counting, values_sql
from tekil.reads import Reads
from tekil.store import Store


class Effect(msgspec.Struct, frozen=True):
    """What a plan does to people by one definition: one that changes, or one that is made of such.

    Of an audience `people` would be in, `entering` of them new, and `leaving` would go. Of a feature `people`
    would have an answer, and `other` another one than now.
    """

    kind: str
    name: str
    people: int
    entering: int = 0
    leaving: int = 0
    other: int = 0


class Dependent(msgspec.Struct, frozen=True):
    """A definition that stays as it is written and means something else: `through` names the way there."""

    kind: str
    name: str
    through: list[str]


class Plan(msgspec.Struct, frozen=True):
    """What applying some definitions would do.

    `effects` are as of `counted_at`, the clock of the last cycle (UTC); nothing where nobody could be
    counted: `uncounted` then says why. `backfill` says that the change costs one pass over all that happened.
    """

    changes: list[Change]
    effects: list[Effect]
    dependents: list[Dependent]
    backfill: bool
    counted_at: datetime | None = None
    uncounted: str = ""


class Value(msgspec.Struct, frozen=True):
    """An answer that a feature gives, as text, and how many people have it."""

    value: str
    people: int


class Preview(msgspec.Struct, frozen=True):
    """What a feature that is being written gives: how many people have an answer, the most common ones."""

    people: int
    values: list[Value]


class Planning:
    """Makes plans. For many threads."""

    def __init__(self, store: Store, reads: Reads | None, zone: str) -> None:
        """Take the store, what reads the warehouse (nothing: nobody is counted), and the workspace's zone."""
        self._store, self._reads, self._zone = store, reads, zone

    def plan(self, wanted: Sequence[Written], *, prune: bool = False, without: Collection[Key] = ()) -> Plan:
        """Check documents and return what applying them would do. Raises `InvalidDefinitions`.

        Those in force that are missing go with `prune`, or where they are among `without`.
        """
        in_force = self._in_force()
        staying = [] if prune else [d for d in in_force if (d.kind, d.name) not in without]
        check(KINDS, wanted, staying)
        definitions = [one.definition for one in wanted]
        changes = plan(self._store, definitions, prune=prune, without=without)
        after = _after(in_force, definitions, changes)
        changed = [(c.kind, c.name) for c in changes]
        is_backfill = any(kind in BACKFILLED for kind, _ in changed)
        told = Plan(changes, [], _dependents(changed, after), is_backfill)
        return self._counted(told, in_force, after) if changes else told

    def _counted(self, told: Plan, before: Sequence[Definition], after: Sequence[Definition]) -> Plan:
        """Return a plan with whom it moves."""
        of = {
            kind: {c.name: c.renamed_from for c in told.changes if c.renamed_from and c.kind == kind}
            for kind in (FEATURE_KIND.name, AUDIENCE_KIND.name)
        }
        asked = counting(before, after, self._zone, of[FEATURE_KIND.name], of[AUDIENCE_KIND.name])
        if asked is None:
            return told
        if self._reads is None:
            return msgspec.structs.replace(told, uncounted="Nothing was ever loaded here.")
        clock = self._reads.sql("SELECT clock FROM tekil_marks")["clock"].to_pylist()
        try:
            rows = self._reads.answers(asked.sql).to_pylist()
        except BadRequest:
            # What was applied last is not in force yet: its columns are not there.
            told_why = "The definitions applied last are still being worked out; plan again in a moment."
            return msgspec.structs.replace(told, uncounted=told_why)
        row: dict[str, Any] = rows[0]
        effects = [
            Effect(FEATURE_KIND.name, name, row[f"people_{n}"], other=row[f"other_{n}"])
            for name, n in asked.features.items()
        ]
        effects += [
            Effect(AUDIENCE_KIND.name, name, row[f"people_{n}"], row[f"entering_{n}"], row[f"leaving_{n}"])
            for name, n in asked.audiences.items()
        ]
        at = clock[0] if clock else None
        return msgspec.structs.replace(told, effects=effects, counted_at=at)

    def preview(self, feature: Definition) -> Preview:
        """Return what a feature would give if it were written so.

        Raises `InvalidDefinitions` for what is wrong with it, and `BadRequest` where nobody can be counted.
        """
        check(KINDS, [Written(feature)], [])
        if self._reads is None:
            raise BadRequest("Nothing was ever loaded here.", code="nobody_to_count")
        rows = self._reads.answers(values_sql(feature, self._zone)).to_pylist()
        values = [Value(row["value"], row["people"]) for row in rows]
        return Preview(int(rows[0]["total"]) if rows else 0, values)

    def _in_force(self) -> list[Definition]:
        return [stored(version) for version in self._store.definitions.current()]


BACKFILLED = (FEATURE_KIND.name, AUDIENCE_KIND.name, "stage", "score")
"""The kinds whose answers are worked out for everybody anew when a definition changes."""


def _after(
    in_force: Sequence[Definition], wanted: Sequence[Definition], changes: Sequence[Change]
) -> list[Definition]:
    """Return the definitions that would be in force."""
    by_key = {(d.kind, d.name): d for d in in_force}
    for key in renames(wanted, by_key):
        del by_key[key]
    for change in changes:
        by_key.pop((change.kind, change.name), None)
    changed = {(c.kind, c.name) for c in changes}
    return [*by_key.values(), *(d for d in wanted if (d.kind, d.name) in changed)]


def _dependents(changed: Sequence[Key], after: Sequence[Definition]) -> list[Dependent]:
    found = dependents(changed, uses(after))
    return [Dependent(kind, name, [step for _, step in way]) for (kind, name), way in sorted(found.items())]
