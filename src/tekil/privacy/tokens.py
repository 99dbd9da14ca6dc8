"""Tokens for personal values, and the way back for those who hold the installation's key.

This is the one place that knows how. A vault with a key of its own can take `KeyFileTokens`' place: whoever
uses tokens asks for nothing but what `Tokens` says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Protocol

from tekil.errors import Misconfigured
from tekil.store.addresses import Addresses

KEY_FILE = "consent.key"
"""In the data folder, readable by its owner alone."""

KEY_BYTES = 32


class Tokens(Protocol):
    """Turns values into tokens that join and count, and back."""

    def token(self, kind: str, value: str) -> str:
        """Return the token of a normalised value: always the same one. Nothing is kept."""
        ...

    def keep(self, kind: str, value: str) -> str:
        """Return the same token, and see to it that `reveal` knows the value."""
        ...

    def reveal(self, token: str) -> str | None:
        """Return the value of a token, or nothing where it was never kept."""
        ...


class KeyFileTokens:
    """Tokens by HMAC-SHA256; values sealed by a stream that only the same key gives.

    The token is the nonce: it is a function of the value, so no two values share one, and opening checks it.
    """

    def __init__(self, key: bytes, addresses: Addresses) -> None:
        """Take the installation's key, and the table of sealed values."""
        self._naming, self._sealing = derive(key, "tokens"), derive(key, "sealing")
        self._addresses = addresses

    def token(self, kind: str, value: str) -> str:
        """See `Tokens.token`."""
        return hmac.new(self._naming, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()

    def keep(self, kind: str, value: str) -> str:
        """See `Tokens.keep`."""
        token = self.token(kind, value)
        sealed = base64.b64encode(self._mix(token, value.encode())).decode()
        self._addresses.keep(token, kind, sealed)
        return token

    def reveal(self, token: str) -> str | None:
        """See `Tokens.reveal`. Raises `Misconfigured` where the key is not the one that sealed the value."""
        found = self._addresses.find(token)
        if found is None:
            return None
        kind, sealed = found
        value = self._mix(token, base64.b64decode(sealed)).decode(errors="replace")
        if not hmac.compare_digest(self.token(kind, value), token):
            raise Misconfigured(
                f"The key in {KEY_FILE} did not seal the values in this store. Put back the key file that "
                "belongs to it, from the backup of the data folder.",
                code="consent_key_wrong",
            )
        return value

    def _mix(self, token: str, data: bytes) -> bytes:
        stream = bytearray()
        block = 0
        while len(stream) < len(data):
            stream += hmac.new(self._sealing, f"{token}.{block}".encode(), hashlib.sha256).digest()
            block += 1
        return bytes(a ^ b for a, b in zip(data, stream, strict=False))


def derive(key: bytes, use: str) -> bytes:
    """Return a key for one use only, so that what one of them signs means nothing to another."""
    return hmac.new(key, f"tekil {use}".encode(), hashlib.sha256).digest()


def installation_key(folder: Path) -> bytes:
    """Return the key in the data folder; it is made where there is none, by whoever comes first."""
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{KEY_FILE}.{secrets.token_hex(4)}"
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(unfinished, path)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    return path.read_bytes()


def masked(kind: str, value: str) -> str:
    """Return a value as those may see it who have no right to it.

    >>> masked("email", "ayse@gmail.com"), masked("phone", "+905321234567"), masked("user_id", "M-1007")
    ('a•••@g•••.com', '+90••••••4567', 'M•••')
    """
    if kind == "email" and "@" in value:
        name, _, place = value.partition("@")
        return f"{name[:1]}•••@{place[:1]}•••.{place.rpartition('.')[2]}"
    if kind == "phone" and len(value) > 7:
        return value[:3] + "•" * (len(value) - 7) + value[-4:]
    return value[:1] + "•••"
