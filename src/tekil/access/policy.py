"""The written policy: what there is to be allowed, and which role may do what.

One list serves people and programs: a permission of a person is a scope of an API key. A role is a row of the
table below, the console shows the whole table, and nothing is allowed that does not stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from tekil.errors import BadRequest


class Permission(StrEnum):
    """Everything somebody may be allowed, named `module:verb`. The verb `write` covers making and ending."""

    PROFILES_READ = "profiles:read"
    PROFILES_REVEAL = "profiles:reveal"
    PROFILES_WRITE = "profiles:write"
    EVENTS_READ = "events:read"
    LEDGER_READ = "ledger:read"
    SQL_READ = "sql:read"
    SOURCES_WRITE = "sources:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    CONNECTIONS_READ = "connections:read"
    CONNECTIONS_WRITE = "connections:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    AUDIT_READ = "audit:read"
    ENGINE_RUN = "engine:run"
    ACQUISITION_READ = "acquisition:read"
    AUDIENCES_READ = "audiences:read"
    AUDIENCES_WRITE = "audiences:write"
    DICTIONARY_READ = "dictionary:read"
    DICTIONARY_WRITE = "dictionary:write"
    QUARANTINE_WRITE = "quarantine:write"
    IDENTITY_WRITE = "identity:write"
    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    LEADS_OVERSEE = "leads:oversee"
    CONSENTS_READ = "consents:read"
    CONSENTS_WRITE = "consents:write"
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    RETENTION_READ = "retention:read"
    RETENTION_WRITE = "retention:write"
    ERASURE_RUN = "erasure:run"


P = Permission

ROLES: dict[str, frozenset[Permission]] = {
    "administrator": frozenset(P),
    "marketer": frozenset(
        {P.PROFILES_READ, P.EVENTS_READ, P.LEDGER_READ, P.DICTIONARY_READ, P.CONSENTS_READ}
        | {P.ACQUISITION_READ, P.AUDIENCES_READ, P.AUDIENCES_WRITE}
        | {P.LEADS_READ, P.LEADS_OVERSEE}
    ),
    "sales": frozenset(
        {P.PROFILES_READ, P.PROFILES_REVEAL, P.EVENTS_READ, P.CONSENTS_READ} | {P.LEADS_READ, P.LEADS_WRITE}
    ),
    "support": frozenset(
        {P.PROFILES_READ, P.PROFILES_REVEAL, P.PROFILES_WRITE, P.EVENTS_READ, P.CONSENTS_READ}
        | {P.CONSENTS_WRITE}
    ),
    "analyst": frozenset(
        {P.PROFILES_READ, P.EVENTS_READ, P.LEDGER_READ, P.SQL_READ, P.DICTIONARY_READ, P.DICTIONARY_WRITE}
        | {P.ACQUISITION_READ, P.AUDIENCES_READ, P.AUDIENCES_WRITE}
        | {P.LEADS_READ, P.LEADS_OVERSEE}
    ),
    "engineer": frozenset(
        {P.LEDGER_READ, P.EVENTS_READ, P.SQL_READ, P.SOURCES_WRITE, P.KEYS_READ, P.ENGINE_RUN}
        | {P.CONNECTIONS_READ}
        | {P.DICTIONARY_READ, P.DICTIONARY_WRITE, P.QUARANTINE_WRITE}
    ),
    "auditor": frozenset(
        {P.LEDGER_READ, P.KEYS_READ, P.USERS_READ, P.AUDIT_READ, P.DICTIONARY_READ}
        | {P.RETENTION_READ, P.CONNECTIONS_READ}
    ),
    "privacy_officer": frozenset(
        {P.PROFILES_READ, P.PROFILES_REVEAL, P.PROFILES_WRITE, P.EVENTS_READ, P.LEDGER_READ, P.AUDIT_READ}
        | {P.IDENTITY_WRITE}
        | {P.CONSENTS_READ, P.CONSENTS_WRITE, P.REQUESTS_READ, P.REQUESTS_WRITE}
        | {P.RETENTION_READ, P.RETENTION_WRITE}
        | {P.ERASURE_RUN}
    ),
}
"""Role → what it may. Each has what its work needs; somebody with two roles has what both have."""

ADMINISTRATOR = "administrator"

STEP_UP = frozenset({P.KEYS_WRITE, P.CONNECTIONS_WRITE, P.USERS_WRITE, P.ERASURE_RUN})
"""Whoever does these in the console has shown a second factor a short while ago, whatever their role."""

TRAIT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Condition(msgspec.Struct, frozen=True):
    """An attribute rule: only people whose trait is exactly one of these texts are within reach."""

    trait: str
    values: tuple[str, ...]

    def holds(self, traits: Mapping[str, Any] | None) -> bool:
        """Return whether a person with these traits is within reach. A trait they lack puts them outside."""
        value = (traits or {}).get(self.trait)
        return isinstance(value, str) and value in self.values

    def __str__(self) -> str:
        """Return the rule as it is written: `city=İzmir,Manisa`."""
        return f"{self.trait}={','.join(self.values)}"


class Holder(Protocol):
    """Whoever may do something: a user, or an API key."""

    @property
    def condition(self) -> Condition | None:
        """The rule that narrows whom they may see, where there is one."""
        ...

    def allows(self, permission: str) -> bool:
        """Return whether a permission is theirs."""
        ...


class Access(msgspec.Struct, frozen=True):
    """What a route asks for. `keeps_to_condition` says that it shows a narrowed holder only their people.

    A route that does not say so is closed to holders with an attribute rule: what it shows is everybody's.
    """

    permission: Permission
    keeps_to_condition: bool = False


def may(holder: Holder | None, permission: str) -> bool:
    """Return whether somebody (nobody, for nothing) holds a permission."""
    return holder is not None and holder.allows(permission)


def admits(access: Access, holder: Holder | None) -> bool:
    """Return whether a route that asks for `access` lets somebody in."""
    if holder is None or not holder.allows(access.permission):
        return False
    return access.keeps_to_condition or holder.condition is None


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Return what roles allow together. A role that is no more allows nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def check_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Return roles in the table's order. Raises `BadRequest` for one that does not exist, or for none."""
    asked = set(roles)
    if unknown := sorted(asked - ROLES.keys()):
        raise BadRequest(
            f"There is no role {unknown[0]!r}. There are: {', '.join(ROLES)}.", code="role_unknown"
        )
    if not asked:
        raise BadRequest(f"Give at least one role of: {', '.join(ROLES)}.", code="role_missing")
    return tuple(role for role in ROLES if role in asked)


def parse_condition(text: str) -> Condition | None:
    """Read `trait=value,value`; nothing for an empty text. Raises `BadRequest` for what is no such rule."""
    if not text.strip():
        return None
    trait, equals, rest = text.partition("=")
    values = tuple(dict.fromkeys(value.strip() for value in rest.split(",") if value.strip()))
    if not equals or not TRAIT_NAME.fullmatch(trait.strip()) or not values or "\0" in text:
        raise BadRequest(
            f"{text!r} is no attribute rule: write a trait, = and its values, like city=İzmir,Manisa.",
            code="condition_invalid",
        )
    return Condition(trait.strip(), values)
