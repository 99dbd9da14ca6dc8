"""Definitions, the dictionary and the quarantine from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tekil import config
from tekil.app.engine import open_engine
from tekil.app.serving import keep_local_key
from tekil.log import Entry
from tekil.messages import pack
from tests.cli.test_commands import refused, run

DOCUMENT = """\
kind: event
name: Order Completed
title: {tr: Sipariş tamamlandı}
spec:
  mode: quarantine
  fields:
    properties.total: {type: number}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert run(tmp_path, "init").exit_code == 0
    (tmp_path / "dictionary").mkdir()
    (tmp_path / "dictionary" / "order.yaml").write_text(DOCUMENT, encoding="utf-8")
    return tmp_path


def load(folder: Path, *properties: object) -> None:
    settings = config.load(folder)
    messages = [
        json.dumps({"type": "track", "event": "Order Completed", "userId": "u", "properties": one}).encode()
        for one in properties
    ]
    packed = pack(messages)
    with open_engine(settings) as engine:
        keep_local_key(settings, engine.store)
        engine.recover()
        engine.log.append([Entry("web", "batch", 1_790_000_000_000_000, packed.messages, packed.body)])
        engine.drain()


def test_a_plan_shows_the_fields_and_only_applying_changes_anything(folder: Path) -> None:
    files = str(folder / "dictionary")
    told = run(folder, "plan", files).stdout
    assert "+ event Order Completed  (version 1)" in told
    assert '    spec.fields.properties.total.type: "number"' in told
    assert json.loads(run(folder, "definitions", "list", "--json").stdout) == []
    assert run(folder, "apply", files, "--note", "first").exit_code == 0
    assert "Everything is in force" in run(folder, "plan", files).stdout
    (listed,) = json.loads(run(folder, "definitions", "history", "--json").stdout)
    assert (listed["name"], listed["what"], listed["note"]) == ("Order Completed", "set", "first")
    changed = DOCUMENT.replace("quarantine", "warn")
    (folder / "dictionary" / "order.yaml").write_text(changed, encoding="utf-8")
    assert '    spec.mode: "quarantine" → "warn"' in run(folder, "plan", files).stdout
    (change,) = json.loads(run(folder, "apply", files, "--json").stdout)
    assert (change["action"], change["version"]) == ("changed", 2)


def test_a_mistake_is_told_by_file_and_line_and_nothing_is_applied(folder: Path) -> None:
    (folder / "dictionary" / "z.yaml").write_text(
        "kind: event\nname: B\nspec: {mode: loud}\n", encoding="utf-8"
    )
    assert "z.yaml:3: B: Invalid enum value 'loud'" in refused(folder, "apply", str(folder / "dictionary"))
    assert json.loads(run(folder, "definitions", "list", "--json").stdout) == []
    (folder / "empty").mkdir()
    assert "no definition" in refused(folder, "plan", str(folder / "empty"))


def test_what_is_exported_can_be_applied_elsewhere_and_what_is_not_there_is_pruned(folder: Path) -> None:
    run(folder, "apply", str(folder / "dictionary"))
    two = DOCUMENT + "---\n" + DOCUMENT.replace("Order Completed", "order/completed")
    (folder / "dictionary" / "order.yaml").write_text(two, encoding="utf-8")
    run(folder, "apply", str(folder / "dictionary"))
    assert "Wrote 2" in run(folder, "definitions", "export", str(folder / "out")).stdout
    assert "Everything is in force" in run(folder, "plan", "--prune", str(folder / "out")).stdout
    (folder / "out" / "event" / "order_completed-2.yaml").unlink()
    told = run(folder, "apply", "--prune", str(folder / "out")).stdout
    assert told.startswith("- event ")


def test_a_draft_and_a_schema_come_out_of_what_was_said(folder: Path) -> None:
    load(folder, {"total": 5.5, "sku": "x"}, {"total": 6.5, "sku": "y"})
    draft = run(folder, "dictionary", "infer").stdout
    assert "properties.total:\n      type: number\n      required: true" in draft
    (folder / "draft.yaml").write_text(draft, encoding="utf-8")
    assert run(folder, "apply", str(folder / "draft.yaml")).exit_code == 0
    assert run(folder, "dictionary", "infer").stdout == ""
    schema = run(folder, "dictionary", "export", "Order Completed").stdout
    (folder / "schema.json").write_text(schema, encoding="utf-8")
    assert run(folder, "dictionary", "import", str(folder / "schema.json")).exit_code == 0
    assert run(folder, "dictionary", "export", "Order Completed").stdout == schema
    assert "no event" in refused(folder, "dictionary", "export", "Nothing")
    (folder / "schema.json").write_text("{", encoding="utf-8")
    assert "no JSON" in refused(folder, "dictionary", "import", str(folder / "schema.json"))


