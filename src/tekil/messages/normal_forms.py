"""The one written form of an identifier's value, whatever form a person typed it in."""

from __future__ import annotations

import hashlib
import re

VALUE_LENGTH_MAX = 512
"""Characters of an identifier's value; longer ones are somebody's mistake."""

IDENTIFIER_KINDS = ("user_id", "anonymous_id", "email", "phone")
"""The kinds of identifier that messages name, strongest first."""

# The blanks are written out: what else Python's \s takes for one, SQL's patterns do not.
_WORD = r"[^@ \t\n\x0b\f\r]+"
_EMAIL = re.compile(rf"{_WORD}@{_WORD}\.{_WORD}")


def normalise(kind: str, value: str) -> str | None:
    """Return `value` as Tekil writes values of `kind`, or nothing where it can be none of that kind.

    The loader does the same in SQL; a test holds the two together.
    """
    if kind == "email":
        return normal_email(value)
    if kind == "phone":
        return normal_phone(value)
    trimmed = value.strip(" ")
    return trimmed if 0 < len(trimmed) <= VALUE_LENGTH_MAX else None


def hashed_identifier(kind: str, value: str) -> int:
    """Return the key that tables know an identifier by: half of an MD5, as the dialect's `key64` gives it."""
    digest = hashlib.md5(f"{kind}:{value}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1


def normal_email(value: str) -> str | None:
    """Return an e-mail address in lower case, Turkish İ as i; nothing where it is no address.

    >>> normal_email(" İNFO@Example.COM ")
    'info@example.com'
    """
    # 'İ'.lower() would leave a combining dot behind.
    address = value.strip(" ").replace("İ", "i").lower()
    return address if len(address) <= VALUE_LENGTH_MAX and _EMAIL.fullmatch(address) else None


def normal_phone(value: str) -> str | None:
    """Return a phone number as + and digits; numbers without a country are Turkish.

    >>> normal_phone("0 (532) 123 45 67")
    '+905321234567'
    """
    digits = re.sub(r"[^0-9+]", "", value)
    if digits.startswith("+"):
        number = digits
    elif digits.startswith("00"):
        number = "+" + digits[2:]
    elif len(digits) == 11 and digits.startswith("0"):
        number = "+90" + digits[1:]
    elif len(digits) == 10:
        number = "+90" + digits
    else:
        number = "+" + digits
    return number if re.fullmatch(r"\+[0-9]{8,15}", number) else None
