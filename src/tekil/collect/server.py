"""The door's process: one event loop, one writer thread, and a server around them."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import logging
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from tekil.collect.addresses import Addresses
from tekil.collect.commits import Commits
from tekil.collect.door import CollectApp
from tekil.collect.forms import FormsInForce
from tekil.collect.leads import ADDRESS_PER_MINUTE, LeadDoor
from tekil.collect.reading import Reading
from tekil.collect.senders import Senders
from tekil.log import Log
from tekil.ports import check_port
from tekil.store import Definitions, Keys

CONNECTIONS_MAX = 8_192
"""Connections served at once; further ones wait to be accepted."""

HEADER_TIMEOUT_MS = 10_000
"""How long a client may take to send its headers."""

HEADER_SIZE_MAX = 64 * 1024
"""Bytes of a request's line and headers."""

SWITCH_INTERVAL_SECONDS = 0.0005
"""How soon the writer's thread gets its turn after a sync. Python's own 5 ms would be most of an answer."""

OpenApp = Callable[[asyncio.AbstractEventLoop, ExitStack], Any]
"""Makes an RSGI application on a loop, and leaves on the stack what must be closed after it."""

logger = logging.getLogger("tekil.collect")


def serve(
    log: Log,
    keys: Keys,
    *,
    host: str,
    port: int,
    forms: Definitions | None = None,
    leads_per_minute: int = ADDRESS_PER_MINUTE,
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Take messages at `host`:`port` until SIGTERM or SIGINT; what is in flight is answered first.

    Leads are taken in where `forms` are given: so many a minute from an address, as `trusted_proxies` tell
    it. Raises `Misconfigured` where the address cannot be listened on.
    """

    def open_door(loop: asyncio.AbstractEventLoop, stack: ExitStack) -> CollectApp:
        senders, commits, reading = Senders(keys, loop), Commits(log, loop), Reading(loop)
        for part in (commits, senders, reading):
            stack.callback(part.close)
        leads = None
        if forms is not None:
            addresses = Addresses(trusted_proxies)
            known = FormsInForce(forms, loop)
            leads = LeadDoor(senders, commits, reading, known, addresses, leads_per_minute)
        return CollectApp(senders, commits, reading, leads)

    serve_app(open_door, host=host, port=port)


def serve_app(open_app: OpenApp, *, host: str, port: int) -> None:
    """Serve an RSGI application as the door is served; see `serve`. The bench compares with another one."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    check_port(host, port, "collect.port")
    _raise_file_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(open_app, host, port))


async def _serve(open_app: OpenApp, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        server = Server(
            open_app(loop, stack),
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=2_048,
            backpressure=CONNECTIONS_MAX,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=HEADER_SIZE_MAX
            ),
            log_enabled=False,
        )
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, server.stop)
        # All that is alive now stays alive; looking through it again and again would show in the p99.
        gc.collect()
        gc.freeze()
        logger.info("The door listens at http://%s:%d.", host, port)
        await server.serve()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes uvloop's event loop, half as fast again; asyncio's own where uvloop cannot be."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


def _raise_file_limit() -> None:
    """Let this process hold as many connections as the system allows it, up to what it would serve."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + 256
    if soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, soft), hard))
