"""Erasure's SELECTs: pure text, over the tables and over what was staged of the person."""

from __future__ import annotations

from collections.abc import Sequence

from tekil.dictionary.sql import quoted
from tekil.load import EVENTS, RECORD_CHANGES, texts_of
from tekil.privacy.find import TOKEN
from tekil.warehouse import Table

KEYS, EVENTS_OF, RECORDS_OF = "erased_keys", "erased_events", "erased_records"
UNSAID, OWN, RENAMED = "erased_unsaid", "erased_own", "erased_renamed"
TOKENS, PLACES, PERSONS, TURNS = "erased_tokens", "erased_places", "erased_persons", "erased_turns"
STAGED = (
    KEYS,
    EVENTS_OF,
    RECORDS_OF,
    UNSAID,
    OWN,
    RENAMED,
    "erased_near_keys",
    "erased_near",
    "erased_more",
    TOKENS,
    PLACES,
    PERSONS,
    TURNS,
    "erased_messages",
)
"""What is staged of a person; it is let go when the erasure ends."""

NAMES = "user|customer|contact|person|member|client|subscriber|anonymous|musteri|müşteri|uye|üye|kisi|kişi"
"""What the member of a record is called that says whose it is."""


def replaced(table: Table, tokens: Sequence[str], instead: str) -> str:
    """Return the columns of a table's rows, with `instead` in the place of tokens.

    What names a person is left out instead: a word would be an identifier, and everybody's.
    """
    columns = []
    for column in table.columns:
        name = column.name
        if table is EVENTS and name in ("email", "phone"):
            theirs = ", ".join(map(quoted, tokens))
            columns.append(f"CASE WHEN {name} NOT IN ({theirs}) THEN {name} END AS {name}")
        elif table is EVENTS and name == "identifiers":
            columns.append(f"{_unnamed(name, tokens)} AS {name}")
        elif column.type == "text":
            columns.append(f"{_replaced(name, tokens, instead)} AS {name}")
        elif column.type == "variant":
            text = f"variant_json({name})"
            holds = " OR ".join(f"strpos({text}, {quoted(token)}) > 0" for token in tokens)
            cut = f"as_variant({_replaced(text, tokens, instead)})"
            columns.append(f"CASE WHEN {holds} THEN {cut} ELSE {name} END AS {name}")
        else:
            columns.append(name)
    return ", ".join(columns)


def _unnamed(names: str, tokens: Sequence[str]) -> str:
    """Return the JSON object of a message's names, `{"kind:token":1, …}`, without some tokens."""
    for token in tokens:
        member = f'"{token.partition("~")[0]}:{token}":1'
        for written in (f",{member}", f"{member},", member):
            names = f"replace({names}, {quoted(written)}, '')"
    return f"nullif({names}, '{{}}')"


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

RENAMING = f"""
SELECT message_key FROM {EVENTS.name} WHERE previous_id IS NOT NULL AND (
  key64('user_id:' || previous_id) IN (SELECT identifier_key FROM {KEYS})
  OR key64('anonymous_id:' || previous_id) IN (SELECT identifier_key FROM {KEYS})
) AND message_key NOT IN (SELECT message_key FROM {OWN})
"""
"""What others said of the person being them, which is all that such a message is about.

Looked for in all of history, by the rule of `load.erased.NAMING`: evidence knows of a previous id as one kind
of identifier, and the message names the person as either.
"""

ALL_UNSAID = f"""
SELECT * FROM {EVENTS_OF}
UNION ALL
SELECT e.* FROM erased_mentioned e JOIN erased_mentions m ON m.position = e.position AND m.number = e.number
WHERE e.message_key NOT IN (SELECT message_key FROM {EVENTS_OF})
"""
"""The person's events, and as they are now those of others that will not name the person any more."""

EVENT_TEXT = texts_of(EVENTS)
