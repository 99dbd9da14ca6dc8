"""What people asked for by right, until when it must be answered, and what was answered."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, func, insert, select, update

from tekil.errors import NotFound
from tekil.store.clock import Begin
from tekil.store.consent_tables import subject_requests

OPEN, CLOSED = "open", "closed"


class SubjectRequest(msgspec.Struct, frozen=True):
    """One request. Instants in microseconds since the epoch (UTC); `token` stands for the person.

    `identity` is unchecked, verified or failed; `decision` is empty while it is open.
    """

    id: str
    kind: str
    subject_kind: str
    token: str
    received_at: int
    due_at: int
    channel: str
    identity: str = "unchecked"
    status: str = OPEN
    decision: str = ""
    notes: str = ""
    created_by: str = ""
    closed_at: int | None = None
    closed_by: str = ""


class SubjectRequests:
    """Reads and writes of the request desk."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def add(self, request: SubjectRequest) -> None:
        """Keep a new request."""
        with self._begin() as connection:
            connection.execute(insert(subject_requests).values(**msgspec.structs.asdict(request)))

    def get(self, request_id: str) -> SubjectRequest:
        """Return a request. Raises `NotFound` where there is none of that id."""
        query = select(subject_requests).where(subject_requests.c.id == request_id)
        with self._begin() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"There is no request {request_id!r}.", code="request_unknown")
        return SubjectRequest(*row)

    def of_status(self, status: str, limit: int = 200) -> list[SubjectRequest]:
        """Return open requests, the most urgent first, or closed ones, the last closed first."""
        c = subject_requests.c
        order = c.due_at if status == OPEN else c.closed_at.desc()
        query = select(subject_requests).where(c.status == status).order_by(order, c.id).limit(limit)
        with self._begin() as connection:
            return [SubjectRequest(*row) for row in connection.execute(query)]

    def of_token(self, token: str) -> list[SubjectRequest]:
        """Return all requests of a person's identifier, oldest first."""
        c = subject_requests.c
        query = select(subject_requests).where(c.token == token).order_by(c.received_at, c.id)
        with self._begin() as connection:
            return [SubjectRequest(*row) for row in connection.execute(query)]

    def count_due(self, before: int) -> int:
        """Return how many open requests are due before an instant."""
        c = subject_requests.c
        query = select(func.count()).where(c.status == OPEN, c.due_at < before)
        with self._begin() as connection:
            return int(connection.execute(query).scalar_one())

    def count_closed(self, before: int) -> int:
        """Return how many requests were closed before an instant (microseconds)."""
        with self._begin() as connection:
            return int(connection.execute(select(func.count()).where(_closed(before))).scalar_one())

    def forget_closed(self, before: int) -> int:
        """Delete the requests that were closed before an instant; return how many."""
        with self._begin() as connection:
            return int(connection.execute(delete(subject_requests).where(_closed(before))).rowcount)

    def change(self, request_id: str, **values: Any) -> None:
        """Set columns of an open request. Raises `NotFound` where no open one has that id."""
        c = subject_requests.c
        statement = update(subject_requests).where(c.id == request_id, c.status == OPEN).values(**values)
        with self._begin() as connection:
            if connection.execute(statement).rowcount == 0:
                raise NotFound(f"There is no open request {request_id!r}.", code="request_unknown")


def _closed(before: int) -> ColumnElement[bool]:
    c = subject_requests.c
    return (c.status == CLOSED) & (c.closed_at < before)
