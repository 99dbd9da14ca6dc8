"""Putting a dictionary in force in a test's installation."""

from __future__ import annotations

from typing import Any

from tekil.definitions import Definition, Written, apply
from tekil.kinds import KINDS
from tekil.store import Store


def define(store: Store, events: dict[str, dict[str, Any]], unknown_events: str = "evolve") -> None:
    """Make these events, by name and spec, the whole dictionary."""
    wanted = [Definition("event", name, {}, "", spec) for name, spec in events.items()]
    wanted.append(Definition("dictionary", "dictionary", {}, "", {"unknown_events": unknown_events}))
    apply(store, KINDS, [Written(d) for d in wanted], author="test", prune=True)


def undefine(store: Store) -> None:
    """Let no definition be in force."""
    apply(store, KINDS, [], author="test", prune=True)
