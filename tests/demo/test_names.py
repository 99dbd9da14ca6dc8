"""Turkish letters, and the many ways of writing one and the same address or number."""

from __future__ import annotations

from random import Random

import pytest

from tekil.demo.catalogue import slug, stock
from tekil.demo.names import MEN, SURNAMES, WOMEN, capitals, mailbox, mobile, plain, write_email, write_phone
from tekil.messages import normalise


@pytest.mark.parametrize(
    ("name", "written"), [("İpek", "ipek"), ("Işıl", "isil"), ("Çağrı", "cagri"), ("Şükrü", "sukru")]
)
def test_names_become_mailboxes_in_latin_letters(name: str, written: str) -> None:
    assert plain(name) == written


def test_every_name_can_be_written_in_an_address() -> None:
    assert [
        name for name in (*WOMEN, *MEN, *SURNAMES) if not (plain(name).isascii() and plain(name).isalpha())
    ] == []


def test_caps_lock_is_turkish() -> None:
    assert capitals("ipek.ışıl@gmail.com") == "İPEK.IŞIL@GMAİL.COM"


def test_however_a_phone_is_written_it_is_the_same_phone() -> None:
    rng = Random(1)
    number = mobile(rng, set())
    written = {write_phone(rng, number) for _ in range(300)}
    assert len(written) >= 9
    assert {normalise("phone", text) for text in written} == {number}


def test_however_an_address_is_written_it_is_the_same_address() -> None:
    rng = Random(1)
    written = {write_email(rng, "ipek.isil@gmail.com", typo=False) for _ in range(300)}
    assert len(written) == 5
    assert {normalise("email", text) for text in written} == {"ipek.isil@gmail.com"}


def test_a_mistyped_address_is_another_address_and_nobody_elses() -> None:
    rng = Random(1)
    taken: set[str] = set()
    addresses = [mailbox(rng, "Ayşe", "Yılmaz", taken) for _ in range(200)]
    typos = {write_email(rng, address, typo=True) for address in addresses}
    assert not typos & set(addresses)
    assert len({address.partition("@")[0] for address in addresses}) == 200


def test_the_assortment_is_priced_within_its_shelves() -> None:
    products = stock(Random(1))
    assert len({product.sku for product in products}) == len(products) > 100
    assert [p for p in products if not p.category.lowest - 1 < p.price < p.category.highest] == []
    assert all(p.path.isascii() for p in products)
    assert slug("Örgü Şal") == "orgu-sal"
