"""Who is asking: API keys by Bearer, and what their scopes allow."""

from __future__ import annotations

import time
from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from typing import Any

from anyio import to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation

from tekil.access.audit import Actor
from tekil.access.policy import Access, Condition, Permission, admits
from tekil.errors import Forbidden, Unauthorised, Unavailable
from tekil.store import ApiKey, Store
from tekil.store.tokens import TOKEN_PREFIX

CACHE_SECONDS = 3.0
"""How long a revoked key may still work."""

CACHE_SIZE = 1024

AnyConnection = ASGIConnection[Any, Any, Any, Any]

BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
"""What the OpenAPI document says of a route that takes an API key."""


class KeyRing:
    """Looks up API keys and remembers the good ones for a few seconds. Safe for many threads."""

    def __init__(self, store: Store) -> None:
        """Take the store that knows the keys."""
        self._store = store
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()

    def remembered(self, secret: str) -> ApiKey | None:
        """Return the key if it was looked up in the last seconds."""
        with self._lock:
            until, key = self._known.get(secret, (0.0, None))
        return key if time.monotonic() < until else None

    def look_up(self, secret: str) -> ApiKey | None:
        """Ask the store whose secret this is; nothing for an unknown or revoked one."""
        is_token = secret.startswith(TOKEN_PREFIX)
        key = self._store.tokens.find(secret) if is_token else self._store.keys.find_api_key(secret)
        if key is None or key.revoked or key.expired:
            return None
        # When it was last used is good to know; it is not worth refusing anybody over.
        with suppress(Unavailable):
            self._store.keys.note_use(key)
        with self._lock:
            self._known[secret] = (time.monotonic() + CACHE_SECONDS, key)
            self._known.move_to_end(secret)
            while len(self._known) > CACHE_SIZE:
                self._known.popitem(last=False)
        return key


class KeyGuard:
    """Lets in only API keys that a route's declared access admits.

    Raises `Unauthorised` where there is no key or it is worthless, `Forbidden` where it lacks the scope.
    The application keeps its `KeyRing` in `app.state.key_ring`.
    """

    def __init__(self, access: Access) -> None:
        """Take what the route asks for."""
        self.access = access

    async def __call__(self, connection: AnyConnection, _route: BaseRouteHandler) -> None:
        """Look at who asks."""
        scheme, _, rest = connection.headers.get("authorization", "").partition(" ")
        secret = rest.strip()
        if scheme.lower() != "bearer" or not secret:
            raise Unauthorised(
                "An API key is needed: send `Authorization: Bearer tk_…`. The console makes keys under "
                "API keys, and so does `tekil key create --api --scope …`.",
                code="key_missing",
            )
        ring: KeyRing = connection.app.state.key_ring
        key = ring.remembered(secret) or await to_thread.run_sync(ring.look_up, secret)
        if key is None:
            raise Unauthorised("This API key is unknown, revoked, or over its time.", code="key_unknown")
        if not key.allows(self.access.permission):
            raise Forbidden(
                f"This API key does not hold the scope {self.access.permission}.", code="scope_missing"
            )
        if not admits(self.access, key):
            raise Forbidden(
                "This API key reads only some people's profiles, and this is about everybody.",
                code="key_narrowed",
            )
        connection.state.key = key


def requires(scope: str, *, keeps_to_condition: bool = False) -> KeyGuard:
    """Return the guard that is a route's declaration: which scope it asks for.

    `keeps_to_condition` says that the route shows a narrowed key only the people within its reach.
    """
    return KeyGuard(Access(Permission(scope), keeps_to_condition))


_reveal = requires(Permission.PROFILES_REVEAL, keeps_to_condition=True)


async def may_reveal(connection: AnyConnection, route: BaseRouteHandler) -> None:
    """Let a request that asks to `reveal` personal values in only where its key may."""
    if "reveal" in connection.query_params:
        await _reveal(connection, route)


def condition_of(request: Request[Any, Any, Any]) -> Condition | None:
    """Return the attribute rule of the key that asks, nothing where it has none."""
    key: ApiKey = request.state.key
    return key.condition


def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """Return who asks, for the audit trail: the API key that a guard let in, and its address."""
    key: ApiKey = request.state.key
    return Actor("key", key.id, address_of(request))


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the address somebody asks from, empty where the server does not know it."""
    return connection.client.host[:64] if connection.client else ""


ActorHere = NamedDependency[SkipValidation[Actor]]
StoreHere = NamedDependency[SkipValidation[Store]]
