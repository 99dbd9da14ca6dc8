"""Credit by removal: how many conversions would be lost if a channel were not there, on a Markov chain.

The chain is that of Anderl, Becker, von Wangenheim and Schumann, *Mapping the customer journey* (2016):
states are the last `order` channels of a path, and every path begins at one start and ends in a conversion,
or in nothing. Who would enter a removed channel is lost. The probabilities are solved for, not simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tekil.acquisition.paths import Floats, Integers, Paths, places
from tekil.errors import BadRequest

STATES_MAX = 3000
"""Above so many states the equations would take more than some seconds; a lower order has fewer."""


@dataclass(frozen=True)
class Chain:
    """The states of paths and the steps between them, ready to be weighed.

    `last` is the channel that a state stands in. `origin` and `target` are the states of each step within a
    path, `walk` its path; `entry` and `leaving` are the first and last state of each path.
    """

    channels: int
    last: Integers
    origin: Integers
    target: Integers
    walk: Integers
    entry: Integers
    leaving: Integers


@dataclass(frozen=True)
class Removal:
    """What a chain says: the probability of a conversion, and by channel which part of it would be lost."""

    conversion: float
    effects: Floats

    @property
    def shares(self) -> Floats:
        """The effects in proportion: each channel's share of all conversions."""
        total = self.effects.sum()
        return self.effects / total if total > 0 else np.zeros_like(self.effects)


def chain_of(paths: Paths, order: int = 1) -> Chain:
    """Return the chain of an order (1 or more) over some paths. Raises `BadRequest` for too many states."""
    count, size = len(paths.channels), len(paths.channels) + 1
    if order < 1 or size**order >= 1 << 62:
        raise _too_many(order)
    place = places(paths.starts)
    states = np.zeros(len(paths.codes), dtype=np.int64)
    for back in range(order):
        # A step further back than the path's first is none at all: 0.
        before = np.roll(paths.codes, back) + 1
        states += np.where(place >= back, before, 0) * size**back
    known, which = np.unique(states, return_inverse=True)
    if len(known) > STATES_MAX:
        raise _too_many(order)
    is_first = place == 0
    ends = paths.starts[1:] - 1
    inner = np.flatnonzero(~is_first)
    walk = np.repeat(np.arange(paths.count, dtype=np.int64), paths.lengths)
    return Chain(
        count,
        known % size - 1,
        which[inner - 1],
        which[inner],
        walk[inner],
        which[paths.starts[:-1]],
        which[ends],
    )


def removal(chain: Chain, converted: Integers, lost: Integers) -> Removal:
    """Return the effect of removing each channel; the counts are by path. O(states³).

    With N the chain's fundamental matrix (Kemeny and Snell 1960), the chance of a conversion on which a set
    of states is never entered follows from N and its block over that set: one inverse serves all channels.
    """
    states, walked = len(chain.last), (converted + lost).astype(np.float64)
    if not states or not converted.sum():
        return Removal(0.0, np.zeros(chain.channels))
    pairs = chain.origin * states + chain.target
    moves = np.bincount(pairs, walked[chain.walk], states * states).reshape(states, states)
    wins = np.bincount(chain.leaving, converted.astype(np.float64), states)
    leaves = np.bincount(chain.leaving, walked, states)
    entries = np.bincount(chain.entry, walked, states) / walked.sum()
    visits = moves.sum(axis=1) + leaves
    seen = np.where(visits > 0, visits, 1.0)
    fundamental = np.linalg.inv(np.eye(states) - moves / seen[:, None])
    reached: Floats = entries @ fundamental
    chances: Floats = fundamental @ (wins / seen)
    conversion = float(entries @ chances)
    effects = np.zeros(chain.channels)
    for channel in range(chain.channels):
        held = np.flatnonzero(chain.last == channel)
        if len(held):
            # How often each of its states is entered first, times what comes of it from there.
            lost_there = np.linalg.solve(fundamental[np.ix_(held, held)].T, reached[held]) @ chances[held]
            effects[channel] = lost_there / conversion
    return Removal(conversion, np.clip(effects, 0.0, 1.0))


def _too_many(order: int) -> BadRequest:
    return BadRequest(
        f"A chain of order {order} over these channels has more than {STATES_MAX} states; take a lower "
        "order, or fewer channels.",
        code="chain_too_large",
    )
