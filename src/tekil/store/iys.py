"""What İYS must know of the ledger, and how far each record has come on its way there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tekil.store.clock import Begin, now_us
from tekil.store.consent_entries import Entry
from tekil.store.consent_tables import consents, iys_marks, iys_records

WAITING, SENT, ACCEPTED, REJECTED, OVERDUE = "waiting", "sent", "accepted", "rejected", "overdue"
STATES = (WAITING, SENT, ACCEPTED, REJECTED, OVERDUE)
"""In the order in which a record meets them; the last three are ends."""

OWN_SOURCE = "iys"
"""The source of entries that came from İYS: it is not told what it told us."""


class IysRecord(msgspec.Struct, frozen=True):
    """One consent in İYS's words; `id` is the ledger entry's. Instants in microseconds since the epoch (UTC).

    `code` says why it was rejected; `late` marks a refusal that is told although its three days are over.
    """

    id: str
    token: str
    kind: str
    type: str
    recipient_type: str
    status: str
    source: str
    consent_at: int
    state: str = WAITING
    code: str = ""
    late: bool = False
    request_id: str = ""
    place: int = 0
    updated_at: int = 0

    @property
    def subject(self) -> tuple[str, str, str]:
        """Return what İYS holds one state for: address, type and kind of recipient."""
        return (self.token, self.type, self.recipient_type)


class IysRecords:
    """Reads and writes of İYS's records."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def missing(self, purpose: str, channels: Sequence[str], since: int, limit: int) -> list[Entry]:
        """Return ledger entries, recorded from an instant on, that İYS must know and has no record of yet."""
        query = (
            select(consents)
            .outerjoin(iys_records, iys_records.c.id == consents.c.id)
            .where(
                iys_records.c.id.is_(None),
                consents.c.recorded_at >= since,
                consents.c.purpose == purpose,
                consents.c.channel.in_(channels),
                consents.c.kind.in_(("email", "phone")),
                consents.c.source != OWN_SOURCE,
            )
            .order_by(consents.c.recorded_at, consents.c.id)
            .limit(limit)
        )
        with self._begin() as connection:
            return [Entry(*row) for row in connection.execute(query)]

    def add(self, records: Sequence[IysRecord]) -> None:
        """Add records; those that are there already stay as they are."""
        if not records:
            return
        rows = [{**msgspec.structs.asdict(record), "updated_at": now_us()} for record in records]
        with self._begin() as connection:
            connection.execute(_insert(connection, iys_records).on_conflict_do_nothing(), rows)

    def next_to_send(self, limit: int) -> list[IysRecord]:
        """Return waiting records, the oldest of each address and type, none of which is still on its way."""
        query = select(iys_records).where(iys_records.c.state == WAITING)
        busy = select(iys_records).where(iys_records.c.state == SENT)
        with self._begin() as connection:
            on_their_way = {IysRecord(*row).subject for row in connection.execute(busy)}
            first: dict[tuple[str, str, str], IysRecord] = {}
            order = (iys_records.c.consent_at, iys_records.c.status, iys_records.c.id)
            for row in connection.execute(query.order_by(*order).limit(limit)):
                record = IysRecord(*row)
                if record.subject not in on_their_way:
                    first.setdefault(record.subject, record)
        return list(first.values())

    def last_accepted(self, record: IysRecord) -> IysRecord | None:
        """Return what İYS holds for the address and type of a record, as far as we know."""
        query = (
            select(iys_records)
            .where(
                iys_records.c.token == record.token,
                iys_records.c.type == record.type,
                iys_records.c.recipient_type == record.recipient_type,
                iys_records.c.state == ACCEPTED,
            )
            .order_by(iys_records.c.consent_at.desc())
            .limit(1)
        )
        with self._begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else IysRecord(*row)

    def change(self, record_ids: Sequence[str], **values: Any) -> None:
        """Set columns of some records: `state`, `code`, `late`, `request_id`, `place`."""
        change = update(iys_records).where(iys_records.c.id.in_(record_ids))
        with self._begin() as connection:
            connection.execute(change.values(**values, updated_at=now_us()))

    def on_their_way(self) -> dict[str, list[IysRecord]]:
        """Return the records that were sent and not answered yet, by request."""
        query = select(iys_records).where(iys_records.c.state == SENT).order_by(iys_records.c.place)
        found: dict[str, list[IysRecord]] = {}
        with self._begin() as connection:
            for row in connection.execute(query):
                found.setdefault(row.request_id, []).append(IysRecord(*row))
        return found

    def of_state(self, state: str, limit: int = 100) -> list[IysRecord]:
        """Return records of a state: those that wait by their date, others the last changed first."""
        order = iys_records.c.consent_at if state == WAITING else iys_records.c.updated_at.desc()
        query = select(iys_records).where(iys_records.c.state == state).order_by(order).limit(limit)
        with self._begin() as connection:
            return [IysRecord(*row) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """Return how many records there are of each state."""
        query = select(iys_records.c.state, func.count()).group_by(iys_records.c.state)
        with self._begin() as connection:
            found = {state: int(count) for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in STATES}

    def mark(self, name: str) -> str:
        """Return how far something was read, empty before the first time."""
        query = select(iys_marks.c.value).where(iys_marks.c.name == name)
        with self._begin() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    def set_mark(self, name: str, value: str) -> None:
        """Note how far something was read."""
        with self._begin() as connection:
            statement = _insert(connection, iys_marks)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=iys_marks.primary_key.columns, set_={"value": statement.excluded.value}
                ),
                {"name": name, "value": value},
            )


def _insert(connection: Connection, table: Any) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
