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
from tekil.access.policy import Access, Condition, admits, may
from tekil.api import address_of
from tekil.config import Config
from tekil.console.formats import Formats
from tekil.console.language import Words, choose
from tekil.errors import TekilError
from tekil.store import Session, Store, User

SESSION = "tekil_session"
VISITOR = "tekil_visitor"
LANGUAGE = "tekil_language"
THEME = "tekil_theme"
DEVICE = "tekil_device"
THEMES = ("auto", "light", "dark")

MINUTE_US = 60_000_000

AnyRequest = Request[Any, Any, Any]


class LedElsewhere(TekilError):
    """Something must be done first, on another page; people are led there."""

    code = "second_factor_needed"
    http_status = 403

    def __init__(self, path: str) -> None:
        """Take the page to go to."""
        super().__init__(f"Something is asked of you first: open {path} in the console.")
        self.path = path


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
    session: Session | None = None

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit trail."""
        return Actor("user", self.user.name if self.user else "", self.address)

    def may(self, permission: str) -> bool:
        """Return whether the reader holds a permission: what a page asks before it offers a button."""
        return may(self.user, permission)

    def opens(self, access: Access) -> bool:
        """Return whether a page that asks for `access` would let the reader in."""
        return admits(access, self.user)

    @property
    def within(self) -> Condition | None:
        """The attribute rule that narrows whom the reader sees."""
        return self.user.condition if self.user else None


VisitHere = NamedDependency[SkipValidation[Visit]]


def form_token(visitor: str, session: str) -> str:
    """Return the token that proves a form came from a page of ours, shown to this very visitor."""
    return hmac.new(f"{visitor}.{session}".encode(), b"tekil form", hashlib.sha256).hexdigest()


def is_secure(request: AnyRequest) -> bool:
    """Return whether the visitor speaks https, to us or to a proxy of ours (see `tekil.api.proxies`)."""
    return request.url.scheme == "https"


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
    signed_in = (
        store.sessions.find(
            session,
            idle_us=config.access.idle_minutes * MINUTE_US,
            # A page that keeps itself up to date would keep its session alive for ever.
            touch=not request.url.path.endswith("/now"),
        )
        if session
        else None
    )
    return Visit(
        user=signed_in[0] if signed_in else None,
        session=signed_in[1] if signed_in else None,
        words=words,
        formats=Formats(words, config.workspace.timezone),
        theme=theme if theme in THEMES else "auto",
        visitor=visitor,
        form_token=form_token(visitor, session),
        path=request.url.path,
        secure=is_secure(request),
        address=address_of(request),
    )
