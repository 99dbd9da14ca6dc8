"""Models that follow a rule: how one conversion is shared out among the touches before it.

Each takes **trails**: the touches of many conversions, one conversion after the other, oldest touch first.
Trail i is rows `starts[i]` to `starts[i + 1]`, never empty. Each gives a weight for every touch; the weights
of a trail add up to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tekil.acquisition.paths import Flags, Floats, Integers, places

HALF_LIFE_DAYS = 7.0
"""By how much older a touch must be to count half, with time decay."""

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Trails:
    """Touches before conversions: how long before (microseconds), and whether they came by themselves."""

    starts: Integers
    age: Integers
    is_direct: Flags

    @property
    def place(self) -> Integers:
        """The place of each touch in its trail, from 0."""
        return places(self.starts)

    @property
    def length(self) -> Integers:
        """How many touches the trail of each touch has."""
        found: Integers = np.repeat(np.diff(self.starts), np.diff(self.starts))
        return found


def first(trails: Trails) -> Floats:
    """Give all to the first touch."""
    found: Floats = (trails.place == 0).astype(np.float64)
    return found


def last(trails: Trails) -> Floats:
    """Give all to the last touch."""
    found: Floats = (trails.place == trails.length - 1).astype(np.float64)
    return found


def last_non_direct(trails: Trails) -> Floats:
    """Give all to the last touch that was brought by something; to the last where none was."""
    place = np.where(trails.is_direct, -1, trails.place)
    chosen = np.maximum.reduceat(place, trails.starts[:-1])
    lengths = np.diff(trails.starts)
    chosen = np.where(chosen < 0, lengths - 1, chosen)
    found: Floats = (trails.place == np.repeat(chosen, lengths)).astype(np.float64)
    return found


def linear(trails: Trails) -> Floats:
    """Give the same to every touch."""
    found: Floats = 1.0 / trails.length
    return found


def position_u(trails: Trails) -> Floats:
    """Give 40 % each to the first and the last touch, and share 20 % among those between; halves of two."""
    place, length = trails.place, trails.length
    is_end = (place == 0) | (place == length - 1)
    between = 0.2 / np.maximum(length - 2, 1)
    found: Floats = np.where(length == 1, 1.0, np.where(length == 2, 0.5, np.where(is_end, 0.4, between)))
    return found


def position_w(trails: Trails) -> Floats:
    """Give 30 % each to the first, the middle and the last touch, and share 10 % among the others.

    Of two touches each gets half, of three a third. The middle of an even number is the later of the two.
    """
    place, length = trails.place, trails.length
    is_main = (place == 0) | (place == length - 1) | (place == length // 2)
    others = 0.1 / np.maximum(length - 3, 1)
    found: Floats = np.where(length <= 3, 1.0 / length, np.where(is_main, 0.3, others))
    return found


def time_decay(trails: Trails) -> Floats:
    """Give each touch half as much for every seven days that it is older."""
    newest = np.minimum.reduceat(trails.age, trails.starts[:-1])
    lengths = np.diff(trails.starts)
    # Counted from the newest touch, so that nothing becomes too small to tell.
    raw = np.exp2(-(trails.age - np.repeat(newest, lengths)) / (HALF_LIFE_DAYS * DAY_US))
    found: Floats = raw / np.repeat(np.add.reduceat(raw, trails.starts[:-1]), lengths)
    return found


RULES: Mapping[str, Callable[[Trails], Floats]] = {
    "first": first,
    "last": last,
    "last_non_direct": last_non_direct,
    "linear": linear,
    "position_u": position_u,
    "position_w": position_w,
    "time_decay": time_decay,
}
"""The name of each model → how it shares out."""


def by_channel(starts: Integers, codes: Integers, strength: Floats) -> Floats:
    """Return weights of touches in proportion to how strong their channels are (`strength`, by code).

    This is how a data-driven model speaks about one conversion. Several touches of a channel share what is
    the channel's. A trail of which no channel has any strength is shared out evenly.
    """
    lengths = np.diff(starts)
    trail = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    _, which, times = np.unique(trail * len(strength) + codes, return_inverse=True, return_counts=True)
    raw = strength[codes] / times[which]
    total = np.add.reduceat(raw, starts[:-1]) if len(lengths) else np.zeros(0)
    spread = np.repeat(total, lengths)
    found: Floats = np.where(
        spread > 0, raw / np.where(spread > 0, spread, 1.0), 1.0 / np.repeat(lengths, lengths)
    )
    return found
