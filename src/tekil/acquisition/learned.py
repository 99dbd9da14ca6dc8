"""What the data-driven models learn from paths: the share of each channel, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tekil.acquisition.markov import chain_of, removal
from tekil.acquisition.paths import Floats, Integers, Paths
from tekil.acquisition.shapley import sets_of, shapley

ROUNDS = 100
"""How often the people are drawn anew."""

LOW, HIGH = 5.0, 95.0
"""The percentiles between which a share lies nine times out of ten."""


@dataclass(frozen=True)
class Learned:
    """The share of each channel, and the interval that holds it nine times out of ten (both by code).

    `errors` is the standard error that comes of sampling coalitions; 0 where all were counted.
    """

    shares: Floats
    low: Floats
    high: Floats
    errors: Floats


def learn_markov(paths: Paths, order: int = 1, *, rounds: int = ROUNDS, seed: int = 0) -> Learned:
    """Return what removing each channel would cost, with a bootstrap over people (Efron 1979)."""
    chain = chain_of(paths, order)
    shares = removal(chain, paths.converted, paths.lost).shares
    drawn = [removal(chain, *again).shares for again in _draws(paths, rounds, seed)]
    return _between(shares, drawn, np.zeros_like(shares))


def learn_shapley(paths: Paths, *, rounds: int = ROUNDS, seed: int = 0) -> Learned:
    """Return what each channel adds to the coalitions of the others, with a bootstrap over people."""
    sets = sets_of(paths, seed=seed)
    found = shapley(sets, sets.sums(paths.converted), sets.sums(paths.lost))
    drawn = [
        shapley(sets, sets.sums(wins), sets.sums(losses)).shares
        for wins, losses in _draws(paths, rounds, seed)
    ]
    errors = found.errors / (float(np.maximum(found.values, 0.0).sum()) or 1.0)
    return _between(found.shares, drawn, errors)


def _draws(paths: Paths, rounds: int, seed: int) -> list[tuple[Integers, Integers]]:
    """Return counts of as many people, drawn with replacement, `rounds` times."""
    everybody = np.concatenate([paths.converted, paths.lost])
    people = int(everybody.sum())
    if not people:
        return []
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(people, everybody / people, size=rounds)
    return [(row[: paths.count], row[paths.count :]) for row in drawn]


def _between(shares: Floats, drawn: list[Floats], errors: Floats) -> Learned:
    if not drawn:
        return Learned(shares, shares, shares, errors)
    low, high = np.percentile(np.array(drawn), [LOW, HIGH], axis=0)
    return Learned(shares, np.minimum(low, shares), np.maximum(high, shares), errors)
