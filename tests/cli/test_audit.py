"""The trail from the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.cli.test_commands import refused, run


def test_the_trail_is_listed_and_verified_and_damage_is_named(tmp_path: Path) -> None:
    run(tmp_path, "init")
    run(tmp_path, "key", "create", "--source", "web")
    key = json.loads(run(tmp_path, "key", "create", "--api", "--scope", "sql:read", "--json").stdout)
    listed = json.loads(run(tmp_path, "audit", "list", "--json").stdout)
    assert [row["act"] for row in listed] == ["key.created", "write_key.created", "source.created"]
    assert listed[0]["object_id"] == key["id"]
    assert listed[0]["details"] == {"scopes": ["sql:read"]}
    assert listed[0]["actor"].startswith("command line (")
    assert len(json.loads(run(tmp_path, "audit", "list", "--act", "key.created", "--json").stdout)) == 1
    assert "source.created" in run(tmp_path, "audit", "list").stdout

    holds = run(tmp_path, "audit", "verify")
    assert holds.exit_code == 0
    head = holds.stdout.split()[-1]
    assert head.startswith("3:")
    assert run(tmp_path, "audit", "verify", "--noted", head).exit_code == 0
    assert "64 hexadecimal digits" in refused(tmp_path, "audit", "verify", "--noted", "nonsense")

    with sqlite3.connect(tmp_path / "data" / "store.db") as connection:
        connection.execute("UPDATE audit_entries SET actor = 'nobody' WHERE number = 2")
    connection.close()
    broken = run(tmp_path, "audit", "verify")
    assert broken.exit_code == 1
    assert "Entry 2 does not fit" in broken.stdout
    assert json.loads(run(tmp_path, "audit", "verify", "--json").stdout)["misfit"]["number"] == 2
