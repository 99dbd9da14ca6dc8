"""One way to derive everything from events, whatever the engine lets the models see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tekil.identity import resolve
from tekil.models.model import Model
from tekil.warehouse import Warehouse, bind


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
    warehouse: Warehouse, models: Sequence[Model], bindings: Bindings, prefix: str
) -> Mapping[str, str]:
    """Stage evidence, identity and every model from what `bindings` shows; names start with `prefix`.

    Returns table name → staged relation. `now()` must be bound.
    """
    staged = dict(resolve(warehouse, bindings.events, prefix))
    people = {
        "person_events": _of_persons(bindings.events, staged["identity"]),
        "person_traits": _of_persons(bindings.traits, staged["identity"]),
    }
    for model in models:
        staged[model.name] = f"{prefix}{model.name}"
        warehouse.derive(staged[model.name], bind(model.compiled, people))
    return staged


def _of_persons(relation: str, identity: str) -> str:
    source = relation if relation.isidentifier() else f"({relation})"
    return (
        f"SELECT i.person_key, r.* FROM {source} AS r"
        f" JOIN {identity} AS i ON i.identifier_key = r.identifier_key"
    )


def models_digest(models: Sequence[Model]) -> str:
    """Return a digest of what the models say; when it changes, what they gave must be rebuilt."""
    text = "\n".join(f"{model.name}: {model.compiled}" for model in models)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
