"""The store: what people decided, and what must be looked up fast. SQLite or PostgreSQL, by URL."""

from tekil.store.cards import Card, Cards, Identifier
from tekil.store.definitions import Definitions, NewVersion, Version
from tekil.store.keys import ApiKey, Keys, Source, WriteKey
from tekil.store.open import Store, open_store
from tekil.store.users import User, Users

__all__ = [
    "ApiKey",
    "Card",
    "Cards",
    "Definitions",
    "Identifier",
    "Keys",
    "NewVersion",
    "Source",
    "Store",
    "User",
    "Users",
    "Version",
    "WriteKey",
    "open_store",
]
