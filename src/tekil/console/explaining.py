"""Why a message waits in quarantine, in a reader's words, and what can be done about it."""

from __future__ import annotations

import msgspec

from tekil.console.language import Words

RULES = (
    "missing", "not_text", "not_a_number", "not_an_integer", "not_a_boolean", "not_an_instant", "not_a_list",
    "not_an_object", "not_allowed", "too_small", "too_large", "no_match", "undefined", "event_undefined",
)  # fmt: skip
"""What a message can do against its definition; the catalogue has `rule.…` for each."""


class Explained(msgspec.Struct, frozen=True):
    """A reason in words: what is wrong, at which field (empty where none), and what to do."""

    code: str
    text: str
    field: str
    advice: str


def explain(reason: str, words: Words) -> Explained:
    """Return a reason's code in words. `order_completed.total:not_a_number` is the dictionary's."""
    place, colon, rule = reason.rpartition(":")
    if not colon:
        return Explained(
            reason, words.known(f"reason.{reason}", reason), "", words("quarantine.advice_sender")
        )
    advice = "quarantine.advice_event" if rule == "event_undefined" else "quarantine.advice_dictionary"
    return Explained(reason, words.known(f"rule.{rule}", rule), place, words(advice))
