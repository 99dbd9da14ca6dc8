"""The door itself: from a request to an answer. What it must promise, it does; nothing else.

read the body (bounded, in time) → unpack → well-formed? → whose key? → on disk → 200
"""

from __future__ import annotations

import logging
import time
from urllib.parse import parse_qsl

from msgspec import Raw

from tekil.collect import answers, leads, script
from tekil.collect.bodies import check_content_type, inflate, parse_batch, parse_single, text_of
from tekil.collect.boot import rudder_source_config, segment_settings
from tekil.collect.commits import Batch, Commits
from tekil.collect.leads import LeadDoor
from tekil.collect.pixel import parse_pixel
from tekil.collect.reading import Reading
from tekil.collect.rsgi import Headers, HTTPProtocol, Scope
from tekil.collect.senders import Senders, check_enabled, key_of
from tekil.errors import NotFound, Refused, TekilError, Unavailable
from tekil.log import Entry
from tekil.messages import DOORS, Door, Envelope

logger = logging.getLogger("tekil.collect")

SHORT: dict[str, Door] = {
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "batch",
}
EVENT_ROUTES: dict[str, Door] = {
    **{f"/v1/{door}": door for door in DOORS},
    **{f"/v1/{short}": door for short, door in SHORT.items()},
    "/beacon/v1/batch": "batch",
}
PIXEL_ROUTES: dict[str, Door] = {
    "/pixel/v1/track": "track",
    "/pixel/v1/page": "page",
    "/v1/pixel/track": "track",
    "/v1/pixel/page": "page",
}
BATCHES = frozenset({"batch", "import"})
"""Doors through which a body holds many messages."""

SETTINGS_PREFIX, SETTINGS_SUFFIX = "/v1/projects/", "/settings"


class MethodRefused(Refused):
    """The address is right, the method is not."""

    code = "method_refused"
    http_status = 405


