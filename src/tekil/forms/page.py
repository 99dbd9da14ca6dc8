"""A form's page: plain HTML without a script, to stand by itself or in a frame of another site."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tekil.forms.intake import HONEYPOT
from tekil.forms.model import Form, in_language
from tekil.forms.texts import page_text

THEMES = ("light", "dark")
TEMPLATES = Path(__file__).parent / "templates"


class Shown(NamedTuple):
    """How a form is shown: in which language, with what was typed, what is wrong with it, and what is hidden.

    `hidden` are the fields that say where somebody came from, and that the page was sent once.
    """

    language: str
    typed: Mapping[str, str] = {}
    flaws: Mapping[str, str] = {}
    hidden: Mapping[str, str] = {}
    theme: str = ""
    refusal: str = ""
    is_sent: bool = False


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


@cache
def style() -> str:
    """Return the page's style."""
    return (TEMPLATES / "form.css").read_text(encoding="utf-8").strip()


@cache
def _style_digest() -> str:
    return base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()


def render(form: Form, shown: Shown) -> bytes:
    """Return the page."""

    def text(texts: Mapping[str, str], key: str) -> str:
        return in_language(texts, shown.language, page_text(key, shown.language))

    labels = {
        field.name: in_language(field.title, shown.language, page_text(field.name, shown.language))
        or field.name
        for field in form.spec.fields
    }
    return (
        _environment()
        .get_template("form.html")
        .render(
            form=form,
            shown=shown,
            labels=labels,
            style=style(),
            honeypot=HONEYPOT,
            text=text,
            said=lambda key: page_text(key, shown.language),
            words=lambda texts: in_language(texts, shown.language),
        )
        .encode()
    )


def page_headers(form: Form) -> list[tuple[str, str]]:
    """Return the headers of a form's page: no script, no style but its own, no frame but where it may be."""
    ancestors = " ".join(form.spec.origins) or "'self'"
    policy = (
        f"default-src 'none'; style-src 'sha256-{_style_digest()}'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )
    return [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("cache-control", "no-store"),
    ]
