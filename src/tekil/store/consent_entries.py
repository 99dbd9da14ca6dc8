"""What an entry of the consent ledger is, and what follows from several, whichever came first. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

OBSERVED = "messages"
"""Who recorded an entry that was read out of a message, as against one that a person or a program made."""

DAY_US = 86_400 * 1_000_000

Stream = tuple[str, str, str]
"""(token, purpose, channel): the entries that answer one question, one after the other."""


class Entry(msgspec.Struct, frozen=True):
    """One choice. Instants in microseconds since the epoch (UTC); `proof` is a JSON object's text.

    `at` is when the person chose, `recorded_at` when we heard of it. `token` stands for the identifier, of
    which nothing else is kept here than its `kind`.
    """

    id: str
    kind: str
    token: str
    purpose: str
    channel: str
    given: bool
    at: int
    recorded_at: int
    source: str
    text_version: str = ""
    proof: str = "{}"
    recorded_by: str = ""

    @property
    def stream(self) -> Stream:
        """Return what the entry is an answer to."""
        return (self.token, self.purpose, self.channel)


def entry_id(token: str, purpose: str, channel: str, given: bool, at: int, source: str) -> str:
    """Return the id of an entry: the same choice, heard twice, is one entry."""
    text = "\0".join((token, purpose, channel, "given" if given else "withdrawn", str(at), source))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries by time; of two at the same instant a withdrawal comes last, and so wins."""
    return sorted(entries, key=_place)


def latest(entries: Iterable[Entry], at: int | None = None) -> Entry | None:
    """Return the entry that is valid at an instant (now and for ever where none is given)."""
    return max((e for e in entries if at is None or e.at <= at), key=_place, default=None)


def by_stream(entries: Iterable[Entry]) -> dict[Stream, list[Entry]]:
    """Return entries apart by what they answer."""
    found: dict[Stream, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.stream, []).append(entry)
    return found


def daily_changes(entries: Sequence[Entry]) -> Counter[int]:
    """Return, for one stream, +1 on the days when a consent became valid and -1 when it ended."""
    changes: Counter[int] = Counter()
    given = False
    for entry in in_order(entries):
        if entry.given != given:
            changes[entry.at // DAY_US] += 1 if entry.given else -1
            given = entry.given
    return changes


def settle(
    entries: Sequence[Entry], seen: Mapping[bool, Entry], observed: Iterable[Entry]
) -> tuple[list[Entry], dict[bool, Entry]]:
    """Return what one stream's observations add, and the last sighting of each choice afterwards.

    A banner says its state with every message, and only a change is news; so an observation is compared
    with earlier observations, never with what the person chose elsewhere: a banner that has not heard of a
    withdrawal must not undo it. A sighting that said nothing new is remembered, because an older message
    that comes late can make it news. The last choice is therefore the same in every order of arrival.
    """
    known = [entry for entry in entries if entry.recorded_by == OBSERVED]
    sightings = dict(seen)
    new: list[Entry] = []

    def add_if_news(entry: Entry) -> None:
        before = latest(known, entry.at)
        is_new = all(entry.id != there.id for there in known)
        if is_new and (before is None or before.given != entry.given):
            known.append(entry)
            new.append(entry)

    for entry in in_order(observed):
        add_if_news(entry)
        last = sightings.get(entry.given)
        if last is None or _place(last) < _place(entry):
            sightings[entry.given] = entry
        other = sightings.get(not entry.given)
        if other is not None and _place(other) > _place(entry):
            add_if_news(other)
    return new, sightings


def _place(entry: Entry) -> tuple[int, bool, str]:
    return (entry.at, not entry.given, entry.id)
