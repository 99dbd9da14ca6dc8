"""Personal values are known by their form, and ordinary texts are left alone."""

from __future__ import annotations

import itertools
import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.privacy.find import KINDS, Kind, find, is_card, is_iban, is_tckn, kind_of_key, normal


def tckn(seed: int) -> str:
    """Return an identity number that holds, of nobody."""
    digits = [random.Random(seed).randint(1, 9) for _ in range(9)]
    digits.append((7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10)
    digits.append(sum(digits) % 10)
    return "".join(map(str, digits))


def found(text: str) -> list[tuple[Kind, str]]:
    return [(one.kind, one.value) for one in find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("ayse@example.com", "email", "ayse@example.com"),
        ("Yaz: İNFO@Example.COM.", "email", "info@example.com"),
        ("ayşe.yılmaz@minder.example", "email", "ayşe.yılmaz@minder.example"),
        ("https://x.example/?mail=a.b%40mail.example&x=1", "email", "a.b@mail.example"),
        ("+90 532 123 45 67", "phone", "+905321234567"),
        ("beni 0532 123 45 67 ara", "phone", "+905321234567"),
        ("0(532)1234567", "phone", "+905321234567"),
        ("tel:+442079460958", "phone", "+442079460958"),
        ("0212 555 12 34", "phone", "+902125551234"),
        ("kimlik 10000000146", "tckn", "10000000146"),
        ("TR33 0006 1005 1978 6457 8413 26", "iban", "TR330006100519786457841326"),
        ("DE89370400440532013000", "iban", "DE89370400440532013000"),
        ("kart 4111 1111 1111 1111", "card", "4111111111111111"),
        ("378282246310005", "card", "378282246310005"),
    ],
)
def test_a_personal_value_is_found_wherever_it_stands(text: str, kind: Kind, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ege Nevresim Takımı Pudra",
        "50314",
        "1249.90",
        "1741608930123",
        "2026-03-01T10:15:30.123Z",
        "8f2c6d1e-40ab-4b7e-9d2e-123456789012",
        "/urun/ege-nevresim-mne-nev-107?utm_source=google",
        "10000000147",
        "4111 1111 1111 1112",
        "TR33 0006 1005 1978 6457 8413 27",
        "@minder",
        "5 adet @ 3 TL",
        "3.141592653589793",
        "41.015137, 28.979530",
    ],
)
def test_what_is_nobodys_is_left_alone(text: str) -> None:
    assert found(text) == []


@given(st.uuids())
def test_an_id_made_by_chance_is_nobodys(made: UUID) -> None:
    assert find(str(made)) == find(f"11111111-2222-3333-4444-{made.int % 10**12:012d}") == []


def test_numbers_side_by_side_are_told_apart() -> None:
    text = "0532 123 45 67 0533 765 43 21,10000000146 TR33 0006 1005 1978 6457 8413 26 4111 1111 1111 1111"
    assert [kind for kind, _ in found(text)] == ["phone", "phone", "tckn", "iban", "card"]


def test_several_values_are_found_in_order_and_none_within_another() -> None:
    text = "Ayşe (ayse@example.com, 0532 123 45 67) ve +90 212 555 12 34"
    assert [kind for kind, _ in found(text)] == ["email", "phone", "phone"]
    spans = [(one.start, one.end) for one in find(text)]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


@given(st.integers(0, 10_000))
def test_checksums_take_right_numbers_and_no_number_with_one_digit_changed(seed: int) -> None:
    right = tckn(seed)
    assert is_tckn(right)
    place = seed % 11
    wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
    assert not is_tckn(wrong)


@given(st.integers(0, 15), st.integers(1, 9))
def test_a_card_or_an_iban_with_one_digit_changed_is_none(place: int, add: int) -> None:
    for right, holds in (("4111111111111111", is_card), ("TR330006100519786457841326", is_iban)):
        assert holds(right)
        at = place + len(right) - 16
        assert not holds(right[:at] + str((int(right[at]) + add) % 10) + right[at + 1 :])


@given(st.text(max_size=60))
def test_any_text_can_be_looked_through(text: str) -> None:
    for one in find(text):
        assert one.kind in KINDS
        assert 0 <= one.start < one.end <= len(text)
        assert normal(one.kind, one.value) == one.value


@pytest.mark.parametrize(
    ("key", "is_trait", "kind"),
    [
        ("email", False, "email"),
        ("E-Posta", False, "email"),
        ("phoneNumber", False, "phone"),
        ("GSM No", False, "phone"),
        ("first_name", False, "name"),
        ("SOYADI", False, "name"),
        ("Müşteri Adı", False, "name"),
        ("DOĞUM TARİHİ", False, "birthdate"),
        ("name", False, None),
        ("name", True, "name"),
        ("product_name", True, None),
        ("campaign", False, None),
        ("", True, None),
    ],
)
def test_a_member_is_personal_by_its_name(key: str, is_trait: bool, kind: Kind | None) -> None:
    assert kind_of_key(key, is_trait=is_trait) == kind


def test_all_ways_to_write_a_value_have_one_normal_form() -> None:
    assert len({normal("phone", text) for text in ("0532 123 45 67", "+90 532 1234567", "5321234567")}) == 1
    assert len({normal("email", text) for text in (" İnfo@Example.com", "info@example.com")}) == 1
    assert normal("iban", "tr33 0006 1005 1978 6457 8413 26") == "TR330006100519786457841326"
