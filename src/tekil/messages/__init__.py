"""What a message is: its types, its limits, its envelope. Imports nothing of ours."""

from tekil.messages.envelope import CUT, CUT_TYPE, Envelope, pack, pack_one
from tekil.messages.limits import (
    BATCH_MESSAGES_MAX,
    BATCH_SIZE_MAX,
    DEPTH_MAX,
    MESSAGE_SIZE_MAX,
)
from tekil.messages.normal_forms import (
    IDENTIFIER_KINDS,
    VALUE_LENGTH_MAX,
    hashed_identifier,
    normalise,
)
from tekil.messages.types import DOORS, LEAD_SUBMITTED, MESSAGE_TYPES, Door

__all__ = [
    "BATCH_MESSAGES_MAX",
    "BATCH_SIZE_MAX",
    "CUT",
    "CUT_TYPE",
    "DEPTH_MAX",
    "DOORS",
    "IDENTIFIER_KINDS",
    "LEAD_SUBMITTED",
    "MESSAGE_SIZE_MAX",
    "MESSAGE_TYPES",
    "VALUE_LENGTH_MAX",
    "Door",
    "Envelope",
    "hashed_identifier",
    "normalise",
    "pack",
    "pack_one",
]
