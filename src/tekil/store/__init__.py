"""The store: what people decided, and what must be looked up fast. SQLite or PostgreSQL, by URL."""

from tekil.store.accounts import User
from tekil.store.audit import Audit
from tekil.store.cards import Card, Cards, Identifier
from tekil.store.consent_entries import Entry
from tekil.store.consents import Change, Total
from tekil.store.data_keys import DataKey, DataKeys
from tekil.store.definitions import Definitions, NewVersion, Rename, Version
from tekil.store.destructions import Destruction, Destructions
from tekil.store.keys import ApiKey, Keys, Source, WriteKey
from tekil.store.open import Store, open_store
from tekil.store.sealed_values import SealedValue, SealedValues
from tekil.store.sessions import Session
from tekil.store.users import Users

__all__ = [
    "ApiKey",
    "Audit",
    "Card",
    "Cards",
    "Change",
    "DataKey",
    "DataKeys",
    "Definitions",
    "Destruction",
    "Destructions",
    "Entry",
    "Identifier",
    "Keys",
    "NewVersion",
    "Rename",
    "SealedValue",
    "SealedValues",
    "Session",
    "Source",
    "Store",
    "Total",
    "User",
    "Users",
    "Version",
    "WriteKey",
    "open_store",
]
