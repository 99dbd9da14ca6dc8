"""What a password must be, and passwords of our own making that are good for one sign-in."""

from __future__ import annotations

import secrets
from base64 import b64encode

from argon2 import PasswordHasher

from tekil.errors import BadRequest

LENGTH_MIN = 12
LENGTH_MAX = 1024
LETTERS_MIN = 5
"""How many different characters a password has at least."""


def check_password(password: str, name: str) -> None:
    """Return if a password will do for somebody of this name; raise `BadRequest` saying why not.

    Length is what makes a password hard to guess; rules about digits and signs make it hard to remember.
    """
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise BadRequest(
            f"A password has at least {LENGTH_MIN} characters; several words make a good one.",
            code="password_short",
        )
    if len(set(password)) < LETTERS_MIN or (
        len(name) > 3 and not password.casefold().replace(name.casefold(), "").strip("0123456789._-! ")
    ):
        raise BadRequest(
            "This password is the name, or one thing over and over; choose several words.",
            code="password_weak",
        )


def one_time_password() -> str:
    """Return a password to be told once and changed at the first sign-in."""
    return secrets.token_urlsafe(12)


def nobodys_hash(hasher: PasswordHasher) -> str:
    """Return a hash that no password has and that takes `hasher` as long to verify as one of its own.

    It is made by chance, not by hashing: every process that opens the store needs one, few ever verify it.
    The text is PHC's: https://github.com/P-H-C/phc-string-format.
    """
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, tag = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19${costs}${salt}${tag}"
