"""Requests as they are kept, in every database."""

from __future__ import annotations

import pytest

from tekil.errors import NotFound
from tekil.store import Store
from tekil.store.requests import SubjectRequest


def asked(request_id: str, due_at: int, token: str = "t") -> SubjectRequest:
    return SubjectRequest(request_id, "access", "email", token, due_at - 10, due_at, "email")


def test_open_ones_come_by_urgency_and_closed_ones_by_their_end(store: Store) -> None:
    for request_id, due_at in (("b", 20), ("a", 30), ("c", 10)):
        store.requests.add(asked(request_id, due_at))
    assert [one.id for one in store.requests.of_status("open")] == ["c", "b", "a"]
    for at, request_id in enumerate(("c", "a")):
        store.requests.change(request_id, status="closed", closed_at=at, decision="refused")
    assert [one.id for one in store.requests.of_status("closed")] == ["a", "c"]
    assert store.requests.count_due(21) == 1
    assert store.requests.get("b") == asked("b", 20)
    assert [one.id for one in store.requests.of_token("t")] == ["c", "b", "a"]


def test_what_is_not_there_or_closed_cannot_be_changed(store: Store) -> None:
    store.requests.add(asked("a", 1))
    store.requests.change("a", status="closed")
    for request_id in ("a", "nobody"):
        with pytest.raises(NotFound):
            store.requests.change(request_id, identity="verified")
    with pytest.raises(NotFound):
        store.requests.get("nobody")
