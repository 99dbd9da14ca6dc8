"""What is told of organisations and households. Instants are UTC; values are masked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from tekil.store import Card

OrganisationKind = Literal["group", "domain"]
"""An organisation is what a group() call names, or whoever has an address at a domain."""


class Organisation(msgspec.Struct, frozen=True):
    """An organisation: `id` is `group:…` or `domain:…`, `name` what group() calls call it, or else its id."""

    id: str
    kind: OrganisationKind
    name: str
    people: int
    last_seen: datetime


class Account(msgspec.Struct, frozen=True):
    """An identifier that several people of an organisation use, and that joins none of them."""

    kind: str
    value: str
    people: int


class Affinity(msgspec.Struct, frozen=True):
    """What people of a household have in common: `how` is phone, email or address."""

    how: str
    value: str


class Household(msgspec.Struct, frozen=True):
    """People who have something in common that a household has."""

    id: str
    common: list[Affinity]
    people: int
    last_seen: datetime


class Member(msgspec.Struct, frozen=True):
    """Somebody of an organisation or a household: their card, and when it was last said that they are."""

    card: Card
    last_seen: datetime


class Page(msgspec.Struct, frozen=True):
    """Some members, those last seen first; `next` is what to pass over for more, nothing at the end."""

    members: list[Member]
    next: int | None


class OrganisationCard(msgspec.Struct, frozen=True):
    """Everything on an organisation's card.

    `traits` are the last of each that group() calls gave; `domains` are those of its people's addresses,
    with how many people have one there; events are those of its people.
    """

    organisation: Organisation
    traits: dict[str, Any]
    domains: dict[str, int]
    events: int
    events_30d: int
    first_seen: datetime | None
    accounts: list[Account]


class Belonging(msgspec.Struct, frozen=True):
    """Where somebody belongs."""

    organisations: list[Organisation]
    households: list[Household]
