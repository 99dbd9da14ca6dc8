"""The one shape in which bodies lie in the log, whatever door they came in by.

    {"batch":[<message>, …], "sentAt":"…", "oversize":[<position>, …], "strange":[<position>, …]}

The messages are the client's own bytes, never re-encoded. The shape around them is ours, so a reader
downhill meets exactly one `batch`, however strange the body a client sent. A write key in the client's
envelope is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tekil.messages.limits import MESSAGE_SIZE_MAX

CUT_TYPE = "tekil-erased"
"""The type of what stands in the place of a message whose person was erased."""

CUT = b'{"type":"%b"}' % CUT_TYPE.encode()


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A body ready for the log: the packed JSON and how many messages it holds."""

    body: bytes
    messages: int


def pack(messages: Sequence[bytes | memoryview], sent_at: bytes | None = None) -> Envelope:
    """Wrap well-formed JSON messages in the log's envelope.

    `sent_at` is the JSON text of the client's `sentAt` (quotes included). Messages over 32 KB are kept
    and marked in `oversize`; the loader quarantines them, because a client whose whole batch is
    refused would drop the good ones with it. So are messages that are no objects, in `strange`: here a
    look at the first byte tells, and a JSON reader of columns cannot.
    """
    oversize = [str(i) for i, message in enumerate(messages) if len(message) > MESSAGE_SIZE_MAX]
    strange = [str(i) for i, message in enumerate(messages) if not _is_object(message)]
    parts = [b'{"batch":[', b",".join(messages), b"]"]
    if sent_at is not None:
        parts += [b',"sentAt":', sent_at]
    if oversize:
        parts += [b',"oversize":[', ",".join(oversize).encode(), b"]"]
    if strange:
        parts += [b',"strange":[', ",".join(strange).encode(), b"]"]
    parts.append(b"}")
    return Envelope(b"".join(parts), len(messages))


def pack_one(message: bytes, sent_at: bytes | None = None) -> Envelope:
    """Wrap one message as `pack` would. Most requests hold one, and most of those nothing unusual."""
    if sent_at is None and len(message) <= MESSAGE_SIZE_MAX and message.startswith(b"{"):
        return Envelope(b'{"batch":[%b]}' % message, 1)
    return pack((message,), sent_at)


def _is_object(message: bytes | memoryview) -> bool:
    return message[:1] == b"{" or bytes(message).lstrip(b" \t\r\n").startswith(b"{")