class CollectApp:
    """The door as an RSGI application. It belongs to one event loop."""

    def __init__(
        self, senders: Senders, commits: Commits, reading: Reading, leads: LeadDoor | None = None
    ) -> None:
        """Take who may send, where messages are kept, what reads bodies, and what takes leads in."""
        self._leads = leads
        self._senders = senders
        self._commits = commits
        self._reading = reading
        self.self_metrics = 0

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request. No error leaves this method."""
        headers = scope.headers
        origin = headers.get("origin")
        try:
            door = EVENT_ROUTES.get(scope.path)
            if door is not None and scope.method == "POST":
                await self._collect(door, scope, headers, protocol)
                protocol.response_bytes(200, answers.json_headers(origin), answers.SUCCESS)
            else:
                protocol.response_bytes(*await self._answer(scope, protocol))
        except TekilError as error:
            protocol.response_bytes(*answers.problem(error, origin))
        except Exception:
            logger.exception("%s %s could not be answered.", scope.method, scope.path[:200])
            wrong = Unavailable("Something went wrong here. Nothing was kept; send this again.")
            protocol.response_bytes(*answers.problem(wrong, origin))

    async def _collect(self, door: Door, scope: Scope, headers: Headers, protocol: HTTPProtocol) -> None:
        """Keep what a POST holds. Returns once it is on disk."""
        body = await self._reading.read(headers.get("content-length"), protocol)
        check_content_type(headers.get("content-type", ""))
        body = inflate(body, headers.get("content-encoding", ""))
        parsed = parse_batch(body) if door in BATCHES else parse_single(body)
        authorization = headers.get("authorization")
        sender = self._senders.known(authorization) if authorization is not None else None
        if sender is None:
            keys = _keys(authorization, scope.query_string, parsed.write_key)
            sender = await self._senders.find(keys)
        source = check_enabled(sender)
        if parsed.envelope.messages:
            await self._keep(source, door, parsed.envelope)

    def _keep(self, source: str, door: Door, envelope: Envelope) -> Batch:
        received_at = time.time_ns() // 1000
        return self._commits.keep(Entry(source, door, received_at, envelope.messages, envelope.body))

    async def _answer(self, scope: Scope, protocol: HTTPProtocol) -> tuple[int, answers.HeaderList, bytes]:
        """Answer all that is not a POST of messages."""
        method, path = scope.method, scope.path.rstrip("/") or "/"
        if method == "OPTIONS":
            return 204, answers.preflight(scope.headers), b""
        if path == "/v1/m" and method == "POST":
            await self._reading.read(scope.headers.get("content-length"), protocol)
            self.self_metrics += 1
            return 200, answers.json_headers(scope.headers.get("origin")), answers.SUCCESS
        if self._leads is not None and (answer := await self._lead(self._leads, scope, protocol)):
            return answer
        if path in EVENT_ROUTES and method == "POST":
            await self._collect(EVENT_ROUTES[path], scope, scope.headers, protocol)
            return 200, answers.json_headers(scope.headers.get("origin")), answers.SUCCESS
        if method in ("GET", "HEAD"):
            return await self._get(path, scope)
        if path in EVENT_ROUTES or path in PIXEL_ROUTES or path in ("/healthz", script.ADDRESS):
            raise MethodRefused(f"{path} does not take {method[:20]}.")
        raise _no_such(path)

    async def _lead(self, door: LeadDoor, scope: Scope, protocol: HTTPProtocol) -> leads.Answer | None:
        """Answer what is asked of leads and forms; nothing for any other address."""
        method, path = scope.method, scope.path.rstrip("/")
        if path == leads.ROUTE:
            if method != "POST":
                raise MethodRefused(f"{path} takes POST.")
            return await door.post(scope, protocol)
        if not path.startswith(leads.FORM_PREFIX):
            return None
        name = path.removeprefix(leads.FORM_PREFIX)
        return await (door.fill(scope, protocol, name) if method == "POST" else door.show(scope, name))

    async def _get(self, path: str, scope: Scope) -> tuple[int, answers.HeaderList, bytes]:
        origin = scope.headers.get("origin")
        if path == "/healthz":
            return 200, answers.json_headers(origin), answers.HEALTHY
        if path in PIXEL_ROUTES:
            await self._pixel(PIXEL_ROUTES[path], scope)
            return 200, [("content-type", "image/gif"), ("cache-control", "no-store")], answers.GIF
        if path == script.ADDRESS:
            asked = scope.headers
            return script.answer(asked.get("accept-encoding", ""), asked.get("if-none-match", ""))
        headers = [*answers.json_headers(origin), ("cache-control", "no-cache")]
        if path == "/sourceConfig":
            keys = _keys(scope.headers.get("authorization"), scope.query_string, None)
            sender = await self._senders.find(keys)
            return 200, headers, rudder_source_config(keys[0], source=check_enabled(sender))
        if path.startswith(SETTINGS_PREFIX) and path.endswith(SETTINGS_SUFFIX):
            key = path[len(SETTINGS_PREFIX) : -len(SETTINGS_SUFFIX)]
            check_enabled(await self._senders.find([key]))
            return 200, headers, segment_settings(key, scheme=_scheme(scope), host=_host(scope))
        if path in EVENT_ROUTES or path == "/v1/m":
            raise MethodRefused(f"{path} takes POST.")
        raise _no_such(path)

    async def _pixel(self, door: Door, scope: Scope) -> None:
        parsed = parse_single(parse_pixel(scope.query_string))
        keys = _keys(scope.headers.get("authorization"), scope.query_string, parsed.write_key)
        await self._keep(check_enabled(await self._senders.find(keys)), door, parsed.envelope)


def _keys(authorization: str | None, query: str, write_key: Raw | None) -> list[str]:
    """Return the write keys that a request names, wherever it names them."""
    found = [
        key_of(authorization) if authorization is not None else None,
        dict(parse_qsl(query[-2000:])).get("writeKey") if "writeKey=" in query else None,
        text_of(write_key) if write_key is not None else None,
    ]
    return [key for key in found if key]


def _host(scope: Scope) -> str | None:
    host: str | None = scope.headers.get("host") or scope.authority
    return host


def _scheme(scope: Scope) -> str:
    """Return the scheme that the client used, which a proxy in front that ends TLS tells us."""
    forwarded = scope.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return forwarded if forwarded in ("http", "https") else scope.scheme


def _no_such(path: str) -> NotFound:
    return NotFound(
        f"There is nothing at {path[:200]!r}. Messages go to /v1/track, /v1/batch and the like.",
        code="route_unknown",
    )
