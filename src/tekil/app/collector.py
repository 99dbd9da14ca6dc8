"""The collector's process: HTTP in, log append, nothing else."""

from __future__ import annotations

from collections.abc import Callable

from tekil.collect import serve
from tekil.config import Config
from tekil.log import open_log
from tekil.privacy import DayKeys, open_keys
from tekil.store import open_store


def run(config: Config, say: Callable[[str], None]) -> None:
    """Be the collector until told to stop. Raises `Misconfigured` where its port is taken."""
    store = open_store(config.resolve(config.store))
    log = open_log(config.resolve(config.log), DayKeys(open_keys(config, store)))
    try:
        serve(
            log,
            store.keys,
            host=config.collect.host,
            port=config.collect.port,
            forms=store.definitions,
            leads_per_minute=config.collect.leads_per_minute,
            trusted_proxies=config.collect.trusted_proxies,
        )
    finally:
        log.close()
        store.close()
    say("The collector has stopped.")
