"""Credit by coalition: what each channel adds, on average over all orders in which channels could join.

A set of channels is worth the rate at which people convert who met no channel outside it. The Shapley value
(1953) of that game is the only one that gives away all there is, treats alike channels alike, gives nothing
to those who add nothing, and adds up over games. Up to twelve channels it is worked out over all coalitions;
above, it is the mean over random orders, each with its reverse (antithetic), with the standard error of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from tekil.acquisition.paths import Floats, Integers, Paths, places, starts_of, summed

EXACT_MAX = 12
PAIRS = 500
"""How many orders, each with its reverse, are drawn where there are too many coalitions."""


@dataclass(frozen=True)
class Sets:
    """The distinct sets of channels that paths met; set i is `codes[starts[i] : starts[i + 1]]`, sorted.

    `of_path` is the set of each path.
    """

    channels: int
    codes: Integers
    starts: Integers
    of_path: Integers

    def count(self, weights: Integers) -> Floats:
        """Return, by set, the sum of what is counted by path."""
        return summed(self.of_path, weights.astype(np.float64), len(self.starts) - 1)


@dataclass(frozen=True)
class Values:
    """The value of each channel, in conversions per person, and its standard error: 0 where it is exact."""

    values: Floats
    errors: Floats

    @property
    def shares(self) -> Floats:
        """Each channel's share of the conversions; one that lowers the rate has none."""
        floored = np.maximum(self.values, 0.0)
        total = floored.sum()
        return floored / total if total > 0 else floored


def sets_of(paths: Paths) -> Sets:
    """Return the sets of channels that paths met."""
    size = max(len(paths.channels), 1)
    walk = np.repeat(np.arange(paths.count, dtype=np.int64), paths.lengths)
    met = np.unique(walk * size + paths.codes)
    lengths = np.bincount(met // size, minlength=paths.count)
    starts, codes = starts_of(lengths), met % size
    if not paths.count:
        return Sets(len(paths.channels), codes, starts, walk)
    # As texts of bytes, so that sets of any number of channels can be told apart.
    width = int(lengths.max())
    padded = np.full((paths.count, width), -1, dtype=np.int64)
    padded[met // size, places(starts)] = codes
    _, first, of_path = np.unique(padded, axis=0, return_index=True, return_inverse=True)
    kept = starts_of(lengths[first])
    steps = np.repeat(starts[first], lengths[first]) + places(kept)
    return Sets(len(paths.channels), codes[steps], kept, of_path.reshape(-1))


def shapley(sets: Sets, converted: Floats, lost: Floats, *, seed: int = 0) -> Values:
    """Return the value of each channel, from how many people with each set converted, and did not."""
    if sets.channels <= EXACT_MAX:
        return Values(shapley_of(_worths(sets, converted, lost)), np.zeros(sets.channels))
    return _sampled(sets, converted, lost, np.random.default_rng(seed))


def shapley_of(worths: Floats) -> Floats:
    """Return the Shapley values of a game of n players, from the worths of all 2ⁿ coalitions.

    Player i is in coalition s where bit i of s is set. O(n 2ⁿ).
    """
    players = len(worths).bit_length() - 1
    coalitions = np.arange(len(worths))
    members = sum(((coalitions >> i) & 1 for i in range(players)), np.zeros(len(worths), dtype=np.int64))
    odds = np.array(
        [factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)] or [1.0]
    )
    values = np.zeros(players)
    for player in range(players):
        without = coalitions[(coalitions >> player) & 1 == 0]
        gain = worths[without | (1 << player)] - worths[without]
        values[player] = (odds[members[without]] * gain).sum()
    return values


def _worths(sets: Sets, converted: Floats, lost: Floats) -> Floats:
    """Return the worth of every coalition: sums over all its subsets, bit by bit (Yates 1937)."""
    masks = np.add.reduceat(1 << sets.codes, sets.starts[:-1]) if len(sets.starts) > 1 else sets.codes
    wins, all_of = (np.bincount(masks, of, 1 << sets.channels) for of in (converted, converted + lost))
    for player in range(sets.channels):
        for sums in (wins, all_of):
            halves = sums.reshape(-1, 2, 1 << player)
            halves[:, 1] += halves[:, 0]
    found: Floats = wins / np.where(all_of > 0, all_of, 1.0)
    return found


def _sampled(sets: Sets, converted: Floats, lost: Floats, rng: np.random.Generator) -> Values:
    drawn = np.zeros((PAIRS, sets.channels))
    for pair in range(PAIRS):
        order = rng.permutation(sets.channels)
        for one in (order, order[::-1]):
            drawn[pair] += _gains(sets, converted, lost, one) / 2
    return Values(drawn.mean(axis=0), drawn.std(axis=0, ddof=1) / np.sqrt(PAIRS))


def _gains(sets: Sets, converted: Floats, lost: Floats, order: Integers) -> Floats:
    """Return what each channel adds as they join in an order: people count once the last of theirs is in."""
    joins = np.empty(sets.channels, dtype=np.int64)
    joins[order] = np.arange(sets.channels)
    complete = np.maximum.reduceat(joins[sets.codes], sets.starts[:-1])
    wins, all_of = (np.bincount(complete, of, sets.channels).cumsum() for of in (converted, converted + lost))
    rates = wins / np.where(all_of > 0, all_of, 1.0)
    gains = np.empty(sets.channels)
    gains[order] = np.diff(rates, prepend=0.0)
    return gains
