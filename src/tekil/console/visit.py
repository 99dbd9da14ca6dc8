"""Who is looking, and how they like to read: one `Visit` for each request."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tekil.access.audit import Actor
from tekil.api import address_of
from tekil.config import Config
from tekil.console.formats import Formats
from tekil.console.language import Words, choose
from tekil.errors import TekilError
from tekil.store import Store, User

SESSION = "tekil_session"
VISITOR = "tekil_visitor"
LANGUAGE = "tekil_language"
THEME = "tekil_theme"
THEMES = ("auto", "light", "dark")

AnyRequest = Request[Any, Any, Any]


class SignInNeeded(TekilError):
    """The page is for people who are signed in; they are led to the door and back."""

    code = "sign_in_needed"
    http_status = 401


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's reader. `form_token` goes into every form; `visitor` is the cookie it rests on."""

    user: User | None
    words: Words
    formats: Formats
    theme: str
    visitor: str
    form_token: str
    path: str
    secure: bool
    address: str = ""

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit trail."""
        return Actor("user", self.user.name if self.user else "", self.address)


VisitHere = NamedDependency[SkipValidation[Visit]]


def form_token(visitor: str, session: str) -> str:
    """Return the token that proves a form came from a page of ours, shown to this very visitor."""
    return hmac.new(f"{visitor}.{session}".encode(), b"tekil form", hashlib.sha256).hexdigest()


def is_secure(request: AnyRequest) -> bool:
    """Return whether the visitor speaks https, to us or to the proxy before us."""
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def visit_of(request: AnyRequest, store: Store, config: Config) -> Visit:
    """Return who is looking. An unknown or worn session is nobody."""
    session = request.cookies.get(SESSION, "")
    visitor = request.cookies.get(VISITOR, "") or secrets.token_urlsafe(24)
    words = Words(
        choose(
            request.cookies.get(LANGUAGE),
            request.headers.get("accept-language", ""),
            config.workspace.language,
        )
    )
    theme = request.cookies.get(THEME, "auto")
    return Visit(
        user=store.users.find_session(session) if session else None,
        words=words,
        formats=Formats(words, config.workspace.timezone),
        theme=theme if theme in THEMES else "auto",
        visitor=visitor,
        form_token=form_token(visitor, session),
        path=request.url.path,
        secure=is_secure(request),
        address=address_of(request),
    )
