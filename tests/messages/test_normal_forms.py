"""One person writes an address or a number in many ways; Tekil writes it in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.messages import IDENTIFIER_KINDS, VALUE_LENGTH_MAX, normalise


@pytest.mark.parametrize(
    "written", [" Info@Ornek.com ", "INFO@ORNEK.COM", "İNFO@ornek.com", "info@ornek.com"]
)
def test_an_address_is_one_whatever_keyboard_it_was_typed_on(written: str) -> None:
    assert normalise("email", written) == "info@ornek.com"


@pytest.mark.parametrize("written", ["", "yok", "a@b", "@b.co", "a b@c.co", "a@@b.co", "x" * 510 + "@b.co"])
def test_what_is_no_address_is_nothing(written: str) -> None:
    assert normalise("email", written) is None


@pytest.mark.parametrize(
    "written",
    [
        "0532 123 45 67",
        "532 123 45 67",
        "+90 532 123 45 67",
        "0090-532-1234567",
        "0 (532) 123.45.67",
        "905321234567",
    ],
)
def test_a_number_is_one_whatever_its_spaces_and_prefixes(written: str) -> None:
    assert normalise("phone", written) == "+905321234567"


@pytest.mark.parametrize("written", ["", "yok", "123", "1" * 16, "++90532", "+90 532 +1"])
def test_what_is_no_number_is_nothing(written: str) -> None:
    assert normalise("phone", written) is None


def test_a_foreign_number_keeps_its_country() -> None:
    assert normalise("phone", "+44 20 7946 0958") == "+442079460958"


def test_ids_keep_their_case_and_lose_only_the_spaces_around() -> None:
    assert normalise("user_id", " Ab 1 ") == "Ab 1"
    assert normalise("anonymous_id", "   ") is None
    assert normalise("user_id", "x" * VALUE_LENGTH_MAX) == "x" * VALUE_LENGTH_MAX
    assert normalise("user_id", "x" * (VALUE_LENGTH_MAX + 1)) is None


@given(st.sampled_from(IDENTIFIER_KINDS), st.text(max_size=40))
def test_a_normal_form_is_its_own_normal_form(kind: str, value: str) -> None:
    once = normalise(kind, value)
    assert once is None or normalise(kind, once) == once
