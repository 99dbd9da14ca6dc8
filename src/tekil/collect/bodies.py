"""From a request's bytes to an envelope for the log: unpacked, measured, well-formed, otherwise untouched."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import msgspec
from msgspec import Raw

from tekil.errors import BadRequest, Refused, TooLarge
from tekil.messages import (
    BATCH_MESSAGES_MAX,
    BATCH_SIZE_MAX,
    DEPTH_MAX,
    MESSAGE_SIZE_MAX,
    Envelope,
    pack,
    pack_one,
)

MERGED_SIZE_MAX = 16 * BATCH_SIZE_MAX
"""Bytes that a batch may grow to when its envelope's context is merged into every message."""

GZIP_MAGIC = b"\x1f\x8b"
NOTHING = Raw(b"")

# Brackets become parentheses and all else goes, so that peeling `()` off once takes one level away.
BRACKETS = bytes.maketrans(b"[{]}", b"(())")
NOT_BRACKETS = bytes(i for i in range(256) if i not in b"[]{}")
STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)

# Every escape in turn, so that an escaped backslash is never taken for the beginning of one.
ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
LONE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

# Times as any client writes them; what else a `sentAt` may hold stays in the message and out of the envelope.
INSTANT = re.compile(rb'"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}"')


class Unsupported(Refused):
    """The body is in a format or an encoding that the door does not read."""

    code = "content_unsupported"
    http_status = 415


class Single(msgspec.Struct, gc=False):
    """What the door reads of a single message; the rest of it is checked for form and passed on."""

    writeKey: Raw = NOTHING
    sentAt: Raw = NOTHING


class Batch(msgspec.Struct, gc=False):
    """What the door reads of a batch."""

    batch: list[Raw]
    writeKey: Raw = NOTHING
    sentAt: Raw = NOTHING
    context: Raw = NOTHING
    integrations: Raw = NOTHING


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """An envelope for the log, and the write key in the body where there is one."""

    envelope: Envelope
    write_key: Raw


_decode_single = msgspec.json.Decoder(Single).decode
_decode_batch = msgspec.json.Decoder(Batch).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=1024)
def readable(content_type: str) -> bool:
    """Return whether a body that calls itself `content_type` may hold JSON.

    SDKs send JSON as text/plain to spare browsers a preflight, and curl calls all it sends a form.
    """
    media = content_type.partition(";")[0].strip().lower()
    return media in {
        "",
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/json",
        "text/plain",
    } or (media.startswith("application/") and media.endswith("+json"))


def check_content_type(content_type: str) -> None:
    """Raise `Unsupported` for a content type that cannot be JSON."""
    if not readable(content_type):
        raise Unsupported(
            f"A body of type {content_type[:80]!r} is not read here; send JSON as application/json "
            "or text/plain."
        )


