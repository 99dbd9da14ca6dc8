"""Whose a shared device is: at every instant exactly one person's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tekil.identity.turns import BEGINNING, END, take_turns

TABLET, AYSE, MEHMET = 1, 10, 20
HOUR = 3_600_000_000


def turns(logins: list[tuple[int, int, int]], window: int = HOUR) -> list[dict[str, Any]]:
    device, owner, at = (np.array([login[n] for login in logins], dtype=np.int64) for n in range(3))
    return take_turns(device, owner, at, np.arange(len(logins)), window).to_pylist()


def owner_at(rows: list[dict[str, Any]], device: int, instant: int) -> list[int]:
    at = np.datetime64(instant, "us").astype(datetime)
    return [
        row["owner_key"]
        for row in rows
        if row["identifier_key"] == device and row["valid_from"] <= at < row["valid_until"]
    ]


def test_a_tablet_goes_from_login_to_login_and_back_over_the_window() -> None:
    rows = turns([(TABLET, AYSE, 10 * HOUR), (TABLET, AYSE, 12 * HOUR), (TABLET, MEHMET, 20 * HOUR)])
    hours = {5: TABLET, 9: AYSE, 11: AYSE, 15: AYSE, 19: MEHMET, 100: MEHMET}
    assert {hour: owner_at(rows, TABLET, hour * HOUR) for hour in hours} == {h: [o] for h, o in hours.items()}


def test_nobody_reaches_back_over_a_message_that_names_another() -> None:
    rows = turns([(TABLET, AYSE, 10 * HOUR), (TABLET, MEHMET, 10 * HOUR + 60)], window=10 * HOUR)
    assert owner_at(rows, TABLET, 10 * HOUR) == [AYSE]
    assert owner_at(rows, TABLET, 10 * HOUR + 1) == [MEHMET]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(10, 13), st.integers(0, 50)), max_size=30),
    st.integers(0, 20),
    st.integers(0, 60),
)
def test_every_instant_of_a_device_is_one_owners(
    logins: list[tuple[int, int, int]], window: int, instant: int
) -> None:
    rows = turns(logins, window)
    for device in {login[0] for login in logins}:
        for at in (instant, BEGINNING, END - 1):
            assert len(owner_at(rows, device, at)) == 1


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(10, 13), st.integers(0, 50)), max_size=30, unique=True),
    st.randoms(),
)
def test_the_order_of_logins_does_not_matter(logins: list[tuple[int, int, int]], random: Any) -> None:
    expected = turns(logins)
    random.shuffle(logins)
    assert turns(logins) == expected
