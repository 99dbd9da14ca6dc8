"""What memory says of message keys: it never misses one that was loaded, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.load import KnownMessages
from tekil.load.known_messages import RATIO
from tests.installation import Installation
from tests.laws.conftest import Found

keys = st.lists(st.integers(0, (1 << 63) - 1) | st.integers(0, 50), max_size=40)


class EmptyWarehouse:
    """Has loaded nothing, and counts how often it is asked."""

    asked = 0

    def query(self, sql: str) -> pa.Table:
        self.asked += 1
        return pa.table({"message_key": pa.array([], pa.int64())})


def column(values: list[int]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.int64())])


@given(loaded=st.lists(keys, max_size=12), asked=keys)
def test_exactly_the_loaded_and_the_repeated_are_suspects_in_whatever_parts_they_came(
    loaded: list[list[int]], asked: list[int]
) -> None:
    warehouse: Any = EmptyWarehouse()
    known = KnownMessages(warehouse)
    for some in loaded:
        known.add(column(some))
    everything = {key for some in loaded for key in some}
    twice = {key for key in asked if asked.count(key) > 1}
    assert set(known.suspects(column(asked))["message_key"].to_pylist()) == everything & set(asked) | twice
    assert warehouse.asked <= 1


def test_however_many_cycles_there_were_few_runs_are_looked_through() -> None:
    warehouse: Any = EmptyWarehouse()
    known = KnownMessages(warehouse)
    for start in range(0, 200_000, 100):
        known.add(column(list(range(start, start + 100))))
    runs = known._runs or []
    assert sum(map(len, runs)) == 200_000
    assert all(len(one) >= RATIO * len(next_) for one, next_ in pairwise(runs))
    assert len(runs) <= 8


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def test_a_commit_of_which_nobody_knows_how_it_ended_is_read_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"type": "track", "event": "A", "userId": "u1", "messageId": "m1"}
    installation.say(message)
    with monkeypatch.context() as broken:
        broken.setattr(installation.warehouse, "set_marks", _fail)
        with pytest.raises(OSError, match="no disk"):
            installation.run()
    assert installation.run() == 1
    installation.say(message)
    assert installation.run() == 1
    assert installation.rows("SELECT loaded, duplicate FROM ledger") == [{"loaded": 1, "duplicate": 1}]


def _fail(*_: Any) -> None:
    raise OSError("no disk")
