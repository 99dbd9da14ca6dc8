"""Which addresses a request may go to: the public ones, and those an installation allows.

A configured URL is somebody's text. Without a guard it reaches what only this machine can: a database's port,
the cloud's metadata, the router (server-side request forgery, CWE-918).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

from tekil.errors import Misconfigured, Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]
"""Host and port → addresses, as texts. Raises `OSError` for a name that nobody knows."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
COMPATIBLE = ipaddress.IPv6Network("::/96")


class OutgoingRefused(Refused):
    """A request would have gone where this installation lets none go."""

    code = "outgoing_refused"


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system's resolver orders them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def read_networks(texts: Sequence[str], place: str = "outgoing.allow") -> tuple[Network, ...]:
    """Read addresses and networks such as `10.0.0.7` and `10.0.0.0/8`.

    Raises `Misconfigured`, naming the `place`, for a text that is neither.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise Misconfigured(
            f"tekil.toml: {place} has {error}. Write addresses or networks, like 10.0.0.7 or 10.0.0.0/8.",
            code="config_invalid",
        ) from error


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address lies in one of some networks."""
    return any(address.version == network.version and address in network for network in networks)


def embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one only carries (mapped, 6to4, Teredo, NAT64), or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if carried is None and (address in NAT64 or address in COMPATIBLE):
        low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        # ::1 and :: are addresses of their own.
        carried = None if int(low) < 2 and address in COMPATIBLE else low
    return carried or address


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open internet's: no private, local or reserved one."""
    real = embedded(address)
    # The ranges of fec0::/10 were private networks once, and routers still treat them so.
    is_site = isinstance(real, ipaddress.IPv6Address) and real.is_site_local
    return real.is_global and not (real.is_multicast or real.is_reserved or is_site)


def permitted(text: str, allowed: Sequence[Network], *, in_clear: bool) -> bool:
    """Return whether a request may go to an address.

    `in_clear` is a request without TLS: it carries secrets, so it goes only where the installation says that
    it may.
    """
    # A link-local address may name its interface: fe80::1%eth0.
    address = ipaddress.ip_address(text.partition("%")[0])
    if is_within(address, allowed) or is_within(embedded(address), allowed):
        return True
    return not in_clear and is_public(address)
