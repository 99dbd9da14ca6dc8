"""Personal values that no row holds any more leave the vault.

Rows that are taken out loosen the values that they held. Which tokens those are is noted in the transaction
in which the rows go; whether anything else holds them is looked up afterwards, some at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from tekil.engine import Engine
from tekil.load import EVENTS, LOOSENED, RECORD_CHANGES, SEALED_VALUES, TOKEN_PLACES, texts_of, tokens_in
from tekil.warehouse import Warehouse

TOKENS_AT_ONCE = 500


def stage_loosened(warehouse: Warehouse, texts: str) -> None:
    """Stage the tokens in the rows (`text`) of a SELECT, all of which are about to go."""
    warehouse.stage("loosened_now", _tokens(tokens_in(warehouse, texts)))


def write_loosened(warehouse: Warehouse) -> None:
    """Note what `stage_loosened` found, in the transaction in which the rows go."""
    known = f"SELECT token FROM {LOOSENED.name}"
    warehouse.append(LOOSENED.name, f"SELECT token FROM loosened_now WHERE token NOT IN ({known})")


def let_go(engine: Engine) -> Iterator[int]:
    """Forget the values that nothing holds any more; yield how many went, some tokens at a time.

    The vault forgets first: what is noted stays noted until it has, so a crash in between costs nothing.
    """
    warehouse = engine.warehouse
    while True:
        noted = warehouse.query(f"SELECT DISTINCT token FROM {LOOSENED.name} LIMIT {TOKENS_AT_ONCE}")
        tokens: list[str] = noted["token"].to_pylist()
        if not tokens:
            return
        gone = _forget(engine, sorted(set(tokens) - _held(warehouse, tokens)))
        warehouse.stage("looked_up", _tokens(tokens))
        warehouse.stage("let_go", _tokens(gone))
        warehouse.derive("let_go_keys", "SELECT key64(token) AS token_key FROM let_go")
        with warehouse.transaction():
            warehouse.remove(LOOSENED.name, "token", "looked_up")
            warehouse.remove(SEALED_VALUES.name, "token", "let_go")
            warehouse.remove(TOKEN_PLACES.name, "token_key", "let_go_keys")
        yield len(gone)


def _held(warehouse: Warehouse, tokens: Sequence[str]) -> set[str]:
    """Return those of some tokens that events or records hold: at the places where they were told."""
    warehouse.stage("looked_up", _tokens(tokens))
    warehouse.derive(
        "looked_up_places",
        f"SELECT DISTINCT place_key, is_record FROM {TOKEN_PLACES.name}"
        " WHERE token_key IN (SELECT key64(token) FROM looked_up)",
    )
    held: set[str] = set()
    for table, is_record in ((EVENTS, "FALSE"), (RECORD_CHANGES, "TRUE")):
        places = f"SELECT place_key AS {table.key} FROM looked_up_places WHERE is_record = {is_record}"
        warehouse.derive("looked_up_keys", places)
        columns = [column.name for column in table.columns if column.type in ("text", "variant")]
        warehouse.pick("looked_up_rows", table.name, columns, "looked_up_keys")
        held |= tokens_in(warehouse, f"SELECT {texts_of(table)} AS text FROM looked_up_rows")
        warehouse.drop("looked_up_rows")
    return held & set(tokens)


def _forget(engine: Engine, tokens: Sequence[str]) -> list[str]:
    """Forget values but for those that somebody's row in the store names; return the tokens of the others."""
    named = engine.store.person_rows.named(tokens)
    gone = [token for token in tokens if token not in named]
    engine.vault.forget(gone)
    return gone


def _tokens(tokens: Iterable[str]) -> pa.Table:
    return pa.table({"token": pa.array(sorted(tokens), pa.string())})
