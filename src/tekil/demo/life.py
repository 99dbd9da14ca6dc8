"""The state of one telling of the story: what has been said, what is on its way, what everybody remembers."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from random import Random

from tekil.demo.campaigns import Origin, Traffic
from tekil.demo.catalogue import Product
from tekil.demo.disorder import echoes
from tekil.demo.names import write_email, write_phone
from tekil.demo.people import Person, Town
from tekil.demo.rhythm import ZONE
from tekil.demo.truth import Witness, household_label, person_label
from tekil.demo.wire import Message, Purchase, Sending, Touch, unique

_LEAVES = attrgetter("at")


@dataclass(slots=True)
class Memory:
    """What one device remembers between visits: its cookie, who is signed in, when it was last here."""

    anonymous_id: str
    user_id: str | None = None
    seen: float = 0.0


class Life:
    """Everything that changes while the story is told. One telling uses one `Life` from start to end."""

    def __init__(self, seed: int, town: Town, products: tuple[Product, ...], opens: float) -> None:
        """Start at `opens` (seconds since 1970), with old customers already known to the company."""
        self.rng = Random(f"{seed}/life")
        self.opens = opens
        self.town = town
        self.products = products
        self.shelves: dict[str, list[Product]] = defaultdict(list)
        for product in products:
            self.shelves[product.category.slug].append(product)
        self.witness = Witness()
        self.pending: list[Sending] = []
        self.memories: dict[int, Memory] = {}
        self.numbers: dict[int, str] = {}
        self.opted_out: set[int] = set()
        self.opted_in: set[int] = set()
        self.bought: set[int] = set()
        self.clicks: Counter[tuple[date, str, str, str]] = Counter()
        self.orders = 0
        self._owners = _owner_by_device(town)
        self.traffic = Traffic(datetime.fromtimestamp(opens, ZONE).date())
        for person in town.people:
            if person.comes < 0 and self.rng.random() < 0.7:
                self.register(person)
                if person.subscribes:
                    self.opted_in.add(person.index)

    def send(
        self,
        source: str,
        at: float,
        message: Message,
        *,
        late: float = 0.0,
        skew: float = 0.0,
        fact: Purchase | Touch | None = None,
    ) -> None:
        """Put a message on its way: it happened `at`, and leaves `late` seconds after."""
        sending = Sending(at + late, source, message, at, skew, "message", fact)
        self.pending.append(sending)
        self.pending += echoes(self.rng, sending)

    def take(self, until: float) -> list[Sending]:
        """Return what leaves before an instant, in the order it leaves, and witness it."""
        due = [sending for sending in self.pending if sending.at < until]
        self.pending = [sending for sending in self.pending if sending.at >= until]
        due.sort(key=_LEAVES)
        for sending in due:
            self.witness.heard(sending)
        return due

    def remember(self, device: int, at: float) -> Memory:
        """Return a device's memory; where its browser has forgotten the cookie, with a new one."""
        memory = self.memories.get(device)
        lifetime = self.town.devices[device].make.days * 86_400
        if memory is None or at - memory.seen > lifetime:
            memory = self.memories[device] = Memory(self.own_device(device, unique(self.rng)))
        memory.seen = at
        return memory

    def own_device(self, device: int, anonymous_id: str) -> str:
        """Note whose a new cookie is: its person's, or its household's for a shared tablet."""
        return self.witness.owns(self._owners[device], "anonymous_id", anonymous_id)

    def register(self, person: Person) -> str:
        """Return the person's customer number; who registered twice is known by either."""
        number = self.rng.choice(person.numbers)
        self.numbers.setdefault(person.index, number)
        return self.witness.owns(person_label(person.index), "user_id", number)

    def email(self, person: Person, number: str | None = None, *, typo: float = 0.0) -> str:
        """Return a person's address as they type it this time: the one that goes with a customer number."""
        address = person.emails[person.numbers.index(number)] if number else person.emails[0]
        written = write_email(self.rng, address, typo=self.rng.random() < typo)
        return self.witness.owns(person_label(person.index), "email", written)

    def phone(self, person: Person) -> str:
        """Return a person's phone number as they write it this time."""
        written = write_phone(self.rng, person.phone)
        return self.witness.owns(person_label(person.index), "phone", written)

    def subscribed(self, person: Person) -> bool:
        """Say whether the person gets our e-mails now."""
        return person.index in self.opted_in and person.index not in self.opted_out

    def order_number(self, mark: str) -> str:
        """Return the next order's number, `mark` first: W web, A app, M store, T telephone."""
        self.orders += 1
        return f"{mark}{100_000 + self.orders}"

    def clicked(self, origin: Origin) -> None:
        """Count a paid click, so that what the ad platforms bill agrees with what the site saw."""
        if origin.campaign is not None and origin.keyword is not None:
            self.clicks[self.traffic.day, origin.campaign.platform, origin.campaign.name, origin.keyword] += 1


def _owner_by_device(town: Town) -> dict[int, str]:
    owners = {household.tablet: household_label(household.index) for household in town.households}
    for person in town.people:
        for device in (*person.devices, person.app):
            owners[device] = person_label(person.index)
    return {device: owner for device, owner in owners.items() if device is not None}
