"""Definitions in the store, on every database."""

from __future__ import annotations

import pytest

from tekil.errors import BadRequest
from tekil.store import NewVersion, Store


def test_versions_are_kept_and_the_newest_is_in_force(store: Store) -> None:
    store.definitions.add(
        [NewVersion("event", "A", 1, '{"v":1}'), NewVersion("dictionary", "d", 1, "{}")],
        author="a",
        note="",
        expected=0,
    )
    store.definitions.add([NewVersion("event", "A", 2, '{"v":2}')], author="b", note="n", expected=2)
    assert [v.body for v in store.definitions.current("event")] == ['{"v":2}']
    assert [v.kind for v in store.definitions.current()] == ["dictionary", "event"]
    assert store.definitions.numbers() == {("event", "A"): 2, ("dictionary", "d"): 1}
    store.definitions.add([NewVersion("event", "A", 3, None)], author="b", note="", expected=3)
    assert store.definitions.current("event") == []
    assert [v.version for v in store.definitions.history("event", "A")] == [3, 2, 1]
    with pytest.raises(BadRequest):
        store.definitions.add([NewVersion("event", "A", 4, None)], author="b", note="", expected=3)
