"""Patterns that every engine reads alike: the part of regular expressions that none of them disputes."""

from __future__ import annotations

import re

PATTERN_LENGTH_MAX = 300
REPEAT_MAX = 1000

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r\\f"}
_ESCAPABLE = set(".-/+*?()[]{}|^$\\&~#@:")
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}")


def complaint(pattern: str) -> str | None:
    """Return what keeps a pattern from meaning the same everywhere, or nothing."""
    if len(pattern) > PATTERN_LENGTH_MAX:
        return f"A pattern has at most {PATTERN_LENGTH_MAX} characters."
    position, in_brackets = 0, False
    while position < len(pattern):
        letter, after = pattern[position], pattern[position + 1 : position + 2]
        if letter == "\\":
            if after not in _ESCAPABLE and after not in _CLASSES:
                return f"\\{after} does not mean the same in every engine; leave it out of the pattern."
            position += 2
            continue
        if in_brackets:
            if letter == "[" or (letter == after and letter in "&-~|"):
                return f"Inside [ ] write {letter} with a backslash before it."
            in_brackets = letter != "]"
        elif letter == "[":
            in_brackets = True
            # A ] that comes first stands for itself in some engines and ends the brackets in others.
            if pattern[position + 1 :].lstrip("^").startswith("]"):
                return "Inside [ ] write ] with a backslash before it."
        elif letter == "(" and after == "?" and not pattern.startswith("(?:", position):
            return "Of the groups that begin with (? only (?: is understood everywhere."
        elif (letter in "*+?}" and after == "+") or (letter == "{" and not _repeats(pattern, position)):
            return f"{pattern[position : position + 6]!r} does not repeat in the same way in every engine."
        position += 1
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        return f"{pattern!r} is no pattern: {error}."
    return None


def _repeats(pattern: str, position: int) -> bool:
    found = _REPEAT.match(pattern, position)
    return bool(found and found[1] and all(int(n or 0) <= REPEAT_MAX for n in (found[1], found[3])))


def portable(pattern: str) -> str:
    """Return a pattern that `complaint` lets pass with `\\d`, `\\w` and `\\s` written out as letters."""
    parts: list[str] = []
    position, in_brackets = 0, False
    while position < len(pattern):
        letter, after = pattern[position], pattern[position + 1 : position + 2]
        if letter == "\\":
            written = _CLASSES.get(after)
            if written is None:
                parts.append(letter + after)
            else:
                parts.append(written if in_brackets else f"[{written}]")
            position += 2
            continue
        in_brackets = letter == "[" or (in_brackets and letter != "]")
        parts.append(letter)
        position += 1
    return "".join(parts)
