"""How long things are kept: rules as definitions, and what they mean at an instant."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from tekil.definitions import Definition, Flaw, Kind, stored
from tekil.definitions.document import flaw_of
from tekil.identity.sql import ASSERTION
from tekil.store import Definitions

DataClass = Literal[
    "log", "events", "quarantine", "people", "records", "consents", "requests", "leads", "sessions",
]  # fmt: skip
CLASSES: tuple[DataClass, ...] = (
    "log", "events", "quarantine", "people", "records", "consents", "requests", "leads",
    "sessions",
)  # fmt: skip
"""What rules speak of: raw messages; what people did; what could not be loaded; people who were not seen;
what was said of things such as orders and tickets; the proofs of choices that were changed since; closed
requests; leads that are over; sign-ins."""

KEPT = {
    "audit": "The audit trail is kept whole: an entry that goes breaks the chain of all that follow.",
    "destructions": "The destruction log is kept three years, as the law asks; it needs no rule.",
}

KEEP = re.compile(r"([1-9][0-9]{0,3}) (day|week|month|year)s?")

LEAST_DAYS: dict[DataClass, int] = {"consents": 3 * 365, "requests": 3 * 365}
"""What the law wants kept so long at least: three years, for proofs of consent (Turkey's by-law on commercial
messages) and for what people were answered (KVKK)."""


class RetentionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule's `spec`: of what, and how long, like `13 months`.

    `source` and `event` narrow events, `object` says of what the records are.
    """

    of: DataClass
    keep: str
    source: str = ""
    event: str = ""
    object: str = ""


class Rule(msgspec.Struct, frozen=True):
    """A rule in force, by the name of its definition."""

    name: str
    title: dict[str, str]
    spec: RetentionSpec

    def cutoff(self, now: datetime) -> datetime:
        """Return the instant before which things are over: the beginning of a day (UTC)."""
        return before(now, self.spec.keep)


def before(now: datetime, keep: str) -> datetime:
    """Return the beginning of the day (UTC) that lies a span before an instant.

    >>> before(datetime(2026, 3, 31, 15), "1 month")
    datetime.datetime(2026, 2, 28, 0, 0)
    """
    found = KEEP.fullmatch(keep)
    assert found is not None, "a rule in force has a span"
    count, unit = int(found[1]), found[2]
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit in ("day", "week"):
        return day - timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 - count * (12 if unit == "year" else 1)
    year, month = max(months // 12, 1), months % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def rules_in_force(definitions: Definitions) -> list[Rule]:
    """Return the rules, in the order of the classes."""
    found = [stored(version) for version in definitions.current(RETENTION_KIND.name)]
    rules = [Rule(d.name, d.title, msgspec.convert(d.spec, RetentionSpec)) for d in found]
    return sorted(rules, key=lambda rule: (CLASSES.index(rule.spec.of), rule.name))


def _check(definition: Definition) -> list[Flaw]:
    of = definition.spec.get("of")
    if of in KEPT:
        return [Flaw(("spec", "of"), KEPT[str(of)])]
    try:
        spec = msgspec.convert(definition.spec, RetentionSpec)
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    flaws = []
    if KEEP.fullmatch(spec.keep) is None:
        flaws.append(Flaw(("spec", "keep"), f"{spec.keep!r} is no span; write one like 30 days or 2 years."))
    elif _days(spec.keep) < LEAST_DAYS.get(spec.of, 0):
        flaws.append(Flaw(("spec", "keep"), f"The law wants {spec.of} kept three years at least."))
    if spec.of != "events" and (spec.source or spec.event):
        flaws.append(Flaw(("spec",), "Only events are told apart by source and event."))
    if (spec.of == "records") != bool(spec.object):
        told = "A rule about records, and no other, says whose: object, like ad_spend or ticket."
        flaws.append(Flaw(("spec", "object"), told))
    if spec.object == ASSERTION:
        told = "Who was joined and parted by hand is who people are: it lasts as long as they do."
        flaws.append(Flaw(("spec", "object"), told))
    return flaws


def _days(keep: str) -> int:
    return (datetime(2026, 1, 1) - before(datetime(2026, 1, 1), keep)).days


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    """Find two rules that speak of the same: what is kept how long must have one answer."""
    owner: dict[tuple[str, str, str, str], str] = {}
    flaws = []
    for definition in definitions:
        spec = msgspec.convert(definition.spec, RetentionSpec)
        about = (spec.of, spec.source, spec.event, spec.object)
        if about in owner:
            told = f"{owner[about]!r} says already how long this is kept."
            flaws.append((definition.name, Flaw(("spec",), told)))
        owner.setdefault(about, definition.name)
    return flaws


RETENTION_KIND = Kind("retention", _check, _check_together)

SUGGESTED = """\
kind: retention
name: raw-messages
title: {tr: Ham mesajlar, en: Raw messages}
spec: {of: log, keep: 30 days}
---
kind: retention
name: behaviour
title: {tr: Davranış olayları, en: What people did}
spec: {of: events, keep: 25 months}
---
kind: retention
name: orders
title: {tr: Siparişler, en: Orders}
spec: {of: events, event: Order Completed, keep: 10 years}
---
kind: retention
name: quarantined
title: {tr: Karantina, en: Quarantine}
spec: {of: quarantine, keep: 90 days}
---
kind: retention
name: unseen-people
title: {tr: Görünmeyen kişiler, en: People not seen}
spec: {of: people, keep: 3 years}
---
kind: retention
name: consent-proofs
title: {tr: Değişmiş izinlerin kanıtları, en: Proofs of choices that were changed}
spec: {of: consents, keep: 3 years}
---
kind: retention
name: closed-requests
title: {tr: Kapanmış başvurular, en: Closed requests}
spec: {of: requests, keep: 3 years}
---
kind: retention
name: closed-leads
title: {tr: Kapanmış müşteri adayları, en: Closed leads}
spec: {of: leads, keep: 2 years}
---
kind: retention
name: sign-ins
title: {tr: Oturumlar, en: Sign-ins}
spec: {of: sessions, keep: 30 days}
"""
"""Rules to begin with: nothing is destroyed before somebody puts rules in force."""
