"""The tables of leads: what became of each, who did what, what is to be done, and who is owed a notice.

Personal values are nowhere in them. A lead knows whose it is by two tokens; every row about it has them too,
so that erasure finds all by the same rule.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from tekil.store.erasing import kept, rows_of
from tekil.store.tables import metadata


def _whose() -> tuple[Column[str], Column[str]]:
    """Return the columns that say whose a row is: the tokens of the strongest two identifiers of the lead."""
    return (
        Column("token", String(64), nullable=False, index=True),
        Column("other_token", String(64), nullable=False, index=True),
    )


THEIRS = rows_of(token="token", other="other_token")

leads = Table(
    "leads",
    metadata,
    # The key of its message, in 16 hex digits.
    Column("id", String(16), primary_key=True),
    *_whose(),
    # By what the person is found: an identifier as cards hold it; and the key of the message's own one.
    Column("name_kind", String(64), nullable=False),
    Column("name_value", Text, nullable=False),
    Column("identifier_key", BigInteger, nullable=False),
    # The ids that its message named, by which what becomes of it is said of the same person.
    Column("user_id", Text, nullable=False),
    Column("anonymous_id", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("form", String(200), nullable=False),
    # What it says that is nobody's: a JSON object of the event's properties without personal values.
    Column("facts", Text, nullable=False),
    Column("value", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("pipeline", String(64), nullable=False),
    Column("stage", String(64), nullable=False),
    Column("stage_since", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("rule", String(64), nullable=False),
    # Who passed it on, or let it lie: they do not get it again. Names with a comma between them.
    Column("passed", Text, nullable=False),
    Column("assigned_at", BigInteger),
    Column("accept_by", BigInteger),
    Column("accepted_at", BigInteger),
    Column("due_at", BigInteger),
    Column("contacted_at", BigInteger),
    Column("breaches", Integer, nullable=False),
    Column("breached_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("lost_reason", String(64), nullable=False),
    Column("quality", String(16), nullable=False),
    Column("duplicate_of", String(16), nullable=False),
    # When somebody must look at it next, though nothing happens; nothing for one that is over.
    Column("look_at", BigInteger),
    Column("version", BigInteger, nullable=False),
    Index("ix_leads_look_at", "look_at"),
    Index("ix_leads_board", "pipeline", "state", "owner"),
    info=THEIRS,
)

lead_entries = Table(
    "lead_entries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("lead_id", String(16), nullable=False, index=True),
    *_whose(),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("act", String(32), nullable=False),
    Column("details", Text, nullable=False),
    info=THEIRS,
)
"""What happened to a lead, in order. An entry is never changed."""

lead_tasks = Table(
    "lead_tasks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("lead_id", String(16), nullable=False, index=True),
    *_whose(),
    Column("text", Text, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("is_reminded", Boolean, nullable=False),
    Index("ix_lead_tasks_due_at", "due_at"),
    info=THEIRS,
)

lead_notices = Table(
    "lead_notices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("lead_id", String(16), nullable=False),
    *_whose(),
    Column("what", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_lead_notices_at", "at"),
    info=THEIRS,
)
"""What the webhook has still to be told. Who was told is no more here."""

lead_turns = Table(
    "lead_turns",
    metadata,
    Column("pipeline", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    info=kept("how many leads each colleague was given, not whose"),
)
