"""The store: what people decided, and what must be looked up fast. SQLite or PostgreSQL, by URL."""

from tekil.store.cards import Card, Cards, Identifier
from tekil.store.consent_entries import Entry
from tekil.store.consents import Change, Total
from tekil.store.keys import ApiKey, Keys, Source, WriteKey
from tekil.store.open import Store, open_store
from tekil.store.users import User, Users

__all__ = [
    "ApiKey",
    "Card",
    "Cards",
    "Change",
    "Entry",
    "Identifier",
    "Keys",
    "Source",
    "Store",
    "Total",
    "User",
    "Users",
    "WriteKey",
    "open_store",
]
