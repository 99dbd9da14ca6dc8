"""What a message is: its types, its limits, its envelope. Imports nothing of ours."""

from tekil.messages.envelope import Envelope, pack
from tekil.messages.limits import (
    BATCH_MESSAGES_MAX,
    BATCH_SIZE_MAX,
    DEPTH_MAX,
    MESSAGE_SIZE_MAX,
)
from tekil.messages.types import DOORS, MESSAGE_TYPES, Door

__all__ = [
    "BATCH_MESSAGES_MAX",
    "BATCH_SIZE_MAX",
    "DEPTH_MAX",
    "DOORS",
    "MESSAGE_SIZE_MAX",
    "MESSAGE_TYPES",
    "Door",
    "Envelope",
    "pack",
]
