"""Pairs of people who are alike: which wait for somebody to look at them, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, insert, select, update

from tekil.errors import NotFound
from tekil.store.clock import Begin
from tekil.store.link_tables import link_reviews

WAITING = "waiting"


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
