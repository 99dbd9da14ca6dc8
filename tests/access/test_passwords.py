"""What will do as a password."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tekil.access.passwords import check_password, nobodys_hash, one_time_password
from tekil.errors import BadRequest
from tekil.store import Users
from tests.conftest import PRODUCTS_HASHER


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password_short"),
        ("x" * 1025, "password_short"),
        ("aaaaaaaaaaaaaaaa", "password_weak"),
        ("abababababababab", "password_weak"),
        ("ayse.yilmaz1234", "password_weak"),
        ("AYSE.YILMAZ-ayse.yilmaz", "password_weak"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_password(password, "ayse.yilmaz")
    assert caught.value.code == code


@pytest.mark.parametrize("password", ["mavi minder pencere", "ayse.yilmaz sever keten"])
def test_several_words_will_do(password: str) -> None:
    check_password(password, "ayse.yilmaz")
    check_password(password, "")


def test_what_we_make_ourselves_will_do_and_is_never_the_same() -> None:
    made = {one_time_password() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        check_password(password, "ayse.yilmaz")


def test_the_hash_that_nobody_has_is_as_slow_to_verify_as_any() -> None:
    hasher = PasswordHasher(time_cost=2, memory_cost=64, parallelism=3)
    made = nobodys_hash(hasher)
    assert extract_parameters(made) == extract_parameters(hasher.hash("mavi minder pencere"))
    with pytest.raises(VerifyMismatchError):
        hasher.verify(made, "mavi minder pencere")
    assert nobodys_hash(hasher) != made


def test_passwords_are_hashed_as_slowly_as_they_should_be() -> None:
    costs = extract_parameters(nobodys_hash(PRODUCTS_HASHER))
    assert costs == RFC_9106_LOW_MEMORY
    assert Users.hasher is not PRODUCTS_HASHER
