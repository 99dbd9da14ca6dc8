"""One way to derive everything from events, whatever the engine lets the models see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tekil.identifiers import Policy
from tekil.identity import IDENTITY, OWNERSHIP, People, resolve
from tekil.load import EVENTS, TRAITS
from tekil.models.memberships import CARRIED, MEMBERS, MEMBERS_THEN, carry, moments_of_all
from tekil.models.model import Model
from tekil.models.profile import ACTIVITY
from tekil.warehouse import Table, Warehouse, bind, columns_used


@dataclass(frozen=True, slots=True)
class Bindings:
    """What is seen: the relations (or SELECTs) that stand for `events`, `traits` and `record_changes`.

    `members` says who was in which audience, by the persons of `identity`; nothing: by those of now.
    """

    events: str
    traits: str
    records: str
    members: str
    identity: str | None

    @staticmethod
    def all() -> Bindings:
        """Return the binding of a rebuild: everything."""
        return Bindings("events", "traits", "record_changes", MEMBERS.name, IDENTITY.name)

    @staticmethod
    def known_before(instant: str) -> Bindings:
        """Return the binding of time travel: what was known before an instant (a SQL literal)."""
        events, traits, records = (
            f"SELECT * FROM {table} WHERE known_at < {instant}"
            for table in ("events", "traits", "record_changes")
        )
        return Bindings(events, traits, records, f"({MEMBERS_THEN.format(instant=instant)})", None)


def derive(
    warehouse: Warehouse, models: Sequence[Model], bindings: Bindings, prefix: str, policy: Policy
) -> Mapping[str, str]:
    """Stage evidence, identity and every model from what `bindings` shows; names start with `prefix`.

    Returns table name → staged relation. `now()` must be bound.
    """
    resolved = resolve(warehouse, policy, bindings.events, bindings.records, prefix)
    carry(warehouse, bindings.members, bindings.identity, resolved.people.identity)
    standing = {MEMBERS.name: CARRIED, "moments": moments_of_all(f"{prefix}{ACTIVITY.name}")}
    models_staged = derive_models(
        warehouse, models, resolved.people, bindings.events, bindings.traits, prefix, standing
    )
    return {**resolved.staged, **models_staged}


def derive_models(
    warehouse: Warehouse,
    models: Sequence[Model],
    people: People,
    events: str,
    traits: str,
    prefix: str,
    standing: Mapping[str, str],
) -> Mapping[str, str]:
    """Stage every model from relations of events and traits and from whose each row is.

    `standing` are the relations that say since when people are in audiences: `Standing.bindings`.
    """
    bound = {"person_events": people.rows(events), "person_traits": people.rows(traits), **standing}
    staged = {model.name: f"{prefix}{model.name}" for model in models}
    for model in models:
        warehouse.derive(staged[model.name], bind(model.compiled, {**bound, **staged}))
    return staged


def backfill(
    warehouse: Warehouse,
    models: Sequence[Model],
    clock: datetime,
    beside: Callable[[Mapping[str, str]], Callable[[], None]],
) -> None:
    """Make the tables of some models anew, from everything that happened and the persons as they are.

    This is how new definitions come into force; `clock` is what `now()` stands for. `beside` is given what
    was staged, and returns what to write in the same transaction.
    """
    warehouse.set_now(clock)
    people = People(IDENTITY.name, OWNERSHIP.name)
    carry(warehouse, MEMBERS.name, None, IDENTITY.name)
    standing = {MEMBERS.name: CARRIED, "moments": moments_of_all(ACTIVITY.name)}
    staged = derive_models(warehouse, models, people, EVENTS.name, TRAITS.name, "backfilled_", standing)
    write = beside(staged)
    with warehouse.transaction():
        fill(warehouse, staged, models)
        write()
    for relation in staged.values():
        warehouse.drop(relation)


def fill(warehouse: Warehouse, staged: Mapping[str, str], made: Sequence[Model]) -> None:
    """Put staged answers in place of all rows of their tables; `made` models may have new columns."""
    tables = {model.name: model.table for model in made}
    for name, relation in staged.items():
        if name in tables:
            warehouse.remake(tables[name], f"SELECT * FROM {relation}")
        else:
            warehouse.overwrite(name, f"SELECT * FROM {relation}")


def needed(table: Table, models: Sequence[Model]) -> list[str]:
    """Return the columns of a table that a refresh must carry: wide ones nobody reads stay on disk."""
    always = {"identifier_key", "message_key", "source", "occurred_at", "known_at"}
    identity = {"user_id", "anonymous_id"}
    used = always.union(identity, *(columns_used(model.compiled) for model in models))
    return [name for name in table.column_names if name in used]


def arriving(columns: Sequence[str]) -> str:
    """Return columns of new rows as they will be in the table: until then a VARIANT is JSON text."""
    variants = {column.name for column in EVENTS.columns if column.type == "variant"}
    return ", ".join(f"as_variant({name}) AS {name}" if name in variants else name for name in columns)


def models_digest(models: Sequence[Model], policy: Policy) -> str:
    """Return a digest of what the models and the policy say; when it changes, all must be rebuilt."""
    text = "\n".join(f"{model.name}: {model.compiled}" for model in models)
    return hashlib.sha256(f"{text}\n{policy.digest}".encode()).hexdigest()[:16]
