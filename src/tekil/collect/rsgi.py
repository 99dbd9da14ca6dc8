"""The part of the RSGI specification (1.6) that the door uses, as types."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Protocol, overload


class Headers(Protocol):
    """A request's headers; names are lower-case."""

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the first value of a header, or `default`, also for a value that is not text."""
        ...


class Scope(Protocol):
    """What is known of a request before its body."""

    method: str
    path: str
    query_string: str
    scheme: str
    authority: str | None
    client: str

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        ...


class Incoming(Protocol):
    """A body that is being read."""

    def __await__(self) -> Generator[Any, None, bytes]: ...

    def cancel(self) -> bool:
        """End the reading; whoever awaits it gets a `CancelledError`."""
        ...


class HTTPProtocol(Protocol):
    """What reads a request's body and answers it."""

    def __call__(self) -> Incoming:
        """Read the whole body."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Read the body part by part."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""
        ...
