"""The destruction log, in every database."""

from __future__ import annotations

import pytest

from tekil.errors import NotFound
from tekil.store import Store
from tekil.store.destructions import KEPT_US


def test_a_destruction_is_on_record_before_anything_is_gone_and_tells_what_went(store: Store) -> None:
    begun = store.destructions.begin(
        "erasure", "ayse", "request 7", counts={"events": 3}, hashes=["ab"], at=5
    )
    assert store.destructions.unfinished("erasure") == [begun]
    done = store.destructions.finish(begun.id, {"events": 2, "log": 2}, {"found": 0}, at=9)
    assert store.destructions.unfinished("erasure") == []
    assert (done.counts, done.proof, done.done_at) == ({"events": 2, "log": 2}, {"found": 0}, 9)
    assert (done.hashes, done.reason, done.keep_until) == (["ab"], "request 7", 5 + KEPT_US)
    assert store.destructions.get(begun.id) == done


def test_entries_are_found_by_kind_and_reason_and_forgotten_after_three_years(store: Store) -> None:
    older = store.destructions.begin("retention", "tekil", "raw_log", at=1)
    newer = store.destructions.begin("erasure", "ayse", "request 7", at=2)
    assert [one.id for one in store.destructions.newest()] == [newer.id, older.id]
    assert [one.id for one in store.destructions.newest(kind="retention")] == [older.id]
    assert [one.id for one in store.destructions.newest(reason="request 7")] == [newer.id]
    assert store.destructions.forget(1 + KEPT_US) == 1
    assert [one.id for one in store.destructions.newest()] == [newer.id]
    with pytest.raises(NotFound):
        store.destructions.get(older.id)
