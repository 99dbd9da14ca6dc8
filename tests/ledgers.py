"""The consent ledger of a test's installation, as the running one would open it."""

from __future__ import annotations

from pathlib import Path

from tekil.config import Config
from tekil.privacy import open_keys, open_vault
from tekil.privacy.ledger import ConsentLedger, open_ledger
from tekil.store import Store


def ledger_of(store: Store, root: Path) -> ConsentLedger:
    """Return the ledger in a store, by the master key in a folder."""
    config = Config(root=root)
    return open_ledger(store, open_vault(store, open_keys(config, store)), config.consent)
