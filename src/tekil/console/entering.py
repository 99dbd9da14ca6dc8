"""What every way in ends with: a new session, a browser that is known from now on, or a refusal in words."""

from __future__ import annotations

import math
from typing import Any

from litestar import Response
from litestar.response import Redirect

from tekil.console.pages import Pages, cookie, go
from tekil.console.visit import DEVICE, SESSION, AnyRequest, Visit
from tekil.errors import TekilError
from tekil.store import Store
from tekil.store.devices import LASTS_DAYS
from tekil.store.failures import Locked


def enter(request: AnyRequest, visit: Visit, store: Store, name: str, token: str, goal: str) -> Redirect:
    """Lead somebody who has just signed in to where they wanted to go.

    Whatever session the browser brought along is over, whoever's it was.
    """
    store.sessions.end(request.cookies.get(SESSION, ""), visit.address)
    device = store.devices.remember(request.cookies.get(DEVICE, ""), name)
    return go(goal, [cookie(visit, SESSION, token), cookie(visit, DEVICE, device, LASTS_DAYS)])


def locked(visit: Visit, pages: Pages, error: Locked, template: str, **context: Any) -> Response[str]:
    """Return the page that says how long to wait."""
    refusal = visit.words("sign_in.wait", n=math.ceil(error.seconds / 60))
    page = pages.show(visit, template, status=429, refusal=refusal, **context)
    page.headers["Retry-After"] = str(math.ceil(error.seconds))
    return page


def explain(visit: Visit, error: TekilError) -> str:
    """Return an error in the reader's language."""
    return visit.words.known(f"error.{error.code}", error.message)
