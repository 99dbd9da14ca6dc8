"""`tekil identity`: explained, merged, taken back, and measured against a truth."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tekil import config
from tekil.app.engine import open_engine
from tekil.app.serving import keep_local_key
from tekil.cli.root import cli
from tekil.definitions import Definition, Written, apply
from tekil.errors import NotFound
from tekil.kinds import KINDS
from tekil.log import Entry
from tekil.messages import pack
from tekil.store import open_store

TRUTH = """kind,value,person
user_id,u1,Ayşe
email,AYSE@example.com,Ayşe
anonymous_id,a1,Ayşe
anonymous_id,a9,Ayşe
user_id,u2,Mehmet
phone,no number,Mehmet
"""


def drain(folder: Path, *messages: object) -> None:
    settings = config.load(folder)
    with open_engine(settings) as engine:
        keep_local_key(settings, engine.store)
        engine.recover()
        if messages:
            packed = pack([msgspec.json.encode(message) for message in messages])
            engine.log.append([Entry("web", "batch", 1_790_000_000_000_000, packed.messages, packed.body)])
        engine.drain()


def run(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["--dir", str(folder), "identity", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identity")
    assert CliRunner().invoke(cli, ["--dir", str(folder), "init"]).exit_code == 0
    drain(
        folder,
        {"type": "identify", "userId": "u1", "traits": {"email": "ayse@example.com"}, "messageId": "1"},
        {"type": "page", "userId": "u1", "anonymousId": "a1", "messageId": "2"},
        {"type": "page", "anonymousId": "a9", "messageId": "3"},
        {"type": "page", "userId": "u2", "messageId": "4"},
    )
    return folder


def test_why_two_are_one_person_is_told_in_a_table(stopped: Path) -> None:
    told = run(stopped, "explain", "anonymous_id:a1", "email:ayse@example.com")
    assert told.count("user_id:u1") == 2
    assert "ayse@example.com" not in told.split("\n", 1)[1]


def test_the_truth_is_compared_with_what_was_found(stopped: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(TRUTH, encoding="utf-8")
    told = json.loads(run(stopped, "evaluate", "--truth", str(truth), "--json"))
    assert (told["identifiers"], told["unknown"], told["true_persons"]) == (5, 0, 2)
    assert told["pairs"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}
    # Nothing was ever said that ties the second browser to her.
    assert told["connected_pairs"]["recall"] == 1.0
    assert told["without_links"] is None
    assert "pairs that evidence connects" in run(stopped, "evaluate", "--truth", str(truth))
    settings = config.load(stopped)
    store = open_store(settings.resolve(settings.store))
    apply(store, KINDS, [Written(Definition("identity", "identity", spec={"links": {}}))], author="test")
    store.close()
    linked = json.loads(run(stopped, "evaluate", "--truth", str(truth), "--json"))
    assert linked["without_links"]["pairs"] == linked["pairs"] == told["pairs"]
    assert "pairs without links" in run(stopped, "evaluate", "--truth", str(truth))


def test_people_are_merged_after_a_plan_and_told_apart_again(stopped: Path) -> None:
    pair = ("user_id:u2", "user_id:u1")
    assert "Two people become one." in run(stopped, "merge", *pair)
    run(stopped, "merge", *pair, "--apply", "--reason", "they wrote to us")
    drain(stopped)
    assert "already" in run(stopped, "merge", *pair)
    assert "no longer counts" in run(stopped, "unmerge", *pair, "--apply")
    drain(stopped)
    assert "Two people become one." in run(stopped, "merge", *pair)


def test_links_are_told_by_the_command_where_no_engine_runs(stopped: Path) -> None:
    assert "0 people compared: 0 pairs are linked" in run(stopped, "links", "run")
    assert "No pair is waiting." in run(stopped, "links", "queue")
    assert json.loads(run(stopped, "links", "trust", "--json")) == []
    missing = CliRunner().invoke(
        cli, ["--dir", str(stopped), "identity", "links", "decide", "0" * 32, "accepted"]
    )
    assert isinstance(missing.exception, NotFound)


def test_organisations_and_households_are_told_by_the_command(stopped: Path) -> None:
    assert "no organisation" in run(stopped, "organisations", "nowhere.example")
    home = {"phone": "0532 123 45 67", "address": "Gazi Cad. 1"}
    drain(
        stopped,
        *({"type": "identify", "userId": user, "traits": home} for user in ("h1", "h2")),
        {"type": "group", "userId": "h1", "groupId": "g-7", "traits": {"name": "Acme", "plan": "pro"}},
    )
    assert "group:g-7" in run(stopped, "organisations")
    card = run(stopped, "organisations", "group:g-7")
    assert "Acme (group:g-7): 1 people" in card
    assert "plan: pro" in card
    (household,) = json.loads(run(stopped, "households", "--json"))
    assert [one["how"] for one in household["common"]] == ["address", "phone"]
    told = run(stopped, "households", household["id"])
    assert "user_id:h2" in told
    assert "Gazi" not in told
    assert json.loads(run(stopped, "households", household["id"], "--json"))["household"] == household
    assert len(json.loads(run(stopped, "organisations", "group:g-7", "--json"))["people"]) == 1
