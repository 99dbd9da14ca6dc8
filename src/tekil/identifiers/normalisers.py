"""The one written form of an identifier's value, by the normaliser that the policy names for its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tekil.messages import VALUE_LENGTH_MAX
from tekil.messages.checksums import is_tckn, is_vkn
from tekil.messages.normal_forms import normal_email, normal_phone

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GMAIL = ("gmail.com", "googlemail.com")


def trimmed(value: str) -> str | None:
    """Return a value without spaces around it; nothing where it is empty, too long, or not written in text.

    >>> trimmed(" C-17 ")
    'C-17'
    """
    plain = value.strip(" ")
    return plain if 0 < len(plain) <= VALUE_LENGTH_MAX and not _CONTROL.search(plain) else None


def lower(value: str) -> str | None:
    """Return a value in small letters, Turkish İ as i.

    >>> lower("AB-1")
    'ab-1'
    """
    plain = trimmed(value)
    return None if plain is None else plain.replace("İ", "i").lower()


def gmail(value: str) -> str | None:
    """Return an e-mail address, one of Gmail's without the dots and the tag that Gmail does not look at.

    >>> gmail("Ayse.Yilmaz+haber@googlemail.com"), gmail("a.b+c@example.com")
    ('ayseyilmaz@gmail.com', 'a.b+c@example.com')
    """
    address = normal_email(value)
    if address is None:
        return None
    name, _, domain = address.rpartition("@")
    plain = name.partition("+")[0].replace(".", "")
    return f"{plain}@gmail.com" if domain in _GMAIL and plain else address


def tckn(value: str) -> str | None:
    """Return a Turkish identity number's eleven digits; nothing where its check digits are wrong."""
    digits = re.sub(r"[ .-]", "", value)
    return digits if is_tckn(digits) else None


def vkn(value: str) -> str | None:
    """Return a Turkish tax number's ten digits; nothing where its check digit is wrong."""
    digits = re.sub(r"[ .-]", "", value)
    return digits if is_vkn(digits) else None


NORMALISERS: Mapping[str, Callable[[str], str | None]] = {
    "trimmed": trimmed,
    "lower": lower,
    "email": normal_email,
    "gmail": gmail,
    "phone": normal_phone,
    "tckn": tckn,
    "vkn": vkn,
}
"""Name in the policy → what it does to a value; nothing where the value can be none of the kind."""
