"""A person's key, as the warehouse joins by it, and the same as people and addresses spell it."""

from __future__ import annotations

import hashlib
import re

_SPELLED = re.compile("p[0-7][0-9a-f]{15}")


def person_id(key: int) -> str:
    """Return the id that stands for a `person_key`: `p` and its 16 hexadecimal digits.

    >>> person_id(255)
    'p00000000000000ff'
    """
    return f"p{key:016x}"


def person_key(person_id: str) -> int | None:
    """Return the key that an id stands for, or nothing for a text that is no id.

    >>> person_key("p00000000000000ff"), person_key("ayse")
    (255, None)
    """
    return int(person_id[1:], 16) if _SPELLED.fullmatch(person_id) else None


def identifier_key(kind: str, value: str) -> int:
    """Return the key of an identifier whose value is as the tables hold it: `key64` of `kind:value`.

    >>> person_id(identifier_key("anonymous_id", "a1"))
    'p0f1c3cf9cb4d1b1e'
    """
    digest = hashlib.md5(f"{kind}:{value}".encode(errors="surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1
