"""Pages: what was accepted together lies together, encoded once, encrypted once.

A page holds the bodies of one commit, or a part of them where they are many. A body's position is its page's
number and its place in the page, put together in one integer, so that positions grow as pages do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tekil.log.protocol import Entry

PLACE_BITS = 13
"""Bits of a position that are the place in a page; the rest is the page's number, from 1."""

BODIES_MAX = 1 << PLACE_BITS
"""Bodies that a page can hold."""

SIZE_MAX = 4 << 20
"""Bytes of bodies after which a page ends: whoever wants one body of it reads all."""

encode_page = msgspec.msgpack.Encoder().encode
decode_page = msgspec.msgpack.Decoder(list[Entry]).decode
encode_counts = msgspec.json.Encoder().encode


def position_of(page: int, place: int) -> int:
    """Return the position of the body at a place, from 0, of a page.

    >>> position_of(1, 0), position_of(1, 1), position_of(2, 0)
    (8192, 8193, 16384)
    """
    return page << PLACE_BITS | place


def place_of(position: int) -> tuple[int, int]:
    """Return the page and the place that a position means.

    >>> place_of(8193)
    (1, 1)
    """
    return position >> PLACE_BITS, position & (BODIES_MAX - 1)


def split(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield the entries, in order, page by page."""
    start = size = 0
    for at, entry in enumerate(entries):
        if at > start and (at - start == BODIES_MAX or size + len(entry.body) > SIZE_MAX):
            yield entries[start:at]
            start, size = at, 0
        size += len(entry.body)
    if start < len(entries):
        yield entries[start:]


def count(entries: Sequence[Entry]) -> dict[str, int]:
    """Return how many messages of each source there are."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.source] = counts.get(entry.source, 0) + entry.messages
    return counts
