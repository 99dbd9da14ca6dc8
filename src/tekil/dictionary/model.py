"""What the dictionary says of an event: pure types, and how they are read from definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import msgspec

from tekil.definitions import Definition, stored
from tekil.store import Definitions

Mode = Literal["evolve", "warn", "quarantine"]
"""What a breach does: nothing at all; it is counted and sampled; or the message waits in quarantine."""

MODES: tuple[Mode, ...] = ("evolve", "warn", "quarantine")

FieldType = Literal["text", "number", "integer", "boolean", "instant", "list", "object"]
FIELD_TYPES: tuple[FieldType, ...] = ("text", "number", "integer", "boolean", "instant", "list", "object")

PersonalClass = Literal[
    "email", "phone", "name", "address", "tckn", "iban", "card", "birth_date", "ip", "identifier", "other"
]
PERSONAL_CLASSES: tuple[PersonalClass, ...] = (
    "email", "phone", "name", "address", "tckn", "iban", "card", "birth_date", "ip", "identifier", "other",
)  # fmt: skip
"""What kind of personal value a field holds, for whoever seals it."""

DROPPED = "dropped"
"""Said of a field that must not be kept."""

MessageType = Literal["track", "identify", "page", "screen", "group", "alias", "record"]

ROOTS = ("properties", "traits", "context", "fields")
"""The members of a message below which senders put what they like; `fields` is a record's."""

OWN_MEMBERS = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "previousId": "previous_id",
    "groupId": "group_id",
    "timestamp": "said_text",
    "source": "source",
    "campaign": "utm_campaign",
}
"""What a field may name of the message itself → the loader's column. `campaign` is the one said outright, or
else the one in the page's address."""

CONTEXT_MEMBERS = {
    "context.page.url": "url",
    "context.page.title": "title",
    "context.page.referrer": "referrer",
    "context.campaign.source": "utm_source",
    "context.campaign.medium": "utm_medium",
    "context.campaign.name": "utm_campaign",
    "context.campaign.term": "utm_term",
    "context.campaign.content": "utm_content",
    "context.userAgent": "user_agent",
    "context.locale": "locale",
}
"""The parts of the context that loading puts in columns of their own."""

COLUMNS = OWN_MEMBERS | CONTEXT_MEMBERS


Stage = Literal["visit", "interest", "intent", "sign_up", "purchase", "loyalty"]
STAGES: tuple[Stage, ...] = ("visit", "interest", "intent", "sign_up", "purchase", "loyalty")
"""The stages of a customer's journey, from the first visit on."""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Count one occurrence for each span of time, written like `30 minutes` or `1 day`."""

    per: str


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one field must hold. `keep: false` is for what nobody needs: it is not kept at all."""

    type: FieldType | None = None
    description: str = ""
    required: bool = False
    allowed: tuple[str | int | bool, ...] = ()
    pattern: str = ""
    min: float | None = None
    max: float | None = None
    pii: PersonalClass | None = None
    keep: bool = True
    mode: Mode | None = None


class EventSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event's `spec`. For messages that are no `track` or `record`, it speaks of all of that type.

    `mode` holds for the event's fields unless a field has its own, `undefined_fields` for those that are not
    listed. `review` is the day (ISO) on which somebody should look at it again. `stage` is the stage of the
    customers' journey that the event belongs to.
    """

    type: MessageType = "track"
    description: str = ""
    purpose: str = ""
    steward: str = ""
    mode: Mode = "warn"
    undefined_fields: Mode = "evolve"
    counting: Literal["each", "once"] | Window = "each"
    synonyms: tuple[str, ...] = ()
    review: str = ""
    stage: Stage | None = None
    fields: dict[str, Field] = msgspec.field(default_factory=dict)


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which share of a source's messages on (0.01 is one in a hundred) people are alerted."""

    missing: float = 0.01
    invalid: float = 0.01
    late: float = 0.05
    duplicate: float = 0.05


class DictionarySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the dictionary as a whole: the mode of events that nobody defined."""

    unknown_events: Mode = "evolve"
    alerts: Alerts = Alerts()


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the dictionary, with what its document says around the `spec`."""

    name: str
    title: dict[str, str]
    owner: str
    spec: EventSpec

    @property
    def subjects(self) -> list[str]:
        """Return the keys by which messages find this event; see `subject_of`."""
        return [subject_of(self.spec.type, name) for name in (self.name, *self.spec.synonyms)]


def subject_of(type_: str, name: str) -> str:
    """Return what a message speaks of, as one text: a `track` by its event, a `record` by its object."""
    return f"{type_}:{name}" if type_ in ("track", "record") else f"{type_}:"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All events that are defined, as of a revision of the store."""

    revision: int = 0
    events: tuple[Event, ...] = ()
    unknown_events: Mode = "evolve"
    alerts: Alerts = field(default_factory=Alerts)
    _by_name: dict[str, Event] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, definitions: Sequence[Definition], revision: int = 0) -> Self:
        """Return the dictionary that definitions make; kinds that are not its own are passed over."""
        events = tuple(
            Event(d.name, d.title, d.owner, msgspec.convert(d.spec, EventSpec))
            for d in definitions
            if d.kind == "event"
        )
        whole = [msgspec.convert(d.spec, DictionarySpec) for d in definitions if d.kind == "dictionary"]
        chosen = whole[0] if whole else DictionarySpec()
        by_name = {event.name: event for event in events}
        return cls(revision, events, chosen.unknown_events, chosen.alerts, by_name)

    @classmethod
    def read(cls, definitions: Definitions) -> Self:
        """Return the dictionary in force."""
        # The revision first: a change in between is then read once more, never missed.
        revision = definitions.revision()
        return cls.of([stored(version) for version in definitions.current()], revision)

    @property
    def asks_for_nothing(self) -> bool:
        """Whether no message can breach it or be renamed by it."""
        return not self.events and self.unknown_events == "evolve"

    def find(self, name: str) -> Event | None:
        """Return the event of a name, or nothing."""
        return self._by_name.get(name)

    def declared(self) -> dict[str, dict[str, str]]:
        """Return subject (`subject_of`) → path → class of the personal fields of an event, or `DROPPED`."""
        found: dict[str, dict[str, str]] = {}
        for event in self.events:
            for path, defined in event.spec.fields.items():
                what = defined.pii if defined.keep else DROPPED
                for subject in event.subjects if what is not None else ():
                    found.setdefault(subject, {})[path] = str(what)
        return found
