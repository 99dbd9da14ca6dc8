"""Tokens and links: the same for ever, readable by the key's owner, worthless to anybody else."""

from __future__ import annotations

import pytest

from tekil.errors import Forbidden, NotFound
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Link, Links
from tests.privacy.conftest import KEY


def test_a_value_has_one_token_and_of_another_kind_another(ledger: ConsentLedger) -> None:
    tokens = ledger.tokens
    assert tokens.token("email", "a@b.co") == tokens.token("email", "a@b.co")
    assert tokens.token("email", "1") != tokens.token("user_id", "1")


def test_a_token_stands_for_itself(ledger: ConsentLedger) -> None:
    token = ledger.tokens.keep("email", "a@b.co")
    assert ledger.tokens.token("email", token) == ledger.tokens.keep("email", token) == token
    assert ledger.named("email", token) == ledger.named("email", token)
    assert ledger.named("email", token).token == ledger.named("email", " A@b.co").token


@pytest.mark.parametrize("kind", ["email", "user_id"])
@pytest.mark.parametrize("value", ["a@b.co", "+905321234567", "ş" * 300, "x"])
def test_what_was_kept_is_revealed_and_nothing_else(ledger: ConsentLedger, kind: str, value: str) -> None:
    tokens = ledger.tokens
    assert tokens.reveal(tokens.token(kind, value)) is None
    assert tokens.reveal(tokens.keep(kind, value)) == value
    tokens.keep(kind, value)
    assert tokens.reveal("unknown") is None


def test_a_link_reads_back_until_it_expires() -> None:
    links = Links(lambda: KEY)
    link = Link("email", "t" * 64, 1_000, "marketing", "email")
    text = links.write(link)
    assert links.read(text, 999) == link
    with pytest.raises(Forbidden, match="expired"):
        links.read(text, 1_000)


def test_a_link_that_was_touched_opens_nothing() -> None:
    links = Links(lambda: KEY)
    text = links.write(Link("email", "t", 1_000))
    swapped = "B" if text[-5] == "A" else "A"
    for wrong in (
        "",
        "x",
        "é",
        text[:-5] + swapped + text[-4:],
        text[3:],
        Links(lambda: b"other").write(Link("e", "t", 9)),
    ):
        with pytest.raises(NotFound):
            links.read(wrong, 0)


def test_a_ledgers_link_opens_the_consents_of_that_identifier(ledger: ConsentLedger) -> None:
    text = ledger.link("email", " A@b.co", 7)
    link = ledger.links.read(text, ledger._clock())
    assert link.token == ledger.named("email", "a@b.co").token
    assert ledger.tokens.reveal(link.token) == "a@b.co"
