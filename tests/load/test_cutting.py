"""Places of the log are emptied; what stands beside them stays to the letter."""

from __future__ import annotations

import msgspec

from tekil.load import cut_body
from tekil.load.sealing import ERASED
from tekil.messages import CUT, pack


def nobody(_kind: str, value: str) -> str:
    return value


def ayse(_kind: str, value: str) -> str:
    return ERASED if value == "ayse@example.com" else value


def test_a_message_gives_way_and_its_neighbours_stay() -> None:
    parts = [b'{"type":"page",  "n":1.50}', b'{"type":"track","userId":"u1"}', b"7"]
    body = pack(parts, b'"2026-01-01T00:00:00Z"').body
    cut = cut_body(body, {1: True, 9: True}, nobody)
    assert cut == pack([parts[0], CUT, parts[2]], b'"2026-01-01T00:00:00Z"').body
    assert cut_body(cut, {1: True}, nobody) == cut


def test_of_what_others_said_only_the_value_gives_way() -> None:
    body = pack([b'{"to":"ayse@example.com","cc":"berk@example.com","total":1.50}']).body
    assert (
        cut_body(body, {0: False}, ayse)
        == pack([b'{"to":"erased","cc":"berk@example.com","total":1.50}']).body
    )


def test_what_is_said_again_goes_on_naming_where_it_comes_from() -> None:
    body = b'{"replay":[5,0],' + pack([b'{"type":"page"}']).body[1:]
    told = msgspec.json.decode(cut_body(body, {0: True}, nobody))
    assert told == {"replay": [5, 0], "batch": [msgspec.json.decode(CUT)]}
