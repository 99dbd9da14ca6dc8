"""The identity policy: what each kind of identifier is worth, and which values are nobody's.

Source of the blocked values: Segment's public guide to Unify's identity resolution settings.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import msgspec
from msgspec import structs

from tekil.definitions import Definition, stored
from tekil.dictionary.patterns import portable
from tekil.identifiers.normalisers import NORMALISERS
from tekil.store import Version
from tekil.store.definitions import Definitions

Strength = Literal["unique", "personal", "device"]
Normaliser = Literal["trimmed", "lower", "email", "gmail", "phone", "tckn", "vkn"]

ELSEWHERE = frozenset({"links", "organisations", "households"})
"""Members of the policy that persons do not depend on; of `links` only the weight that is accepted."""

RESOLUTION = 1
"""Counts changes of the way from evidence to persons: when it moves, persons are worked out anew."""

WEIGHT_UNITS = 100
"""Weights are kept as whole numbers, this many to a bit, so that all engines add and compare them alike."""

KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""How a kind is called."""

BLOCKED = (
    "^[0-]*$",
    "^-1$",
    "^null$",
    "^nil$",
    "^none$",
    "^n/a$",
    "^nan$",
    "^anonymous$",
    "^undefined$",
    "^unknown$",
    "^guest$",
    "^true$",
    "^false$",
    "^void$",
    "^user_?id$",
    "^\\[object object\\]$",
)
"""Patterns over values in small letters: what programs write where they know nobody."""

DEVICES_MAX: Mapping[Strength, int] = {"unique": 2_000, "personal": 200, "device": 200}
"""How many devices a value of a strength is named with at most, before it is taken for a shared one."""

PER_PERSON: Mapping[Strength, int] = {"unique": 1, "personal": 5, "device": 0}
"""How many values of a kind a person has at most; 0 is any number."""


class KindSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the policy says of a kind.

    `strength`: a person has one *unique* value, a few *personal* ones; a *device* may be used by several
    people in turns. `max_per_person` limits values of the kind in one person, `persons` the people of one
    value (judged by how many values of a unique kind it is named with), `devices` the devices it is named
    with. A value over its limit is shared: it joins nobody.
    """

    strength: Strength = "personal"
    max_per_person: int | None = None
    persons: int = 3
    devices: int | None = None
    normaliser: Normaliser = "trimmed"

    @property
    def per_person(self) -> int:
        """Values of the kind in one person at most; 0 is any number."""
        return PER_PERSON[self.strength] if self.max_per_person is None else self.max_per_person

    @property
    def devices_max(self) -> int:
        """Devices that a value is named with at most."""
        return DEVICES_MAX[self.strength] if self.devices is None else self.devices


KINDS: Mapping[str, KindSpec] = {
    "user_id": KindSpec("unique", persons=5),
    "crm_id": KindSpec("unique", persons=5),
    "tckn": KindSpec("unique", persons=3, normaliser="tckn"),
    "email": KindSpec("personal", persons=3, normaliser="email"),
    "phone": KindSpec("personal", persons=4, normaliser="phone"),
    "vkn": KindSpec("personal", max_per_person=2, persons=20, normaliser="vkn"),
    "anonymous_id": KindSpec("device", persons=20),
    "device_id": KindSpec("device", persons=20),
    "advertising_id": KindSpec("device", persons=20, normaliser="lower"),
    "ga_client_id": KindSpec("device", persons=20),
}
"""What is in force of each kind that no policy speaks of."""

ALIASES = {
    "ios_id": "device_id",
    "android_id": "device_id",
    "ios_idfa": "advertising_id",
    "android_idfa": "advertising_id",
    "ga_clientid": "ga_client_id",
}
"""Types of `context.externalIds` in Segment's spec → our kinds."""

TRAITS = {"tckn": "tckn", "vkn": "vkn", "crm_id": "crm_id"}
SEALED: Mapping[str, Literal["email", "phone", "tckn", "other"]] = {
    "email": "email",
    "phone": "phone",
    "tckn": "tckn",
    "vkn": "other",
}
"""Kinds whose values are personal → the vault's kind of them. Of all others only what looks personal is."""

NAMED_BY_COLUMNS = ("user_id", "anonymous_id", "email", "phone")
"""Kinds that every message can name in a member of its own."""


class LinksSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When two that nobody named together are taken for one person because they are alike.

    Weights are in bits: each bit doubles the odds. A pair that weighs `accept` or more is linked; one from
    `review` to `accept` waits for somebody to look at it. What more than `block_max` people have in common
    says too little to weigh all their pairs. A search begins by itself `every_hours`; without, by hand only.
    """

    accept: float = 12.0
    review: float = 4.0
    block_max: int = 100
    every_hours: int | None = None


class OrganisationsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes people an organisation: `groups` that group() calls name, `domains` of e-mail addresses.

    `free_mail` are more domains at which anybody may have an address, `company_mail` those of the list that
    ships that are a company's all the same.
    """

    groups: bool = True
    domains: bool = True
    free_mail: list[str] = []
    company_mail: list[str] = []


class HouseholdsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What two to `people_max` people have in common who are taken for a household.

    Of e-mail addresses only those at which anybody may have one; others are a company's.
    """

    phone: bool = True
    email: bool = True
    address: bool = True
    people_max: int = 8


class PolicySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document of kind `identity` says; what it leaves out stays as it ships.

    `others` is for kinds without a rule. `blocked` are patterns over values in small letters. `sources` says
    which kinds a source may assert; one that is not named may assert all. `anonymous_history_days` is how
    long before a login on a device that several people use its anonymous events are of who logs in. `traits`
    and `records` say which traits, and which members of records, are identifiers (`fields.email: email`).
    `values_max` is how many values of one personal kind any value is named with, `identifiers_max` how many
    identifiers one message names, at most. Without `links` only what was named together joins.
    `organisations` and `households` say what groups people; it never merges them.
    """

    kinds: dict[str, dict[str, Any]] = {}
    others: KindSpec = KindSpec()
    blocked: list[str] = msgspec.field(default_factory=lambda: list(BLOCKED))
    sources: dict[str, list[str]] = {}
    anonymous_history_days: int = 30
    traits: dict[str, str] = msgspec.field(default_factory=lambda: dict(TRAITS))
    records: dict[str, dict[str, str]] = {}
    values_max: int = 25
    identifiers_max: int = 25
    links: LinksSpec | None = None
    organisations: OrganisationsSpec = OrganisationsSpec()
    households: HouseholdsSpec = HouseholdsSpec()

    def rules(self) -> dict[str, KindSpec]:
        """Return the rule of every kind that has one: what the document says over what ships."""
        merged = {name: msgspec.to_builtins(rule) for name, rule in KINDS.items()}
        for name, said in self.kinds.items():
            merged[name] = {**merged.get(name, {}), **said}
        return {name: msgspec.convert(rule, KindSpec) for name, rule in merged.items()}


@dataclass(frozen=True)
class Policy:
    """The policy in force, as of a revision of the store."""

    spec: PolicySpec = field(default_factory=PolicySpec)
    revision: int = 0

    @classmethod
    def of(cls, definitions: Sequence[Definition], revision: int = 0) -> Self:
        """Return the policy that definitions make; the one that ships where none of them is one."""
        found = [msgspec.convert(d.spec, PolicySpec) for d in definitions if d.kind == "identity"]
        return cls(found[0] if found else PolicySpec(), revision)

    @classmethod
    def read(cls, definitions: Definitions) -> Self:
        """Return the policy in force."""
        # The revision first: a change in between is then read once more, never missed.
        revision = definitions.revision()
        versions: list[Version] = definitions.current("identity")
        return cls.of([stored(version) for version in versions], revision)

    @cached_property
    def rules(self) -> dict[str, KindSpec]:
        """The rule of every kind that has one."""
        return self.spec.rules()

    def rule(self, kind: str) -> KindSpec:
        """Return the rule of a kind."""
        return self.rules.get(kind, self.spec.others)

    def normalise(self, kind: str, value: str) -> str | None:
        """Return a value as identity knows it, or nothing where it can be none of its kind."""
        return NORMALISERS[self.rule(kind).normaliser](value)

    @cached_property
    def blocked(self) -> str:
        """One pattern for all engines, over values in small letters; one that matches none where none is."""
        return "|".join(f"(?:{portable(pattern)})" for pattern in self.spec.blocked) or "a^"

    @cached_property
    def _blocked(self) -> re.Pattern[str]:
        return re.compile(self.blocked, re.ASCII)

    def is_blocked(self, value: str) -> bool:
        """Return whether a value is nobody's."""
        return self._blocked.search(value.lower()) is not None

    @property
    def accepted_weight(self) -> int | None:
        """The weight from which links join, in hundredths of bits; nothing where links are switched off."""
        return None if self.spec.links is None else round(self.spec.links.accept * WEIGHT_UNITS)

    @cached_property
    def digest(self) -> str:
        """A digest of what persons depend on: when it changes, they are worked out anew."""
        told = {name: value for name, value in structs.asdict(self.spec).items() if name not in ELSEWHERE}
        resolved = [RESOLUTION, self.rules, told, self.accepted_weight]
        return hashlib.sha256(msgspec.json.encode(resolved, order="deterministic")).hexdigest()[:16]


def kind_of(type_: str) -> str | None:
    """Return the kind that a type of `context.externalIds` names, or nothing where it can be none.

    >>> kind_of("ios.idfa"), kind_of("Loyalty Card"), kind_of("")
    ('advertising_id', 'loyalty_card', None)
    """
    plain = re.sub(r"[^a-z0-9]+", "_", type_.replace("İ", "i").lower()).strip("_")
    kind = ALIASES.get(plain, plain)
    return kind if KIND.fullmatch(kind) else None
