"""The thread that tells the company's webhook what happened to leads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from tekil.app.threads import beside
from tekil.config import Config
from tekil.leads import LeadNotices
from tekil.outgoing import Outgoing, Webhook
from tekil.store import Store

SECRET = "TEKIL_LEADS_SECRET"
"""The environment's variable: a secret is not written into tekil.toml."""


def leads_told(
    config: Config, store: Store, outgoing: Outgoing, stop: threading.Event, say: Callable[[str], None]
) -> AbstractContextManager[None]:
    """Run the thread until the block ends and `stop` is set."""
    webhook = Webhook(config.leads.webhook, outgoing, os.environ.get(SECRET, ""))
    return beside("leads", LeadNotices(store.leads, webhook, say).run, stop)
