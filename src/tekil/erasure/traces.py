"""Where a person is: their rows are staged, their places in the log known, and what others say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from tekil.engine import Engine
from tekil.erasure import sql
from tekil.erasure.person import Person
from tekil.erasure.quarantined import Held, held_of
from tekil.load import EVENTS, RECORD_CHANGES, REPETITIONS, TOKEN_PLACES, TRAITS, tokens_in
from tekil.load.cutting import Cutting
from tekil.privacy.find import TOKEN
from tekil.privacy.tombstones import Identifier, message_identifier
from tekil.warehouse import Warehouse


@dataclass(frozen=True)
class Found:
    """What was found of a person. `own_tokens` stand for values that nobody else's rows hold.

    `mentioning` are the keys of the identifiers in whose events they are mentioned, `cuttings` the places
    in the log, `quarantined` the rows that were put aside. `said_elsewhere` are what was said in
    their turns on devices that others use too: those devices get no tombstone, so the messages do.
    """

    person: Person
    events: int
    records: int
    own_tokens: tuple[str, ...]
    shared_tokens: tuple[str, ...]
    mentioning: tuple[int, ...]
    mentions: int
    quarantined: tuple[Held, ...]
    said_elsewhere: tuple[Identifier, ...]
    cuttings: tuple[Cutting, ...] = field(repr=False)


def find_traces(engine: Engine, person: Person) -> Found:
    """Stage a person's rows (`sql.STAGED`) and return what there is. Changes no table."""
    warehouse = engine.warehouse
    warehouse.stage(sql.KEYS, person.key_rows())
    warehouse.stage(sql.PERSONS, person.person_rows())
    _stage_events(warehouse, person)
    _stage_records(warehouse, person)
    warehouse.derive("erased_messages", sql.MESSAGES)
    tokens = _tokens(warehouse, person)
    others = _others(warehouse, tokens)
    shared = {key for key, _, is_record in others if not is_record} - set(person.tokens)
    mentioning = sorted(
        {place for token, place, is_record in others if token in person.tokens and not is_record}
    )
    mentions = _mentions(warehouse, person, mentioning)
    warehouse.pick("erased_mentioned", EVENTS.name, EVENTS.column_names, "erased_mentions")
    warehouse.derive(sql.UNSAID, sql.ALL_UNSAID)
    quarantined = held_of(engine, person)
    own = [token for token in tokens if token not in shared]
    return Found(
        person,
        _count(warehouse, sql.EVENTS_OF),
        _count(warehouse, sql.RECORDS_OF),
        tuple(sorted({*own, *person.ledger_tokens})),
        tuple(sorted(shared)),
        tuple(mentioning),
        mentions.num_rows,
        quarantined,
        tuple(_said_elsewhere(warehouse, person)),
        tuple(_cuttings(warehouse, mentions, quarantined)),
    )


def let_go(warehouse: Warehouse) -> None:
    """Drop what was staged of a person."""
    for name in (*sql.STAGED, "erased_mentioning", "erased_mentions", "erased_mentioned"):
        warehouse.drop(name)


def _stage_events(warehouse: Warehouse, person: Person) -> None:
    """Stage the person's events: their own, and those in which others say that the person is them."""
    _stage_own_events(warehouse, person)
    warehouse.derive(sql.RENAMED, sql.RENAMING)
    warehouse.pick("erased_more", EVENTS.name, EVENTS.column_names, sql.RENAMED, by="message_key")
    warehouse.derive(sql.EVENTS_OF, f"SELECT * FROM {sql.OWN} UNION ALL SELECT * FROM erased_more")


def _stage_own_events(warehouse: Warehouse, person: Person) -> None:
    """Stage all events by the person's identifiers, and what was done in their turns elsewhere."""
    if not person.turns:
        warehouse.pick(sql.OWN, EVENTS.name, EVENTS.column_names, sql.KEYS)
        return
    warehouse.stage(sql.TURNS, person.turn_rows())
    columns = ", ".join(f"e.{name}" for name in EVENTS.column_names)
    warehouse.derive(
        sql.OWN,
        f"""SELECT {columns} FROM {EVENTS.name} e
        WHERE e.identifier_key IN (SELECT identifier_key FROM {sql.KEYS}) OR EXISTS (
          SELECT 1 FROM {sql.TURNS} t WHERE t.identifier_key = e.identifier_key
            AND e.occurred_at >= t.valid_from AND e.occurred_at < t.valid_until)""",
    )


