"""The request desk: what people ask for by right (KVKK articles 11 and 13, GDPR articles 15 to 21)."""

from __future__ import annotations

import calendar
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tekil.errors import BadRequest
from tekil.privacy.consents import state
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.rectification import OBJECTION, Rectification
from tekil.store import Card
from tekil.store.clock import now_us
from tekil.store.requests import CLOSED, OPEN, SubjectRequest

KINDS = ("access", "rectification", "erasure", "objection", "withdrawal")
"""See what is held; have it put right; have it erased; object to profiling; withdraw consents."""

CHANNELS = ("email", "web", "letter", "kep", "notary", "in_person")
"""How requests come in; `kep` is Turkey's registered e-mail."""

IDENTITY = ("unchecked", "verified", "failed")
DECISIONS = ("granted", "partly", "refused")

DAYS = 30
"""KVKK's article 13: at the latest within thirty days. GDPR's one month can be shorter; the sooner counts."""

URGENT_DAYS = 7
SOURCE = "request desk"
DAY_US = 86_400 * 1_000_000

Urgency = Literal["calm", "urgent", "overdue"]


def due(received: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) by which a request must be answered: the end of the last day for it.

    >>> due(datetime(2026, 1, 31, 9, tzinfo=UTC), ZoneInfo("Europe/Istanbul")).isoformat()
    '2026-02-28T21:00:00+00:00'
    """
    day = received.astimezone(zone).date()
    last = min(day + timedelta(days=DAYS), _a_month_after(day))
    return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)


def _a_month_after(day: date) -> date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def urgency(request: SubjectRequest, now: int) -> Urgency:
    """Return how pressing an open request is at an instant (microseconds); a closed one is calm."""
    if request.status == CLOSED or request.due_at - now > URGENT_DAYS * DAY_US:
        return "calm"
    return "overdue" if request.due_at <= now else "urgent"


class Desk:
    """Takes requests in, and answers them; an answer that changes consents writes them to the ledger."""

    def __init__(
        self,
        ledger: ConsentLedger,
        zone: str,
        clock: Callable[[], int] = now_us,
        rectification: Rectification | None = None,
    ) -> None:
        """Take the ledger, the zone that the company's days are counted in, and what corrects profiles."""
        self.ledger, self.requests = ledger, ledger.store.requests
        self._zone, self._clock = ZoneInfo(zone), clock
        self.rectification = rectification

    def create(
        self,
        kind: str,
        identifier: tuple[str, str],
        *,
        channel: str,
        created_by: str,
        received_at: int | None = None,
        notes: str = "",
    ) -> SubjectRequest:
        """Take in a request about whoever an identifier (kind, value) belongs to; its clock starts.

        Raises `BadRequest` for a kind, a channel or an identifier that there is not, or a future instant.
        """
        _one_of(kind, KINDS, "kind of request", "request_kind_unknown")
        _one_of(channel, CHANNELS, "channel", "request_channel_unknown")
        now = self._clock()
        received = now if received_at is None else received_at
        if received > now:
            raise BadRequest("A request cannot have come in the future.", code="request_in_future")
        named = self.ledger.named(*identifier)
        self.ledger.tokens.keep(named.kind, named.value)
        came = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=received)
        request = SubjectRequest(
            secrets.token_hex(6),
            kind,
            named.kind,
            named.token,
            received,
            int(due(came, self._zone).timestamp()) * 1_000_000,
            channel,
            notes=self.ledger.tokens.sealed(notes.replace("\0", "")),
            created_by=created_by,
        )
        self.requests.add(request)
        return request

    def set_identity(self, request_id: str, identity: str) -> None:
        """Note whether the person is who they say. Raises `BadRequest` for a state that there is not."""
        _one_of(identity, IDENTITY, "state of an identity check", "identity_unknown")
        self.requests.change(request_id, identity=identity)

    def close(self, request_id: str, decision: str, notes: str, closed_by: str) -> SubjectRequest:
        """Answer a request and do what the answer says.

        Granting an objection ends profiling, granting a withdrawal ends every consent of that identifier.
        Raises `BadRequest` where something would be granted to a person whose identity nobody has checked,
        or where a refusal says no reason (KVKK's article 13 wants one).
        """
        _one_of(decision, DECISIONS, "decision", "decision_unknown")
        request = self.requests.get(request_id)
        if decision != "refused" and request.identity != "verified":
            raise BadRequest(
                "Check first that the person is who they say, and note it: nothing is granted before that.",
                code="identity_unchecked",
            )
        reason = self.ledger.tokens.sealed(notes.replace("\0", "").strip())
        if not reason and (decision != "granted" or request.kind == "erasure"):
            raise BadRequest(
                "Write the reason, or what was done: the person is owed it.", code="reason_missing"
            )
        both = "\n\n".join(text for text in (request.notes, reason) if text)
        now = self._clock()
        if request.status == OPEN and decision != "refused":
            self._carry_out(request, closed_by)
        self.requests.change(
            request_id, status=CLOSED, decision=decision, notes=both, closed_at=now, closed_by=closed_by
        )
        return self.requests.get(request_id)

    def person(self, request: SubjectRequest) -> Card | None:
        """Return the card of whoever a request is about, nothing where nobody is known by its identifier."""
        value = self.ledger.tokens.reveal(request.token)
        return None if value is None else self.ledger.owner(request.subject_kind, value)

    def correct(self, request_id: str, name: str, text: str) -> Card:
        """Correct a trait of whoever asked for it. Raises `BadRequest` before they are known to be them."""
        request = self.requests.get(request_id)
        if request.identity != "verified" or request.status != OPEN or request.kind != "rectification":
            raise BadRequest(
                "Traits are corrected on an open request for that, once the identity is verified.",
                code="identity_unchecked",
            )
        card = self.person(request)
        if card is None or self.rectification is None:
            raise BadRequest("Nobody is known by this request's identifier.", code="person_unknown")
        self.rectification.correct(card, name, text)
        both = f"{request.notes}\n\n{name} ✓".strip()
        self.requests.change(request_id, notes=both)
        return card

    def _carry_out(self, request: SubjectRequest, closed_by: str) -> None:
        if request.kind == "objection":
            self._object(request)
            ended = [(p.name, c) for p in self.ledger.purposes if p.name == "profiling" for c in p.channels]
        elif request.kind == "withdrawal":
            valid = state(self.ledger.store.consents.of([request.token]))
            ended = [choice for choice, entry in valid.items() if entry.given]
        else:
            ended = []
        for purpose, channel in ended:
            self.ledger.record_token(
                request.subject_kind,
                request.token,
                purpose,
                channel,
                False,
                source=SOURCE,
                recorded_by=closed_by,
                proof={"request": request.id},
            )

    def _object(self, request: SubjectRequest) -> None:
        """Say it of the person, too: what is derived from what they did leaves them out from then on."""
        card = self.person(request)
        if card is not None and self.rectification is not None:
            self.rectification.say(card, {OBJECTION: True})


def _one_of(value: str, known: tuple[str, ...], what: str, code: str) -> None:
    if value not in known:
        raise BadRequest(f"There is no {what} {value!r}. There are: {', '.join(known)}.", code=code)
