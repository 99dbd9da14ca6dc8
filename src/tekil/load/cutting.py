"""Taking a person's messages out of the log: their places stay, and hold nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from tekil.load.sealing import ERASED, Token, seal_json
from tekil.load.tables import CUTTINGS
from tekil.log import Log
from tekil.messages import CUT, pack
from tekil.privacy import Vault
from tekil.privacy.find import Kind
from tekil.privacy.tombstones import Tombstones
from tekil.warehouse import Warehouse

Cutting = tuple[int, int, bool]
"""A position, a message's number there, and whether it goes whole or only what it tells of the person."""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode


def cut(log: Log, cuttings: Iterable[Cutting], vault: Vault, is_erased: Callable[[str], bool]) -> int:
    """Empty places of the log; return in how many bodies. The log's files hold no copy when this returns.

    `is_erased` says which tokens stand for somebody who was erased: in messages that do not go whole, their
    values give way. Doing it again changes nothing.
    """
    wanted: dict[int, dict[int, bool]] = {}
    for position, number, whole in cuttings:
        of_body = wanted.setdefault(position, {})
        of_body[number] = whole or of_body.get(number, False)
    token = _silencing(vault, is_erased)
    return log.rewrite(list(wanted), lambda position, body: cut_body(body, wanted[position], token))


def empty_places(log: Log, warehouse: Warehouse, vault: Vault, tombstones: Tombstones) -> None:
    """Empty the places of the log that loading noted: what came late about somebody who was erased."""
    found = warehouse.query(f"SELECT position, number, whole FROM {CUTTINGS.name}").to_pylist()
    if found:
        cuttings = [(row["position"], row["number"], row["whole"]) for row in found]
        cut(log, cuttings, vault, tombstones.has_token)
        with warehouse.transaction():
            warehouse.overwrite(CUTTINGS.name, f"SELECT * FROM {CUTTINGS.name} WHERE FALSE")
            warehouse.set_marks(warehouse.marks())


def cut_body(body: bytes, numbers: dict[int, bool], token: Token) -> bytes:
    """Return a body with some of its messages emptied; the others stay to the letter.

    `numbers` are those of the messages, each with whether it goes whole.
    """
    members = _decode(body)
    messages = _decode_batch(members["batch"])
    for number, whole in numbers.items():
        if number < len(messages):
            said = bytes(messages[number])
            # A field may be declared to hold somebody's id, which shows by no form.
            left = CUT if whole else seal_json(said.decode(), token, others="other").encode()
            messages[number] = msgspec.Raw(left)
    sent_at = members.get("sentAt")
    packed = pack([bytes(message) for message in messages], None if sent_at is None else bytes(sent_at)).body
    replay = members.get("replay")
    return packed if replay is None else b'{"replay":' + bytes(replay) + b"," + packed[1:]


def _silencing(vault: Vault, is_erased: Callable[[str], bool]) -> Token:
    """Return what gives `ERASED` for a value of somebody who was erased, and any other as it is."""

    def told(kind: Kind, value: str) -> str:
        return ERASED if is_erased(vault.token(kind, value)) else value

    return told
