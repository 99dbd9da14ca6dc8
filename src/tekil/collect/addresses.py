"""Who is at the door: the visitor's address, as a proxy of ours tells it where one stands in front."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from tekil.collect.rsgi import Scope
from tekil.errors import Misconfigured


class Addresses:
    """Reads `X-Forwarded-For` as trusted proxies wrote it."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """Take the addresses and networks of the proxies. Raises `Misconfigured` for a text that is none."""
        try:
            self._trusted = [ipaddress.ip_network(text, strict=False) for text in trusted]
        except ValueError as error:
            raise Misconfigured(
                f"collect.trusted_proxies in tekil.toml: {error}. Write addresses or networks.",
                code="config_invalid",
            ) from error

    def of(self, scope: Scope) -> str:
        """Return the visitor's address: the last hop that is no proxy of ours."""
        hop = scope.client.rpartition(":")[0].strip("[]")
        told = scope.headers.get("x-forwarded-for", "").split(",")
        for address in reversed([part.strip() for part in told if part.strip()]):
            if not self._is_ours(hop):
                break
            hop = address
        return hop

    def _is_ours(self, text: str) -> bool:
        try:
            return any(ipaddress.ip_address(text) in network for network in self._trusted)
        except ValueError:
            return False
