"""Looking afterwards: every place that can be asked by a key is asked for the person, and the log is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tekil.engine import Engine
from tekil.erasure import sql
from tekil.erasure.model import Checked
from tekil.erasure.person import Person
from tekil.erasure.quarantined import held_of
from tekil.erasure.traces import find_traces, let_go
from tekil.load import SEALED_VALUES, TOKEN_PLACES
from tekil.load.cutting import Cutting
from tekil.log import Log
from tekil.messages import CUT

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode


def look(
    engine: Engine, person: Person, tokens: Iterable[str], cuttings: Iterable[Cutting], *, erased_at: int
) -> list[Checked]:
    """Return, place by place, how much of a person is still found.

    `tokens` are those that were theirs alone, `cuttings` the places in the log that were emptied. Whoever
    came back after `erased_at` (microseconds) is another person; their rows are not counted.
    """
    try:
        return [
            *_in_warehouse(engine, person, erased_at),
            *_in_store(engine, person, list(tokens)),
            Checked("log", "messages", _not_empty(engine.log, cuttings)),
        ]
    finally:
        let_go(engine.warehouse)


def _in_warehouse(engine: Engine, person: Person, erased_at: int) -> list[Checked]:
    warehouse = engine.warehouse
    found = find_traces(engine, person)
    before = f"epoch_us(occurred_at) <= {int(erased_at)}"
    checked = [
        Checked("warehouse.events", "identifier", _count(engine, f"{sql.EVENTS_OF} WHERE {before}")),
        Checked("warehouse.record_changes", "text", _count(engine, f"{sql.RECORDS_OF} WHERE {before}")),
        Checked("warehouse.quarantine", "opened", len(held_of(engine, person))),
        Checked("warehouse.events", "token", found.mentions),
    ]
    if found.events == 0:
        # Of somebody who came back, these hold the new person.
        for table in engine.tables:
            if table.erasure is not None and table.erasure.rule in ("identifier", "person"):
                column, relation = (
                    ("identifier_key", sql.KEYS)
                    if table.erasure.rule == "identifier"
                    else ("person_key", sql.PERSONS)
                )
                held = f"{table.name} WHERE {table.key} IN (SELECT {column} FROM {relation})"
                checked.append(Checked(f"warehouse.{table.name}", table.erasure.rule, _count(engine, held)))
        warehouse.derive("erased_token_keys", f"SELECT token, key64(token) AS token_key FROM {sql.TOKENS}")
        places = f"{TOKEN_PLACES.name} WHERE token_key IN (SELECT token_key FROM erased_token_keys)"
        values = f"{SEALED_VALUES.name} WHERE token IN (SELECT token FROM erased_token_keys)"
        checked.append(Checked("warehouse.token_places", "token", _count(engine, places)))
        checked.append(Checked("warehouse.sealed_values", "token", _count(engine, values)))
        warehouse.drop("erased_token_keys")
    return checked


def _in_store(engine: Engine, person: Person, tokens: list[str]) -> list[Checked]:
    store = engine.store
    counted: Mapping[str, int] = store.person_rows.count(person.ids, list(person.ledger_tokens))
    checked = [Checked(f"store.{name}", "id, token", n) for name, n in counted.items()]
    owned = sum(store.cards.find(kind, value) is not None for kind, value in person.identifiers)
    if owned == 0:
        checked.append(Checked("vault", "token", len(store.sealed_values.get_many(tokens))))
    return [*checked, Checked("store.identifiers", "value", 0 if not person.keys else owned)]


def _not_empty(log: Log, cuttings: Iterable[Cutting]) -> int:
    """Return how many places of the log that were to be emptied still hold a message."""
    places: dict[int, list[int]] = {}
    for position, number, whole in cuttings:
        if whole:
            places.setdefault(position, []).append(number)
    held = 0
    for position, numbers in places.items():
        rows = log.read(position - 1, 1)
        if rows.num_rows and rows["position"][0].as_py() == position:
            messages = _decode_batch(_decode(rows["body"][0].as_py().encode())["batch"])
            held += sum(number < len(messages) and bytes(messages[number]) != CUT for number in numbers)
    return held


def _count(engine: Engine, relation: str) -> int:
    return int(engine.warehouse.query(f"SELECT count(*) AS n FROM {relation}")["n"][0].as_py())
