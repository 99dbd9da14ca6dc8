"""Small graphs of identifiers for tests of the pure part: names in, sets of names out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tekil.identifiers import Policy
from tekil.identity.graph import Flags, Graph, Integers, Limits, Said
from tekil.identity.persons import Persons, resolve_graph

KINDS = tuple(sorted(Policy().rules))
LIMITS = Limits.of(Policy(), KINDS)


@dataclass(frozen=True)
class Edge:
    """Evidence between two names such as `email:a`."""

    left: str
    right: str
    messages: int = 1
    last_seen: int = 0
    is_alias: bool = False
    weight: int = 0


def kind_of(name: str) -> str:
    return name.partition(":")[0]


def graph_of(names: Sequence[str], edges: Iterable[Edge], said: Iterable[tuple[str, str, str]] = ()) -> Graph:
    """`names` stand in the order of their age; each pair of names is in one edge at most."""
    place = {name: n for n, name in enumerate(names)}
    edges = list(edges)

    def column(values: Iterable[object]) -> Integers:
        return np.array(list(values), dtype=np.int64)

    def kinds(of: Iterable[str]) -> Integers:
        return column(KINDS.index(kind_of(name)) for name in of)

    aliases: Flags = np.array([edge.is_alias for edge in edges], dtype=bool)
    return Graph(
        column(100 + n for n in range(len(names))),
        kinds(names),
        np.zeros(len(names), dtype=bool),
        column(place[edge.left] for edge in edges),
        column(place[edge.right] for edge in edges),
        kinds(edge.left for edge in edges),
        kinds(edge.right for edge in edges),
        aliases,
        column(edge.messages for edge in edges),
        column(edge.last_seen for edge in edges),
        column(hash_of(edge) for edge in edges),
        column(edge.weight for edge in edges),
        tuple(Said(place[a], place[b], act, (n, 0)) for n, (a, b, act) in enumerate(said)),
    )


def hash_of(edge: Edge) -> int:
    """A number that is the pair's own, whatever stands beside it."""
    return sum(
        ord(letter) * 31**n % 1_000_003 for n, letter in enumerate("|".join(sorted([edge.left, edge.right])))
    )


def people(names: Sequence[str], found: Persons) -> set[frozenset[str]]:
    """The persons as sets of names."""
    groups: dict[int, set[str]] = {}
    for name, person in zip(names, found.person.tolist(), strict=True):
        groups.setdefault(person, set()).add(name)
    return {frozenset(group) for group in groups.values()}


def who(
    names: str, edges: Iterable[Edge], said: Iterable[tuple[str, str, str]] = ()
) -> tuple[set[frozenset[str]], Persons]:
    """Resolve a graph under the policy that ships."""
    listed = names.split()
    found = resolve_graph(graph_of(listed, edges, said), LIMITS)
    return people(listed, found), found


def shuffled(graph: Graph, order: Sequence[int]) -> Graph:
    """The same links in another order, some of them turned around."""
    at = np.array(order, dtype=np.int64)
    turned = at % 2 == 0
    columns = {
        name: getattr(graph, name)[at] for name in ("is_alias", "messages", "last_seen", "tie", "weight")
    }
    for one, other in (("left", "right"), ("left_kind", "right_kind")):
        a, b = getattr(graph, one)[at], getattr(graph, other)[at]
        columns[one], columns[other] = np.where(turned, b, a), np.where(turned, a, b)
    return replace(graph, **columns)
