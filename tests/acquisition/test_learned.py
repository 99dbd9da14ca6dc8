"""Data-driven models: against the slow ways, their axioms, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.acquisition.learned import learn_markov, learn_shapley
from tekil.acquisition.markov import chain_of, removal
from tekil.acquisition.paths import Floats, gather, starts_of
from tekil.acquisition.shapley import EXACT_MAX, sets_of, shapley, shapley_of
from tekil.errors import BadRequest
from tests.acquisition.strategies import (
    Walk,
    coalitions,
    conversion_by_walking,
    paths_of,
    shapley_by_orders,
    walks,
)

orders = st.integers(1, 4)


@given(found=walks(), order=orders)
def test_a_chain_converts_as_many_as_converted_whatever_its_order(found: list[Walk], order: int) -> None:
    paths = paths_of(found)
    share = paths.converted.sum() / (paths.converted + paths.lost).sum()
    assert removal(chain_of(paths, order), paths.converted, paths.lost).conversion == pytest.approx(share)


@given(found=walks(3, 4), order=st.integers(1, 3))
def test_removing_a_channel_costs_what_walking_the_chain_without_it_says(
    found: list[Walk], order: int
) -> None:
    paths = paths_of(found, 3)
    told = removal(chain_of(paths, order), paths.converted, paths.lost)
    whole = conversion_by_walking(found, order)
    for channel in range(3):
        left = conversion_by_walking(found, order, channel)
        assert told.effects[channel] == pytest.approx(1 - left / whole, abs=1e-7)


@given(found=walks(), order=orders)
def test_shares_of_conversions_are_all_of_them_and_the_absent_get_none(found: list[Walk], order: int) -> None:
    paths = paths_of(found)
    met = {channel for steps, _, _ in found for channel in steps}
    for told in (
        removal(chain_of(paths, order), paths.converted, paths.lost).shares,
        shapley(sets_of(paths), *counted(found)).shares,
    ):
        assert told.min() >= 0
        assert told.sum() == pytest.approx(1) or told.sum() == 0
        assert all(told[channel] == pytest.approx(0, abs=1e-9) for channel in range(4) if channel not in met)


def counted(found: list[Walk]) -> tuple[Floats, Floats]:
    paths = paths_of(found)
    sets = sets_of(paths)
    return sets.sums(paths.converted), sets.sums(paths.lost)


def test_the_effects_of_a_textbook_chain_are_in_closed_form() -> None:
    # a→b→won, a→lost, b→a→lost, each once: P(won | a) = 1/3 P(won | b), P(won | b) = 1/2 + 1/2 P(won | a).
    found: list[Walk] = [((0, 1), 1, 0), ((0,), 0, 1), ((1, 0), 0, 1)]
    paths = paths_of(found, 2)
    told = removal(chain_of(paths), paths.converted, paths.lost)
    assert told.conversion == pytest.approx(1 / 3)
    # Without a: one of three begins at b, and wins with 1/2. Without b nothing is won.
    assert told.effects == pytest.approx([1 - (1 / 6) / (1 / 3), 1.0])


def test_a_chain_too_large_to_solve_is_refused_with_a_way_out() -> None:
    rng = np.random.default_rng(1)
    codes, starts = rng.integers(0, 60, 40_000), starts_of(np.full(5_000, 8))
    paths = gather(tuple(map(str, range(60))), codes, starts, rng.random(5_000) < 0.5)
    with pytest.raises(BadRequest, match="lower order"):
        chain_of(paths, 2)
    with pytest.raises(BadRequest, match="lower order"):
        chain_of(paths, 20)


games = st.lists(st.floats(-5, 5), min_size=15, max_size=15).map(lambda worths: np.array([0.0, *worths]))


@given(worths=games)
def test_shapley_values_are_the_means_over_all_orders(worths: np.ndarray) -> None:
    expected = shapley_by_orders(4, lambda some: float(worths[sum(1 << player for player in some)]))
    assert shapley_of(worths) == pytest.approx(expected, abs=1e-9)


@given(one=games, other=games)
def test_the_axioms_of_shapley(one: np.ndarray, other: np.ndarray) -> None:
    assert shapley_of(one).sum() == pytest.approx(one[-1] - one[0], abs=1e-9)
    assert shapley_of(one + other) == pytest.approx(shapley_of(one) + shapley_of(other), abs=1e-9)
    alike = one.copy()
    dummy = one.copy()
    for coalition in range(16):
        first, second = coalition & 1, coalition >> 1 & 1
        alike[coalition] = one[coalition & ~3 | int(first != second) | (3 if first and second else 0)]
        dummy[coalition] = one[coalition & ~1] + (2.5 if first else 0)
    values = shapley_of(alike)
    assert values[0] == pytest.approx(values[1], abs=1e-9)
    assert shapley_of(dummy)[0] == pytest.approx(2.5, abs=1e-9)


@given(found=walks())
def test_channels_are_valued_by_what_people_would_have_done_had_they_met_fewer(found: list[Walk]) -> None:
    met: dict[frozenset[int], tuple[int, int]] = {}
    for steps, won, lost in found:
        before = met.get(frozenset(steps), (0, 0))
        met[frozenset(steps)] = (before[0] + won, before[1] + lost)

    def worth(some: frozenset[int]) -> float:
        rates = {channels: won / (won + lost) for channels, (won, lost) in met.items()}
        return sum(sum(counts) * rates.get(channels & some, 0.0) for channels, counts in met.items())

    assert len(coalitions(4)) == 16
    told = shapley(sets_of(paths_of(found)), *counted(found))
    assert told.values == pytest.approx(shapley_by_orders(4, worth), abs=1e-9)
    assert told.values.sum() == pytest.approx(sum(won for _, won, _ in found))
    assert not told.errors.any()


def test_sampled_values_lie_within_their_stated_error_of_the_exact_ones() -> None:
    rng = np.random.default_rng(5)
    starts = starts_of(rng.integers(1, 9, 3_000))
    codes = rng.integers(0, 8, starts[-1])
    paths = gather(tuple(map(str, range(8))), codes, starts, rng.random(3_000) < 0.3)
    exact, drawn = (
        shapley(sets, sets.sums(paths.converted), sets.sums(paths.lost))
        for sets in (sets_of(paths), sets_of(paths, exact_max=3))
    )
    assert drawn.values.sum() == pytest.approx(exact.values.sum()) == paths.converted.sum()
    assert (drawn.errors > 0).all()
    assert (np.abs(drawn.values - exact.values) < 4 * drawn.errors).all()
    assert EXACT_MAX == 12


@given(found=walks())
def test_equal_paths_are_counted_together_and_none_is_lost(found: list[Walk]) -> None:
    many = [(steps, True) for steps, won, _ in found for _ in range(won)]
    many += [(steps, False) for steps, _, lost in found for _ in range(lost)]
    codes = np.array([code for steps, _ in many for code in steps], dtype=np.int64)
    starts = starts_of(np.array([len(steps) for steps, _ in many], dtype=np.int64))
    paths = gather(("a", "b", "c", "d"), codes, starts, np.array([won for _, won in many]))
    told = {
        tuple(paths.codes[paths.starts[i] : paths.starts[i + 1]].tolist()): (
            int(paths.converted[i]),
            int(paths.lost[i]),
        )
        for i in range(paths.count)
    }
    expected: dict[tuple[int, ...], tuple[int, int]] = {}
    for steps, won, lost in found:
        before = expected.get(steps, (0, 0))
        expected[steps] = (before[0] + won, before[1] + lost)
    assert told == expected


def test_an_interval_holds_the_share_and_narrows_with_more_people() -> None:
    few: list[Walk] = [((0, 1), 8, 20), ((1,), 4, 30), ((2, 0), 6, 10), ((2,), 2, 40)]
    many: list[Walk] = [(steps, won * 100, lost * 100) for steps, won, lost in few]
    for learn in (learn_markov, learn_shapley):
        one, other = learn(paths_of(few, 3)), learn(paths_of(many, 3))
        assert one.shares == pytest.approx(other.shares)
        assert ((one.low <= one.shares) & (one.shares <= one.high)).all()
        assert (one.high - one.low).sum() > 5 * (other.high - other.low).sum()


def test_where_nobody_converted_nobody_has_a_share() -> None:
    paths = paths_of([((0, 1), 0, 3)], 2)
    for learn in (learn_markov, learn_shapley):
        assert not learn(paths).shares.any()
