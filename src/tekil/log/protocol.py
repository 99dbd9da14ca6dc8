"""What any log can do. Nothing here knows how one is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import msgspec
import pyarrow as pa

READ_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("door", pa.string(), nullable=False),
        pa.field("received_at", pa.timestamp("us"), nullable=False),
        pa.field("messages", pa.int32(), nullable=False),
        pa.field("body", pa.string(), nullable=False),
    ]
)
"""The Arrow schema of what `read` returns: one row a body, in order. `received_at` is UTC."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One accepted body on its way into the log.

    `source` is the source's name, `door` a `tekil.messages.Door`, `received_at` microseconds since the
    epoch (UTC), `messages` how many messages `body` (a packed envelope, UTF-8 JSON) holds.
    """

    source: str
    door: str
    received_at: int
    messages: int
    body: bytes


class SourceCount(msgspec.Struct, frozen=True):
    """How many messages of a source were ever accepted, and how many of them lie after a position."""

    source: str
    accepted: int
    waiting: int


class Cipher(Protocol):
    """Encrypts what goes into the log, and decrypts what comes out."""

    def seal(self, plain: bytes) -> tuple[int, bytes]:
        """Return the number of the key in use, never 0, and what it made of some bytes."""
        ...

    def reseal(self, key_id: int, plain: bytes) -> bytes:
        """Return what an older key makes of some bytes. Raises `Misconfigured` where it is no more."""
        ...

    def open(self, key_id: int, sealed: bytes) -> bytes:
        """Return the bytes. Raises `Misconfigured` where their key is not to be had any more."""
        ...


class Log(Protocol):
    """An ordered, durable list of bodies. Positions grow; they need not be consecutive."""

    def append(self, entries: Sequence[Entry]) -> int:
        """Keep all `entries` or none, and return the position of the last.

        They are on disk when this returns. Raises `Unavailable` when nothing could be kept (disk full,
        locked, unreachable); the log is then as it was, and a later call may succeed.
        """
        ...

    def append_at_once(self, entries: Sequence[Entry]) -> int | None:
        """Append, unless that means waiting for anything but the disk: then keep nothing and return nothing.

        For callers whom waiting would hold up everybody: an event loop. Where this returns nothing, `append`
        from a thread of its own is the way.
        """
        ...

    def read(self, after: int, limit: int, *, size: int = 64 << 20) -> pa.Table:
        """Return up to `limit` bodies, about `size` bytes, after a position; oldest first (`READ_SCHEMA`)."""
        ...

    def replay(self, after: int = 0, limit: int = 10_000) -> Iterator[pa.Table]:
        """Yield everything after a position, in tables of up to `limit` bodies, until now."""
        ...

    def rewrite(self, positions: Sequence[int], change: Callable[[int, bytes], bytes]) -> int:
        """Put what `change` makes of the bodies at some positions in their place; return how many there were.

        `change` is given a position and the body there. Nothing else of them changes, and no copy of what
        they were stays in the log's files once this returns. Positions where nothing is (any more) are passed
        over. Raises `Unavailable` as `append` does.
        """
        ...

    def forget(self, keys: Collection[int], up_to: int, limit: int) -> int:
        """Let go of what lies oldest and is sealed by one of these keys; return how many bodies went.

        Some at a time: of up to `limit` places, none after a position. The last body of all stays, so that
        `head` goes on telling the truth. What was accepted stays counted.
        """
        ...

    def oldest_keys(self, limit: int) -> set[int]:
        """Return the numbers of the keys that seal the oldest places, up to `limit` of them."""
        ...

    def counts(self, after: int) -> list[SourceCount]:
        """Return, from one consistent look, the messages accepted ever and waiting after a position."""
        ...

    def head(self) -> int:
        """Return the position of the last body, 0 where there is none."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Safe to call twice."""
        ...
