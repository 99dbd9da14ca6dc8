"""`tekil.js`, as the door gives it: without its comments, packed once."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib import resources
from typing import NamedTuple

NAME = "tekil.js"
ADDRESS = f"/{NAME}"

MAX_AGE_SECONDS = 3600
"""How long a browser may keep it: a new version is everywhere within the hour."""


class Script(NamedTuple):
    """The script's text, the same packed, and the tag (RFC 9110, section 8.8.3) that changes as it does."""

    plain: bytes
    zipped: bytes
    tag: str


@cache
def script() -> Script:
    """Return the script."""
    source = (resources.files("tekil.collect") / "static" / NAME).read_text(encoding="utf-8")
    lines = (line.strip() for line in source.splitlines())
    plain = "\n".join(line for line in lines if line and not line.startswith("//")).encode()
    return Script(plain, gzip.compress(plain, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:20]}"')


def answer(accepts: str, known: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body for a browser that accepts some encodings and has some version."""
    made = script()
    headers = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", f"public, max-age={MAX_AGE_SECONDS}"),
        ("etag", made.tag),
        ("vary", "Accept-Encoding"),
        # A page that asks for its scripts with `crossorigin` may see their errors.
        ("access-control-allow-origin", "*"),
    ]
    if known == made.tag:
        return 304, headers, b""
    if "gzip" in accepts:
        return 200, [*headers, ("content-encoding", "gzip")], made.zipped
    return 200, headers, made.plain
