"""Messages that come in a picture's address, where no script can run: e-mails and plain pages."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tekil.errors import BadRequest
from tekil.messages import DEPTH_MAX

PARAMETERS_MAX = 200


def parse_pixel(query: str) -> bytes:
    """Return the one message that a pixel's query string holds, as JSON.

    Segment writes it as base64 in `data`. RudderStack writes each field as a parameter of its own, a
    dot stepping into an object (`context.page.url=…`); a value that is a JSON object counts as one.
    Raises `BadRequest` for base64 that is none.
    """
    try:
        parameters = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX))
    except ValueError as error:
        raise BadRequest(f"The address cannot be read: {error}.", code="query_invalid") from error
    data = parameters.get("data")
    if data is not None:
        return _decode_base64(data)
    parameters.pop("writeKey", None)
    message: dict[str, Any] = {}
    for name, value in parameters.items():
        _set(message, name.split(".", DEPTH_MAX // 2), _value(value))
    return msgspec.json.encode(message)


def _decode_base64(data: str) -> bytes:
    # An unescaped + arrives as a space; addresses also use the alphabet with - and _.
    text = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"`data` is not base64: {error}.", code="base64_invalid") from error


def _value(text: str) -> Any:
    if not text.startswith("{"):
        return text
    try:
        # The values stay as they were written; a dotted name may still add one beside them.
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return text


def _set(target: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target[path[-1]] = value
