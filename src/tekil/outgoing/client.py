"""The HTTP client for addresses that somebody configured: guarded, without redirects, bounded.

The guard sits where the connection is made. The very address that was judged is the one connected to, so a
name that answers differently a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx
import msgspec

from tekil.outgoing.guard import OutgoingRefused, Resolve, permitted, read_networks, resolve

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0
"""How long a request and its answer may take together, however slowly they trickle."""

ANSWER_MAX_BYTES = 5_000_000

SocketOptions = Iterable[Any]


class _Call(msgspec.Struct, frozen=True):
    """What the connection must know of the request it is made for."""

    until: float
    in_clear: bool


# A request is made, and its answer read, by one thread; connections live longer than requests do.
_CALL: ContextVar[_Call] = ContextVar("outgoing_call")


def _left(timeout: float | None) -> float:
    """Return how many seconds a step may take. Raises where the request has had its time."""
    left = _CALL.get().until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer took too long")
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends with the request's time."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    """Connects to permitted addresses only."""

    def __init__(self, allow: Sequence[str], look_up: Resolve) -> None:
        self._allowed = read_networks(allow)
        self._look_up = look_up
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._look_up(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        in_clear = _CALL.get().in_clear
        # One refused address refuses the host: a name with a public and a private one is a trick.
        if not addresses or not all(permitted(a, self._allowed, in_clear=in_clear) for a in addresses):
            raise OutgoingRefused(
                f"{host} is not on the open internet"
                f"{', or https is needed to reach it' if in_clear else ''}; nothing was sent there. If it is "
                'yours, name its address in tekil.toml: [outgoing] allow = ["10.0.0.7"].'
            )
        return self._first(addresses, port, timeout, local_address, socket_options)

    def _first(self, addresses: Sequence[str], port: int, timeout: float | None, *more: Any) -> _Stream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return _Stream(self._sockets.connect_tcp(address, port, _left(timeout), *more))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None, "there was an address to try"
        raise failure

    def sleep(self, seconds: float) -> None:
        self._sockets.sleep(seconds)


class _Bounded(httpx.SyncByteStream):
    """An answer's body, up to a size."""

    def __init__(self, stream: httpx.SyncByteStream, call: _Call) -> None:
        self._stream, self._call = stream, call

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        _CALL.set(self._call)
        for chunk in self._stream:
            size += len(chunk)
            if size > ANSWER_MAX_BYTES:
                raise httpx.ReadError(f"the answer is over {ANSWER_MAX_BYTES:,} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _Transport(httpx.HTTPTransport):
    """httpx's own transport, over connections that are guarded."""

    def __init__(self, network: httpcore.NetworkBackend, seconds: float) -> None:
        super().__init__(trust_env=False)
        self._seconds = seconds
        self._pool = httpcore.ConnectionPool(
            # A company's own authority is named by SSL_CERT_FILE, as everywhere.
            ssl_context=httpx.create_ssl_context(),
            keepalive_expiry=5.0,
            network_backend=network,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = _Call(time.monotonic() + self._seconds, request.url.scheme != "https")
        _CALL.set(call)
        answer = super().handle_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            # A few bytes of it can be gigabytes of text, and nothing was asked for but plain bytes.
            answer.close()
            raise httpx.DecodingError("the answer is compressed, which was not asked for", request=request)
        assert isinstance(answer.stream, httpx.SyncByteStream)
        answer.stream = _Bounded(answer.stream, call)
        return answer


class Outgoing:
    """Makes HTTP clients. No other place in Tekil makes one for an address that somebody configured."""

    def __init__(
        self, allow: Sequence[str] = (), *, look_up: Resolve = resolve, seconds: float = TOTAL_SECONDS
    ) -> None:
        """Take the addresses and networks that may be reached though they are not public.

        Raises `Misconfigured` for a text that is no address or network.
        """
        self._network, self._seconds = _Network(allow, look_up), seconds

    def client(self, base_url: str = "") -> httpx.Client:
        """Return a client. Requests raise `OutgoingRefused` beside what httpx raises.

        It follows no redirect and asks no proxy: either would go where nobody looked.
        """
        return httpx.Client(
            base_url=base_url,
            transport=_Transport(self._network, self._seconds),
            timeout=httpx.Timeout(self._seconds, connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "Tekil"},
            follow_redirects=False,
            trust_env=False,
        )
