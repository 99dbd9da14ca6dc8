"""A person as the pages show them: what to call them, and their days of events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tekil.api.model import Profile, json_object, profile
from tekil.console.formats import Formats
from tekil.console.language import Words
from tekil.reads import TimelineEvent
from tekil.store import Card

NAMES = (("name",), ("fullName",), ("full_name",), ("firstName", "lastName"), ("first_name", "last_name"))
"""Traits that say a name, best first."""

UPPER = str.maketrans({"i": "İ", "ı": "I"})
"""What Python's `upper` gets wrong in Turkish names."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person for display. `title` is their name or best identifier, empty where they are anonymous."""

    profile: Profile
    title: str
    initials: str
    contact: str
    last_seen: int

    @property
    def short_id(self) -> str:
        """Return enough of the id to tell anonymous people apart."""
        return self.profile.person_id[:8]


def person(card: Card) -> Person:
    """Return a card ready for display. A card that cannot be read is shown by its id alone."""
    try:
        shown = profile(card)
    except msgspec.MsgspecError:
        shown = Profile(person_id=card.person_id)
    traits = {k: v for k, v in (shown.traits or {}).items() if isinstance(v, str) and v.strip()}
    spoken = (" ".join(traits[key].strip() for key in keys if key in traits) for keys in NAMES)
    name = next((text for text in spoken if text), "")
    identifiers = {i.kind: i.value for i in shown.identifiers}
    contacts = [
        traits.get("email"),
        traits.get("phone"),
        *map(identifiers.get, ("email", "phone", "user_id")),
    ]
    contact = next((text for text in contacts if text), "")
    return Person(shown, name or contact, _initials(name or contact), contact if name else "", card.last_seen)


def _initials(text: str) -> str:
    words = [word for word in text.split("@")[0].replace(".", " ").split() if word[0].isalpha()]
    picked = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0].translate(UPPER).upper() for word in picked)


@dataclass(frozen=True, slots=True)
class Moment:
    """One event for display. `properties` is a JSON text over lines, empty where there are none."""

    event: TimelineEvent
    label: str
    place: str
    properties: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a timeline under its heading."""

    heading: str
    moments: list[Moment]


def days(events: Sequence[TimelineEvent], formats: Formats) -> list[Day]:
    """Return events grouped by the workspace's days, in the order they came."""
    today = datetime.now(UTC).astimezone(formats.zone).date()
    grouped: list[Day] = []
    for event in events:
        local = formats.local(event.occurred_at)
        heading = formats.heading(local.date(), today) if local else ""
        if not grouped or grouped[-1].heading != heading:
            grouped.append(Day(heading, []))
        grouped[-1].moments.append(moment(event))
    return grouped


def moment(event: TimelineEvent) -> Moment:
    """Return an event ready for display."""
    properties = json_object(event.properties) or {}
    text = msgspec.json.format(msgspec.json.encode(properties), indent=2).decode() if properties else ""
    label = event.event or (event.title if event.type in ("page", "screen") else None) or ""
    return Moment(event, label, url_path(event.url), text)


def url_path(url: str | None) -> str:
    """Return where on a site an event happened: the path and query without the address of the site."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def trait_text(value: Any) -> str:
    """Return a trait's value as text: plain ones as they are, others as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


ISO_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def feature_text(value: Any, words: Words, formats: Formats) -> str:
    """Return a feature's value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return words("audiences.yes" if value else "audiences.no")
    if isinstance(value, int | float):
        return formats.number(value) if isinstance(value, int) or value.is_integer() else f"{value:g}"
    if isinstance(value, str) and ISO_INSTANT.fullmatch(value):
        return formats.full(value)
    return str(value)
