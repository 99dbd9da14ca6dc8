"""What a person allows: the state that the ledger's entries give, and whether something may be sent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tekil.privacy.purposes import ADDRESS_KINDS
from tekil.store.consent_entries import Entry, by_stream, latest

ADDRESSES = frozenset(ADDRESS_KINDS.values())
"""Kinds of identifier that are written to or called, and so have consents of their own."""

Choice = tuple[str, str]
"""(purpose, channel)."""


def state(entries: Iterable[Entry], at: int | None = None) -> dict[Choice, Entry]:
    """Return, for each purpose and channel, the entry valid at an instant (microseconds; the last of all).

    The entries are one identifier's, or several of a person who is meant as a whole. The latest choice wins;
    of two at the same instant, the withdrawal. What arrived when makes no difference.
    """
    groups: dict[Choice, list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.purpose, entry.channel), []).append(entry)
    found = {choice: latest(group, at) for choice, group in groups.items()}
    return {choice: entry for choice, entry in sorted(found.items()) if entry is not None}


class Named(msgspec.Struct, frozen=True):
    """An identifier with its token."""

    kind: str
    value: str
    token: str


class Permission(msgspec.Struct, frozen=True):
    """Whether something may be sent, to which of the person's addresses, and by which entries."""

    allowed: bool
    addresses: tuple[str, ...] = ()
    because: tuple[Entry, ...] = ()


def may_send(
    identifiers: Sequence[Named], entries: Iterable[Entry], purpose: str, channel: str, at: int
) -> Permission:
    """Return whether a person may be reached for a purpose through a channel at an instant (microseconds).

    E-mail, messages and calls need the consent of the very address: what was said of one number says nothing
    of another. A choice made for the person as a whole (their customer number, their device) counts for all
    their addresses when it is the later one. Without any choice nothing may be sent.
    """
    asked = [e for e in entries if (e.purpose, e.channel) == (purpose, channel)]
    own = [e for e in asked if e.kind not in ADDRESSES]
    wanted = ADDRESS_KINDS.get(channel)
    if wanted is None:
        last = latest(asked, at)
        return Permission(last is not None and last.given, (), () if last is None else (last,))
    answers: Mapping[str, Entry | None] = {
        named.value: latest([*own, *(e for e in asked if e.token == named.token)], at)
        for named in identifiers
        if named.kind == wanted
    }
    because = {entry.id: entry for entry in answers.values() if entry is not None}
    allowed = tuple(value for value, entry in answers.items() if entry is not None and entry.given)
    return Permission(bool(allowed), allowed, tuple(because.values()))


def histories(entries: Iterable[Entry]) -> dict[Choice, list[Entry]]:
    """Return entries by purpose and channel, newest first, whichever identifier they were for."""
    found: dict[Choice, list[Entry]] = {}
    for (_, purpose, channel), group in by_stream(entries).items():
        found.setdefault((purpose, channel), []).extend(group)
    return {c: sorted(g, key=lambda e: (e.at, not e.given), reverse=True) for c, g in sorted(found.items())}