def test_the_quarantine_is_listed_and_replaying_needs_a_choice_and_an_engine(folder: Path) -> None:
    run(folder, "apply", str(folder / "dictionary"))
    load(folder, {"total": "x"}, {"total": 1})
    (row,) = json.loads(run(folder, "quarantine", "list", "--json").stdout)
    assert (row["reasons"], row["messages"]) == ("order_completed.total:not_a_number", 1)
    assert "--all" in refused(folder, "quarantine", "replay")
    assert "tekil up" in refused(folder, "quarantine", "replay", "--all")


FEATURES = """\
kind: feature
name: orders
spec: {sql: "count(*) filter (where event = 'Order Completed')"}
---
kind: audience
name: buyers
spec: {sql: orders > 0}
"""


def test_a_plan_tells_whom_it_moves_where_there_is_anybody(folder: Path) -> None:
    file = folder / "features.yaml"
    file.write_text(FEATURES, encoding="utf-8")
    nobody = run(folder, "plan", str(file)).stdout
    assert "Nobody could be counted. Nothing was ever loaded here." in nobody
    load(folder, {"total": 5.5}, {"total": 6.5})
    told = run(folder, "plan", str(file)).stdout
    assert "    1 person with an answer; another one than now for 1" in told
    assert "    1 person in; 1 come, 0 go" in told
    assert "a backfill" in told
    run(folder, "apply", str(file))
    load(folder, {"total": 7.5})
    file.write_text(FEATURES.split("---")[0].replace("Completed", "Cancelled"), encoding="utf-8")
    told = run(folder, "plan", str(file)).stdout
    assert "  audience buyers (through orders): 0 people in; 0 come, 1 go" in told
    planned = json.loads(run(folder, "plan", str(file), "--json").stdout)
    assert [effect["leaving"] for effect in planned["effects"]] == [0, 1]


def test_files_are_compared_with_what_is_in_force_line_by_line(folder: Path) -> None:
    file = folder / "features.yaml"
    file.write_text(FEATURES, encoding="utf-8")
    assert run(folder, "diff", str(file)).exit_code == 1
    run(folder, "apply", str(file))
    same = run(folder, "diff", str(file))
    assert (same.exit_code, same.stdout) == (0, "")
    renamed = FEATURES.replace("name: buyers", "name: customers\nrenamed_from: buyers")
    file.write_text(renamed.replace("orders > 0", "orders > 1"), encoding="utf-8")
    told = run(folder, "diff", str(file)).stdout
    assert told.startswith("--- audience/buyers\n+++ audience/customers\n")
    assert "-  sql: orders > 0\n+  sql: orders > 1\n" in told
    assert "→ audience customers (was buyers)  (version 3)" in run(folder, "plan", str(file)).stdout
    file.write_text(FEATURES.split("---")[0], encoding="utf-8")
    assert "+++ nothing" in run(folder, "diff", "--prune", str(file)).stdout


def test_a_former_version_is_shown_as_it_can_be_applied(folder: Path) -> None:
    file = folder / "features.yaml"
    file.write_text(FEATURES, encoding="utf-8")
    run(folder, "apply", str(file))
    file.write_text(FEATURES.replace("orders > 0", "orders > 1"), encoding="utf-8")
    run(folder, "apply", str(file))
    former = run(folder, "definitions", "show", "audience", "buyers", "--version", "1").stdout
    assert "sql: orders > 0" in former
    (folder / "former.yaml").write_text(former, encoding="utf-8")
    assert "~ audience buyers  (version 3)" in run(folder, "apply", str(folder / "former.yaml")).stdout
    assert "no audience 'nobody'" in refused(folder, "definitions", "show", "audience", "nobody")
    assert "Wrote 2" in run(folder, "export", str(folder / "out")).stdout
