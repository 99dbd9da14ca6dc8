"""What the door says: ready-made bodies and headers, so that an answer costs next to nothing."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from tekil.collect.rsgi import Headers
from tekil.errors import TekilError

HeaderList = list[tuple[str, str]]

SUCCESS = b'{"success":true}'
HEALTHY = b'{"status":"ok"}'
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent pixel."""

RETRY_AFTER_SECONDS = "1"

ALLOWED_HEADERS = "Authorization, Content-Type, Content-Encoding, X-Retry-Count, AnonymousId"
HEADER_NAMES = re.compile(r"[A-Za-z0-9, _-]{1,500}")


@lru_cache(maxsize=4096)
def json_headers(origin: str | None) -> HeaderList:
    """Return the headers of a JSON answer to a page of `origin`. The list is shared: never change it.

    The origin is echoed, because `navigator.sendBeacon` sends with credentials and a browser then
    refuses `*`. The door knows no cookies, so there is nothing that another site could misuse.
    """
    return [("content-type", "application/json"), *cors(origin)]


def cors(origin: str | None) -> HeaderList:
    """Return the headers that let a page of `origin` read the answer; none for what is no page."""
    if origin is None:
        return []
    return [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("vary", "Origin"),
    ]


def preflight(headers: Headers) -> HeaderList:
    """Return the answer to a browser that asks what it may send: whatever headers it names."""
    asked = headers.get("access-control-request-headers")
    return [
        *cors(headers.get("origin")),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        (
            "access-control-allow-headers",
            asked if asked and HEADER_NAMES.fullmatch(asked) else ALLOWED_HEADERS,
        ),
        ("access-control-max-age", "86400"),
    ]


def problem(error: TekilError, origin: str | None) -> tuple[int, HeaderList, bytes]:
    """Return status, headers and body that tell a client what happened and what to do next."""
    headers = json_headers(origin)
    if error.retryable:
        headers = [*headers, ("retry-after", RETRY_AFTER_SECONDS)]
    body = msgspec.json.encode({"code": error.code, "message": error.message})
    return error.http_status, headers, body
