"""`tekil leads` on an installation that stands still."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tekil import config
from tekil.app.engine import open_engine
from tekil.cli.root import cli
from tekil.forms import Submission, lead_id, messages_of
from tekil.log import Entry
from tekil.store.clock import now_us


def tekil(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(folder), "leads", *arguments])


def test_leads_are_listed_shown_and_acted_on(tmp_path: Path) -> None:
    settings = config.load(config.write_template(tmp_path / "shop", name="Shop"))
    folder = tmp_path / "shop"
    lead = Submission(traits={"email": "ada@example.com"}, wishes={"city": "İzmir"}, channel="store")
    with open_engine(settings) as engine:
        body = messages_of(lead, "lead-1")
        engine.log.append([Entry("till", "batch", now_us(), body.messages, body.body)])
        engine.recover()
        engine.drain()
    made = lead_id("till", "lead-1")
    [row] = json.loads(tekil(folder, "list", "--json").stdout)
    assert (row["lead"], row["who"], row["state"], row["channel"]) == (made, "a•••@e•••.com", "new", "store")
    assert f"{made}: accepted, new" in tekil(folder, "act", made, "accept").output
    assert f"{made}: accepted, offer" in tekil(folder, "act", made, "move", "offer").output
    assert "won" in tekil(folder, "act", made, "won", "1250.50").output
    assert "moved" in tekil(folder, "show", made).output
    told = json.loads(tekil(folder, "show", made, "--json").stdout)
    assert told["shown"]["lead"]["value"] == 125050
    [won] = json.loads(tekil(folder, "list", "--state", "won", "--json").stdout)
    assert won["value"] == "1250.50 TRY"
    for wrong in (("act", made, "fly"), ("show", "none"), ("act", made, "move", "offer")):
        assert tekil(folder, *wrong).exit_code != 0
