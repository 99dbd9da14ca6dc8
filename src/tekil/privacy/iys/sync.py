"""Keeps İYS and the ledger in step: what was chosen here is told there, what was changed there lands here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from tekil.config import IysSettings
from tekil.errors import BadRequest, TekilError
from tekil.privacy.iys.client import Consent, Held, IysClient, IysRefused
from tekil.privacy.iys.rules import GIVEN, KINDS, SOURCES, TYPES, WITHDRAWN, check, instant, recipient
from tekil.privacy.ledger import ConsentLedger
from tekil.store.consent_entries import Entry
from tekil.store.iys import ACCEPTED, OVERDUE, OWN_SOURCE, REJECTED, SENT, IysRecord

BATCH = 500
"""Consents in one request, and records looked at in one step."""

OVERLAP_US = 600 * 1_000_000
"""How far back the ledger is looked through again: an entry may be committed after a younger one."""

COLLECTED, PULLED = "collected", "pulled"

USUAL_SOURCES = {
    "preferences": "HS_WEB",
    "one-click": "HS_EPOSTA",
    "console": "HS_CAGRI_MERKEZI",
    "import": "HS_EORTAM",
}
"""A ledger entry's source → İYS's name for it; others are HS_WEB unless [iys.sources] says more."""

CHANNELS = {type: channel for channel, type in TYPES.items()}


class Step(msgspec.Struct, frozen=True):
    """What one step did, in records."""

    collected: int = 0
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    pulled: int = 0


class IysSync:
    """The loop between the ledger and İYS. What it has done is in the store, so it can die at any moment."""

    def __init__(
        self,
        ledger: ConsentLedger,
        client: IysClient,
        settings: IysSettings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the ledger, İYS, and what the company calls its sources."""
        self._ledger, self._client, self._settings, self._clock = ledger, client, settings, clock
        self._records = ledger.store.iys

    def run(self, stop: threading.Event, on_error: Callable[[TekilError], object]) -> None:
        """Do one step after the other until told to stop. What fails is told, and tried again later."""
        while not stop.is_set():
            try:
                done = self.step()
                pause = 0.0 if done.collected == BATCH or done.sent == BATCH else self._settings.every_seconds
            except TekilError as error:
                on_error(error)
                pause = self._settings.every_seconds
            stop.wait(pause)

    def step(self) -> Step:
        """Take in new entries, ask for outcomes, send what may be sent, read what changed at İYS."""
        collected = self._collect()
        accepted, refused = self._poll()
        sent, accepted_now, refused_now = self._send()
        return Step(collected, sent, accepted + accepted_now, refused + refused_now, self._pull())

    def _collect(self) -> int:
        since, now = int(self._records.mark(COLLECTED) or 0), self._ledger.now()
        entries = self._records.missing(self._settings.purpose, tuple(TYPES), since - OVERLAP_US, BATCH)
        self._records.add([self._record(entry) for entry in entries])
        # The ledger is mostly what banners say, so it is not looked through again where nothing was found.
        seen = max(entry.recorded_at for entry in entries) if len(entries) == BATCH else now
        self._records.set_mark(COLLECTED, str(max(since, seen)))
        return len(entries)

    def _record(self, entry: Entry) -> IysRecord:
        known = {**USUAL_SOURCES, **self._settings.sources}
        source = entry.source if entry.source in SOURCES else known.get(entry.source, "HS_WEB")
        return IysRecord(
            entry.id,
            entry.token,
            entry.kind,
            TYPES[entry.channel],
            self._settings.recipient_type,
            GIVEN if entry.given else WITHDRAWN,
            source,
            entry.at,
        )

    def _send(self) -> tuple[int, int, int]:
        """Send what the rules let through; return how many were sent, accepted at once, and refused."""
        ready: list[tuple[IysRecord, Consent]] = []
        refused = 0
        for record in self._records.next_to_send(BATCH):
            value = self._ledger.tokens.reveal(record.token)
            verdict = check(record, value, self._last(record, value), self._clock())
            if verdict.code:
                state = OVERDUE if verdict.code == "overdue" else REJECTED
                self._records.change([record.id], state=state, code=verdict.code)
                refused += 1
                continue
            if verdict.late:
                self._records.change([record.id], late=True)
            address = recipient(record.kind, value or "") or ""
            ready.append((record, _consent(record, address)))
        if len(ready) == 1:
            accepted = self._push(*ready[0])
            return 1, int(accepted), refused + int(not accepted)
        if ready:
            request_id = self._client.push_many([consent for _, consent in ready])
            for place, (record, _) in enumerate(ready):
                self._records.change([record.id], state=SENT, request_id=request_id, place=place)
        return len(ready), 0, refused

    def _last(self, record: IysRecord, value: str | None) -> IysRecord | None:
        """Return what İYS holds; for a refusal it is asked, since it may know more than we ever told it."""
        last = self._records.last_accepted(record)
        address = recipient(record.kind, value) if value else None
        if last is not None or address is None or record.status != WITHDRAWN:
            return last
        held = self._client.status(address, record.recipient_type, record.type)
        if held is None:
            return None
        at = int(held.consent_at.timestamp()) * 1_000_000
        return msgspec.structs.replace(record, id="", status=held.status, consent_at=at, state=ACCEPTED)

    def _push(self, record: IysRecord, consent: Consent) -> bool:
        try:
            self._client.push(consent)
        except IysRefused as error:
            return self._settle_refusal(record, consent, error.code)
        self._records.change([record.id], state=ACCEPTED, code="")
        return True

    def _poll(self) -> tuple[int, int]:
        accepted = refused = 0
        for request_id, records in self._records.on_their_way().items():
            by_place = {record.place: record for record in records}
            for outcome in self._client.outcomes(request_id):
                record = by_place.get(outcome.place)
                if record is None or outcome.status not in ("success", "failure"):
                    continue
                if outcome.status == "success":
                    self._records.change([record.id], state=ACCEPTED, code="")
                    accepted += 1
                    continue
                value = recipient(record.kind, self._ledger.tokens.reveal(record.token) or "") or ""
                if self._settle_refusal(record, _consent(record, value), outcome.code):
                    accepted += 1
                else:
                    refused += 1
        return accepted, refused

    def _settle_refusal(self, record: IysRecord, consent: Consent, code: str) -> bool:
        """Note a refusal, unless İYS holds this very consent: we told it before, and died before noting."""
        held = self._client.status(consent.recipient, consent.recipient_type, consent.type)
        is_held = held is not None and (held.status, int(held.consent_at.timestamp())) == (
            consent.status,
            int(consent.consent_at.timestamp()),
        )
        self._records.change(
            [record.id], state=ACCEPTED if is_held else REJECTED, code="" if is_held else code[:64]
        )
        return is_held

    def _pull(self) -> int:
        """Write what recipients changed at İYS to the ledger; the cursor moves after that."""
        after = self._records.mark(PULLED)
        pulled = 0
        while True:
            told = self._client.changes(after)
            self._take_in(told.changes)
            pulled += len(told.changes)
            if told.after == after or not told.changes:
                return pulled
            after = told.after
            self._records.set_mark(PULLED, after)

    def _take_in(self, changes: Sequence[Held]) -> None:
        for change in changes:
            channel = CHANNELS.get(change.type)
            if channel is None:
                continue
            try:
                entry = self._ledger.record(
                    KINDS[change.type],
                    change.recipient,
                    self._settings.purpose,
                    channel,
                    change.status == GIVEN,
                    at=int(change.consent_at.timestamp()) * 1_000_000,
                    source=OWN_SOURCE,
                    recorded_by=OWN_SOURCE,
                    proof={"transactionId": change.transaction, "source": change.source},
                )
            except BadRequest:
                # An address that we would not take from anybody; we hold none like it, so it changes nothing.
                continue
            self._records.add([_held_record(entry, change)])


def _consent(record: IysRecord, address: str) -> Consent:
    return Consent(
        address, record.recipient_type, record.type, record.status, record.source, instant(record.consent_at)
    )


def _held_record(entry: Entry, change: Held) -> IysRecord:
    return IysRecord(
        entry.id,
        entry.token,
        entry.kind,
        change.type,
        change.recipient_type,
        change.status,
        change.source[:32],
        entry.at,
        ACCEPTED,
    )
