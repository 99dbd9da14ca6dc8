"""`tekil retention` on an installation that stands still."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from tekil import config
from tekil.app.engine import open_engine
from tekil.cli.root import cli
from tekil.store import open_store


def tekil(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_rules_are_suggested_applied_planned_and_run(tmp_path: Path) -> None:
    settings = config.load(config.write_template(tmp_path / "shop", name="Shop"))
    settings.data.mkdir(parents=True)
    (settings.data / "local.key").write_text("none that anybody accepts")
    folder = tmp_path / "shop"
    with open_engine(settings):
        """It ran once."""
    assert "nothing is ever destroyed" in tekil(folder, "retention", "plan")
    rules = tmp_path / "rules.yaml"
    tekil(folder, "retention", "suggest", str(rules))
    assert "retention raw-messages" in tekil(folder, "apply", str(rules))
    told = json.loads(tekil(folder, "retention", "plan", "--json"))
    assert [row["of"] for row in told] == [
        "log", "events", "events Order Completed", "quarantine", "people", "consents", "requests", "leads",
        "sessions",
    ]  # fmt: skip
    assert {row["would go"] for row in told} == {0}
    assert "0 rules" in tekil(folder, "retention", "run")
    store = open_store(settings.resolve(settings.store))
    entry = store.destructions.begin("retention", "tekil", "behaviour", counts={"events": 3})
    store.destructions.finish(entry.id, {"events": 3}, {"left": 0})
    store.close()
    assert "3 events" in tekil(folder, "retention", "log")
