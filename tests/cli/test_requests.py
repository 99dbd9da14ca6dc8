"""`tekil request`: taken in, listed by urgency, answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tekil import config
from tekil.cli.root import cli
from tekil.errors import BadRequest


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(folder), "request", *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config.write_template(tmp_path, name="Minder Evi")
    return tmp_path


def test_a_request_is_taken_in_listed_and_closed(folder: Path) -> None:
    made = run(
        folder, "create", "email:a@b.co", "--kind", "access", "--received", "2026-01-05T09:00:00", "--json"
    )
    request = json.loads(made.stdout)
    assert request["due"].startswith("2026-02-04T21:00")
    assert run(folder, "create", "email:a@b.co", "--kind", "objection").exit_code == 0
    listed = json.loads(run(folder, "list", "--json").stdout)
    assert [row["kind"] for row in listed] == ["access", "objection"]
    assert listed[0]["urgency"] == "overdue"
    refused = run(folder, "close", request["id"], "--decision", "granted")
    assert isinstance(refused.exception, BadRequest)
    assert run(folder, "identity", request["id"], "verified").exit_code == 0
    assert run(folder, "close", request["id"], "--decision", "granted", "--notes", "sent").exit_code == 0
    closed = json.loads(run(folder, "list", "--closed", "--json").stdout)
    assert [(row["id"], row["decision"]) for row in closed] == [(request["id"], "granted")]
