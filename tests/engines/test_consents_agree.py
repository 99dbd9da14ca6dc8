"""Both engines hear the same of consent in the same messages."""

from __future__ import annotations

import json
from typing import Any

from tekil.load.consents import PARTS, consents_said
from tests.engines.conftest import Pair
from tests.installation import Installation

CONTEXTS: list[Any] = [
    {"consent": {"categoryPreferences": {"Analytics": True, "Pazarlama ş": False}}},
    {"OnetrustActiveGroups": ",C0001,C0002,", "gpc": True},
    {
        "tcString": "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA",
        "consentManagement": {"deniedConsentIds": ["x"]},
    },
    {"locale": "tr-TR"},
]


def heard(installation: Installation) -> list[dict[str, Any]]:
    for number, context in enumerate(CONTEXTS * 2):
        said = {"type": "page", "anonymousId": "a1", "messageId": f"m{number}", "context": context}
        installation.say(said)
    installation.run()
    rows = consents_said(installation.warehouse).to_pylist()
    installation.close()
    for row in rows:
        row.update({part: _value(row[part]) for part in PARTS})
    return sorted(rows, key=str)


def _value(text: str | None) -> Any:
    return json.loads(text) if text is not None and text[0] in "{[" else text


def test_both_engines_hear_the_same_of_consent(pair: Pair) -> None:
    duckdb, spark = pair()
    found = heard(duckdb)
    assert len(found) == 3
    assert heard(spark) == found
