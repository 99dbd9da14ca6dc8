"""Privacy is a room: personal values are sealed in a vault, and everything else holds tokens.

`find` knows a personal value when it sees one, `keys` keeps the keys, `vault` the values, `masks` shows as
little as helps. What is sealed, and where, is `load.sealing`'s business.
"""

from tekil.privacy.keys import DayKeys, KeyRing, MasterKey, read_master_key
from tekil.privacy.masks import mask_of
from tekil.privacy.open import open_keys, open_vault
from tekil.privacy.vault import Vault

__all__ = [
    "DayKeys",
    "KeyRing",
    "MasterKey",
    "Vault",
    "mask_of",
    "open_keys",
    "open_vault",
    "read_master_key",
]
