"""Signed links: whoever holds one may see and change the consents of one address, until it expires."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

import msgspec

from tekil.errors import Forbidden, NotFound

SIGNATURE_BYTES = 16
DAY_US = 86_400 * 1_000_000


class Link(msgspec.Struct, frozen=True, array_like=True):
    """Whose consents a link opens, until when (microseconds since the epoch), and what one click ends.

    `purpose` and `channel` are those of the message that the link stands in, empty in any other.
    """

    kind: str
    token: str
    expires_at: int
    purpose: str = ""
    channel: str = ""


class Links:
    """Makes and reads signed links."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        """Take what gives a key that is used for nothing else."""
        self._key = key

    def write(self, link: Link) -> str:
        """Return a link's text: letters, digits, `-` and `_`."""
        body = msgspec.msgpack.encode(link)
        return base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")

    def read(self, text: str, now: int) -> Link:
        """Return what a link's text says.

        Raises `NotFound` for a text that we did not sign, `Forbidden` for one whose time is over.
        """
        try:
            whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            whole = b""
        signature, body = whole[:SIGNATURE_BYTES], whole[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(body)):
            raise NotFound(
                "This link is not complete. Open it again from the message that it stands in.",
                code="link_unknown",
            )
        link = msgspec.msgpack.decode(body, type=Link)
        if link.expires_at <= now:
            raise Forbidden("This link has expired. Use the one in the newest message.", code="link_expired")
        return link

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._key(), body, hashlib.sha256).digest()[:SIGNATURE_BYTES]
