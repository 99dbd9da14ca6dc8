"""What of a personal value is nobody's in particular, and stays usable in SQL."""

from __future__ import annotations

import phonenumbers

from tekil.privacy.find import Kind, normal


def shadow(kind: Kind, value: str) -> str | None:
    """Return an address's domain, the country of a phone number or an IBAN; nothing for all else.

    >>> shadow("email", "ayse@gmail.com"), shadow("phone", "0532 123 45 67"), shadow("name", "Ayşe")
    ('gmail.com', 'TR', None)
    """
    plain = normal(kind, value)
    match kind:
        case "email":
            return (plain.rpartition("@")[2] or None) if "@" in plain else None
        case "phone":
            return _country(plain)
        case "iban":
            return plain[:2]
    return None


def _country(number: str) -> str | None:
    try:
        country: str | None = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return country
