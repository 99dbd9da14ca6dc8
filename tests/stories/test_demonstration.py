"""The demonstration's company, played to a real Tekil: what it knows it sent is what the ledger counts."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tekil.demo import SOURCES, Company, play
from tests.running_tekil import Running, eventually

UNTIL = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.mark.slow
def test_the_ledger_counts_what_the_company_knows_it_sent(up: Running, tmp_path: Path) -> None:
    keys = {name: up.create_key("--source", name) for name in SOURCES}
    played = play(
        Company(seed=7, people=100, days=8, until=UNTIL),
        door=up.door,
        write_keys=keys,
        truth_path=tmp_path / "truth.json",
        live=False,
        stop=threading.Event(),
        progress=lambda sent, everything: None,
        pace=1.0,
    )
    assert played.duplicates_sent > 0
    assert played.malformed_sent > 0

    def counted() -> dict[str, int]:
        ours = [source for source in up.ledger()["sources"] if source["source"] in SOURCES]
        names = ("accepted", "loaded", "quarantined", "duplicate", "waiting")
        return {name: sum(source[name] for source in ours) for name in names}

    total = eventually(lambda: (now := counted())["waiting"] == 0 and now, 60.0)
    assert total["accepted"] == played.sent
    assert total["quarantined"] == played.malformed_sent
    assert total["duplicate"] == played.duplicates_sent
