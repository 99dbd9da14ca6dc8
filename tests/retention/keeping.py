"""Rules of retention over an installation, in a test's words."""

from __future__ import annotations

from collections.abc import Sequence

from tekil.definitions import Written, apply, parse
from tekil.kinds import KINDS
from tekil.privacy import KeyRing
from tekil.retention import Retention
from tests.installation import MASTER, Installation


def rules(place: Installation, *specs: str, beside: Sequence[Written] = ()) -> None:
    """Put these rules in force, and no others: `{of: events, keep: 30 days}`; and what is `beside` them."""
    documents = "\n---\n".join(f"kind: retention\nname: r{n}\nspec: {spec}" for n, spec in enumerate(specs))
    written = [*(parse(documents) if specs else []), *beside]
    apply(place.store, KINDS, written, author="test", prune=True)


def retention(place: Installation) -> Retention:
    return Retention(place.engine, KeyRing(place.store.data_keys, MASTER), clock=lambda: place.now)


def counts(place: Installation) -> dict[str, int]:
    """Return what would be destroyed now, by class."""
    found: dict[str, int] = {}
    for planned in retention(place).plan():
        found[planned.rule.spec.of] = found.get(planned.rule.spec.of, 0) + planned.count
    return found
