"""From a configuration to the keys and the vault of an installation."""

from __future__ import annotations

from tekil.config import Config
from tekil.privacy.keys import KeyRing, Texts, read_master_key
from tekil.privacy.vault import Vault
from tekil.store import Store


def open_keys(config: Config, store: Store) -> KeyRing:
    """Return the data keys of an installation. Raises `Misconfigured` where there is no master key."""
    keys = KeyRing(store.data_keys, read_master_key(config.keys.master, config.root))
    store.second_factors.sealer = Texts(keys, "second factors")
    return keys


def open_vault(store: Store, keys: KeyRing) -> Vault:
    """Return the vault in a store."""
    return Vault(store.sealed_values, keys)
