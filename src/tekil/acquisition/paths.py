"""Paths of channels as arrays: which there are, and how often each ended in a conversion, or in none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Paths:
    """Distinct paths, none empty.

    `codes` are all their steps, one path after the other: places in `channels`. Path i is
    `codes[starts[i] : starts[i + 1]]`. `converted` and `lost` count how often it was walked to a conversion,
    and to none.
    """

    channels: tuple[str, ...]
    codes: Integers
    starts: Integers
    converted: Integers
    lost: Integers

    @property
    def count(self) -> int:
        """How many distinct paths there are."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> Integers:
        """How many steps each path has."""
        return np.diff(self.starts)


def starts_of(lengths: Integers) -> Integers:
    """Return where rows of so many steps begin, with the end of the last: one more than there are rows."""
    found = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=found[1:])
    return found


def places(starts: Integers) -> Integers:
    """Return the place of each step in its own row, from 0."""
    found: Integers = np.arange(starts[-1], dtype=np.int64) - np.repeat(starts[:-1], np.diff(starts))
    return found


def summed(groups: Integers, weights: Floats, count: int) -> Floats:
    """Return the sum of the weights of each of so many groups."""
    return np.bincount(groups, weights, count).astype(np.float64, copy=False)


def distinct(codes: Integers, starts: Integers) -> tuple[Integers, Integers]:
    """Return which of many paths are the distinct ones, and for each path which of those it is. O(steps).

    Paths are told apart by 64 bits of a hash over their steps and places: of a million distinct ones, two
    are taken for one with a probability below 10⁻⁷.
    """
    if len(starts) < 2:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    mixed = scatter(codes.astype(np.uint64) * np.uint64(1_000_003) + places(starts).astype(np.uint64))
    hashes = np.add.reduceat(mixed, starts[:-1])
    _, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    return first, which


def gather(channels: tuple[str, ...], codes: Integers, starts: Integers, is_converted: Flags) -> Paths:
    """Return the distinct ones of many paths, counted."""
    first, which = distinct(codes, starts)
    lengths = np.diff(starts)[first]
    kept = starts_of(lengths)
    steps = np.repeat(starts[first], lengths) + places(kept)
    converted, lost = (np.bincount(which[of], minlength=len(first)) for of in (is_converted, ~is_converted))
    return Paths(channels, codes[steps], kept, converted, lost)


def scatter(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scatter numbers over all 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))
