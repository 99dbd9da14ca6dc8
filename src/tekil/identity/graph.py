"""Identifiers and the evidence between them as arrays: what resolution works on, whatever engine kept it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tekil.identifiers import Policy, Strength

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ELSEWHERE = -1
"""The position of an identifier that is not among those at hand: it is shared, and joins nobody."""

WORTH: Mapping[Strength, int] = {"device": 1, "personal": 2, "unique": 3}
"""Strengths in order."""


@dataclass(frozen=True)
class Limits:
    """The policy by kind, where a kind is its place in `kinds`."""

    kinds: tuple[str, ...]
    worth: Integers
    per_person: Integers
    persons: Integers
    devices: Integers
    values: int

    @classmethod
    def of(cls, policy: Policy, kinds: Sequence[str]) -> Limits:
        """Return the limits of some kinds."""
        rules = [policy.rule(kind) for kind in kinds]
        return cls(
            tuple(kinds),
            np.array([WORTH[rule.strength] for rule in rules], dtype=np.int64),
            np.array([rule.per_person for rule in rules], dtype=np.int64),
            np.array([rule.persons for rule in rules], dtype=np.int64),
            np.array([rule.devices_max for rule in rules], dtype=np.int64),
            policy.spec.values_max,
        )


@dataclass(frozen=True)
class Said:
    """What people, or their systems, said outright of two identifiers: where they stand, and `merge` or
    `split`.

    `place` orders them: what was said last is believed first.
    """

    left: int
    right: int
    act: str
    place: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Graph:
    """Identifiers, oldest first, and links between them, each pair of identifiers once.

    `keys`, `kinds` (places in `Limits.kinds`) and `declared` (shared whatever their
    links say) are of identifiers;
    all else is of links. Ends are positions among the identifiers; one that is elsewhere is `ELSEWHERE`, its
    kind known all the same. `last_seen` is microseconds, `tie` a number that is the same whenever the link
    is. `weight` is 0, or, where the two were only found to be alike, hundredths of bits for their being one.
    """

    keys: Integers
    kinds: Integers
    declared: Flags
    left: Integers
    right: Integers
    left_kind: Integers
    right_kind: Integers
    is_alias: Flags
    messages: Integers
    last_seen: Integers
    tie: Integers
    weight: Integers
    said: tuple[Said, ...] = ()
