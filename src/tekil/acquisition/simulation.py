"""A market whose channels have effects that we chose: how far from the truth is each model?

Everybody walks through channels by chance: some channels come early, some late. Each contact adds its
channel's effect to an inclination of one's own; whoever's sum is high enough converts. What a channel is
truly owed is what would be lost without it: the same people, the same chances, and none of its contacts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tekil.acquisition.learned import learn_markov, learn_shapley
from tekil.acquisition.paths import Floats, Integers, gather, starts_of, summed
from tekil.acquisition.rules import DAY_US, RULES, Trails, by_channel

CHANNELS = ("display", "paid_social", "organic_search", "email", "paid_search", "direct")
EFFECTS = np.array([0.10, 0.22, 0.12, 0.16, 0.30, 0.0])
"""What a contact adds to the inclination; `direct` is only the way of those who come by themselves."""

EARLINESS = np.array([3.0, 2.0, 1.0, 0.6, 0.7, 0.3])
FREQUENCY = np.array([0.22, 0.2, 0.16, 0.12, 0.12, 0.18])
INCLINATION, THRESHOLD = 0.35, 1.0


@dataclass(frozen=True)
class Verdict:
    """The true share of each channel, what each model says, and how far that is from the truth.

    `distance` is the part of all credit that a model gives to the wrong channels (total variation).
    """

    channels: tuple[str, ...]
    truth: Floats
    shares: dict[str, Floats]

    @property
    def distance(self) -> dict[str, float]:
        """By model, from 0 to 1."""
        return {model: float(np.abs(share - self.truth).sum() / 2) for model, share in self.shares.items()}


def judge(people: int = 100_000, seed: int = 1) -> Verdict:
    """Let so many people walk, and every model say whose doing their conversions were."""
    rng = np.random.default_rng(seed)
    starts = starts_of(np.minimum(rng.geometric(0.4, people), 9))
    codes, age = _walk(rng, starts)
    own = rng.exponential(INCLINATION, people)
    is_converted = _sums(EFFECTS[codes], starts) + own > THRESHOLD
    lost = [
        is_converted & ~(_sums(np.where(codes == channel, 0.0, EFFECTS[codes]), starts) + own > THRESHOLD)
        for channel in range(len(CHANNELS))
    ]
    owed = np.array([one.sum() for one in lost], dtype=np.float64)
    kept = np.repeat(is_converted, np.diff(starts))
    trails = Trails(
        starts_of(np.diff(starts)[is_converted]), age[kept], codes[kept] == CHANNELS.index("direct")
    )
    weights = {name: rule(trails) for name, rule in RULES.items()}
    paths = gather(CHANNELS, codes, starts, is_converted)
    for name, learned in (
        ("markov", learn_markov(paths, rounds=0)),
        ("shapley", learn_shapley(paths, rounds=0)),
    ):
        weights[name] = by_channel(trails.starts, codes[kept], learned.shares)
    count = int(is_converted.sum())
    shares = {name: summed(codes[kept], given, len(CHANNELS)) / count for name, given in weights.items()}
    return Verdict(CHANNELS, owed / owed.sum(), shares)


def _sums(values: Floats, starts: Integers) -> Floats:
    found: Floats = np.add.reduceat(values, starts[:-1])
    return found


def _walk(rng: np.random.Generator, starts: Integers) -> tuple[Integers, Integers]:
    """Return the channel of each contact, earlier ones first, and how long before the end it was."""
    codes = rng.choice(len(CHANNELS), starts[-1], p=FREQUENCY)
    days = rng.gamma(1.5, 4.0, starts[-1]) * EARLINESS[codes]
    walk = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.lexsort((-days, walk))
    return codes[order], np.round(days[order] * DAY_US).astype(np.int64)
