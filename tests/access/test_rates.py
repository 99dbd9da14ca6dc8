"""A caller's rate holds over any stretch of time, and whoever waits as long as told is let in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.access import rates
from tekil.access.rates import BURST_SECONDS, Rates


@given(rate=st.integers(1, 50), pauses=st.lists(st.floats(0, 3), max_size=200))
def test_over_any_stretch_of_time_no_more_than_the_rate_and_one_burst(rate: int, pauses: list[float]) -> None:
    now = 0.0
    counted = Rates(rate, lambda: now)
    let_in: list[float] = []
    for pause in pauses:
        now += pause
        if not counted.take("somebody"):
            let_in.append(now)
    for first, start in enumerate(let_in):
        for last in range(first, len(let_in)):
            most = rate * (BURST_SECONDS + let_in[last] - start)
            assert last - first + 1 <= most + 1e-6


@given(rate=st.integers(1, 50), asked=st.integers(1, 300))
def test_who_waits_as_long_as_told_is_let_in(rate: int, asked: int) -> None:
    now = 0.0
    counted = Rates(rate, lambda: now)
    for _ in range(asked):
        wait = counted.take("somebody")
        if wait:
            now += wait + 1e-6
            assert counted.take("somebody") == 0


def test_each_caller_is_counted_apart_and_0_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Rates(1, lambda: 0.0)
    assert [counted.take("loop") > 0 for _ in range(4)] == [False, False, True, True]
    assert counted.take("somebody else") == 0
    assert not any(Rates(0, lambda: 0.0).take("loop") for _ in range(1000))
    # Strangers by the thousand cost no more memory than is set aside for them.
    monkeypatch.setattr(rates, "KEPT", 10)
    for stranger in range(100):
        counted.take(str(stranger))
    assert len(counted._left) == 10
