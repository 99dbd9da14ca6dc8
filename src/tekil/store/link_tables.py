"""The tables of pairs of people that somebody should look at, and of the searches that find them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from tekil.store.erasing import kept, rows_of
from tekil.store.tables import metadata

link_reviews = Table(
    "link_reviews",
    metadata,
    # Both names, digested: the same two are one pair, however often they are found.
    Column("id", String(32), primary_key=True),
    Column("left_name", Text, nullable=False),
    Column("right_name", Text, nullable=False),
    Column("left_token", String(64), nullable=False),
    Column("right_token", String(64), nullable=False),
    Column("weight", Integer, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("levels", Text, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("decided_at", BigInteger),
    Column("found_at", BigInteger, nullable=False),
    Index("link_reviews_decision", "decision", "weight"),
    Index("link_reviews_left", "left_token"),
    Index("link_reviews_right", "right_token"),
    info=rows_of(token="left_token", other="right_token"),
)
"""Pairs of people who are alike, but not enough, or not simply one; and what was decided. Tokens only."""

link_runs = Table(
    "link_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("started_by", String(128), nullable=False),
    Column("ended_at", BigInteger),
    Column("people", Integer, nullable=False),
    Column("linked", Integer, nullable=False),
    Column("taken_back", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("error", Text, nullable=False),
    info=kept("how many were found, not who"),
)
"""Searches: one that has no end was cut off, or is still running."""
