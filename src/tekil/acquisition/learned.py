"""What the data-driven models learn from paths: the share of each channel, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tekil.acquisition.markov import chain_of, removal
from tekil.acquisition.paths import Floats, Integers, Paths
from tekil.acquisition.shapley import EXACT_MAX, sets_of, shapley

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
    """Return what each channel adds to the coalitions of the others, with a bootstrap over people.

    Where coalitions are sampled, intervals are of the sampling alone: twice its standard error.
    """
    sets = sets_of(paths)
    found = shapley(sets, sets.count(paths.converted), sets.count(paths.lost), seed=seed)
    total = float(np.maximum(found.values, 0.0).sum()) or 1.0
    errors = found.errors / total
    if sets.channels > EXACT_MAX:
        low, high = found.shares - 2 * errors, found.shares + 2 * errors
        return Learned(found.shares, np.maximum(low, 0.0), np.minimum(high, 1.0), errors)
    walks = replace(
        paths,
        starts=sets.starts,
        codes=sets.codes,
        converted=sets.count(paths.converted).astype(np.int64),
        lost=sets.count(paths.lost).astype(np.int64),
    )
    drawn = [
        shapley(sets, wins.astype(np.float64), losses.astype(np.float64)).shares
        for wins, losses in _draws(walks, rounds, seed)
    ]
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
