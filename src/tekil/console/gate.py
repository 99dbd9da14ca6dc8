"""Whom a page lets in, and what is asked of them first."""

from __future__ import annotations

from urllib.parse import quote

from tekil.access.policy import STEP_UP, Access, admits
from tekil.api.declared import Declaration
from tekil.config import Config
from tekil.console.visit import LedElsewhere, SignInNeeded, Visit
from tekil.errors import Forbidden
from tekil.store.clock import now_us

CHALLENGE = "/second-factor"
ENROL = "/account/second-factor"
PASSWORD = "/account/password"
PASSKEYS = "/account/passkeys"

OPEN = {CHALLENGE: (CHALLENGE, "/second-factor/passkey"), ENROL: (ENROL, PASSKEYS)}
"""Where something must be done first, the pages that do it; otherwise that page alone."""

FRESH_US = 15 * 60 * 1_000_000
"""How long a second factor counts where keys and users are changed."""


def pass_gate(visit: Visit, access: Declaration, method: str, config: Config) -> None:
    """Return if a route that declares `access` is open to a visit.

    Raises `SignInNeeded`, `LedElsewhere` where something must be done first, or `Forbidden`.
    """
    if access == "anybody":
        return
    if visit.user is None:
        raise SignInNeeded("Sign in to see this page.")
    first = unfinished(visit, config)
    if first is not None and visit.path not in OPEN.get(first, (first,)):
        raise LedElsewhere(first)
    if not isinstance(access, Access):
        return
    if not admits(access, visit.user):
        raise Forbidden(
            f"None of your roles opens this: it asks for {access.permission}. Ask an administrator.",
            code="permission_missing",
        )
    if method == "POST" and access.permission in STEP_UP:
        step_up(visit)


def unfinished(visit: Visit, config: Config) -> str | None:
    """Return the page where a signed-in reader must do something before any other is theirs."""
    user, session = visit.user, visit.session
    if user is None or session is None:
        return None
    if user.has_second_factor and session.second_factor_at is None:
        return CHALLENGE
    if user.must_change:
        return PASSWORD
    if not user.passkeys and must_have_passkey(visit, config):
        return PASSKEYS
    if not user.has_second_factor and must_have_second_factor(visit, config):
        return ENROL
    return None


def must_have_second_factor(visit: Visit, config: Config) -> bool:
    """Return whether one of the reader's roles cannot do without a second factor here."""
    return visit.user is not None and bool(set(visit.user.roles) & set(config.access.second_factor))


def must_have_passkey(visit: Visit, config: Config) -> bool:
    """Return whether one of the reader's roles must come in by a passkey here, and by no code."""
    return visit.user is not None and bool(set(visit.user.roles) & set(config.access.passkey))


def step_up(visit: Visit) -> None:
    """Raise `LedElsewhere` unless the reader has shown a second factor a short while ago."""
    if visit.user is None or not visit.user.has_second_factor:
        raise LedElsewhere(ENROL)
    if not is_fresh(visit):
        # What was posted is not kept, so that the form is seen again before it does anything.
        page = "/" + visit.path.split("/")[1]
        raise LedElsewhere(f"{CHALLENGE}?next={quote(page, safe='')}")


def is_fresh(visit: Visit) -> bool:
    """Return whether the reader has shown a second factor a short while ago."""
    shown = visit.session.second_factor_at if visit.session else None
    return shown is not None and shown > now_us() - FRESH_US
