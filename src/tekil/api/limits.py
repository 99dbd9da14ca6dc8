"""Nobody asks so often that others wait: requests over a caller's rate are answered 429."""

from __future__ import annotations

import math
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from tekil.access.rates import Rates
from tekil.api.access import address_of
from tekil.errors import TooMany


class Limits(ASGIMiddleware):
    """Counts requests by API key, and by address where there is none."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, rates: Rates) -> None:
        """Take what counts them."""
        self._rates = rates

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a request on. Raises `TooMany` where its caller asks too often."""
        connection = ASGIConnection[Any, Any, Any, Any](scope)
        caller = connection.headers.get("authorization", "")[:200] or address_of(connection)
        wait = self._rates.take(caller)
        if wait:
            raise TooMany(
                f"More than {self._rates.per_second:g} requests a second. Ask again in {math.ceil(wait)} s, "
                "no faster; access.requests_per_second in tekil.toml says how many a caller may make.",
                retry_seconds=wait,
            )
        await next_app(scope, receive, send)
