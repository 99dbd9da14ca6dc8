"""Pairs of people who are alike, and what was decided of them; and the searches that found them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, func, insert, select, update

from tekil.errors import NotFound
from tekil.store.clock import Begin
from tekil.store.link_tables import link_reviews, link_runs

WAITING = "waiting"
RUNS_KEPT = 100


class LinkReview(msgspec.Struct, frozen=True):
    """One pair. Names are `kind:value` as the tables hold them; the two tokens stand for the same.

    `weight` is hundredths of bits. `reason` is why it waits: `grey`, or `accounts` where it weighs enough,
    but one person would have two accounts. `levels` is JSON. `decision` is waiting, undecided (somebody
    looked and could not tell), accepted or rejected. Instants in microseconds.
    """

    id: str
    left_name: str
    right_name: str
    left_token: str
    right_token: str
    weight: int
    reason: str
    levels: str
    decision: str = WAITING
    decided_by: str = ""
    decided_at: int | None = None
    found_at: int = 0


class LinkReviews:
    """Reads and writes of the review queue."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def replace(self, found: Sequence[LinkReview]) -> None:
        """Let these pairs wait, and no others; what somebody decided stays, with its new weight."""
        with self._begin() as connection:
            c = link_reviews.c
            connection.execute(delete(link_reviews).where(c.decision == WAITING))
            decided = set(connection.execute(select(c.id)).scalars())
            new = [msgspec.structs.asdict(one) for one in found if one.id not in decided]
            if new:
                connection.execute(insert(link_reviews), new)
            for one in found:
                if one.id in decided:
                    renewed = {"weight": one.weight, "reason": one.reason, "levels": one.levels}
                    connection.execute(update(link_reviews).where(c.id == one.id).values(**renewed))

    def of_decision(self, decision: str, limit: int, offset: int = 0) -> list[LinkReview]:
        """Return pairs of a decision, the weightiest first."""
        c = link_reviews.c
        query = select(link_reviews).where(c.decision == decision).order_by(c.weight.desc(), c.id)
        with self._begin() as connection:
            return [LinkReview(*row) for row in connection.execute(query.limit(limit).offset(offset))]

    def counts(self) -> dict[str, int]:
        """Return how many pairs there are of each decision that there is any of."""
        c = link_reviews.c
        query = select(c.decision, func.count()).group_by(c.decision)
        with self._begin() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}

    def get(self, review_id: str) -> LinkReview:
        """Return a pair. Raises `NotFound` where there is none of that id."""
        with self._begin() as connection:
            row = connection.execute(select(link_reviews).where(link_reviews.c.id == review_id)).first()
        if row is None:
            raise NotFound(f"There is no pair {review_id!r} to look at.", code="review_unknown")
        return LinkReview(*row)

    def decide(self, review_id: str, decision: str, by: str, at: int) -> None:
        """Keep what somebody decided."""
        change = update(link_reviews).where(link_reviews.c.id == review_id)
        with self._begin() as connection:
            connection.execute(change.values(decision=decision, decided_by=by, decided_at=at))


class LinkRun(msgspec.Struct, frozen=True):
    """A search: who started it when, and what it found. Instants in microseconds.

    Without `ended_at` it runs still, or was cut off; `error` says why it ended without an answer.
    """

    started_at: int
    started_by: str
    ended_at: int | None = None
    people: int = 0
    linked: int = 0
    taken_back: int = 0
    waiting: int = 0
    error: str = ""


class LinkRuns:
    """Reads and writes of the list of searches."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def add(self, run: LinkRun) -> int:
        """Keep a search that begins; return its number. Only the newest are kept."""
        with self._begin() as connection:
            adding = insert(link_runs).values(**msgspec.structs.asdict(run)).returning(link_runs.c.id)
            number = int(connection.execute(adding).scalar_one())
            connection.execute(delete(link_runs).where(link_runs.c.id <= number - RUNS_KEPT))
            return number

    def end(self, number: int, run: LinkRun) -> None:
        """Keep how a search ended."""
        change = update(link_runs).where(link_runs.c.id == number)
        with self._begin() as connection:
            connection.execute(change.values(**msgspec.structs.asdict(run)))

    def last(self) -> LinkRun | None:
        """Return the search that began last, if there was any."""
        columns = [link_runs.c[name] for name in LinkRun.__struct_fields__]
        query = select(*columns).order_by(link_runs.c.id.desc()).limit(1)
        with self._begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else LinkRun(*row)
