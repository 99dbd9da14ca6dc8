"""Credit by coalition: what each channel adds, on average over all orders in which channels could join.

Were there only the channels of a set S, a person who met the channels T would have met those of T in S, and
converted as those do who met exactly these: r(T ∩ S), nothing where nobody did. The game that S is worth the
sum of that over all people is given away by the Shapley value (1953): the only way that gives away all there
is (every conversion), treats alike channels alike, gives nothing to those who add nothing, and adds up over
games. Because it adds up, each set T is a small game of its own, and all of them are exact up to twelve
channels on one path. Above, the value is the mean over random orders, each with its reverse (antithetic),
and the standard error of that is stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np
import numpy.typing as npt

from tekil.acquisition.paths import Floats, Integers, Paths, scatter, starts_of, summed

EXACT_MAX = 12
"""How many channels a person may have met for all coalitions of them to be counted."""

PAIRS = 200
"""How many orders, each with its reverse, are drawn where there are more."""

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Games:
    """The sets of one size: which they are, their channels (a row each), and where each subset's rate is.

    `rates` has for each set and subset the place of that subset among the sets, or -1; in column s is the
    subset of those channels whose bit is set in s.
    """

    sets: Integers
    members: Integers
    rates: Integers


@dataclass(frozen=True)
class Drawn:
    """A set too large to count: its channels, orders of them (a row each), and where prefixes' rates are."""

    of: int
    members: Integers
    orders: Integers
    rates: Integers


@dataclass(frozen=True)
class Sets:
    """The distinct sets of channels that people met, and the games that are played over them.

    `of_path` is the set of each path.
    """

    channels: int
    count: int
    of_path: Integers
    games: tuple[Games, ...]
    drawn: tuple[Drawn, ...]

    def sums(self, weights: Integers) -> Floats:
        """Return, by set, the sum of what is counted by path."""
        return summed(self.of_path, weights.astype(np.float64), self.count)


@dataclass(frozen=True)
class Values:
    """The value of each channel, in conversions, and its standard error: 0 where it is exact."""

    values: Floats
    errors: Floats

    @property
    def shares(self) -> Floats:
        """Each channel's share of the conversions; one without which there would be more has none."""
        floored = np.maximum(self.values, 0.0)
        total = floored.sum()
        return floored / total if total > 0 else floored


def sets_of(paths: Paths, *, exact_max: int = EXACT_MAX, seed: int = 0) -> Sets:
    """Return the sets of channels that paths met, ready to be valued."""
    size = max(len(paths.channels), 1)
    walk = np.repeat(np.arange(paths.count, dtype=np.int64), paths.lengths)
    met = np.unique(walk * size + paths.codes)
    lengths, codes = np.bincount(met // size, minlength=paths.count), met % size
    starts = starts_of(lengths)
    # A set is known by the sum of what its channels are scattered to: so is every subset of it.
    marks = scatter(np.arange(size, dtype=np.uint64))
    hashes = np.add.reduceat(marks[codes], starts[:-1]) if paths.count else marks[:0]
    known, first, of_path = np.unique(hashes, return_index=True, return_inverse=True)
    sizes = lengths[first]
    games, drawn = [], []
    for count in np.unique(sizes).tolist():
        which = np.flatnonzero(sizes == count)
        members = codes[starts[first[which]][:, None] + np.arange(count)]
        if count <= exact_max:
            games.append(Games(which, members, _places(known, marks[members] @ _bits(count).T)))
        else:
            rng = np.random.default_rng(seed)
            drawn += [_draw(int(of), row, known, marks, rng) for of, row in zip(which, members, strict=True)]
    return Sets(len(paths.channels), len(known), of_path, tuple(games), tuple(drawn))


def shapley(sets: Sets, converted: Floats, lost: Floats) -> Values:
    """Return the value of each channel, from how many people with each set converted, and did not."""
    people = converted + lost
    # The last place is that of subsets that nobody met.
    rates = np.append(converted / np.where(people > 0, people, 1.0), 0.0)
    values, variances = np.zeros(sets.channels), np.zeros(sets.channels)
    for game in sets.games:
        gains = (rates[game.rates] @ _operator(game.members.shape[1])) * people[game.sets][:, None]
        np.add.at(values, game.members, gains)
    for one in sets.drawn:
        reached = np.concatenate([np.zeros((len(one.orders), 1)), rates[one.rates]], axis=1)
        gains = np.empty(one.orders.shape)
        np.put_along_axis(gains, one.orders, np.diff(reached), axis=1)
        pairs = gains.reshape(2, PAIRS, -1).mean(axis=0) * people[one.of]
        values[one.members] += pairs.mean(axis=0)
        variances[one.members] += pairs.var(axis=0, ddof=1) / PAIRS
    return Values(values, np.sqrt(variances))


def shapley_of(worths: Floats) -> Floats:
    """Return the Shapley values of a game of n players, from the worths of all 2ⁿ coalitions.

    Player i is in coalition s where bit i of s is set.
    """
    found: Floats = worths @ _operator(len(worths).bit_length() - 1)
    return found


@lru_cache(maxsize=EXACT_MAX + 1)
def _bits(players: int) -> Hashes:
    """Return who is in which coalition: a row for each of the 2ⁿ, a column for each player."""
    return (np.arange(1 << players)[:, None] >> np.arange(players) & 1).astype(np.uint64)


@lru_cache(maxsize=EXACT_MAX + 1)
def _operator(players: int) -> Floats:
    """Return the matrix that makes values of worths: the Shapley value is linear."""
    members = _bits(players).astype(np.int64)
    others = members.sum(axis=1, keepdims=True) - members
    odds = np.array([factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)])
    found: Floats = np.where(members == 1, 1.0, -1.0) * odds[others]
    return found


def _places(known: Hashes, wanted: Hashes) -> Integers:
    """Return where each of the wanted stands among the known, or -1."""
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found: Integers = np.where(known[at] == wanted, at, -1)
    return found


def _draw(of: int, members: Integers, known: Hashes, marks: Hashes, rng: np.random.Generator) -> Drawn:
    ahead = rng.permuted(np.tile(np.arange(len(members)), (PAIRS, 1)), axis=1)
    orders = np.concatenate([ahead, ahead[:, ::-1]])
    return Drawn(of, members, orders, _places(known, np.cumsum(marks[members[orders]], axis=1)))
