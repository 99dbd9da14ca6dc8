"""How right it is: persons that were found against persons there truly are.

Of pairs of identifiers: of those found in one person, how many are (precision), and of those that are, how
many were found (recall). Of clusters: how many are exactly right. Source: Menestrina, Whang, Garcia-Molina,
"Evaluating entity resolution results" (2010).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec
import numpy as np

from tekil.identity.graph import Integers


class Measure(msgspec.Struct, frozen=True):
    """Precision, recall and their harmonic mean, each from 0 to 1; 1 where there was nothing to find."""

    precision: float
    recall: float
    f1: float


class Quality(msgspec.Struct, frozen=True):
    """The whole comparison. `unknown` identifiers of the truth were never heard of."""

    identifiers: int
    unknown: int
    true_persons: int
    found_persons: int
    pairs: Measure
    clusters: Measure


def evaluate(true: Sequence[Hashable], found: Sequence[Hashable | None]) -> Quality:
    """Compare, identifier by identifier, the person it is of with the person found, nothing where unknown.

    >>> evaluate(["a", "a", "b"], [1, 1, 1]).pairs
    Measure(precision=0.3333333333333333, recall=1.0, f1=0.5)
    """
    # An identifier nobody found stands alone.
    ours = _numbered([("found", one) if one is not None else ("unknown", n) for n, one in enumerate(found)])
    theirs = _numbered(true)
    cells, sizes = np.unique(np.stack([ours, theirs]), axis=1, return_counts=True)
    our_sizes, their_sizes = np.bincount(ours), np.bincount(theirs)
    together = _pairs(sizes)
    is_exact = (our_sizes[cells[0]] == sizes) & (their_sizes[cells[1]] == sizes) if len(true) else sizes > 0
    return Quality(
        identifiers=len(true),
        unknown=sum(one is None for one in found),
        true_persons=len(their_sizes),
        found_persons=len(our_sizes),
        pairs=_measure(together, _pairs(our_sizes), _pairs(their_sizes)),
        clusters=_measure(int(is_exact.sum()), len(our_sizes), len(their_sizes)),
    )


def _numbered(labels: Sequence[Hashable]) -> Integers:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)


def _pairs(sizes: Integers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _measure(right: int, found: int, true: int) -> Measure:
    precision, recall = right / found if found else 1.0, right / true if true else 1.0
    both = precision + recall
    return Measure(precision, recall, 2 * precision * recall / both if both else 0.0)
