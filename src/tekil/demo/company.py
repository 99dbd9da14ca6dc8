"""Minder Evi, told day by day, and then minute by minute."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from tekil.demo.campaigns import MAILINGS, Traffic
from tekil.demo.catalogue import stock
from tekil.demo.desk import ask_for_quote, call
from tekil.demo.life import Life
from tekil.demo.mail import deliver, newsletter
from tekil.demo.people import Person, settle
from tekil.demo.reports import assortment, probe, robot, spend
from tekil.demo.rhythm import (
    OFFICE_HOURS,
    OFFICE_WEEK,
    STORE_HOURS,
    STORE_WEEK,
    WEB_WEEK,
    ZONE,
    days_between,
    liveliness,
    midnight,
    moment,
)
from tekil.demo.shopping import come, pass_by
from tekil.demo.tills import buy
from tekil.demo.truth import Truth
from tekil.demo.wire import Sending, utc
from tekil.errors import BadRequest

DAY = 86_400.0
STRANGERS = 0.02
"""Visits a day by people who are in no list, for every person in the list."""
ROBOTS = 0.006
WALK_INS = 0.0022
STORE_VISITS = 0.011
"""Purchases a day in stores of somebody who would buy nowhere else."""
STORE_FIRST = 0.5
"""The share of newcomers whose first touch is a store, among those who do all their shopping there."""

CALLS = 0.01
"""Calls a day of somebody who has bought."""
QUOTES = 0.012
PROBES = 48
LIVE_DEEDS = 0.5
"""Visits, purchases, calls and openings a second, live, at an average hour and pace 1."""
QUIETEST = 0.4
"""Live, even the small hours are this busy, so that a demonstration by night is one too."""


LONGEST_GAP = 10.0
"""Seconds that are made up for after a pause: a laptop that slept for a night does not wake to a flood."""


class Company:
    """One company with a past. The same arguments give the same people and the same messages, always."""

    def __init__(self, seed: int, people: int, days: int, until: datetime) -> None:
        """Take how many people there are and how many days of history end at `until` (which has a zone).

        Raises `BadRequest` for fewer than one of either, or an instant without a zone.
        """
        if people < 1 or days < 1 or until.tzinfo is None:
            raise BadRequest(
                f"A company of {people} people over {days} days until {until} cannot be told: "
                "give at least one of each, and an instant with a time zone.",
                code="demo_invalid",
            )
        self.seed = seed
        self.days = days
        self.until = until
        self.town = settle(Random(f"{seed}/town"), people, days)
        self.products = stock(Random(f"{seed}/stock"))
        last = until.astimezone(ZONE).date()
        self.calendar = days_between(last - timedelta(days=days), last)
        self._told: Life | None = None

    def history(self) -> Iterator[Sending]:
        """Tell the past: every message that left before `until`, in the order they left."""
        end = self.until.timestamp()
        life = Life(self.seed, self.town, self.products, midnight(self.calendar[0]))
        assortment(life, self.products, life.opens)
        for day in self.calendar:
            _live_through(life, day)
            yield from life.take(min(midnight(day + timedelta(days=1)), end))
        self._told = life

    def present(self, begins: float, pace: float = 1.0) -> Present:
        """Go on after history. `begins` is now, in seconds since 1970; `pace` scales how much goes on."""
        return Present(self._remembered(), begins, pace)

    def truth(self, until: datetime | None = None) -> Truth:
        """Return who is really who: what was told so far, to the end of history at least."""
        return self._remembered().witness.truth(self.town, seed=self.seed, until=until or self.until)

    def _remembered(self) -> Life:
        """The telling that came to its end; where nobody has listened yet, tell it to nobody."""
        if self._told is None:
            for _ in self.history():
                pass
        assert self._told is not None
        return self._told


class Present:
    """The company as it lives on in real time, in the state its history left it."""

    def __init__(self, life: Life, begins: float, pace: float) -> None:
        """Take the state, the instant it goes on from (seconds since 1970) and how much goes on."""
        self._life = life
        self._clock = begins
        self._pace = pace

    def due(self, now: float) -> list[Sending]:
        """Return what leaves between the last call and `now`, in order."""
        life, rng = self._life, self._life.rng
        today = utc(now).astimezone(ZONE).date()
        if today != life.traffic.day:
            spend(life, life.traffic.day, now)
            life.traffic = Traffic(today)
        rate = LIVE_DEEDS * self._pace * max(QUIETEST, liveliness(utc(now)))
        passed = min(max(0.0, now - self._clock), LONGEST_GAP)
        for _ in range(_count(rng, rate * passed)):
            self._do(now - rng.random() * passed)
        self._clock = max(self._clock, now)
        return life.take(now)

    def _do(self, at: float) -> None:
        """Let one thing happen that somebody of this company does."""
        life, rng = self._life, self._life.rng
        person = rng.choice(life.town.people)
        deeds = (
            (52, partial(come, life, person, at)),
            (20, partial(pass_by, life, at)),
            (9, partial(buy, life, person, at)),
            (2, partial(buy, life, None, at)),
            (5, partial(call, life, person, at)),
            (7, partial(_open_mail, life, person, at)),
            (4, partial(robot, life, at)),
            (1, partial(probe, life, at)),
            (1, partial(_quote, life, person, at)),
        )
        rng.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]()


def _live_through(life: Life, day: date) -> None:
    """Let a day pass: what people and machines do in it, and what follows from it later."""
    rng, start = life.rng, midnight(day)
    yesterday, life.traffic = life.traffic.day, Traffic(day)
    number = round((start - life.opens) / DAY)
    web = life.traffic.demand * WEB_WEEK[day.weekday()]
    shops = STORE_VISITS * life.traffic.demand * STORE_WEEK[day.weekday()]
    office = OFFICE_WEEK[day.weekday()]
    for person in life.town.people:
        if person.comes >= number + 1 or person.leaves < number:
            continue
        arrives = person.comes >= number
        if arrives and rng.random() < person.shops * STORE_FIRST:
            buy(life, person, moment(rng, start, STORE_HOURS))
        elif arrives or rng.random() < person.visits * web:
            come(life, person, moment(rng, start))
        if rng.random() < shops * person.shops:
            buy(life, person, moment(rng, start, STORE_HOURS))
        if person.index in life.bought and rng.random() < CALLS * office:
            call(life, person, moment(rng, start, OFFICE_HOURS))
        if person.firm is not None and rng.random() < QUOTES * office:
            ask_for_quote(life, person, person.firm, moment(rng, start, OFFICE_HOURS))
    size = len(life.town.people)
    for _ in range(_count(rng, size * STRANGERS * web)):
        pass_by(life, moment(rng, start))
    for _ in range(_count(rng, size * WALK_INS * STORE_WEEK[day.weekday()])):
        buy(life, None, moment(rng, start, STORE_HOURS))
    for _ in range(_count(rng, size * ROBOTS)):
        robot(life, start + rng.random() * DAY)
    for turn in range(PROBES):
        probe(life, start + turn * DAY / PROBES + rng.random())
    if day.weekday() == 1:
        newsletter(life, MAILINGS[day.isocalendar().week % len(MAILINGS)], start)
    if yesterday != day:
        spend(life, yesterday, start + 5 * 3_600)


def _open_mail(life: Life, person: Person, at: float) -> None:
    if life.subscribed(person):
        deliver(life, person, life.rng.choice(MAILINGS), at)


def _quote(life: Life, person: Person, at: float) -> None:
    if person.firm is not None:
        ask_for_quote(life, person, person.firm, at)


def _count(rng: Random, expected: float) -> int:
    """Draw how often a thing happens that is expected so often: Poisson, or near it for large numbers."""
    if expected > 30:
        return max(0, round(rng.gauss(expected, math.sqrt(expected))))
    threshold, product, count = math.exp(-expected), rng.random(), 0
    while product > threshold:
        product *= rng.random()
        count += 1
    return count
