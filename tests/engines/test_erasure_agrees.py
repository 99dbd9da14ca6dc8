"""Law 7 for erasure: whoever is erased leaves the same rows behind on both engines, and late words none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tekil.access.audit import SYSTEM
from tekil.erasure import Eraser
from tekil.verification import check_ledger
from tests.engines.conftest import Pair, everything
from tests.erasure.test_eraser import AYSE, BERK
from tests.installation import NOON, Installation, microseconds

RECORD = {
    "type": "record",
    "object": "deal",
    "key": {"id": 7},
    "fields": {"customer_id": "ayse-1907", "n": 1.5},
}
OTHER = {"type": "record", "object": "deal", "key": {"id": 8}, "fields": {"customer_id": "berk-1453"}}
WRONG = {"type": "dance", "userId": "ayse-1907", "messageId": "6"}


def live(installation: Installation) -> list[tuple[str, int]]:
    """Let somebody be erased between what is said in time and what is said late; return what was removed."""
    installation.say(*AYSE, *BERK, RECORD, OTHER, WRONG, AYSE[2])
    installation.run()
    installation.say(AYSE[1])
    installation.run()
    eraser = Eraser(installation.engine, clock=lambda: microseconds(installation.now))
    proof = eraser.apply("email:ayse@example.com", SYSTEM)
    assert proof.found == 0, proof.checked
    installation.pass_time(hours=1)
    before = f"{(NOON - timedelta(hours=1)).isoformat()}Z"
    late = [
        {**message, "messageId": f"late-{i}", "timestamp": before} for i, message in enumerate([*AYSE, *BERK])
    ]
    installation.say(*late, {**RECORD, "key": {"mail": "ayse@example.com"}, "timestamp": before}, WRONG)
    installation.run()
    return sorted((place, n) for place, n in proof.removed.items() if place.startswith("warehouse"))


@pytest.mark.slow
def test_law_7_an_erasure_leaves_the_same_rows_on_both_engines(pair: Pair) -> None:
    both = pair()
    try:
        assert live(both[0]) == live(both[1])
        assert check_ledger(both[0].engine) == []
        expected, found = (everything(installation) for installation in both)
        for table, rows in expected.items():
            assert found[table] == rows, table
        assert expected["ledger"][0]["erased"] > 0
        assert len(expected["events"]) == 4
    finally:
        for installation in both:
            installation.close()
