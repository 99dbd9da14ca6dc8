"""The thread that keeps İYS and the ledger in step, where an installation is configured for it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial

from tekil.access.audit import SYSTEM
from tekil.app.threads import beside
from tekil.config import Config
from tekil.errors import Misconfigured
from tekil.outgoing import Connections, Outgoing
from tekil.privacy.iys.client import CONNECTION, IysClient, connection
from tekil.privacy.iys.sync import IysSync
from tekil.privacy.ledger import ConsentLedger

PASSWORD = "TEKIL_IYS_PASSWORD"
"""The environment's variable: a secret is not written into tekil.toml."""


@contextlib.contextmanager
def kept_in_step(
    config: Config,
    ledger: ConsentLedger,
    connections: Connections,
    outgoing: Outgoing,
    stop: threading.Event,
    say: Callable[[str], None],
) -> Iterator[None]:
    """Run the thread until the block ends and `stop` is set; nothing at all without `[iys]` in tekil.toml.

    Raises `Misconfigured` where the password is missing.
    """
    settings = config.iys
    if not settings.base_url:
        yield
        return
    password = os.environ.get(PASSWORD, "")
    if not password:
        raise Misconfigured(
            f"tekil.toml has an [iys] section, and {PASSWORD} is not in the environment. Set it to the "
            "password of the API user at İYS, or take the section out.",
            code="iys_password_missing",
        )
    connections.put(connection(settings.base_url, settings.username, password), SYSTEM)
    client = IysClient(
        settings.base_url,
        settings.iys_code,
        settings.brand_code,
        connections.of(CONNECTION),
        outgoing,
        sleep=stop.wait,
    )
    sync = IysSync(ledger, client, settings)
    run = partial(sync.run, on_error=lambda error: say(f"İYS: {error.message}"))
    with contextlib.closing(client), beside("iys", run, stop):
        yield