def inflate(body: bytes, encoding: str) -> bytes:
    """Return a body as it was before its `Content-Encoding`; gzip is known by its first bytes too.

    Never unpacks more than the limit of a batch, however much is packed. Raises `Unsupported`,
    `TooLarge`, or `BadRequest` for bytes that are no gzip.
    """
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Unsupported(
            f"The encoding {encoding[:40]!r} is not read here; send gzip or nothing.",
            code="encoding_unsupported",
        )
    if not body.startswith(GZIP_MAGIC):
        if "gzip" in encoding and body:
            raise _bad_gzip("it does not begin like one")
        return body
    parts: list[bytes] = []
    room = BATCH_SIZE_MAX + 1
    while body:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(body, room)
        except zlib.error as error:
            raise _bad_gzip(str(error)) from error
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise too_large()
        if not member.eof:
            raise _bad_gzip("it ends in the middle")
        body = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def parse_single(body: bytes) -> Parsed:
    """Check one message and wrap it. Raises `BadRequest` or `TooLarge`."""
    if len(body) > MESSAGE_SIZE_MAX:
        raise TooLarge(
            f"The message has {len(body):,} bytes; one may have {MESSAGE_SIZE_MAX:,}. "
            "Send less in its properties.",
            code="message_too_large",
        )
    _check_utf8(body)
    try:
        single = _decode_single(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        mended = mend_surrogates(body)
        if mended != body:
            return parse_single(mended)
        raise _bad_json(error) from error
    _check_depth(body, DEPTH_MAX)
    return Parsed(pack_one(body, _instant(single.sentAt)), single.writeKey)


def parse_batch(body: bytes) -> Parsed:
    """Check a batch and wrap its messages. Raises `BadRequest` or `TooLarge`."""
    if len(body) > BATCH_SIZE_MAX:
        raise too_large()
    _check_utf8(body)
    try:
        batch = _decode_batch(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        mended = mend_surrogates(body)
        if mended != body:
            return parse_batch(mended)
        raise _bad_json(error) from error
    if len(batch.batch) > BATCH_MESSAGES_MAX:
        raise TooLarge(
            f"The batch holds {len(batch.batch):,} messages; one may hold {BATCH_MESSAGES_MAX:,}. "
            "Send several smaller batches.",
            code="batch_too_large",
        )
    messages = [bytes(message) for message in batch.batch]
    shared = {
        name: value
        for name, value in (("context", bytes(batch.context)), ("integrations", bytes(batch.integrations)))
        if value.startswith(b"{")
    }
    # Each by itself, because few messages hold enough brackets to need a second look; two levels are ours.
    for part in (*messages, *shared.values()):
        _check_depth(part, DEPTH_MAX - 2)
    if shared:
        messages = _merge_shared(messages, shared)
    return Parsed(pack(messages, _instant(batch.sentAt)), batch.writeKey)


def mend_surrogates(body: bytes) -> bytes:
    """Return the body with U+FFFD for every half of a character.

    JavaScript that cuts a text in the middle of an emoji sends such halves. They name no character, so no
    JSON reader takes them; refusing would make the client drop all the good messages beside.
    """
    return ESCAPES.sub(lambda found: rb"\ufffd" if LONE.fullmatch(found[0]) else found[0], body)


def text_of(raw: Raw) -> str | None:
    """Return a JSON string's text; nothing for any other value."""
    if not bytes(raw).startswith(b'"'):
        return None
    text: str = msgspec.json.decode(raw)
    return text


def too_large() -> TooLarge:
    """Return the error for a body over the limit of a batch."""
    return TooLarge(
        f"The body has more than {BATCH_SIZE_MAX:,} bytes, unpacked. Send several smaller batches.",
        code="body_too_large",
    )


def _bad_json(error: Exception) -> BadRequest:
    if isinstance(error, RecursionError):
        return _too_deep()
    if isinstance(error, msgspec.ValidationError):
        return BadRequest(
            f"The body is JSON of another shape than the spec's: {error}. Send one object, in a batch "
            'with its messages as an array in "batch".',
            code="shape_invalid",
        )
    return BadRequest(f"The body is not well-formed JSON: {error}.", code="json_invalid")


def _bad_gzip(reason: str) -> BadRequest:
    return BadRequest(f"The body is not well-formed gzip: {reason}.", code="gzip_invalid")


def _too_deep() -> BadRequest:
    return BadRequest(
        f"The body nests objects and arrays more than {DEPTH_MAX} levels deep.", code="json_too_deep"
    )


def _check_utf8(body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        text = f"The body is not UTF-8: {error.reason} at byte {error.start}."
        raise BadRequest(text, code="utf8_invalid") from error


def _check_depth(body: bytes, most: int) -> None:
    """Raise `BadRequest` where well-formed JSON nests deeper than `most` levels."""
    if body.count(b"{") + body.count(b"[") <= most:
        return
    levels = STRINGS.sub(b"", body).translate(BRACKETS, NOT_BRACKETS)
    for _ in range(most):
        levels = levels.replace(b"()", b"")
        if not levels:
            return
    raise _too_deep()


def _instant(sent_at: Raw) -> bytes | None:
    if sent_at is NOTHING:
        return None
    text = bytes(sent_at)
    return text if INSTANT.fullmatch(text) else None


def _merge_shared(messages: list[bytes], shared: dict[str, bytes]) -> list[bytes]:
    """Return the messages with the envelope's `context` and `integrations` under each one's own."""
    size = sum(map(len, messages)) + len(messages) * sum(map(len, shared.values()))
    if size > MERGED_SIZE_MAX:
        raise TooLarge(
            f"The context shared by {len(messages):,} messages makes {size:,} bytes of them; "
            f"{MERGED_SIZE_MAX:,} are allowed. Send several smaller batches.",
            code="batch_too_large",
        )
    return [_merge_into(message, shared) if message.startswith(b"{") else message for message in messages]


def _merge_into(message: bytes, shared: dict[str, bytes]) -> bytes:
    own = _decode_object(message)
    for name, value in shared.items():
        own[name] = Raw(_merge(value, bytes(own[name])) if name in own else value)
    return _encode(own)


def _merge(shared: bytes, own: bytes) -> bytes:
    """Return two JSON values as one: objects key by key, and for anything else the message's own."""
    if own == b"null":
        return shared
    if not (shared.startswith(b"{") and own.startswith(b"{")):
        return own
    result = _decode_object(shared)
    for name, value in _decode_object(own).items():
        result[name] = Raw(_merge(bytes(result[name]), bytes(value))) if name in result else value
    return _encode(result)
