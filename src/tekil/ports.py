"""Whether a port is free to listen on."""

from __future__ import annotations

import socket

from tekil.config import FILE_NAME
from tekil.errors import Misconfigured


def check_port(host: str, port: int, setting: str) -> None:
    """Raise `Misconfigured`, naming the setting, where the address cannot be listened on.

    Asked before a server starts, because some share their port with whoever asks for it: two doors at one
    address would start without a word, and each get some of the messages.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Misconfigured(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop what listens there, or change "
            f"{setting} in {FILE_NAME}.",
            code="port_taken",
        ) from error
