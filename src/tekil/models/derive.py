"""One way to derive everything from events, whatever the engine lets the models see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tekil.identity import IDENTITY, resolve
from tekil.load import EVENTS
from tekil.models.model import Model
from tekil.warehouse import Marks, Table, Warehouse, bind, columns_used


@dataclass(frozen=True, slots=True)
class Bindings:
    """What the models see: the relations (or SELECTs) that stand for `events` and `traits`."""

    events: str
    traits: str

    @staticmethod
    def all() -> Bindings:
        """Return the binding of a rebuild: everything."""
        return Bindings("events", "traits")

    @staticmethod
    def known_before(instant: str) -> Bindings:
        """Return the binding of time travel: what was known before an instant (a SQL literal)."""
        return Bindings(
            f"SELECT * FROM events WHERE known_at < {instant}",
            f"SELECT * FROM traits WHERE known_at < {instant}",
        )


def derive(
    warehouse: Warehouse,
    models: Sequence[Model],
    bindings: Bindings,
    prefix: str,
    resolved: Mapping[str, str] | None = None,
) -> Mapping[str, str]:
    """Stage evidence, identity and every model from what `bindings` shows; names start with `prefix`.

    Returns table name → staged relation. `now()` must be bound. Where identity is `resolved` already, by
    the relations of these names, it stays as it is.
    """
    staged = dict(resolve(warehouse, bindings.events, prefix) if resolved is None else resolved)
    people = {
        "person_events": _of_persons(bindings.events, staged["identity"]),
        "person_traits": _of_persons(bindings.traits, staged["identity"]),
    }
    for model in models:
        staged[model.name] = f"{prefix}{model.name}"
        warehouse.derive(staged[model.name], bind(model.compiled, {**people, **staged}))
    return staged


def backfill(warehouse: Warehouse, models: Sequence[Model], after: Marks) -> None:
    """Make the tables of some models anew, from everything that happened and the persons as they are.

    This is how new definitions come into force. It leaves the marks `after`, whose clock is what `now()`
    stands for.
    """
    assert after.clock is not None
    warehouse.set_now(after.clock)
    staged = derive(warehouse, models, Bindings.all(), "backfilled_", {IDENTITY.name: IDENTITY.name})
    with warehouse.transaction():
        fill(warehouse, {model.name: staged[model.name] for model in models}, models)
        warehouse.set_marks(after)
    for model in models:
        warehouse.drop(staged[model.name])


def fill(warehouse: Warehouse, staged: Mapping[str, str], made: Sequence[Model]) -> None:
    """Put staged answers in place of all rows of their tables; `made` models may have new columns."""
    tables = {model.name: model.table for model in made}
    for name, relation in staged.items():
        if name in tables:
            warehouse.remake(tables[name], f"SELECT * FROM {relation}")
        else:
            warehouse.overwrite(name, f"SELECT * FROM {relation}")


def _of_persons(relation: str, identity: str) -> str:
    source = relation if relation.isidentifier() else f"({relation})"
    return (
        f"SELECT i.person_key, r.* FROM {source} AS r"
        f" JOIN {identity} AS i ON i.identifier_key = r.identifier_key"
    )


def needed(table: Table, models: Sequence[Model]) -> list[str]:
    """Return the columns of a table that a refresh must carry: wide ones nobody reads stay on disk."""
    always = {"identifier_key", "message_key", "source", "occurred_at", "known_at"}
    identity = {"user_id", "anonymous_id", "previous_id", "email", "phone"}
    used = always.union(identity, *(columns_used(model.compiled) for model in models))
    return [name for name in table.column_names if name in used]


def arriving(columns: Sequence[str]) -> str:
    """Return columns of new rows as they will be in the table: until then a VARIANT is JSON text."""
    variants = {column.name for column in EVENTS.columns if column.type == "variant"}
    return ", ".join(f"as_variant({name}) AS {name}" if name in variants else name for name in columns)


def models_digest(models: Sequence[Model]) -> str:
    """Return a digest of what the models say; when it changes, what they gave must be rebuilt."""
    text = "\n".join(f"{model.name}: {model.compiled}" for model in models)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
