"""The thread that looks at data quality while the engine runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from tekil.app.threads import beside
from tekil.config import Config
from tekil.dictionary.alerts import QualityWatch
from tekil.dictionary.health import Read
from tekil.outgoing import Outgoing
from tekil.store import Store

SECRET = "TEKIL_QUALITY_SECRET"
"""The environment's variable: a secret is not written into tekil.toml."""


def quality_watched(
    config: Config,
    read: Read,
    store: Store,
    outgoing: Outgoing,
    stop: threading.Event,
    say: Callable[[str], None],
) -> AbstractContextManager[None]:
    """Run the thread until the block ends and `stop` is set."""
    secret = os.environ.get(SECRET, "")
    watch = QualityWatch(read, store, config.quality, outgoing, say, secret=secret)
    return beside("quality", watch.run, stop)
