"""Paths as Hypothesis draws them, and what the slow and simple ways say of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations, pairwise, permutations

import numpy as np
from hypothesis import strategies as st

from tekil.acquisition.paths import Paths, starts_of

Walk = tuple[tuple[int, ...], int, int]
"""A path's channels, how often it converted, how often not."""


def walks(channels: int = 4, longest: int = 5) -> st.SearchStrategy[list[Walk]]:
    """Draw walks of which at least one converted."""
    steps = st.lists(st.integers(0, channels - 1), min_size=1, max_size=longest).map(tuple)
    one = st.tuples(steps, st.integers(0, 5), st.integers(0, 5)).filter(lambda walk: walk[1] + walk[2] > 0)
    return st.lists(one, min_size=1, max_size=8).filter(lambda found: any(walk[1] for walk in found))


def paths_of(found: list[Walk], channels: int = 4) -> Paths:
    codes = np.array(list(chain.from_iterable(walk[0] for walk in found)), dtype=np.int64)
    lengths = np.array([len(walk[0]) for walk in found], dtype=np.int64)
    converted, lost = (np.array([walk[i] for walk in found], dtype=np.int64) for i in (1, 2))
    return Paths(tuple(f"c{i}" for i in range(channels)), codes, starts_of(lengths), converted, lost)


def conversion_by_walking(found: list[Walk], order: int, without: int | None = None) -> float:
    """The probability of a conversion, by walking the chain until next to nobody is on it any more."""
    moves: dict[tuple[int, ...], dict[object, float]] = {}
    for steps, converted, lost in found:
        states: list[tuple[int, ...]] = [
            (),
            *(steps[max(0, i - order + 1) : i + 1] for i in range(len(steps))),
        ]
        for here, there in pairwise(states):
            moves.setdefault(here, {})[there] = moves.setdefault(here, {}).get(there, 0) + converted + lost
        ends = moves.setdefault(states[-1], {})
        ends["won"] = ends.get("won", 0) + converted
        ends["lost"] = ends.get("lost", 0) + lost
    here: dict[tuple[int, ...], float] = {(): 1.0}
    won = 0.0
    for _ in range(4000):
        there: dict[tuple[int, ...], float] = {}
        for state, weight in here.items():
            total = sum(moves[state].values())
            for target, count in moves[state].items():
                part = weight * count / total
                if target == "won":
                    won += part
                elif isinstance(target, tuple) and (without is None or target[-1] != without):
                    there[target] = there.get(target, 0.0) + part
        here = {state: weight for state, weight in there.items() if weight > 1e-14}
        if not here:
            break
    return won


def shapley_by_orders(players: int, worth: Callable[[frozenset[int]], float]) -> list[float]:
    """The Shapley values by their definition: the mean gain over all orders in which players join."""
    values, orders = [0.0] * players, list(permutations(range(players)))
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            values[player] += (worth(before | {player}) - worth(before)) / len(orders)
    return values


def coalitions(players: int) -> list[frozenset[int]]:
    return [frozenset(some) for size in range(players + 1) for some in combinations(range(players), size)]
