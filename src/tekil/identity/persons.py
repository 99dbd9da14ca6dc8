"""From identifiers and links to persons: a pure function that does not care in which order anything came.

Where nothing forbids it, a person is a connected component. Only components in which something does (two
values of a unique kind, more of a kind than a person has, two that were said to be different people) are gone
through link by link, the strongest evidence first; a link that would break a rule is refused, and told. What
people say outright comes last: it joins whole persons, and no limit stands against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tekil.identity.components import label_components
from tekil.identity.graph import ELSEWHERE, WORTH, Flags, Graph, Integers, Limits
from tekil.identity.sharing import Sharing, find_shared

SAID_TO_DIFFER = -1
"""Stands in a conflict for the kind, where a link was refused because people said that the two differ."""


@dataclass(frozen=True)
class Refused:
    """A link that was refused, and the kind (a place in `Limits.kinds`) of which there would be too many."""

    link: int
    kind: int


@dataclass(frozen=True)
class Persons:
    """The answer, by identifier: the oldest identifier of its cluster, and of its person.

    A cluster is what evidence connects; it holds several persons only where links were refused.
    """

    cluster: Integers
    person: Integers
    sharing: Sharing
    refused: tuple[Refused, ...]


def resolve_graph(graph: Graph, limits: Limits) -> Persons:
    """Return who is who, in O(links · log links) at worst."""
    sharing = find_shared(graph, limits)
    cut = sharing.is_cut
    joins = (graph.left != ELSEWHERE) & (graph.right != ELSEWHERE)
    joins &= ~(cut[graph.left] | cut[graph.right])
    merges = np.array(
        [(s.left, s.right) for s in graph.said if s.act == "merge" and not (cut[s.left] or cut[s.right])],
        dtype=np.int64,
    ).reshape(-1, 2)
    cluster = label_components(
        len(graph.keys),
        np.concatenate([graph.left[joins], merges[:, 0]]),
        np.concatenate([graph.right[joins], merges[:, 1]]),
    )
    doubtful = _doubtful(graph, limits, cluster)
    if not doubtful.any():
        return Persons(cluster, cluster, sharing, ())
    merging = _Merging(graph, limits, np.flatnonzero(doubtful[cluster]))
    merging.take_links(_strongest_first(graph, limits, joins & doubtful[cluster[graph.left]]))
    merging.take_said(cut)
    person = cluster.copy()
    for node in merging.parent:
        person[node] = merging.root(node)
    still = [r for r in merging.refused if person[graph.left[r.link]] != person[graph.right[r.link]]]
    return Persons(cluster, person, sharing, tuple(still))


def _doubtful(graph: Graph, limits: Limits, cluster: Integers) -> Flags:
    """Return of each cluster (by its oldest identifier) whether one person could break a rule."""
    found = np.zeros(len(graph.keys), dtype=bool)
    for kind in np.flatnonzero(limits.per_person > 0):
        of_kind = cluster[graph.kinds == kind]
        if len(of_kind):
            roots, counts = np.unique(of_kind, return_counts=True)
            found[roots[counts > limits.per_person[kind]]] = True
    for said in graph.said:
        if said.act == "split" and cluster[said.left] == cluster[said.right]:
            found[cluster[said.left]] = True
    return found


def _strongest_first(graph: Graph, limits: Limits, chosen: Flags) -> Integers:
    """Return the chosen links: aliases first, then by strength, count, recency, and a stable number.

    Those that were only found to be alike come after all others, the weightiest first.
    """
    links = np.flatnonzero(chosen)
    left, right = limits.worth[graph.left_kind[links]], limits.worth[graph.right_kind[links]]
    weaker, stronger = np.minimum(left, right), np.maximum(left, right)
    weight = graph.weight[links]
    strength = np.where(weight > 0, 0, 16 * graph.is_alias[links] + 4 * weaker + stronger)
    order = np.lexsort(
        (graph.tie[links], -graph.last_seen[links], -graph.messages[links], -weight, -strength)
    )
    found: Integers = links[order]
    return found


@dataclass
class _Merging:
    """Union–find over doubtful clusters; a root knows how many values of each kind it has."""

    graph: Graph
    limits: Limits
    nodes: Integers
    parent: dict[int, int] = field(init=False)
    counts: dict[int, list[int]] = field(init=False)
    differ: dict[int, set[int]] = field(init=False)
    refused: list[Refused] = field(default_factory=list)

    def __post_init__(self) -> None:
        kinds = len(self.limits.kinds)
        self.parent = {node: node for node in self.nodes.tolist()}
        self.counts = {}
        for node, kind in zip(self.parent, self.graph.kinds[self.nodes].tolist(), strict=True):
            self.counts[node] = [0] * kinds
            self.counts[node][kind] = 1
        self.differ = {}
        for said in self.graph.said:
            if said.act == "split" and said.left in self.parent and said.right in self.parent:
                self.differ.setdefault(said.left, set()).add(said.right)
                self.differ.setdefault(said.right, set()).add(said.left)
        self._max = self.limits.per_person.tolist()
        self._unique = (self.limits.worth == WORTH["unique"]).tolist()

    def root(self, node: int) -> int:
        """Return the oldest identifier of what a node is merged into."""
        parent = self.parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def take_said(self, cut: Flags) -> None:
        """Merge whole persons that people said are one, the last word first, unless they said otherwise, too.

        After all evidence, so that whoever names any identifier of a person means the whole person.
        """
        told = [s for s in self.graph.said if s.act == "merge" and s.left in self.parent]
        for said in sorted(told, key=lambda s: s.place, reverse=True):
            if cut[said.left] or cut[said.right]:
                continue
            one, other = self.root(said.left), self.root(said.right)
            if one != other and not self._said_to_differ(one, other):
                self._merge(one, other, is_told=True)

    def take_links(self, links: Integers) -> None:
        """Merge along links in their order, and note those that may not."""
        columns = (self.graph.left, self.graph.right, self.graph.is_alias)
        ends = zip(links.tolist(), *(column[links].tolist() for column in columns), strict=True)
        for link, left, right, is_alias in ends:
            one, other = self.root(left), self.root(right)
            if one == other:
                continue
            if self._said_to_differ(one, other):
                self.refused.append(Refused(link, SAID_TO_DIFFER))
            elif not is_alias and (kind := self._too_many(one, other)) is not None:
                self.refused.append(Refused(link, kind))
            else:
                self._merge(one, other, is_told=is_alias)

    def _too_many(self, one: int, other: int) -> int | None:
        """Return the kind of which both together have too many values, the strongest first, or nothing."""
        ours, theirs = self.counts[one], self.counts[other]
        found = None
        for kind, most in enumerate(self._max):
            # What is over its limit by somebody's word stays, as long as nothing is added to it.
            if most and ours[kind] and theirs[kind] and ours[kind] + theirs[kind] > most:
                if self._unique[kind]:
                    return kind
                found = kind if found is None else found
        return found

    def _said_to_differ(self, one: int, other: int) -> bool:
        if not self.differ:
            return False
        few, many = (one, other) if len(self._of(one)) <= len(self._of(other)) else (other, one)
        return any(self.root(node) == many for node in self._of(few))

    def _of(self, root: int) -> set[int]:
        return self.differ.get(root, _NOBODY)

    def _merge(self, one: int, other: int, *, is_told: bool) -> None:
        """Put two together under the older. Unique values that were said to be the same count as one."""
        root, child = min(one, other), max(one, other)
        self.parent[child] = root
        ours, theirs = self.counts[root], self.counts.pop(child)
        for kind, count in enumerate(theirs):
            if is_told and self._unique[kind]:
                ours[kind] = max(ours[kind], count)
            else:
                ours[kind] += count
        if child in self.differ:
            self.differ.setdefault(root, set()).update(self.differ.pop(child))


_NOBODY: set[int] = set()


def refused_ends(graph: Graph, persons: Persons) -> Iterator[tuple[int, int, int]]:
    """Yield the ends and the kind of each refused link."""
    for refused in persons.refused:
        yield int(graph.left[refused.link]), int(graph.right[refused.link]), refused.kind
