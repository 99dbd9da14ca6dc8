"""Telling somebody's program that something happened: a signed POST, known by its key if it comes twice."""

from __future__ import annotations

import hashlib
import hmac

import httpx

from tekil.errors import TekilError
from tekil.outgoing.client import Outgoing

SIGNATURE = "Tekil-Signature"
"""The header with the HMAC-SHA256 of the body, in hex, by the secret."""


class Webhook:
    """An address that is told of things. For one thread."""

    def __init__(self, url: str, outgoing: Outgoing, secret: str = "") -> None:
        """Take the address (nobody is told where it is empty), the way out, and what to sign by."""
        self.url = url
        self._secret = secret.encode()
        self._http = outgoing.client()

    def send(self, body: bytes, key: str) -> str | None:
        """Send JSON; return why it did not arrive, nothing where it did."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self._secret:
            headers[SIGNATURE] = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        try:
            answer = self._http.post(self.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return str(error) or type(error).__name__
        except TekilError as error:
            return error.message
        return None if answer.is_success else f"it answered {answer.status_code}"

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
