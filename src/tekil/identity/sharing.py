"""Which identifiers are no one person's: judged by what each is named with, and by nothing further away.

So the answer for an identifier depends on its own links alone: it is the same in whatever order they came,
and a refresh that sees all links of an identifier says what a rebuild says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tekil.identity.graph import ELSEWHERE, WORTH, Flags, Graph, Integers, Limits


@dataclass(frozen=True)
class Sharing:
    """By identifier: whether it is shared, and whether it is a contested device.

    A contested device is named with two values of a unique kind or more: several people use it, in turns.
    """

    is_shared: Flags
    is_contested: Flags

    @property
    def is_cut(self) -> Flags:
        """Whether an identifier joins nobody."""
        return self.is_shared | self.is_contested


def find_shared(graph: Graph, limits: Limits) -> Sharing:
    """Return what is shared and what is contested. O(links) for each kind there is."""
    count = len(graph.keys)
    worth, is_shared = limits.worth[graph.kinds], graph.declared.copy()
    is_contested = np.zeros(count, dtype=bool)
    devices: Integers = np.zeros(count, dtype=np.int64)
    for kind in range(len(limits.kinds)):
        named = _named_with(graph, kind, count)
        if limits.worth[kind] == WORTH["device"]:
            devices += named
        elif limits.worth[kind] == WORTH["personal"]:
            is_shared |= named > limits.values
        else:
            is_shared |= named > limits.persons[graph.kinds]
            is_contested |= (named > 1) & (worth == WORTH["device"])
    is_shared |= devices > limits.devices[graph.kinds]
    return Sharing(is_shared, is_contested & ~is_shared)


def _named_with(graph: Graph, kind: int, count: int) -> Integers:
    """Return with how many identifiers of a kind each identifier is named; being alike is no naming."""
    ends = [
        here[(there_kind == kind) & (here != ELSEWHERE) & (graph.weight == 0)]
        for here, there_kind in ((graph.left, graph.right_kind), (graph.right, graph.left_kind))
    ]
    found: Integers = np.bincount(ends[0], minlength=count) + np.bincount(ends[1], minlength=count)
    return found
