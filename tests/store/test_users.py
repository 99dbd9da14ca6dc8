"""People who may sign in, and their sessions."""

from __future__ import annotations

import pytest

from tekil.store import Store
from tekil.store import sessions as sessions_module


def test_the_first_user_is_made_once(store: Store) -> None:
    password = store.users.create_first()
    assert password is not None
    assert store.users.create_first() is None
    token = store.users.sign_in("admin", password)
    assert token is not None
    found = store.sessions.find(token)
    assert found is not None
    user, session = found
    assert (user.name, user.roles, user.disabled) == ("admin", ("administrator",), False)
    assert (session.user_name, session.second_factor_at) == ("admin", None)


def test_a_wrong_name_or_password_opens_nothing(store: Store) -> None:
    password = store.users.create_first("ayşe")
    assert password is not None
    assert store.users.sign_in("ayşe", password + "x") is None
    assert store.users.sign_in("nobody", password) is None
    assert store.sessions.find("made-up") is None


def test_signing_out_ends_one_session(store: Store) -> None:
    password = store.users.create_first() or ""
    first, second = store.users.sign_in("admin", password), store.users.sign_in("admin", password)
    assert first is not None
    assert second is not None
    store.sessions.end(first)
    store.sessions.end("made-up")
    assert store.sessions.find(first) is None
    assert store.sessions.find(second) is not None


def test_a_session_ends_with_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    token = store.users.sign_in("admin", store.users.create_first() or "")
    assert token is not None
    later = sessions_module.now_us() + sessions_module.SESSION_LENGTH_US + 1
    monkeypatch.setattr(sessions_module, "now_us", lambda: later)
    assert store.sessions.find(token) is None
