"""How right it is: persons that were found against persons there truly are.

Of pairs of identifiers: of those found in one person, how many are (precision), and of those that are, how
many were found (recall). Of clusters: how many are exactly right. Source: Menestrina, Whang, Garcia-Molina,
"Evaluating entity resolution results" (2010).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import msgspec
import numpy as np

from tekil.identity.components import label_components
from tekil.identity.graph import Integers


class Measure(msgspec.Struct, frozen=True):
    """Precision, recall and their harmonic mean, each from 0 to 1; 1 where there was nothing to find."""

    precision: float
    recall: float
    f1: float


class Quality(msgspec.Struct, frozen=True):
    """The whole comparison. `unknown` identifiers of the truth were never heard of.

    `connected_pairs` counts as true only pairs that evidence of the person's own connects: what nobody ever
    said of two cookies, no rule can know.
    """

    identifiers: int
    unknown: int
    true_persons: int
    found_persons: int
    pairs: Measure
    connected_pairs: Measure
    clusters: Measure


def evaluate(
    true: Mapping[int, str], found: Mapping[int, int], links: Iterable[tuple[int, int]] = ()
) -> Quality:
    """Compare, by identifier key, the person it is truly of with the person found.

    `links` are the pairs of identifiers that were ever named together.

    >>> evaluate({1: "a", 2: "a", 3: "b"}, {1: 7, 2: 7, 3: 7}).pairs
    Measure(precision=0.3333333333333333, recall=1.0, f1=0.5)
    """
    keys = list(true)
    # An identifier nobody found stands alone.
    ours = _numbered([("found", found[key]) if key in found else ("unknown", key) for key in keys])
    theirs = _numbered([true[key] for key in keys])
    together, our_sizes, their_sizes = _counted(ours, theirs)
    known, own_sizes, knowable = _counted(ours, _connected(true, keys, links))
    cells, sizes = np.unique(np.stack([ours, theirs]), axis=1, return_counts=True)
    is_exact = (our_sizes[cells[0]] == sizes) & (their_sizes[cells[1]] == sizes)
    return Quality(
        identifiers=len(keys),
        unknown=sum(key not in found for key in keys),
        true_persons=len(their_sizes),
        found_persons=len(our_sizes),
        pairs=_measure(together, _pairs(our_sizes), _pairs(their_sizes)),
        connected_pairs=Measure(
            *_both(together / max(_pairs(own_sizes), 1), known / max(_pairs(knowable), 1))
        ),
        clusters=_measure(int(is_exact.sum()), len(our_sizes), len(their_sizes)),
    )


def _connected(true: Mapping[int, str], keys: Sequence[int], links: Iterable[tuple[int, int]]) -> Integers:
    """Return, by identifier, the part of its true person that evidence connects it with."""
    place = {key: n for n, key in enumerate(keys)}
    own = [
        (place[left], place[right])
        for left, right in links
        if left in place and right in place and true[left] == true[right]
    ]
    ends = np.array(own, dtype=np.int64).reshape(-1, 2)
    _, numbers = np.unique(label_components(len(keys), ends[:, 0], ends[:, 1]), return_inverse=True)
    found: Integers = numbers.astype(np.int64)
    return found


def _counted(ours: Integers, theirs: Integers) -> tuple[int, Integers, Integers]:
    """Return the pairs that both hold together, and the sizes of the groups of each."""
    _, sizes = np.unique(np.stack([ours, theirs]), axis=1, return_counts=True)
    return _pairs(sizes), np.bincount(ours), np.bincount(theirs)


def _numbered(labels: Sequence[Hashable]) -> Integers:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)


def _pairs(sizes: Integers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _measure(right: int, found: int, true: int) -> Measure:
    return Measure(*_both(right / found if found else 1.0, right / true if true else 1.0))


def _both(precision: float, recall: float) -> tuple[float, float, float]:
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0
