"""`import tekil`: an installation in a notebook, running or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import tekil
from tekil import config
from tekil.app.engine import open_engine
from tekil.app.serving import keep_local_key
from tekil.errors import BadRequest, Misconfigured, NotFound, Unavailable
from tekil.log import Entry
from tekil.messages import pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation that has run and knows one person by two names."""
    config.write_template(tmp_path, name="Minder Evi", collect_port=1, console_port=1)
    settings = config.load(tmp_path)
    with open_engine(settings) as engine:
        keep_local_key(settings, engine.store)
        engine.recover()
        for number, message in enumerate(
            [
                {"type": "track", "event": "A", "anonymousId": "a1", "timestamp": "2026-01-01T00:00:00Z"},
                {"type": "track", "event": "B", "userId": "u1", "timestamp": "2026-01-02T00:00:00Z"},
                {"type": "identify", "userId": "u1", "anonymousId": "a1"},
            ]
        ):
            packed = pack([msgspec.json.encode(message)])
            engine.log.append([Entry("web", "batch", 1_790_000_000_000_000 + number, 1, packed.body)])
        engine.drain()
    return tmp_path


def test_rows_people_and_the_ledger_are_there_without_an_engine(folder: Path) -> None:
    with tekil.open(folder / "data") as tk:
        assert tk.is_running is False
        assert tk.sql("SELECT event FROM events WHERE event IS NOT NULL ORDER BY event").to_pydict() == {
            "event": ["A", "B"]
        }
        person = tk.profile("user_id:u1")
        assert person == tk.profile("anonymous_id:a1") == tk.profile(person["person_id"])
        assert tk.ledger()["total"]["loaded"] == 3


def test_a_merged_away_id_leads_to_the_person_it_became(folder: Path) -> None:
    with tekil.open(folder) as tk:
        ids = tk.sql("SELECT identifier_id, person_id FROM identifiers ORDER BY identifier_id <> person_id")
        kept, gone = ids["identifier_id"].to_pylist()
        assert tk.profile(gone)["person_id"] == kept


def test_what_is_wrong_is_said_in_the_errors_of_the_house(folder: Path, tmp_path: Path) -> None:
    with tekil.open(folder) as tk:
        for statement in ("SELEC", "DELETE FROM events", "SELECT 1; SELECT 2"):
            with pytest.raises(BadRequest):
                tk.sql(statement)
        with pytest.raises(NotFound):
            tk.profile("user_id:nobody")
        with pytest.raises(Unavailable, match="tekil up"):
            tk.json("POST", "/v1/engine/rebuild")


def test_where_nothing_is_or_nothing_ran_yet_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="tekil init"):
        tekil.open(tmp_path)
    config.write_template(tmp_path, name="New")
    with pytest.raises(Unavailable, match="tekil up") as never:
        tekil.open(tmp_path)
    assert never.value.code == "never_started"


def test_while_another_process_owns_the_warehouse_it_asks_for_patience(folder: Path) -> None:
    path = folder / "data" / "warehouse.duckdb"
    program = f"import duckdb; owned = duckdb.connect({str(path)!r}); print(flush=True); input()"
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    owner.stdout.readline()
    with pytest.raises(Unavailable, match="try again in a moment"):
        tekil.open(folder)
    owner.communicate(b"\n", timeout=10)
    with tekil.open(folder) as tk:
        assert tk.ledger()["total"]["loaded"] == 3
