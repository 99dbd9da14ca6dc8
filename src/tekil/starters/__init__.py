"""Features, audiences, stages and scores of the trade, ready to be put in force, and to be changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tekil.definitions import Definition, Key, Written, read, uses
from tekil.errors import NotFound

LIBRARY = Path(__file__).parent / "starters.yaml"


def library() -> list[Written]:
    """Return all starters, each after what it names."""
    return read([LIBRARY])


def chosen(names: Sequence[str]) -> list[Written]:
    """Return the starters of some names, with all that they are made of. Raises `NotFound`."""
    known = {one.definition.name: one for one in library()}
    if unknown := [name for name in names if name not in known]:
        raise NotFound(
            f"There is no starter {unknown[0]!r}. There are: {', '.join(known)}.", code="starter_unknown"
        )
    used = uses([one.definition for one in known.values()])
    wanted: dict[Key, Definition] = {}
    asked = [(known[name].definition.kind, name) for name in names]
    for key in asked:
        if key not in wanted:
            wanted[key] = known[key[1]].definition
            asked.extend(sorted(used[key]))
    return [one for one in known.values() if (one.definition.kind, one.definition.name) in wanted]
