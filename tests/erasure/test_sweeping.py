"""Bytes of the erased leave a large file at night, and nobody has to think of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tekil.access.audit import SYSTEM
from tekil.erasure import Eraser, Proof, Sweeping, eraser
from tests.erasure.test_eraser import AYSE, BERK
from tests.installation import Installation, microseconds

EVENING = datetime(2026, 3, 1, 17)
NIGHT = datetime(2026, 3, 2, 0, 30)
"""Half past three in Istanbul."""


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An installation whose file is too large to be written anew with every erasure."""
    monkeypatch.setattr(eraser, "SWEPT_AT_ONCE", 0)
    made = Installation(tmp_path)
    made.now = EVENING
    made.say(*AYSE, *BERK)
    made.run()
    yield made
    made.close()


def proofs(installation: Installation) -> list[Proof]:
    entries = installation.store.destructions.newest(kind="erasure")
    return [msgspec.convert(entry.proof, Proof) for entry in entries]


def sweeping(installation: Installation) -> tuple[Eraser, Sweeping]:
    erasing = Eraser(installation.engine, clock=lambda: microseconds(installation.now))
    return erasing, Sweeping(erasing, "Europe/Istanbul", clock=lambda: installation.now)


def test_the_night_after_an_erasure_the_file_is_swept_once(large: Installation) -> None:
    erasing, chore = sweeping(large)
    large.now = NIGHT
    assert not chore.step()
    large.now = EVENING
    erasing, chore = sweeping(large)
    proof = erasing.apply("user_id:ayse-1907", SYSTEM)
    assert proof.swept_at is None
    assert not chore.step()
    assert erasing.unswept_since() == EVENING
    large.now = NIGHT
    assert chore.step()
    (swept,) = proofs(large)
    assert swept.swept_at == microseconds(NIGHT)
    assert swept.signature == large.engine.graveyard.sign(swept.content)
    large.now = NIGHT + timedelta(hours=1)
    assert not chore.step()


def test_an_installation_that_sleeps_at_night_is_swept_by_day(large: Installation) -> None:
    erasing, chore = sweeping(large)
    erasing.apply("user_id:ayse-1907", SYSTEM)
    large.now = EVENING + timedelta(hours=23)
    assert not chore.step()
    large.now = EVENING + timedelta(hours=25)
    assert chore.step()


def test_where_the_engine_cannot_it_is_not_asked_again(
    large: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(large.engine.warehouse, "sweep", lambda: bool(asked.append(1)))
    erasing, chore = sweeping(large)
    erasing.apply("user_id:ayse-1907", SYSTEM)
    for days in (1, 2, 3):
        large.now = NIGHT + timedelta(days=days)
        assert not chore.step()
    assert asked == [1]
    assert proofs(large)[0].swept_at is None
