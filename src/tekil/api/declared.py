"""What every route declares: whom it lets in. One that declares nothing keeps Tekil from starting.

A route for API keys declares it by its guard, `guards=[requires("profiles:read")]`; any other by
`opt=needs(Permission.X)`, `opt=FOR_SIGNED_IN` or `opt=FOR_ANYBODY`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from litestar import Litestar
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from tekil.access.policy import Access, Permission
from tekil.api.access import KeyGuard
from tekil.errors import Misconfigured

Declaration = Access | Literal["anybody", "signed in"]

FOR_ANYBODY: dict[str, Any] = {"access": "anybody"}
FOR_SIGNED_IN: dict[str, Any] = {"access": "signed in"}

DOCUMENT = "/openapi.json"
"""The framework's own route for the API's document, which is for anybody."""


def needs(permission: Permission, *, keeps_to_condition: bool = False) -> dict[str, Any]:
    """Return the declaration of a page: which permission it asks for.

    `keeps_to_condition` says that it shows a narrowed reader only the people within their reach; a page
    that does not say so is closed to them.
    """
    return {"access": Access(permission, keeps_to_condition)}


class Declared(msgspec.Struct, frozen=True):
    """A route with what it declares. `by_key` says that it asks for an API key, not for a session."""

    method: str
    path: str
    access: Declaration
    by_key: bool


def declaration(handler: BaseRouteHandler) -> Declaration | None:
    """Return what a route's handler declares, nothing where it declares nothing."""
    found: Declaration | None = handler.opt.get("access")
    for guard in handler.guards or ():
        if isinstance(guard, KeyGuard):
            found = guard.access
    return found


def declared(app: Litestar) -> Iterator[Declared]:
    """Yield all routes of an application with what they declare.

    Raises `Misconfigured` for one that declares nothing.
    """
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if not isinstance(handler, HTTPRouteHandler) or handler.http_methods == {"OPTIONS"}:
                continue
            if route.path == DOCUMENT or route.path.startswith(f"{DOCUMENT}/"):
                continue
            access = declaration(handler)
            if access is None:
                raise Misconfigured(
                    f"{route.path} does not declare whom it lets in. Give it guards=[requires(…)], "
                    "opt=needs(…), opt=FOR_SIGNED_IN or opt=FOR_ANYBODY.",
                    code="access_undeclared",
                )
            by_key = any(isinstance(guard, KeyGuard) for guard in handler.guards or ())
            for method in sorted(handler.http_methods):
                yield Declared(str(method), route.path, access, by_key)


def check_declared(app: Litestar) -> Litestar:
    """Return the application, once every route of it has been found to declare whom it lets in."""
    for _ in declared(app):
        pass
    return app
