"""What people type where it is kept in the clear: definitions, notes and reasons hold no personal value.

Where something was typed to be read by machines (a definition, a name), it is refused, so that nothing is
lost silently; where it explains an act that has happened (a reason), it is kept with masks.
"""

from __future__ import annotations

from tekil.access.policy import Condition, parse_condition
from tekil.errors import BadRequest
from tekil.privacy.find import Personal, find
from tekil.privacy.masks import mask_of

NAMES = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "tckn": "an identity number",
    "iban": "an IBAN",
    "card": "a card number",
}
"""Kinds that show by their form, in words."""


def masked(text: str) -> str:
    """Return a text with masks in the place of the personal values in it.

    >>> masked("asked by ayse@gmail.com on the phone")
    'asked by a•••@g•••.com on the phone'
    """
    for personal in reversed(find(text)):
        text = f"{text[: personal.start]}{_mask(personal)}{text[personal.end :]}"
    return text


def told(text: str) -> str | None:
    """Return in words what personal value a text gives away first, masked; nothing where it gives none away.

    >>> told("as ayse@gmail.com says")
    'what looks like an e-mail address (a•••@g•••.com)'
    """
    found = find(text)
    return f"what looks like {NAMES[found[0].kind]} ({_mask(found[0])})" if found else None


def check_typed(text: str, what: str) -> str:
    """Return a text that is to be kept in the clear. Raises `BadRequest` where it gives away somebody.

    `what` names it at the beginning of a sentence: "The note".
    """
    if (found := told(text)) is not None:
        raise BadRequest(
            f"{what} holds {found}. It is kept in the clear, so write it without; nothing was changed.",
            code="typed_personal",
        )
    return text


def typed_condition(text: str) -> Condition | None:
    """Return the attribute rule in a text. Raises `BadRequest` where it is none, or gives away somebody."""
    return parse_condition(check_typed(text, "The attribute rule"))


def _mask(personal: Personal) -> str:
    return mask_of(personal.kind, personal.value)