def _said_elsewhere(warehouse: Warehouse, person: Person) -> list[Identifier]:
    if not person.turns:
        return []
    rows = warehouse.query(
        f"SELECT source, message_id FROM {sql.OWN}"
        f" WHERE identifier_key NOT IN (SELECT identifier_key FROM {sql.KEYS})"
    )
    pairs = zip(rows["source"].to_pylist(), rows["message_id"].to_pylist(), strict=True)
    return [message_identifier(source, message_id) for source, message_id in pairs]


def _stage_records(warehouse: Warehouse, person: Person) -> None:
    """Stage the records that name the person: by a token, or in a member that says whose they are."""
    ids = [value for kind, value in person.identifiers if not TOKEN.fullmatch(value)]
    said = f"({sql.holds_token(sql.RECORD_TEXT, person.tokens)} OR {sql.names_id(sql.RECORD_TEXT, ids)})"
    warehouse.derive(sql.RECORDS_OF, f"SELECT * FROM {RECORD_CHANGES.name} WHERE {said}")


def _tokens(warehouse: Warehouse, person: Person) -> list[str]:
    """Return the tokens of all values that the person's rows hold."""
    events = tokens_in(warehouse, f"SELECT {sql.EVENT_TEXT} AS text FROM {sql.EVENTS_OF}")
    records = tokens_in(warehouse, f"SELECT {sql.RECORD_TEXT} AS text FROM {sql.RECORDS_OF}")
    return sorted({*events, *records, *person.tokens})


def _others(warehouse: Warehouse, tokens: Sequence[str]) -> list[tuple[str, int, bool]]:
    """Return who else mentions tokens: token, the key of the identifier or the record, which of the two."""
    warehouse.stage(sql.TOKENS, pa.table({"token": pa.array(tokens, pa.string())}))
    rows = warehouse.query(f"""
        SELECT t.token, p.place_key, p.is_record
        FROM (SELECT token, key64(token) AS token_key FROM {sql.TOKENS}) AS t
        JOIN {TOKEN_PLACES.name} p ON p.token_key = t.token_key
        WHERE p.place_key NOT IN (SELECT identifier_key FROM {sql.KEYS})
          AND NOT (p.is_record AND p.place_key IN (SELECT record_key FROM {sql.RECORDS_OF}))
    """).to_pylist()
    return [(row["token"], row["place_key"], row["is_record"]) for row in rows]


def _mentions(warehouse: Warehouse, person: Person, mentioning: Sequence[int]) -> pa.Table:
    """Stage and return where others' events mention the person: `position`, `number`, `identifier_key`."""
    keys = pa.table({"identifier_key": pa.array(mentioning, pa.int64())})
    warehouse.stage("erased_mentioning", keys)
    holds = sql.holds_token(sql.EVENT_TEXT, person.tokens) if mentioning else "FALSE"
    warehouse.derive(
        "erased_mentions",
        f"SELECT position, number, identifier_key FROM {EVENTS.name}"
        f" WHERE identifier_key IN (SELECT identifier_key FROM erased_mentioning) AND ({holds})",
    )
    return warehouse.query("SELECT position, number FROM erased_mentions")


def _cuttings(warehouse: Warehouse, mentions: pa.Table, quarantined: Sequence[Held]) -> list[Cutting]:
    """Return all places in the log that hold something of the person."""
    select = " UNION ALL ".join(
        f"SELECT position, number FROM {relation}"
        for relation in (
            sql.EVENTS_OF,
            sql.RECORDS_OF,
            f"{REPETITIONS.name} WHERE message_key IN (SELECT message_key FROM erased_messages)",
        )
    )
    rows = warehouse.query(select).to_pylist()
    whole = {(row["position"], row["number"]) for row in rows if row["position"] is not None}
    whole |= {(held.position, held.number) for held in quarantined}
    whole |= {place for held in quarantined for place in held.said_before}
    # What came before an earlier version noted places is known of no row.
    parts = {(row["position"], row["number"]) for row in mentions.to_pylist() if row["position"] is not None}
    return [*((p, n, True) for p, n in sorted(whole)), *((p, n, False) for p, n in sorted(parts - whole))]


def _count(warehouse: Warehouse, relation: str) -> int:
    return int(warehouse.query(f"SELECT count(*) AS n FROM {relation}")["n"][0].as_py())


def count_traits(warehouse: Warehouse) -> int:
    """Return how many rows of traits the person whose keys are staged has."""
    return _count(
        warehouse,
        f"{TRAITS.name} WHERE identifier_key IN (SELECT identifier_key FROM {sql.KEYS})",
    )
