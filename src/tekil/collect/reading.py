"""Bodies on their way in: only so many bytes, and only so long."""

from __future__ import annotations

import asyncio
from collections import deque

from tekil.collect.bodies import too_large
from tekil.collect.rsgi import HTTPProtocol, Incoming
from tekil.errors import Timeout
from tekil.messages import BATCH_SIZE_MAX

BODY_SECONDS = 10.0
"""How long a client may take to send a body; up to a tenth more passes before it is told."""

LOOKS = 10
"""How often, within that time, slow bodies are looked for."""

DRAIN_MAX = 8 * BATCH_SIZE_MAX
"""Bytes of a body that is too large which are still read and thrown away, so that its sender hears why."""


class Reading:
    """Reads bodies, and ends those that take too long.

    Bodies that began at about the same time lie in one set, and when the set is old what is left in it
    is ended. That costs less than a timer for each.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop that everything here runs on."""
        self._loop = loop
        self._young: set[Incoming] = set()
        self._ages = deque([self._young])
        self._look = loop.call_later(BODY_SECONDS / LOOKS, self._end_slow)

    async def read(self, length: str | None, protocol: HTTPProtocol) -> bytes:
        """Return a request's body. `length` is its `Content-Length`, where there is one.

        Raises `TooLarge`, and `Timeout` for a body that takes too long.
        """
        if length is None or int(length) > BATCH_SIZE_MAX:
            return await self._read_stream(protocol)
        incoming = protocol()
        age = self._young
        age.add(incoming)
        try:
            return await incoming
        except asyncio.CancelledError:
            raise _timeout() from None
        finally:
            age.discard(incoming)

    async def _read_stream(self, protocol: HTTPProtocol) -> bytes:
        """Return a body of unknown length, or none of one that is known to be too large."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in protocol:
                    size += len(part)
                    if size <= BATCH_SIZE_MAX:
                        parts.append(part)
                    elif size > DRAIN_MAX:
                        break
        except TimeoutError:
            raise _timeout() from None
        if size > BATCH_SIZE_MAX:
            raise too_large()
        return b"".join(parts)

    def _end_slow(self) -> None:
        self._young = set()
        self._ages.append(self._young)
        if len(self._ages) > LOOKS:
            for incoming in tuple(self._ages.popleft()):
                incoming.cancel()
        self._look = self._loop.call_later(BODY_SECONDS / LOOKS, self._end_slow)

    def close(self) -> None:
        """Look for slow bodies no longer."""
        self._look.cancel()


def _timeout() -> Timeout:
    return Timeout(
        f"The body did not arrive within {BODY_SECONDS:.0f} seconds. Nothing was kept.", code="body_timeout"
    )
