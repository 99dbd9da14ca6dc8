"""The ground truth: who is really who. It is kept aside, and no message is ever made from it.

Later work is judged by it: persons found are compared with persons there are, credited first touches with
real ones. An identifier belongs to one person, or to a household (a shared tablet), or is shared by many
(an office's mailbox), or is in none of these lists and then is nobody's: a robot's, a passer-by's.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import msgspec

from tekil.demo.people import Town
from tekil.demo.wire import Purchase, Sending, Touch, named_in

Identifiers = dict[str, list[str]]
"""Values in every spelling that was ever sent, by kind: `user_id`, `email`, `phone`, `anonymous_id`."""


class TruePerson(msgspec.Struct, frozen=True):
    """One person: every identifier that is theirs alone, how they first came, and what they bought.

    Of an `old` customer the story knows the first visit in it, not the first there ever was.
    """

    id: str
    first_name: str
    last_name: str
    household: str
    old: bool
    identifiers: Identifiers
    first_touch: Touch | None
    purchases: list[Purchase]


class TrueHousehold(msgspec.Struct, frozen=True):
    """People under one roof, and the devices they share."""

    id: str
    members: list[str]
    identifiers: Identifiers


class Shared(msgspec.Struct, frozen=True):
    """An identifier that many people use, so that it may join nobody."""

    kind: str
    value: str
    why: str


class Truth(msgspec.Struct, frozen=True):
    """All of it, up to `until`."""

    seed: int
    until: datetime
    persons: list[TruePerson]
    households: list[TrueHousehold]
    shared: list[Shared]


class Witness:
    """Who writes the truth down while the story is told."""

    def __init__(self) -> None:
        """Start with an empty page."""
        self._owners: dict[tuple[str, str], str] = {}
        self._heard: set[tuple[str, str]] = set()
        self._shared: dict[tuple[str, str], str] = {}
        self._purchases: dict[int, list[Purchase]] = defaultdict(list)
        self._firsts: dict[int, Touch] = {}

    def owns(self, owner: str, kind: str, value: str) -> str:
        """Note whose an identifier is and return its value. It can never be another's already."""
        known = self._owners.setdefault((kind, value), owner)
        if known != owner:
            raise AssertionError(f"The {kind} {value!r} would belong to {owner} and to {known}.")
        return value

    def shares(self, kind: str, value: str, why: str) -> str:
        """Note that an identifier is used by many and return its value."""
        self._shared[kind, value] = why
        return value

    def heard(self, sending: Sending) -> None:
        """Note what a message that leaves says, and stands for. What is on its way nobody can know yet."""
        if sending.nature != "malformed":
            self._heard.update(named_in(sending.message))
        if sending.fact is not None:
            self._saw(sending.fact)

    def _saw(self, fact: Purchase | Touch) -> None:
        """Note a purchase, or how somebody came: to the shop on the web or, by buying there, to a store."""
        if fact.person < 0:
            return
        if isinstance(fact, Purchase):
            self._purchases[fact.person].append(fact)
            if fact.channel != "stores":
                return
            fact = Touch(fact.person, fact.at, "stores", None)
        first = self._firsts.get(fact.person)
        if first is None or fact.at < first.at:
            self._firsts[fact.person] = fact

    def truth(self, town: Town, *, seed: int, until: datetime) -> Truth:
        """Return all that was seen, person by person."""
        owned: dict[str, Identifiers] = defaultdict(lambda: defaultdict(list))
        for (kind, value), owner in self._owners.items():
            if (kind, value) in self._heard:
                owned[owner][kind].append(value)
        persons = [
            TruePerson(
                id=person_label(person.index),
                first_name=person.first_name,
                last_name=person.last_name,
                household=household_label(person.household),
                old=person.comes < 0,
                identifiers=dict(owned[person_label(person.index)]),
                first_touch=self._firsts.get(person.index),
                purchases=sorted(self._purchases[person.index], key=lambda purchase: purchase.at),
            )
            for person in town.people
        ]
        households = [
            TrueHousehold(
                id=household_label(household.index),
                members=[person_label(index) for index in household.members],
                identifiers=dict(owned[household_label(household.index)]),
            )
            for household in town.households
        ]
        shared = [Shared(*name, why) for name, why in self._shared.items() if name in self._heard]
        return Truth(seed, until, persons, households, shared)


def person_label(index: int) -> str:
    """Return the name under which a person stands in the truth."""
    return f"person-{index}"


def household_label(index: int) -> str:
    """Return the name under which a household stands in the truth."""
    return f"household-{index}"
