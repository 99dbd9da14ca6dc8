"""Every visible word, in Turkish and English: the catalogue, and which language a visitor reads."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("tr", "en")
CATALOGUES = Path(__file__).parent / "catalogue"


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return a language's texts by `section.key`."""
    sections = tomllib.loads((CATALOGUES / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{section}.{key}": text for section, texts in sections.items() for key, text in texts.items()}


class Words:
    """The texts of one language. Raises `KeyError` for a text that nobody wrote; a test looks for those."""

    def __init__(self, language: str) -> None:
        """Take one of `LANGUAGES`."""
        self.language = language
        self._texts = catalogue(language)

    def __call__(self, key: str, **values: Any) -> str:
        """Return a text with `{name}` places filled."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def count(self, key: str, number: int, shown: str) -> str:
        """Return a text about a number: `key_one` for one, `key_many` for others; `shown` is the number."""
        return self(f"{key}_one" if number == 1 else f"{key}_many", n=shown)

    def known(self, key: str, fallback: str) -> str:
        """Return a text for something that comes from outside, or the fallback where there is none."""
        return self._texts.get(key, fallback)


def choose(cookie: str | None, accepted: str, default: str) -> str:
    """Return the language a visitor reads: as they chose, as their browser asks, as the company does.

    `accepted` is an Accept-Language header.
    """
    if cookie in LANGUAGES:
        return cookie
    wishes: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((-float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    for _, tag in sorted(wishes, key=lambda wish: wish[0]):
        if tag in LANGUAGES:
            return tag
    return default if default in LANGUAGES else "en"
