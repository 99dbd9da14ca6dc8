"""Everything the console, the API and the library read, in one place: people, timelines, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from tekil.access.policy import Condition
from tekil.errors import NotFound, TekilError
from tekil.store import Card


class MovedPerson(TekilError):
    """The person id was merged away; `person_id` is whom it belongs to now."""

    code = "person_moved"
    http_status = 308

    def __init__(self, person_id: str) -> None:
        """Take the person id to ask for instead."""
        super().__init__(f"This person was merged into {person_id}; ask for that id from now on.")
        self.person_id = person_id


class Count(msgspec.Struct, frozen=True):
    """The ledger of some messages: `accepted = loaded + quarantined + duplicate + waiting`, by law 8.

    `erased` of the loaded have no rows any more, because their person was erased.
    """

    accepted: int
    loaded: int
    quarantined: int
    duplicate: int
    waiting: int
    erased: int = 0


class SourceLedger(msgspec.Struct, frozen=True):
    """A source's ledger; `reasons` counts the quarantined by reason, `last_received` is UTC."""

    source: str
    accepted: int
    loaded: int
    quarantined: int
    duplicate: int
    waiting: int
    reasons: dict[str, int]
    last_received: datetime | None
    erased: int = 0


class Ledger(msgspec.Struct, frozen=True):
    """All that was ever accepted, in messages, in total and by source."""

    total: Count
    sources: list[SourceLedger]


class TimelineEvent(msgspec.Struct, frozen=True):
    """One event of a person.

    Instants are UTC without a zone. `properties` is a JSON object's text, or nothing.
    """

    message_id: str
    source: str
    type: str
    event: str | None
    occurred_at: datetime
    received_at: datetime
    url: str | None
    title: str | None
    campaign: str | None
    properties: str | None


class Page(msgspec.Struct, frozen=True):
    """Some events, newest first, and the cursor that asks for the next ones (nothing at the end)."""

    events: list[TimelineEvent]
    next: str | None


class Arrival(msgspec.Struct, frozen=True):
    """One event as it came in, for the Live page. `person_id` is who it belongs to."""

    source: str
    type: str
    event: str | None
    person_id: str | None
    received_at: datetime
    url: str | None


class Freshness(msgspec.Struct, frozen=True):
    """Seconds from acknowledgement to readable card over the last minutes; nothing before the first."""

    p50: float | None
    p99: float | None
    messages: int


class Doing(msgspec.Struct, frozen=True):
    """What the engine's long task is, how much of it is done, and how much there is; empty when idle.

    `definitions` is the revision of the definitions that all answers follow by now.
    """

    what: str = ""
    done: int = 0
    all: int = 0
    definitions: int = 0


class MinuteCount(msgspec.Struct, frozen=True):
    """How many events of a source were received in the minute that starts at `minute` (UTC)."""

    minute: datetime
    source: str
    events: int


class Quarantined(msgspec.Struct, frozen=True):
    """A message that could not be loaded, and why."""

    source: str
    received_at: datetime
    reasons: str
    body: str


class Reads(Protocol):
    """What can be read. Safe to call from many threads."""

    def profile(self, reference: str, *, reveal: bool = False) -> Card:
        """Return a person's card. `reference` is `kind:value` or a person id.

        Personal values are masked, here and in all else that is read; to `reveal` them is a right that the
        caller has seen to.

        Raises `NotFound`; and `MovedPerson`, which names the new id, for a merged-away id.
        """
        ...

    def people(self, text: str, limit: int = 50, within: Condition | None = None) -> list[Card]:
        """Return people one of whose identifiers starts with `text`; the last seen where it is empty.

        `within` leaves out everybody whom an attribute rule puts out of reach.
        """
        ...

    def people_count(self, within: Condition | None = None) -> int:
        """Return how many people there are within reach."""
        ...

    def timeline(
        self, person_id: str, *, cursor: str | None = None, limit: int = 50, reveal: bool = False
    ) -> Page:
        """Return a person's events, newest first. Raises `BadRequest` for a cursor that is none of ours."""
        ...

    def ledger(self) -> Ledger:
        """Return the ledger as of now, from one consistent look."""
        ...

    def arrivals(self, limit: int = 50) -> list[Arrival]:
        """Return the newest loaded events, newest first."""
        ...

    def minutes(self, minutes: int = 60) -> list[MinuteCount]:
        """Return loaded events by minute and source over the last minutes."""
        ...

    def freshness(self) -> Freshness:
        """Return how long events took lately from acknowledgement to readable card."""
        ...

    def doing(self) -> Doing:
        """Return what the engine is busy with beside its cycles."""
        ...

    def quarantine(self, source: str | None = None, limit: int = 50) -> list[Quarantined]:
        """Return the newest quarantined messages."""
        ...

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run one SELECT over the warehouse, where tokens stand for personal values.

        Raises `BadRequest` for anything else, or SQL that is wrong.
        """
        ...

    def answers(self, select: str) -> pa.Table:
        """Run one of our own SELECTs, as models are written, over what is committed."""
        ...

    def ready(self) -> None:
        """Return when log, warehouse and store all answer and the engine's loop runs; else `Unavailable`."""
        ...


def profile_within(reads: Reads, reference: str, within: Condition | None, *, reveal: bool = False) -> Card:
    """Return a person's card like `Reads.profile`; somebody out of reach is as if unknown.

    Raises `NotFound`; and `MovedPerson` for the merged-away id of somebody within reach.
    """
    if within is None:
        return reads.profile(reference, reveal=reveal)
    moved: MovedPerson | None = None
    # One answer for somebody unknown and somebody out of reach: a difference would tell who exists.
    unknown = NotFound(f"Nobody within your reach is known as {reference!r}.", code="person_unknown")
    try:
        card = reads.profile(reference, reveal=reveal)
    except MovedPerson as error:
        moved = error
        card = reads.profile(error.person_id, reveal=reveal)
    except NotFound as error:
        raise unknown from error
    if not within.holds(card.as_dict().get("traits")):
        raise unknown
    if moved is not None:
        raise moved
    return card
