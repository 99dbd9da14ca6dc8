"""Tickets: what somebody must bring back within minutes, once, from where it was given to them.

Nothing is kept of a ticket that was given out: it is sealed by a key that lives and dies with this process.
Only those that came back are remembered, until their time is over, so that none is good twice. Whoever asks
for a million of them costs no memory.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tekil.errors import BadRequest

LASTS_SECONDS = 300
NONCE_BYTES = 12
TIME_BYTES = 8


class Tickets:
    """Gives tickets out and takes them back. Safe for many threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Take what tells the seconds since the epoch."""
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._clock = clock
        self._lock = Lock()
        self._taken: dict[bytes, float] = {}

    def give(self, purpose: str, holder: str, content: bytes = b"") -> bytes:
        """Return a ticket for one purpose and one holder, with sealed content."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        ends = int(self._clock() + LASTS_SECONDS).to_bytes(TIME_BYTES, "big")
        return nonce + self._cipher.encrypt(nonce, ends + content, _bound(purpose, holder))

    def take(self, purpose: str, holder: str, ticket: bytes) -> bytes:
        """Return a ticket's content; from now on it is worthless.

        Raises `BadRequest` for one that is not ours, is another's or for something else, is over, or used.
        """
        over = BadRequest("This took too long or was sent twice. Please begin again.", code="ticket_over")
        nonce = ticket[:NONCE_BYTES]
        try:
            opened = self._cipher.decrypt(nonce, ticket[NONCE_BYTES:], _bound(purpose, holder))
        except (InvalidTag, ValueError):
            raise over from None
        ends, now = int.from_bytes(opened[:TIME_BYTES], "big"), self._clock()
        with self._lock:
            self._taken = {used: until for used, until in self._taken.items() if until > now}
            if ends <= now or nonce in self._taken:
                raise over
            self._taken[nonce] = ends
        return opened[TIME_BYTES:]


def _bound(purpose: str, holder: str) -> bytes:
    return f"{purpose}\0{holder}".encode()
