"""İYS's records as a page shows them: whose, what, and how much time is left to tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tekil.console.consents_view import shown_address
from tekil.console.language import Words
from tekil.console.visit import Visit
from tekil.privacy.iys.calendar import deadline
from tekil.privacy.iys.rules import GIVEN, TEXTS, instant
from tekil.privacy.ledger import ConsentLedger
from tekil.store.iys import IysRecord


@dataclass(frozen=True, slots=True)
class IysRow:
    """A record for display. `left` counts down to `until`; `why` says what was wrong, empty where nothing."""

    record: IysRecord
    address: str
    given: bool
    until: datetime
    left: str
    is_over: bool
    why: str


def iys_rows(
    consents: ConsentLedger, records: Iterable[IysRecord], visit: Visit, now: datetime | None = None
) -> list[IysRow]:
    """Return records ready for display, in the order given."""
    seen = now or datetime.now(UTC)
    rows = []
    for record in records:
        until = deadline(instant(record.consent_at))
        rows.append(
            IysRow(
                record,
                shown_address(consents, record.kind, record.token),
                record.status == GIVEN,
                until,
                left(until - seen, visit.words),
                until <= seen,
                why(record.code, visit.words.language),
            )
        )
    return rows


def left(span: timedelta, words: Words) -> str:
    """Return how much time is left, in words: days and hours, on the last day hours and minutes."""
    if span <= timedelta():
        return words("iys.left_none")
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    if span >= timedelta(days=1):
        return words("iys.left_days", days=hours // 24, hours=hours % 24)
    return words("iys.left_hours", hours=hours, minutes=minutes)


def why(code: str, language: str) -> str:
    """Return what a code means; İYS's own codes stay as they are."""
    turkish, english = TEXTS.get(code, (code, code))
    return turkish if language == "tr" else english
