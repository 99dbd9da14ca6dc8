"""Persons found in the demonstration's story, against who its people truly are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tekil.identity import evaluate, identifier_key
from tekil.load import sealed_identifier
from tekil.log import Entry
from tekil.messages import pack
from tekil.verification import verify
from tests.demo.conftest import UNTIL, Story
from tests.installation import Installation

BATCH = 200


@pytest.mark.slow
def test_the_storys_people_are_found(story: Story, tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.now = UNTIL.replace(tzinfo=None)
    sendings = sorted((s for s in story.sendings if s.nature != "malformed"), key=lambda s: s.at)
    by_source: dict[str, list[bytes]] = {}
    for sending in sendings:
        by_source.setdefault(sending.source, []).append(msgspec.json.encode(sending.message))
    at = int(UNTIL.timestamp() * 1_000_000)
    for source, messages in by_source.items():
        packed = [pack(messages[start : start + BATCH]) for start in range(0, len(messages), BATCH)]
        installation.log.append([Entry(source, "batch", at, one.messages, one.body) for one in packed])
    installation.run()
    assert verify(installation.engine).holds
    true: dict[int, str] = {}
    for person in story.company.truth().persons:
        for kind, values in person.identifiers.items():
            for value in values:
                if (sealed := sealed_identifier(kind, value, installation.vault)) is not None:
                    true.setdefault(identifier_key(kind, sealed), person.id)
    found = installation.rows("SELECT identifier_key, person_key FROM identity")
    links = installation.rows("SELECT DISTINCT left_key, right_key FROM evidence")
    quality = evaluate(
        true,
        {row["identifier_key"]: row["person_key"] for row in found},
        [(row["left_key"], row["right_key"]) for row in links],
    )
    print(quality)
    assert quality.unknown == 0
    assert quality.pairs.precision >= 0.99
    assert quality.connected_pairs.recall >= 0.97
    installation.close()
