"""Sharing out whole numbers so that nothing is lost: the method of the largest remainder (Hamilton's)."""

from __future__ import annotations

import numpy as np

from tekil.acquisition.paths import Floats, Integers, places


def share_out(totals: Integers, weights: Floats, starts: Integers) -> Integers:
    """Return whole parts of `totals`, by weight, that add up to exactly what there was.

    `totals` has a number for each row, `weights` one for each of the row's parts; those of a row add up to 1.
    What rounding down leaves over goes to the parts that lost most by it, the earlier first. No part differs
    from its exact share by one or more.
    """
    if not len(totals):
        return np.zeros(0, dtype=np.int64)
    lengths = np.diff(starts)
    exact = np.repeat(totals, lengths) * weights
    parts = np.floor(exact).astype(np.int64)
    rest = totals - np.add.reduceat(parts, starts[:-1])
    row = np.repeat(np.arange(len(totals), dtype=np.int64), lengths)
    # Rounded, so that shares that are the same but for the last bit of a float count as the same.
    order = np.lexsort((np.round(parts - exact, 9), row))
    rank = np.empty(len(parts), dtype=np.int64)
    rank[order] = places(starts)
    parts += rank < np.repeat(rest, lengths)
    # A float may have been a hair too large: then one part was rounded up, and the last gives it back.
    parts -= rank >= np.repeat(lengths + np.minimum(rest, 0), lengths)
    return parts
