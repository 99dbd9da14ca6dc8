"""The vault: one token for one value, values that come back whole, and keys that change under way."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.errors import Misconfigured
from tekil.privacy import KeyRing, MasterKey, Vault
from tekil.privacy.find import KINDS, TOKEN, Kind, find, normal
from tekil.store import Store, open_store

MASTER = MasterKey(b"m" * 32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(f"sqlite:///{tmp_path_factory.mktemp('vault') / 'store.db'}")


@pytest.fixture(scope="module")
def vault(store: Store) -> Vault:
    return Vault(store.sealed_values, KeyRing(store.data_keys, MASTER))


def keep(vault: Vault, kind: Kind, value: str) -> str:
    token = vault.token(kind, value)
    vault.keep([(token, kind, value)])
    return token


@given(st.sampled_from(KINDS), st.text(min_size=1, max_size=50))
def test_what_is_kept_comes_back_in_its_normal_form(vault: Vault, kind: Kind, text: str) -> None:
    token = keep(vault, kind, text)
    assert TOKEN.fullmatch(token)
    assert find(token) == []
    assert vault.reveal([token]) == {token: normal(kind, text)}


def test_the_same_value_has_the_same_token_however_it_is_written(vault: Vault) -> None:
    written = ("0532 123 45 67", "+905321234567", "5321234567")
    assert len({vault.token("phone", text) for text in written}) == 1
    assert vault.token("email", "a@b.example") != vault.token("name", "a@b.example")


def test_a_token_without_the_keys_says_nothing(vault: Vault, tmp_path: Path) -> None:
    other_store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    other = Vault(other_store.sealed_values, KeyRing(other_store.data_keys, MASTER))
    assert other.token("email", "a@b.example") != vault.token("email", "a@b.example")


def test_texts_are_shown_masked_and_revealed_only_when_asked(vault: Vault) -> None:
    email, name = keep(vault, "email", "ayse@example.com"), keep(vault, "name", 'Ayşe "A" \\ Yılmaz')
    stranger = vault.token("email", "nobody@example.com")
    body = json.dumps({"email": email, "names": [name], "plan": "gold", "other": stranger})
    masked, revealed = (json.loads(vault.show([body], reveal=r, is_json=True)[0]) for r in (False, True))
    assert masked == {
        "email": "a•••@e•••.com",
        "names": ['A••• "••• \\••• Y•••'],
        "plan": "gold",
        "other": stranger,
    }
    assert revealed["names"] == ['Ayşe "A" \\ Yılmaz']
    assert vault.show(["nothing here", email]) == ["nothing here", "a•••@e•••.com"]


def test_what_lies_in_the_store_is_not_the_value(vault: Vault, store: Store) -> None:
    keep(vault, "email", "kanarya@example.com")
    path = Path(str(store._engine.url.database))
    assert path.is_file()
    for file in path.parent.iterdir():
        assert b"kanarya" not in file.read_bytes()


def test_a_sealed_value_put_in_anothers_place_is_found_out(vault: Vault, store: Store) -> None:
    one, other = keep(vault, "name", "One Person"), keep(vault, "name", "Another Person")
    values = {value.token: value for value in store.sealed_values.get_many([one, other])}
    store.sealed_values.renew([type(values[one])(one, values[other].key_id, values[other].sealed, "")])
    with pytest.raises(Exception, match=r".*"):
        vault.reveal([one])


def test_keys_change_while_values_are_read_and_kept(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    ring = KeyRing(store.data_keys, MASTER)
    vault = Vault(store.sealed_values, ring)
    tokens = {keep(vault, "name", f"Person {n}"): f"Person {n}" for n in range(300)}
    early, late = dict(tokens), {}
    old = ring.current("vault")
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for token, value in list(early.items())[::17]:
                if vault.reveal([token]) != {token: value}:
                    wrong.append(token)

    def write() -> None:
        number = 0
        while not stop.is_set():
            late[keep(vault, "name", f"Late {number}")] = f"Late {number}"
            number += 1

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    assert vault.rekey(chunk=50) >= 300
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert late
    assert vault.reveal(list(late)) == late
    assert vault.reveal(list(early)) == early
    assert ring.current("vault") != old
    with pytest.raises(Misconfigured, match="destroyed"):
        ring.key(old)


def test_a_whole_message_that_was_put_aside_is_sealed(vault: Vault) -> None:
    body = '{"userId":"ş","note":"ayse@example.com"}'
    sealed = vault.seal_body(body)
    assert "ayse" not in sealed
    assert vault.open_body(sealed) == body
    assert vault.seal_body(body) != sealed
