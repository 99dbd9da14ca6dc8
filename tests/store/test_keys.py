"""Sources with their write keys, and API keys with their scopes."""

from __future__ import annotations

import pytest

from tekil.errors import BadRequest, NotFound
from tekil.store import Store


def test_a_write_key_makes_its_source(store: Store) -> None:
    key = store.keys.create_write_key("web-shop")
    (source,) = store.keys.sources()
    assert (source.name, source.enabled, source.created_at) == ("web-shop", True, key.created_at)
    assert store.keys.write_keys() == [key]


def test_a_source_may_have_several_keys(store: Store) -> None:
    first, second = (store.keys.create_write_key("web") for _ in range(2))
    assert first.key != second.key
    assert len(store.keys.sources()) == 1
    assert {key.key for key in store.keys.write_keys()} == {first.key, second.key}


def test_a_write_key_can_be_typed_and_quoted_anywhere(store: Store) -> None:
    for _ in range(50):
        key = store.keys.create_write_key("web").key
        assert key.isalnum()
        assert key.isascii()
        assert len(key) == 32


@pytest.mark.parametrize("name", ["", "Web", "a b", "-web", "ş", "x" * 64, "a/b", "web\n"])
def test_a_name_that_cannot_be_a_sources_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadRequest, match="cannot name a source"):
        store.keys.create_write_key(name)
    assert store.keys.sources() == []


def test_a_disabled_source_disables_its_keys(store: Store) -> None:
    store.keys.create_write_key("web")
    till = store.keys.create_write_key("till")
    store.keys.set_source_enabled("web", False)
    assert {key.source: key.enabled for key in store.keys.write_keys()} == {"web": False, "till": True}
    store.keys.set_source_enabled("web", True)
    assert all(key.enabled for key in store.keys.write_keys())
    assert till in store.keys.write_keys()


def test_a_revoked_write_key_is_gone_and_its_source_stays(store: Store) -> None:
    key = store.keys.create_write_key("web")
    store.keys.revoke_write_key(key.key)
    assert store.keys.write_keys() == []
    assert [source.name for source in store.keys.sources()] == ["web"]


def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    for change in (
        lambda: store.keys.set_source_enabled("nobody", True),
        lambda: store.keys.revoke_write_key("nothing"),
        lambda: store.keys.revoke_api_key("nothing"),
    ):
        with pytest.raises(NotFound):
            change()


def test_an_api_key_is_found_by_its_secret_alone(store: Store) -> None:
    key, secret = store.keys.create_api_key("dashboards", ["profiles:read", "ledger:read"])
    assert store.keys.find_api_key(secret) == key
    assert store.keys.find_api_key(secret + "x") is None
    assert key.allows("ledger:read")
    assert not key.allows("sql:read")
    assert secret not in repr(store.keys.api_keys())


def test_a_star_allows_everything_until_it_is_revoked(store: Store) -> None:
    key, secret = store.keys.create_api_key("all", ["*"])
    assert key.allows("sql:read")
    store.keys.revoke_api_key(key.id)
    revoked = store.keys.find_api_key(secret)
    assert revoked is not None
    assert not revoked.allows("sql:read")
    assert [one.revoked for one in store.keys.api_keys()] == [True]


def test_a_scope_that_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises(BadRequest, match="profiles:read"):
        store.keys.create_api_key("wrong", ["profiles:burn"])
    assert store.keys.api_keys() == []
