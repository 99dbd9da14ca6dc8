"""Rules: what each gives to whom, and that nothing is lost in sharing out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.acquisition.paths import starts_of
from tekil.acquisition.rules import DAY_US, RULES, Trails, by_channel
from tekil.acquisition.splitting import share_out


def trail(*touches: tuple[float, bool]) -> Trails:
    """One conversion's touches: how many days before it, and whether direct."""
    age = np.array([round(days * DAY_US) for days, _ in touches], dtype=np.int64)
    return Trails(starts_of(np.array([len(touches)])), age, np.array([direct for _, direct in touches]))


def some(number: int) -> Trails:
    return trail(*((number - place, False) for place in range(number)))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first", {1: [1], 2: [1, 0], 4: [1, 0, 0, 0]}),
        ("last", {1: [1], 2: [0, 1], 4: [0, 0, 0, 1]}),
        ("linear", {1: [1], 2: [1 / 2] * 2, 4: [1 / 4] * 4}),
        ("position_u", {1: [1], 2: [1 / 2] * 2, 3: [0.4, 0.2, 0.4], 4: [0.4, 0.1, 0.1, 0.4]}),
        ("position_w", {1: [1], 2: [1 / 2] * 2, 3: [1 / 3] * 3, 5: [0.3, 0.05, 0.3, 0.05, 0.3]}),
    ],
)
def test_a_rule_gives_each_place_its_part(model: str, expected: dict[int, list[float]]) -> None:
    for number, weights in expected.items():
        assert RULES[model](some(number)) == pytest.approx(weights)


def test_a_touch_half_a_life_older_counts_half_however_old_both_are() -> None:
    for days in (0, 3, 4000):
        weights = RULES["time_decay"](trail((days + 14, False), (days + 7, False), (days, False)))
        assert weights == pytest.approx([1 / 7, 2 / 7, 4 / 7])


def test_who_came_by_themselves_owes_it_to_whatever_brought_them_before() -> None:
    told = RULES["last_non_direct"]
    assert told(trail((3, False), (2, False), (1, True))).tolist() == [0, 1, 0]
    assert told(trail((2, True), (1, True))).tolist() == [0, 1]


trails = st.lists(st.integers(1, 7), min_size=1, max_size=6).flatmap(
    lambda lengths: st.tuples(
        st.just(np.array(lengths, dtype=np.int64)),
        st.lists(st.integers(0, 90 * DAY_US), min_size=sum(lengths), max_size=sum(lengths)),
        st.lists(st.booleans(), min_size=sum(lengths), max_size=sum(lengths)),
        st.lists(st.integers(0, 3), min_size=sum(lengths), max_size=sum(lengths)),
        st.lists(st.integers(-(10**6), 10**12), min_size=len(lengths), max_size=len(lengths)),
    )
)


@given(drawn=trails, strength=st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_law_12_whatever_the_model_the_parts_are_the_whole(drawn: tuple, strength: list[float]) -> None:
    lengths, age, direct, codes, totals = drawn
    found = Trails(starts_of(lengths), np.array(age, dtype=np.int64), np.array(direct))
    of_channels = by_channel(found.starts, np.array(codes), np.array(strength))
    for weights in (*(rule(found) for rule in RULES.values()), of_channels):
        assert np.add.reduceat(weights, found.starts[:-1]) == pytest.approx(np.ones(len(lengths)))
        assert weights.min() >= 0
        parts = share_out(np.array(totals), weights, found.starts)
        assert np.add.reduceat(parts, found.starts[:-1]).tolist() == totals


@given(total=st.integers(0, 10**9), counts=st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_no_part_is_off_by_a_whole_one_and_the_largest_remainders_are_served_first(
    total: int, counts: list[int]
) -> None:
    exact = [Fraction(total * count, sum(counts)) for count in counts]
    weights = np.array([count / sum(counts) for count in counts])
    parts = share_out(np.array([total]), weights, starts_of(np.array([len(counts)]))).tolist()
    assert sum(parts) == total
    assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
    rounded_up = [share % 1 for part, share in zip(parts, exact, strict=True) if part > share]
    rounded_down = [share % 1 for part, share in zip(parts, exact, strict=True) if part <= share]
    assert min(rounded_up, default=1) >= max(rounded_down, default=0) - Fraction(1, 10**6)


def test_a_channels_strength_is_shared_by_its_touches() -> None:
    starts, codes = starts_of(np.array([3, 2])), np.array([0, 1, 0, 2, 2])
    weights = by_channel(starts, codes, np.array([0.6, 0.2, 0.0]))
    assert weights == pytest.approx([0.375, 0.25, 0.375, 0.5, 0.5])


def test_thirds_of_a_lira_are_a_lira() -> None:
    assert share_out(np.array([100, 1]), np.full(6, 1 / 3), starts_of(np.array([3, 3]))).tolist() == [
        34, 33, 33, 1, 0, 0
    ]  # fmt: skip
