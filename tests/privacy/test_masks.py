"""A mask helps to know a value again, and does not give it away."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tekil.privacy.find import KINDS, Kind
from tekil.privacy.masks import mask, mask_of


def test_masks_show_a_beginning_or_an_end() -> None:
    assert mask("email", "ayse@gmail.com") == "a•••@g•••.com"
    assert mask("phone", "+905321234567") == "+90 ••• ••• 67"
    assert mask("name", "Ayşe Yılmaz") == "A••• Y•••"
    assert mask("card", "4111111111111111") == "••• 11"
    assert mask("address", "Bağdat Caddesi 1") == "•••"
    assert mask_of("phone", "0532 123 45 67") == "+90 ••• ••• 67"


@given(st.sampled_from(KINDS), st.text(min_size=1, max_size=40))
def test_no_mask_holds_the_value_or_is_empty(kind: Kind, text: str) -> None:
    assume(len(text.strip()) > 4)
    shown = mask_of(kind, text)
    assert shown
    assert text.strip() not in shown


@given(st.emails())
def test_of_an_address_only_first_letters_are_shown(address: str) -> None:
    shown = mask_of("email", address)
    local, _, domain = address.rpartition("@")
    assert len(local) < 2 or local not in shown
    assert domain not in shown
