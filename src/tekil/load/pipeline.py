"""The way from a table of raw bodies to events, as a list of steps.

Everything before `keep` only stages; `keep` writes, and must run inside the engine's transaction.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tekil.errors import BadRequest
from tekil.load import sql
from tekil.load.known_values import learn_referrers, learn_user_agents
from tekil.load.tables import EVENTS, LEDGER, QUARANTINE, RECORD_CHANGES, TRAITS
from tekil.warehouse import Warehouse


def prepare(warehouse: Warehouse, bodies: pa.Table) -> None:
    """Stage what the bodies hold: `new_events`, `new_traits`, `new_quarantine`, and the `new_ledger`.

    `bodies` has the log's `READ_SCHEMA`. Reads tables and writes none.
    """
    take_apart(warehouse, bodies)
    warehouse.derive("known_messages", sql.KNOWN)
    warehouse.derive("repeated", sql.REPEATED)
    warehouse.derive("new_events", sql.NEW_EVENTS)
    warehouse.derive("identifies", sql.IDENTIFIES)
    warehouse.derive("new_traits", sql.NEW_TRAITS)
    warehouse.derive("questionable", sql.QUESTIONABLE)
    warehouse.derive("new_quarantine", sql.NEW_QUARANTINE)
    warehouse.derive("new_ledger", sql.COUNTED)


def take_apart(warehouse: Warehouse, bodies: pa.Table) -> None:
    """Stage `checked`, one row a message with its reasons; bodies that are no JSON go to `unreadable`."""
    nothing = bodies.slice(0, 0)
    try:
        _check(warehouse, bodies, nothing)
    except BadRequest:
        # The door lets only well-formed JSON in, so this is rare and may be slow: find the bodies
        # the engine cannot read, put them aside whole, and go on with the others.
        readable = pc.is_valid(_readable(warehouse, bodies))
        _check(warehouse, bodies.filter(readable), bodies.filter(pc.invert(readable)))


def _check(warehouse: Warehouse, readable: pa.Table, unreadable: pa.Table) -> None:
    warehouse.stage("incoming", readable)
    warehouse.stage("unreadable", unreadable)
    warehouse.derive("checked", sql.CHECK)


def _readable(warehouse: Warehouse, bodies: pa.Table) -> pa.Array:
    """Return, for each body in order, its position if the engine's reader takes it, else null."""
    answers: list[int | None] = []
    for row in range(bodies.num_rows):
        body = bodies.slice(row, 1)
        try:
            _check(warehouse, body, bodies.slice(0, 0))
        except BadRequest:
            answers.append(None)
        else:
            answers.append(body["position"][0].as_py())
    return pa.array(answers, pa.int64())


def keep(warehouse: Warehouse) -> None:
    """Write what `prepare` staged."""
    warehouse.append(EVENTS.name, sql.WHOLE_EVENTS)
    warehouse.append(TRAITS.name, "SELECT * FROM new_traits")
    warehouse.append(RECORD_CHANGES.name, sql.NEW_RECORDS)
    warehouse.append(QUARANTINE.name, "SELECT * FROM new_quarantine")
    warehouse.replace(LEDGER.name, "new_ledger", "SELECT * FROM new_ledger")
    learn_user_agents(warehouse)
    learn_referrers(warehouse)
