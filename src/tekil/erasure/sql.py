"""Erasure's SELECTs: pure text, over the tables and over what was staged of the person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tekil.dictionary.sql import quoted
from tekil.load import EVENTS, RECORD_CHANGES
from tekil.privacy.find import TOKEN
from tekil.warehouse import Table

KEYS, EVENTS_OF, RECORDS_OF = "erased_keys", "erased_events", "erased_records"
TOKENS, PLACES, PERSONS, TURNS = "erased_tokens", "erased_places", "erased_persons", "erased_turns"
STAGED = (KEYS, EVENTS_OF, RECORDS_OF, TOKENS, PLACES, PERSONS, TURNS, "erased_messages")
"""What is staged of a person; it is let go when the erasure ends."""

NAMES = "user|customer|contact|person|member|client|subscriber|anonymous|musteri|müşteri|uye|üye|kisi|kişi"
"""What the member of a record is called that says whose it is."""


def texts_of(table: Table) -> str:
    """Return the SQL of all texts of a row, one after the other."""
    parts = []
    for column in table.columns:
        if column.type == "text":
            parts.append(column.name)
        elif column.type == "variant":
            parts.append(f"variant_json({column.name})")
    return f"concat_ws(' ', {', '.join(parts)})"


def replaced(table: Table, tokens: Sequence[str], instead: str) -> str:
    """Return the columns of a table's rows, with `instead` in the place of tokens."""
    columns = []
    for column in table.columns:
        name = column.name
        if column.type == "text":
            columns.append(f"{_replaced(name, tokens, instead)} AS {name}")
        elif column.type == "variant":
            text = f"variant_json({name})"
            holds = " OR ".join(f"strpos({text}, {quoted(token)}) > 0" for token in tokens)
            cut = f"as_variant({_replaced(text, tokens, instead)})"
            columns.append(f"CASE WHEN {holds} THEN {cut} ELSE {name} END AS {name}")
        else:
            columns.append(name)
    return ", ".join(columns)


def _replaced(expression: str, tokens: Sequence[str], instead: str) -> str:
    for token in tokens:
        expression = f"replace({expression}, {quoted(token)}, {quoted(instead)})"
    return expression


def holds_token(text: str, tokens: Sequence[str]) -> str:
    """Return the condition that a text holds one of some tokens."""
    checked = [token for token in tokens if TOKEN.fullmatch(token)]
    return " OR ".join(f"strpos({text}, {quoted(token)}) > 0" for token in checked) or "FALSE"


def names_id(text: str, ids: Sequence[str]) -> str:
    """Return the condition that a JSON text has a member that says whose it is, with one of some ids.

    Numbers are looked for as they are written, texts between their quotes.
    """
    if not ids:
        return "FALSE"
    values = "|".join(_literal(value) for value in ids)
    pattern = f'"[^"]*(?:{NAMES})[^"]*" *: *"?(?:{values})"? *[,}}]'
    return f"regexp_matches(lowered({text}), {quoted(pattern)})"


def _literal(value: str) -> str:
    """Return a value, in small letters, as a pattern that every engine reads alike."""
    return "".join(
        letter if letter.isalnum() or letter in "-_ :~@" else f"[{letter}]" if letter not in "^\\[]" else "."
        for letter in value.lower()
    )


RECORD_TEXT = texts_of(RECORD_CHANGES)

MESSAGES = f"SELECT message_key FROM {EVENTS_OF} UNION SELECT message_key FROM {RECORDS_OF}"

TOKEN_PATTERN = re.compile(TOKEN.pattern)

EVENT_TEXT = texts_of(EVENTS)
