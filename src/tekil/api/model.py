"""What the API answers with: the shapes that its OpenAPI document promises."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from tekil.reads import Ledger, Quarantined, SourceLedger, TimelineEvent
from tekil.scores import Shown, scores_on
from tekil.store import Card
from tekil.store.keys import SOURCE_NAME


class TraitSource(msgspec.Struct, frozen=True):
    """Where a trait's value came from: the source's name, and when it said so."""

    source: str | None = None
    at: str | None = None


class LastPage(msgspec.Struct, frozen=True):
    """The page a person saw last."""

    url: str | None = None
    title: str | None = None
    at: str | None = None


class Touch(msgspec.Struct, frozen=True):
    """What brought a person: utm values where there were any, else the referrer."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    referrer: str | None = None
    at: str | None = None


class ProfileIdentifier(msgspec.Struct, frozen=True):
    """One identifier of a person; `kind:value` looks the person up."""

    kind: str
    value: str


class ReachedStage(msgspec.Struct, frozen=True):
    """The stage of a chain that a person is in, and since when."""

    name: str
    since: str


class Profile(msgspec.Struct, frozen=True):
    """What is known of one person. Instants are ISO 8601 in UTC, ending in `Z`.

    `features` are by name; `audiences` are those the person is in, each with since when; `stages` by chain.
    `scores` are what they are at this very instant, with what each rule gives.
    """

    person_id: str = ""
    first_seen: str | None = None
    last_seen: str | None = None
    events: int | None = None
    pages: int | None = None
    events_7d: int | None = None
    events_30d: int | None = None
    sources: list[str] | None = None
    traits: dict[str, Any] | None = None
    trait_sources: dict[str, TraitSource] | None = None
    last_page: LastPage | None = None
    first_touch: Touch | None = None
    last_touch: Touch | None = None
    locale: str | None = None
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    features: dict[str, Any] | None = None
    audiences: dict[str, str] | None = None
    stages: dict[str, ReachedStage] | None = None
    scores: dict[str, Shown] | None = None
    identifiers: list[ProfileIdentifier] = []


def profile(card: Card) -> Profile:
    """Return a card as the API shows it."""
    body = msgspec.json.decode(card.body, type=Profile)
    named = [ProfileIdentifier(i.kind, i.value) for i in card.identifiers]
    scores = scores_on(card.body, datetime.now(UTC).replace(tzinfo=None))
    return msgspec.structs.replace(body, person_id=card.person_id, identifiers=named, scores=scores)


class Event(msgspec.Struct, frozen=True):
    """One event of a person."""

    message_id: str
    source: str
    type: str
    event: str | None
    occurred_at: datetime
    received_at: datetime
    url: str | None
    title: str | None
    campaign: str | None
    properties: dict[str, Any] | None


class Events(msgspec.Struct, frozen=True):
    """Events, newest first; `next` is the cursor that asks for older ones, null at the end."""

    events: list[Event]
    next: str | None


def event(row: TimelineEvent) -> Event:
    """Return a timeline's event as the API shows it."""
    return Event(
        row.message_id,
        row.source,
        row.type,
        row.event,
        utc(row.occurred_at),
        utc(row.received_at),
        row.url,
        row.title,
        row.campaign,
        json_object(row.properties),
    )


class QuarantinedMessage(msgspec.Struct, frozen=True):
    """A message that could not be loaded. `body` is its text as it was sent."""

    source: str
    received_at: datetime
    reasons: str
    body: str


class Quarantine(msgspec.Struct, frozen=True):
    """The newest quarantined messages."""

    messages: list[QuarantinedMessage]


def quarantined(row: Quarantined) -> QuarantinedMessage:
    """Return a quarantined message as the API shows it."""
    return QuarantinedMessage(row.source, utc(row.received_at), row.reasons, row.body)


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which quarantined messages to say again; what is left out does not matter."""

    source: str | None = None
    reason: str | None = None
    event: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10_000


class Replayed(msgspec.Struct, frozen=True):
    """How many messages were appended to the log once more."""

    replayed: int


class SourceView(msgspec.Struct, frozen=True):
    """A source with its part of the ledger, in messages."""

    name: str
    enabled: bool
    created_at: datetime
    accepted: int
    loaded: int
    quarantined: int
    duplicate: int
    waiting: int
    last_received: datetime | None


class Sources(msgspec.Struct, frozen=True):
    """All sources, by name."""

    sources: list[SourceView]


class NewSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name a new source should have: lower-case letters, digits, `-` and `_`."""

    name: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^{SOURCE_NAME.pattern}$"})]


class SourceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a source may send."""

    enabled: bool


class NewKey(msgspec.Struct, frozen=True):
    """A write key that was just made."""

    source: str
    key: str


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One SELECT over the warehouse, in its own dialect."""

    statement: str


class Column(msgspec.Struct, frozen=True):
    """A column of an answer; `type` is Arrow's name of it."""

    name: str
    type: str


class Rows(msgspec.Struct, frozen=True):
    """An answer's columns in order, and its rows as objects."""

    columns: list[Column]
    rows: list[dict[str, Any]]


class Health(msgspec.Struct, frozen=True):
    """What a probe is told."""

    status: str


def ledger(of: Ledger) -> Ledger:
    """Return the ledger with its instants marked as UTC."""
    return Ledger(
        of.total,
        [
            msgspec.structs.replace(
                s, last_received=None if s.last_received is None else utc(s.last_received)
            )
            for s in of.sources
        ],
    )


NOTHING = SourceLedger("", 0, 0, 0, 0, 0, {}, None)
"""The ledger of a source that has sent nothing yet."""


def utc(instant: datetime) -> datetime:
    """Return an instant with its zone said; those without one are UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def json_object(text: str | None) -> dict[str, Any] | None:
    """Return the object that a JSON text holds; nothing for an empty or any other text."""
    if not text:
        return None
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def from_us(microseconds: int) -> datetime:
    """Return an instant that the store keeps as microseconds since the epoch."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
