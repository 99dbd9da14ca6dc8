"""What will do as a password."""

from __future__ import annotations

import pytest

from tekil.access.passwords import check_password, one_time_password
from tekil.errors import BadRequest


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
