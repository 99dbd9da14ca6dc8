"""A canary sings to the running thing: its values are in the vault alone, and only who may sees them."""

from __future__ import annotations

from typing import Any

from tests.canary import CANARY, PLANTED, TRACES, traces
from tests.running_tekil import Running, eventually


def test_what_a_canary_said_is_in_no_file_and_no_answer(up: Running) -> None:
    """Law 9, over HTTP and on disk: databases, write-ahead logs, and what the programs print."""
    before = up.ledger()["total"]["accepted"]
    up.send("batch", batch=PLANTED)
    eventually(lambda: up.wait_until_loaded()["accepted"] == before + len(PLANTED))
    assert traces(up.folder) == []

    reference = f"email:{CANARY['email']}"
    asked = {
        "profile": up.get(f"/v1/profiles/{reference}"),
        "events": up.get(f"/v1/profiles/{reference}/events"),
        "quarantine": up.get("/v1/quarantine"),
        "metrics": up.get("/metrics"),
        "missing": up.get("/v1/profiles/email:kanarya@minder.example.org"),
        "sql": up.reader.post(up.console + "/v1/sql", json={"statement": "SELECT * FROM person_events"}),
    }
    found = {name: [trace for trace in TRACES if trace in answer.text] for name, answer in asked.items()}
    # Who asks for somebody unknown is told what they asked for.
    assert found.pop("missing") == ["kanarya@"]
    assert {name: hits for name, hits in found.items() if hits} == {}

    revealed: dict[str, Any] = up.get(f"/v1/profiles/{reference}?reveal=a+complaint").json()
    assert revealed["traits"]["name"] == CANARY["name"]
    trail = up.get("/v1/audit").json()["entries"]
    assert trail[0]["act"] == "profile.revealed"
    assert "a complaint" in str(trail[0]["details"])
    assert traces(up.folder) == []
