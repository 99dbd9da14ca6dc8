"""From an expression's text to its words. Whatever is no word of the language is refused here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tekil.expressions.flaws import ExpressionFlaw

LENGTH_MAX = 4000
TOKENS_MAX = 1000
"""How long an expression may be, in letters and in words."""

TokenKind = Literal["number", "text", "quoted", "word", "sign", "end"]

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.]))
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<word>[^\W\d]\w*)
    |(?P<comment>--|/\*|\#)
    |(?P<sign><=|>=|<>|!=|[=<>+\-*/(),.])""",
    re.VERBOSE,
)

_REASONS = {
    ";": "An expression is one expression; leave out the semicolon.",
    "'": "This text is not closed: a ' is missing. Inside a text, write it twice.",
    '"': 'This name is not closed: a " is missing.',
    "[": "Members are written with a point: properties.total.",
    "$": "There are no parameters here; write the value.",
    "?": "There are no parameters here; write the value.",
    ":": "Types are not cast with ::; write number(…), instant(…) or is_true(…).",
    "|": "Texts cannot be joined here.",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A word: `value` is what it means (a text without its quotes, an unquoted word in small letters)."""

    kind: TokenKind
    value: str
    at: int
    written: str = ""


def tokens_of(text: str) -> list[Token]:
    """Return the words of an expression, and one for its end. Raises `ExpressionFlaw`."""
    if len(text) > LENGTH_MAX:
        raise ExpressionFlaw(f"An expression has at most {LENGTH_MAX} letters.", text, LENGTH_MAX)
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            told = _REASONS.get(text[at], f"{text[at]!r} is no sign of this language.")
            raise ExpressionFlaw(told, text, at)
        if kind == "comment":
            raise ExpressionFlaw("Comments are not read here; use the document's title.", text, at)
        if kind != "space":
            found.append(_token(kind, match[0], text, at))
        at = match.end()
        if len(found) > TOKENS_MAX:
            raise ExpressionFlaw(f"An expression has at most {TOKENS_MAX} words.", text, at)
    return [*found, Token("end", "", len(text))]


def _token(kind: str, written: str, text: str, at: int) -> Token:
    if kind in ("text", "quoted"):
        quote = written[0]
        value = written[1:-1].replace(quote * 2, quote)
        if not value.isprintable():
            raise ExpressionFlaw("A text in quotes holds printable letters only.", text, at)
        return Token("text" if kind == "text" else "quoted", value, at, written)
    if kind == "number":
        return Token("number", written, at, written)
    return Token("word" if kind == "word" else "sign", written.lower(), at, written)
