"""Who is really asking, where a proxy stands in front: what it says counts if it is one of ours."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from litestar.enums import ScopeType
from litestar.types import Scope

from tekil.outgoing.guard import Network, is_within, read_networks


class Proxies:
    """Reads `X-Forwarded-For` and `X-Forwarded-Proto` as trusted proxies wrote them."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """Take the addresses and networks of the proxies. Raises `Misconfigured` for a text that is none."""
        self._trusted: tuple[Network, ...] = read_networks(trusted, "console.trusted_proxies")

    def see_through(self, scope: Scope) -> None:
        """Put the visitor's address and scheme into a request's scope, in the place of the proxy's."""
        client = scope.get("client")
        if scope["type"] != ScopeType.HTTP or not client or not self._is_ours(client[0]):
            return
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        schemes = [value for name, value in headers if name == b"x-forwarded-proto"]
        if schemes and (scheme := schemes[-1].rpartition(",")[2].strip().lower()) in ("http", "https"):
            scope["scheme"] = scheme
        told = ",".join(value for name, value in headers if name == b"x-forwarded-for").split(",")
        # Each proxy adds whom it heard from at the end. The last that is no proxy of ours is the visitor;
        # what stands before it, the visitor may have written themselves.
        for address in reversed([part.strip() for part in told if part.strip()]):
            if not _is_address(address):
                return
            scope["client"] = (address, 0)
            if not self._is_ours(address):
                return

    def _is_ours(self, address: str) -> bool:
        return _is_address(address) and is_within(ipaddress.ip_address(address), self._trusted)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
