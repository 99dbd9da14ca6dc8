"""Consents as the pages show them: a grid of purposes and channels, curves, histories with their proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

import msgspec

from tekil.console.drawings import sparkline
from tekil.console.formats import Formats
from tekil.errors import Misconfigured
from tekil.privacy.consents import ADDRESSES, Named, histories, may_send
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Link
from tekil.privacy.masks import DOTS, mask_of
from tekil.privacy.purposes import ADDRESS_KINDS, Purpose
from tekil.store import Change, Entry, Total

CURVE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Cell:
    """How many consents are valid for a channel, and the curve of the last days as SVG paths."""

    channel: str
    given: int
    line: str
    area: str


@dataclass(frozen=True, slots=True)
class PurposeRow:
    """A purpose with a cell for each of its channels."""

    title: str
    cells: list[Cell]


def grid(
    purposes: Sequence[Purpose], changes: Sequence[Change], totals: Sequence[Total], today: int, language: str
) -> list[PurposeRow]:
    """Return the purposes with their numbers. `today` is a day since the epoch."""
    valid = {(t.purpose, t.channel): t.given for t in totals}
    return [
        PurposeRow(
            purpose.title.in_language(language),
            [
                Cell(
                    channel,
                    valid.get((purpose.name, channel), 0),
                    *sparkline(values) if any(values) else ("", ""),
                )
                for channel in purpose.channels
                for values in [curve(changes, purpose.name, channel, today)]
            ],
        )
        for purpose in purposes
    ]


def curve(changes: Iterable[Change], purpose: str, channel: str, today: int) -> list[int]:
    """Return how many consents were valid at the end of each of the last `CURVE_DAYS` days, oldest first."""
    steps = [0] * CURVE_DAYS
    first = today - CURVE_DAYS + 1
    for change in changes:
        if (change.purpose, change.channel) == (purpose, channel) and change.day <= today:
            steps[max(change.day - first, 0)] += change.change
    return list(accumulate(steps))


@dataclass(frozen=True, slots=True)
class Chosen:
    """One choice for display. `address` is masked; `proof` is JSON over lines, empty where there is none."""

    entry: Entry
    purpose: str
    address: str
    proof: str


def chosen(ledger: ConsentLedger, entries: Iterable[Entry], language: str) -> list[Chosen]:
    """Return entries ready for display, in the order given."""
    titles = {purpose.name: purpose.title.in_language(language) for purpose in ledger.purposes}
    addresses: dict[str, str] = {}
    rows = []
    for entry in entries:
        if entry.token not in addresses:
            addresses[entry.token] = shown_address(ledger, entry.kind, entry.token)
        title = titles.get(entry.purpose, entry.purpose)
        rows.append(Chosen(entry, title, addresses[entry.token], ledger.tokens.shown(_proof(entry))))
    return rows


def shown_address(ledger: ConsentLedger, kind: str, token: str) -> str:
    """Return a token's value, masked; nothing where only the token is known."""
    try:
        value = ledger.tokens.reveal(token)
    except Misconfigured:
        return ""
    if value is None:
        return ""
    match kind:
        case "email" | "phone":
            return mask_of(kind, value)
        case _:
            return value[:1] + DOTS


def _proof(entry: Entry) -> str:
    told: dict[str, Any] = msgspec.json.decode(entry.proof)
    return msgspec.json.format(entry.proof, indent=2) if told else ""


@dataclass(frozen=True, slots=True)
class Stand:
    """What holds for a purpose and a channel, and the choices that led there, newest first."""

    valid: Chosen
    channel: str
    earlier: list[Chosen]


def stands(ledger: ConsentLedger, entries: Sequence[Entry], language: str) -> list[Stand]:
    """Return the state of each purpose and channel that entries are about."""
    found = []
    for (_, channel), history in histories(entries).items():
        shown = chosen(ledger, history, language)
        found.append(Stand(shown[0], channel, shown[1:]))
    return found


@dataclass(frozen=True, slots=True)
class Offer:
    """A choice on a person's own page: whether it is given now, and since when (microseconds)."""

    channel: str
    name: str
    given: bool
    since: int | None


@dataclass(frozen=True, slots=True)
class PurposeOffer:
    """A purpose on a person's own page."""

    title: str
    text: str
    offers: list[Offer]


def offers(
    purposes: Sequence[Purpose], link: Link, entries: Sequence[Entry], now: int, language: str
) -> list[PurposeOffer]:
    """Return what the holder of a link may choose: the channels of their address, and those without one."""
    found = []
    for purpose in purposes:
        choices = [
            _offer(purpose, channel, link, entries, now)
            for channel in purpose.channels
            if ADDRESS_KINDS.get(channel) in (None, link.kind) or link.kind not in ADDRESSES
        ]
        if choices:
            title, text = purpose.title.in_language(language), purpose.text.in_language(language)
            found.append(PurposeOffer(title, text, choices))
    return found


def _offer(purpose: Purpose, channel: str, link: Link, entries: Sequence[Entry], now: int) -> Offer:
    # The holder of a customer number's link chooses for the person, so their number stands as the address.
    kind = ADDRESS_KINDS.get(channel, link.kind)
    permission = may_send([Named(kind, "", link.token)], entries, purpose.name, channel, now)
    since = permission.because[0].at if permission.because else None
    return Offer(channel, f"{purpose.name}:{channel}", permission.allowed, since)


def today(formats: Formats, now: datetime) -> int:
    """Return the day since the epoch in the workspace's zone."""
    local = formats.local(now)
    assert local is not None
    return local.date().toordinal() - datetime(1970, 1, 1).toordinal()
