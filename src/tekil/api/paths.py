"""Slashes inside a reference. `user_id:a%2Fb` is one path segment, whatever the server decoded it to."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from litestar.enums import ScopeType
from litestar.types import Scope

PREFIXES = (
    b"/v1/profiles/",
    b"/people/",
    b"/sources/",
    b"/dictionary/",
    b"/v1/dictionary/",
    b"/v1/consents/",
)
"""Below these, one segment of the path is somebody's own text."""

KEPT = re.compile(rb"(%2f|%25)", re.IGNORECASE)
KEPT_TEXT = re.compile(r"%2f|%25", re.IGNORECASE)


def keep_slashes(scope: Scope) -> None:
    """Decode the path again from its raw form, leaving `%2F` and `%25` for `reference` to decode.

    Servers decode a path before anyone can route by it, which makes `/` of a value a separator.
    """
    raw = scope.get("raw_path")
    if scope["type"] == ScopeType.HTTP and isinstance(raw, bytes) and raw.startswith(PREFIXES):
        parts = KEPT.split(raw.partition(b"?")[0])
        scope["path"] = "".join(
            part.decode("ascii") if KEPT.fullmatch(part) else unquote(part, errors="replace")
            for part in parts
        )


def reference(segment: str) -> str:
    """Return the text that a path segment stands for, after `keep_slashes`."""
    return KEPT_TEXT.sub(lambda found: unquote(found.group()), segment)


def segment(text: str) -> str:
    """Return text as one path segment, for links; the inverse of `reference`."""
    return quote(text, safe=":@+")
