"""Tokens and links: the same for ever, readable by the key's owner, worthless to anybody else."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tekil.errors import Forbidden, Misconfigured, NotFound
from tekil.privacy import tokens as tokens_module
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Link, Links
from tekil.privacy.tokens import KeyFileTokens, derive, installation_key
from tekil.store import Store
from tests.privacy.conftest import KEY


def test_a_value_has_one_token_and_of_another_kind_another(store: Store) -> None:
    tokens = KeyFileTokens(KEY, store.addresses)
    assert tokens.token("email", "a@b.co") == tokens.token("email", "a@b.co")
    assert tokens.token("email", "1") != tokens.token("user_id", "1")
    assert tokens.token("email", "a@b.co") != KeyFileTokens(b"x" * 32, store.addresses).token(
        "email", "a@b.co"
    )


@pytest.mark.parametrize("value", ["a@b.co", "+905321234567", "ş" * 300, "x"])
def test_what_was_kept_is_revealed_and_nothing_else(store: Store, value: str) -> None:
    tokens = KeyFileTokens(KEY, store.addresses)
    assert tokens.reveal(tokens.token("email", value)) is None
    assert tokens.reveal(tokens.keep("email", value)) == value
    tokens.keep("email", value)
    assert tokens.reveal("unknown") is None


def test_another_key_opens_nothing_and_says_so(store: Store) -> None:
    token = KeyFileTokens(KEY, store.addresses).keep("email", "a@b.co")
    with pytest.raises(Misconfigured, match="backup"):
        KeyFileTokens(b"x" * 32, store.addresses).reveal(token)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = installation_key(tmp_path / "data")
    assert len(key) == 32
    assert installation_key(tmp_path / "data") == key
    files = list((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["consent.key"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_masks_show_enough_to_recognise_ones_own() -> None:
    assert doctest.testmod(tokens_module).attempted > 0
    assert doctest.testmod(tokens_module).failed == 0


def test_a_link_reads_back_until_it_expires() -> None:
    links = Links(derive(KEY, "links"))
    link = Link("email", "t" * 64, 1_000, "marketing", "email")
    text = links.write(link)
    assert links.read(text, 999) == link
    with pytest.raises(Forbidden, match="expired"):
        links.read(text, 1_000)


def test_a_link_that_was_touched_opens_nothing() -> None:
    links = Links(derive(KEY, "links"))
    text = links.write(Link("email", "t", 1_000))
    swapped = "B" if text[-5] == "A" else "A"
    for wrong in (
        "",
        "x",
        "é",
        text[:-5] + swapped + text[-4:],
        text[3:],
        Links(b"other").write(Link("e", "t", 9)),
    ):
        with pytest.raises(NotFound):
            links.read(wrong, 0)


def test_a_ledgers_link_opens_the_consents_of_that_identifier(ledger: ConsentLedger) -> None:
    text = ledger.link("email", " A@b.co", 7)
    link = ledger.links.read(text, ledger._clock())
    assert link.token == ledger.named("email", "a@b.co").token
    assert ledger.tokens.reveal(link.token) == "a@b.co"
