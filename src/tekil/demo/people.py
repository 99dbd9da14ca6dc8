"""Who the customers truly are: people, the households they live in, the devices they hold."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import msgspec

from tekil.demo.devices import Device, Kind, address, draw
from tekil.demo.names import CITIES, CITY_WEIGHTS, MEN, SURNAMES, WOMEN, mailbox, mobile, plain


class Firm(msgspec.Struct, frozen=True):
    """The company somebody buys for. `mailbox` is read by everybody who works there."""

    name: str
    tax_number: str
    trade: str
    mailbox: str


class Household(msgspec.Struct, frozen=True):
    """People under one roof. `tablet` is the number of the device they share, where there is one."""

    index: int
    city: str
    district: str
    members: tuple[int, ...]
    tablet: int | None


class Person(msgspec.Struct, frozen=True):
    """One human being. Days count from the start of the story; `comes` is below nought for old customers.

    `numbers` are customer numbers: one, or two for who registered twice without knowing. `visits` is visits a
    day, `spends` scales how readily they buy, `shops` is how much of it they do in stores.
    """

    index: int
    first_name: str
    last_name: str
    gender: str
    birthday: date
    emails: tuple[str, ...]
    phone: str
    numbers: tuple[str, ...]
    city: str
    district: str
    household: int
    devices: tuple[int, ...]
    app: int | None
    comes: float
    leaves: float
    visits: float
    spends: float
    shops: float
    subscribes: bool
    firm: Firm | None


class Town(msgspec.Struct, frozen=True):
    """Everybody: people, households and devices, each found by its number."""

    people: tuple[Person, ...]
    households: tuple[Household, ...]
    devices: tuple[Device, ...]


TRADES = ("Otel", "Pansiyon", "Restoran", "Mimarlık", "Yurt", "Kafe", "Hastane")


class _Settling:
    """The making of a town: what is taken already, and what has been made so far."""

    def __init__(self, rng: Random, days: int) -> None:
        self.rng = rng
        self.days = days
        self.issued = 0
        self.mailboxes: set[str] = set()
        self.phones: set[str] = set()
        self.people: list[Person] = []
        self.households: list[Household] = []
        self.devices: list[Device] = []

    def device(self, kind: Kind, ip: str) -> int:
        self.devices.append(draw(self.rng, kind, ip))
        return len(self.devices) - 1

    def number(self) -> str:
        """Customer numbers look drawn but never meet: a prime's multiples, one after the other."""
        self.issued += 1
        return f"ME{1_000_000 + self.issued * 7_919 % 8_999_993:07d}"

    def household(self, size: int) -> None:
        rng = self.rng
        city, _, districts = rng.choices(CITIES, CITY_WEIGHTS)[0]
        district, surname, ip = rng.choice(districts), rng.choice(SURNAMES), address(rng)
        first = len(self.people)
        number = len(self.households)
        for place in range(size):
            last = surname if rng.random() < 0.88 else rng.choice(SURNAMES)
            self.person(last, city, district, number, ip, woman=rng.random() < (0.74 if place == 0 else 0.42))
        tablet = self.device("tablet", ip) if size > 1 and rng.random() < 0.55 else None
        members = tuple(range(first, first + size))
        self.households.append(Household(number, city, district, members, tablet))

    def person(self, last: str, city: str, district: str, household: int, ip: str, *, woman: bool) -> None:
        rng = self.rng
        first = rng.choice(WOMEN if woman else MEN)
        if rng.random() < 0.08:
            first = f"{first} {rng.choice(WOMEN if woman else MEN)}"
        twice = rng.random() < 0.03
        emails = [mailbox(rng, first.split()[0], last, self.mailboxes) for _ in range(2 if twice else 1)]
        devices = [self.device("phone", address(rng))] if rng.random() < 0.94 else []
        if rng.random() < 0.46 or not devices:
            devices.append(self.device("desktop", ip))
        if rng.random() < 0.12:
            devices.append(self.device("desktop", address(rng)))
        old = rng.random() < 0.42
        comes = -rng.uniform(1, 500) if old else rng.uniform(0, self.days)
        stays = rng.expovariate(1 / 260) + 5
        leaves = (stays if old else comes + stays) if rng.random() < 0.5 else float("inf")
        self.people.append(
            Person(
                index=len(self.people),
                first_name=first,
                last_name=last,
                gender="kadın" if woman else "erkek",
                birthday=date(1955, 1, 1) + timedelta(days=int(rng.betavariate(2.6, 1.9) * 18_600)),
                emails=tuple(emails),
                phone=mobile(rng, self.phones),
                numbers=tuple(self.number() for _ in emails),
                city=city,
                district=district,
                household=household,
                devices=tuple(devices),
                app=self.device("app", address(rng)) if rng.random() < 0.24 else None,
                comes=comes,
                leaves=leaves,
                visits=min(rng.lognormvariate(-3.0, 0.8), 0.6),
                spends=rng.lognormvariate(-0.1, 0.45),
                shops=rng.betavariate(1.1, 2.4),
                subscribes=rng.random() < 0.56,
                firm=self.firm(last) if rng.random() < 0.03 else None,
            )
        )

    def firm(self, last: str) -> Firm:
        trade = self.rng.choice(TRADES)
        name = f"{last} {trade} {self.rng.choice(('A.Ş.', 'Ltd. Şti.', 'İşletmeleri'))}"
        number = f"{self.rng.randrange(10**9, 10**10)}"
        return Firm(name, number, trade, f"info@{plain(last)}{plain(trade)}{number[-4:]}.example")


def settle(rng: Random, people: int, days: int) -> Town:
    """Make a town of exactly so many people, most of whom share a roof with another customer."""
    making = _Settling(rng, days)
    while len(making.people) < people:
        size = rng.choices((1, 2, 3, 4), (52, 30, 12, 6))[0]
        making.household(min(size, people - len(making.people)))
    return Town(tuple(making.people), tuple(making.households), tuple(making.devices))
