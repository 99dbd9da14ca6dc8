"""Shadows: what of a value is nobody's, for those who count."""

from __future__ import annotations

import pytest

from tekil.privacy.find import Kind
from tekil.privacy.shadows import shadow


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("email", "Ayse@Gmail.com", "gmail.com"),
        ("email", "no address", None),
        ("phone", "0532 123 45 67", "TR"),
        ("phone", "+44 20 7946 0958", "GB"),
        ("phone", "+999999999", None),
        ("phone", "12", None),
        ("iban", "TR33 0006 1005 1978 6457 8413 26", "TR"),
        ("name", "Ayşe Yılmaz", None),
        ("tckn", "10000000146", None),
    ],
)
def test_a_shadow_says_where_from_and_never_who(kind: Kind, value: str, expected: str | None) -> None:
    assert shadow(kind, value) == expected
