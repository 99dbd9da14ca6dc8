"""Law 10 as a story: a hundred people of the demonstration are erased while others go on talking."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tekil import config
from tekil.app.engine import open_engine
from tekil.demo import SOURCES, Company, play
from tekil.log import Log
from tekil.privacy import open_keys, open_vault
from tekil.store import open_store
from tekil.verification import verify
from tests.installation import Installation
from tests.running_tekil import Running, running, tekil

UNTIL = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
ERASED = 100


def people(up: Running) -> dict[int, list[tuple[str, str]]]:
    """Return everybody, with the identifiers they are known by, in the clear."""
    settings = config.load(up.folder)
    store = open_store(settings.resolve(settings.store))
    vault = open_vault(store, open_keys(settings, store))
    statement = {"statement": "SELECT person_key, kind, value FROM identity"}
    rows = up.reader.post(up.console + "/v1/sql", json=statement).json()["rows"]
    told = [row.values() if isinstance(row, dict) else row for row in rows]
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    values = vault.show([value for _, _, value in told], reveal=True)
    for (key, kind, _), value in zip(told, values, strict=True):
        found[key].append((kind, value))
    store.close()
    return found


def talk(up: Running, late: list[tuple[str, str]], stop: threading.Event) -> None:
    """Say things of others, and, late, of those who are being erased."""
    number = 0
    long_ago = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    with httpx.Client(auth=(up.key, ""), timeout=30) as client:
        while not stop.wait(0.05):
            kind, value = late[number % len(late)]
            member = {"user_id": "userId", "anonymous_id": "anonymousId"}.get(kind)
            about: dict[str, Any] = {member: value} if member else {"anonymousId": f"late-{number}"}
            if member is None:
                about["context"] = {"traits": {kind: value}}
            batch = [
                {"type": "track", "event": "Seen", "userId": f"somebody-{number % 50}"},
                {"type": "track", "event": "Late", "timestamp": long_ago, "sentAt": None, **about},
            ]
            client.post(f"{up.door}/v1/batch", json={"batch": batch}).raise_for_status()
            number += 1


def telling(values: set[str], others: set[str]) -> list[str]:
    """Return the values that a search for bytes can tell from anything else: long, and in nobody else's."""
    joined = "\n".join(others)
    return sorted(value for value in values if len(value) >= 8 and value not in joined)


def spoken(log: Log) -> str:
    return "\n".join(body for table in log.replay() for body in table["body"].to_pylist())


@pytest.mark.slow
def test_a_hundred_people_are_erased_under_live_traffic_and_stay_gone(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    stop = threading.Event()
    with running(folder) as up:
        keys = {name: up.create_key("--source", name) for name in SOURCES}
        company = Company(seed=7, people=400, days=8, until=UNTIL)
        play(company, door=up.door, write_keys=keys, stop=stop, progress=lambda *_: None)
        up.wait_until_loaded()
        everybody = people(up)
        chosen = random.Random(7).sample(sorted(everybody), ERASED)
        late = [identifier for key in chosen for identifier in everybody[key]]
        talking = threading.Thread(target=talk, args=(up, late, stop))
        talking.start()
        proofs = [erase(up, everybody[key]) for key in chosen]
        stop.set()
        talking.join()
        up.wait_until_loaded()
    assert [one for proof in proofs for one in proof["checked"] if one["found"]] == []
    gone = {value for key in chosen for _, value in everybody[key]}
    kept = {value for key in everybody if key not in chosen for _, value in everybody[key]}
    traces = telling(gone, kept)
    assert len(traces) > ERASED
    look_everywhere(folder, traces, tmp_path)


def erase(up: Running, identifiers: list[tuple[str, str]]) -> dict[str, Any]:
    kind, value = identifiers[0]
    asked = {"reference": f"{kind}:{value}", "reason": "story"}
    answer = up.reader.post(up.console + "/v1/erasure/apply", json=asked, timeout=120)
    assert answer.status_code == 200, answer.text
    proof: dict[str, Any] = answer.json()
    return proof


def look_everywhere(folder: Path, traces: list[str], scratch: Path) -> None:
    """Read every file, the log opened, and a warehouse made anew from the log."""
    proven = tekil(folder, "erase", "prove", "--json", f"user_id:{traces[0]}")
    assert "was erased" in proven.stderr or proven.returncode == 0
    settings = config.load(folder)
    with open_engine(settings) as engine:
        engine.recover()
        assert verify(engine).holds
        told = spoken(engine.log)
        assert [trace for trace in traces if trace in told] == []
        scratch.joinpath("again").mkdir()
        again = Installation(scratch / "again")
        for table in engine.log.replay():
            for row in table.to_pylist():
                again.say_body(row)
        again.run()
        known = "\n".join(str(row["value"]) for row in again.rows("SELECT value FROM identity"))
        assert [trace for trace in traces if trace in known] == []
        again.close()
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert [trace for trace in traces if trace.encode() in content] == [], path.name
