"""From the log to events: parse, check, take duplicates out, keep, count. Read `pipeline` first."""

from tekil.load.ahead import ReadAhead
from tekil.load.cutting import cut, cut_body, empty_places
from tekil.load.floors import Floor, Floors
from tekil.load.known_messages import KnownMessages
from tekil.load.pipeline import Prepared, keep, prepare
from tekil.load.quarantine import REASONS
from tekil.load.replay import Chosen, QuarantineDesk, replay
from tekil.load.sealing import seal_id, seal_json, seal_text, sealed_identifier, tokens_in
from tekil.load.tables import (
    CUTTINGS,
    DESTROYED,
    EVENTS,
    FLOORS,
    LEDGER,
    LOOSENED,
    QUARANTINE,
    RECORD_CHANGES,
    REFERRERS,
    REFUSED_IDENTIFIERS,
    REPETITIONS,
    SEALED_VALUES,
    TABLES,
    TOKEN_PLACES,
    TRAITS,
    USER_AGENTS,
    texts_of,
)

__all__ = [
    "CUTTINGS",
    "DESTROYED",
    "EVENTS",
    "FLOORS",
    "LEDGER",
    "LOOSENED",
    "QUARANTINE",
    "REASONS",
    "RECORD_CHANGES",
    "REFERRERS",
    "REFUSED_IDENTIFIERS",
    "REPETITIONS",
    "SEALED_VALUES",
    "TABLES",
    "TOKEN_PLACES",
    "TRAITS",
    "USER_AGENTS",
    "Chosen",
    "Floor",
    "Floors",
    "KnownMessages",
    "Prepared",
    "QuarantineDesk",
    "ReadAhead",
    "cut",
    "cut_body",
    "empty_places",
    "keep",
    "prepare",
    "replay",
    "seal_id",
    "seal_json",
    "seal_text",
    "sealed_identifier",
    "texts_of",
    "tokens_in",
]
