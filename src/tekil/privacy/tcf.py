"""The core of a Transparency and Consent string, version 2, as IAB Europe's specification lays it out."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

import msgspec

PURPOSES = 24
_VERSION = (0, 6)
_UPDATED = (42, 36)
_VENDOR_LIST = (120, 12)
_POLICY = (132, 6)
_PURPOSES = (152, PURPOSES)
CORE_BITS = 213
"""The length of the core up to the vendors."""


class TransparencyConsent(msgspec.Struct, frozen=True):
    """What a string says: the purposes (1 to 24) that were consented to, and when it was last changed."""

    purposes: frozenset[int]
    updated_at: datetime
    policy_version: int
    vendor_list_version: int


def decode(text: str) -> TransparencyConsent | None:
    """Return what a TC string says, or nothing for a text that is none, or of another version."""
    core = text.strip().partition(".")[0]
    try:
        data = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(data) * 8 < CORE_BITS:
        return None
    whole = int.from_bytes(data, "big")

    def bits(place: tuple[int, int]) -> int:
        start, length = place
        return (whole >> (len(data) * 8 - start - length)) & ((1 << length) - 1)

    if bits(_VERSION) != 2:
        return None
    allowed = bits(_PURPOSES)
    return TransparencyConsent(
        frozenset(n for n in range(1, PURPOSES + 1) if allowed >> (PURPOSES - n) & 1),
        datetime.fromtimestamp(bits(_UPDATED) / 10, UTC),
        bits(_POLICY),
        bits(_VENDOR_LIST),
    )
