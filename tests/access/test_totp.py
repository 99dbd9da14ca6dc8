"""Codes as RFC 6238 says them, and each of them once."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.access.totp import (
    STEP_SECONDS,
    code_at,
    enrolment_uri,
    matching_step,
    new_secret,
    recovery_codes,
    tidy_recovery_code,
)

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    # RFC 6238, appendix B, SHA-1, the last six of its eight digits.
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_the_standard(seconds: int, code: str) -> None:
    assert code_at(RFC_SECRET, seconds // STEP_SECONDS) == code
    assert matching_step(RFC_SECRET, f"{code[:3]} {code[3:]}", seconds, 0) == seconds // STEP_SECONDS


@given(st.integers(1_000, 2**33), st.integers(-3, 3))
def test_a_clock_may_be_a_step_off_and_no_more(seconds: int, off: int) -> None:
    secret = new_secret()
    step = seconds // STEP_SECONDS
    code = code_at(secret, step + off)
    found = matching_step(secret, code, seconds, -10)
    near = {code_at(secret, s) for s in (step - 1, step, step + 1)}
    assert (found is not None) is (abs(off) <= 1 or code in near)


def test_a_code_works_once_and_no_earlier_one_after_it() -> None:
    secret, now = new_secret(), 1_800_000_000
    step = now // STEP_SECONDS
    assert matching_step(secret, code_at(secret, step), now, step) is None
    assert matching_step(secret, code_at(secret, step - 1), now, step) is None
    for wrong in ("", "12345", "abcdef", "１２３４５６", "\ud800"):
        assert matching_step(secret, wrong.encode(errors="replace").decode(), now, 0) is None


def test_recovery_codes_differ_and_are_read_however_they_are_typed() -> None:
    codes = recovery_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert tidy_recovery_code(f" {code.upper().replace('-', ' ')} ") == code


def test_an_authenticator_is_told_whose_secret_it_holds() -> None:
    uri = enrolment_uri("ABC", "ayşe@x", "Minder Evi")
    assert uri == "otpauth://totp/Minder%20Evi%3Aay%C5%9Fe%40x?secret=ABC&issuer=Minder%20Evi"
