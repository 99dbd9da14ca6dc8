"""As much of a personal value as helps to know it again, and no more."""

from __future__ import annotations

from tekil.privacy.find import Kind, normal

DOTS = "•••"


def mask(kind: Kind, value: str) -> str:
    """Return a normal value as anybody may see it.

    >>> mask("email", "ayse@gmail.com"), mask("phone", "+905321234567"), mask("name", "Ayşe Yılmaz")
    ('a•••@g•••.com', '+90 ••• ••• 67', 'A••• Y•••')
    """
    match kind:
        case "email":
            return _email(value)
        case "phone":
            return f"{value[:3]} {DOTS} {DOTS} {value[-2:]}" if value.startswith("+") else DOTS
        case "name":
            return " ".join(word[0] + DOTS for word in value.split()) or DOTS
        case "card" | "iban" | "tckn":
            return f"{DOTS} {value[-2:]}"
        case _:
            return DOTS


def mask_of(kind: Kind, text: str) -> str:
    """Return a value as anybody may see it, in whatever form it is written."""
    return mask(kind, normal(kind, text))


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    host, dot, country = domain.rpartition(".")
    if not (local and at and host and dot):
        return DOTS
    return f"{local[0]}{DOTS}@{host[0]}{DOTS}.{country}"
