"""The command line, as people and scripts use it: answers, exit codes, errors that say what to do next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tekil import config
from tekil.app.engine import open_engine
from tekil.app.serving import keep_local_key
from tekil.cli.root import COMMANDS, cli
from tekil.errors import TekilError
from tekil.log import Entry
from tekil.messages import pack


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(folder), *arguments])


def refused(folder: Path, *arguments: str) -> str:
    """Run a command that fails, and return what a person is told."""
    result = run(folder, *arguments)
    assert result.exit_code != 0
    if isinstance(result.exception, TekilError):
        return result.exception.message
    return result.stderr


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that has run, knows Ayşe, and is not running now."""
    folder = tmp_path_factory.mktemp("stopped")
    assert run(folder, "init").exit_code == 0
    settings = config.load(folder)
    messages = [
        {"type": "identify", "userId": "u1", "traits": {"email": "ayse@example.com", "name": "[Ayşe]"}},
        {"type": "track", "userId": "u1", "event": "A", "messageId": "m"},
        {"type": "track", "userId": "u1", "event": "A", "messageId": "m"},
        {"type": "track", "event": "of nobody"},
    ]
    packed = pack([msgspec.json.encode(message) for message in messages])
    with open_engine(settings) as engine:
        keep_local_key(settings, engine.store)
        engine.recover()
        engine.log.append([Entry("web", "batch", 1_790_000_000_000_000, packed.messages, packed.body)])
        engine.drain()
    return folder


def test_help_comes_at_once_and_names_every_command() -> None:
    program = "import sys; sys.argv = ['tekil', '--help']; from tekil.cli import main\n"
    program += "try: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert all(name in told.stdout for name in COMMANDS)
    heavy = {"pyarrow", "duckdb", "sqlalchemy", "litestar", "altair", "httpx", "rich", "numpy"}
    assert not heavy & set(told.stderr.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_has_help(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert f"Usage: cli {name}" in result.stdout


def test_an_unknown_command_or_folder_is_told(tmp_path: Path) -> None:
    assert "No such command 'dance'" in refused(tmp_path, "dance")
    assert "no folder" in refused(tmp_path / "nowhere", "status")


@pytest.mark.parametrize("command", [["status"], ["sql", "SELECT 1"], ["key", "list"], ["up"], ["verify"]])
def test_without_a_configuration_people_are_sent_to_init(tmp_path: Path, command: list[str]) -> None:
    assert "Run `tekil init` there first" in refused(tmp_path, *command)


def test_before_the_first_run_people_are_sent_to_up(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    assert "Start it with `tekil up`" in refused(tmp_path, "status")


def test_init_writes_both_ports_and_never_overwrites(tmp_path: Path) -> None:
    options = ["--collect-port", "9000", "--console-port", "9001", "--name", 'Minder "Evi"']
    shop = tmp_path / "shop"
    assert run(tmp_path, "init", str(shop), *options).exit_code == 0
    settings = config.load(shop)
    assert (settings.collect.port, settings.console.port) == (9000, 9001)
    assert settings.workspace.name == "Minder 'Evi'"
    assert "is there already" in refused(tmp_path, "init", str(shop))
    assert config.load(shop) == settings
    assert "70000 is not in the range" in refused(tmp_path, "init", "--collect-port", "70000")


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    run(tmp_path, "init")
    write = json.loads(run(tmp_path, "key", "create", "--source", "web", "--json").stdout)
    assert write["source"] == "web"
    assert run(tmp_path, "key", "create", "--source", "web").stdout.strip() != write["key"]
    options = ["--api", "--scope", "profiles:read", "--scope", "ledger:read", "--json"]
    api = json.loads(run(tmp_path, "key", "create", *options).stdout)
    assert api["scopes"] == ["ledger:read", "profiles:read"]
    listed = json.loads(run(tmp_path, "key", "list", "--json").stdout)
    assert [row["kind"] for row in listed] == ["write", "write", "api"]
    assert api["key"] not in json.dumps(listed)
    for one in (write["key"], api["id"]):
        assert run(tmp_path, "key", "revoke", one).exit_code == 0
    listed = json.loads(run(tmp_path, "key", "list", "--json").stdout)
    assert [(row["kind"], row["enabled"]) for row in listed] == [("write", True), ("api", False)]
    assert "no such write key" in refused(tmp_path, "key", "revoke", "nonsense")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Give either --source NAME"),
        (["--source", "web", "--api"], "Give either --source NAME"),
        (["--api"], "at least one --scope"),
        (["--api", "--scope", "everything"], "There is no scope 'everything'"),
        (["--source", "web", "--scope", "sql:read"], "A write key has no scopes"),
        (["--source", "Web Shop"], "cannot name a source"),
    ],
)
def test_a_key_that_cannot_be_made_is_explained(stopped: Path, options: list[str], told: str) -> None:
    assert told in refused(stopped, "key", "create", *options)


def test_status_is_the_ledger(stopped: Path) -> None:
    told = json.loads(run(stopped, "status", "--json").stdout)
    assert told["running"] is False
    counted = {"accepted": 4, "loaded": 2, "quarantined": 1, "duplicate": 1, "waiting": 0}
    assert told["total"] == {**counted, "erased": 0}
    assert told["sources"][0]["reasons"] == {"identifier_missing": 1}
    words = run(stopped, "status").stdout
    assert "not running" in words
    assert words.splitlines()[-1].split() == ["total", "4", "2", "1", "1", "0"]


def test_sql_prints_rows_or_a_list_of_objects(stopped: Path) -> None:
    select = (
        "SELECT event, count(*) AS n, DATE '2026-03-01' AS day FROM events WHERE event = 'A' GROUP BY ALL"
    )
    assert json.loads(run(stopped, "sql", select, "--json").stdout) == [
        {"event": "A", "n": 1, "day": "2026-03-01"}
    ]
    assert run(stopped, "sql", select).stdout.splitlines()[-1].split() == ["A", "1", "2026-03-01"]
    assert json.loads(run(stopped, "sql", "SELECT 1 WHERE FALSE", "--json").stdout) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELEC 1",
        "SELECT nothing FROM events",
        "DROP TABLE events",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM read_csv('/etc/passwd')",
    ],
)
def test_sql_that_cannot_be_run_is_refused(stopped: Path, statement: str) -> None:
    assert refused(stopped, "sql", statement)
    assert json.loads(run(stopped, "sql", "SELECT count(*) AS n FROM events", "--json").stdout) == [{"n": 2}]


def test_a_profile_is_shown_as_data_and_as_words(stopped: Path) -> None:
    told = json.loads(run(stopped, "profile", "email: AYSE@example.com", "--json").stdout)
    assert told["traits"]["name"] == "[•••"
    assert {"kind": "email", "value": "a•••@e•••.com"} in told["identifiers"]
    assert {"kind": "user_id", "value": "u1"} in told["identifiers"]
    assert json.loads(run(stopped, "profile", told["person_id"], "--json").stdout) == told
    assert "[Ayşe]" not in run(stopped, "profile", "user_id:u1").stdout
    assert "[Ayşe]" in run(stopped, "profile", "user_id:u1", "--reveal", "a complaint").stdout
    assert "Nobody is known as 'email:x@y.zz'" in refused(stopped, "profile", "email:x@y.zz")
    assert "no kind of identifier 'tail'" in refused(stopped, "profile", "tail:long")


def test_verify_shows_the_rows_that_differ_and_exits_with_1(stopped: Path) -> None:
    assert run(stopped, "verify").exit_code == 0
    with open_engine(config.load(stopped)) as engine:
        engine.warehouse.derive("wrong", "SELECT * REPLACE (events + 1 AS events) FROM activity")
        with engine.warehouse.transaction():
            engine.warehouse.overwrite("activity", "SELECT * FROM wrong")
    wrong = run(stopped, "verify", "--json")
    assert wrong.exit_code == 1
    told = json.loads(wrong.stdout)
    assert told["holds"] is False
    assert {(d["table"], d["kind"]) for d in told["differences"]} >= {
        ("activity", "missing"),
        ("activity", "unexpected"),
    }
    assert "missing in activity" in run(stopped, "verify").stdout
    assert "Rebuilt 1 persons." in run(stopped, "rebuild").stdout
    assert run(stopped, "verify").exit_code == 0


def test_an_instant_for_the_demo_is_read_or_explained(tmp_path: Path) -> None:
    assert "write one like 2026-11-20T15:30:00Z" in refused(tmp_path, "demo", "--until", "yesterday")


@pytest.mark.parametrize("options", [["--decimal", "dot"], ["--dates", "year-first"], ["--as", "dance"]])
def test_an_import_that_cannot_be_read_is_explained(tmp_path: Path, options: list[str]) -> None:
    run(tmp_path, "init")
    file = tmp_path / "a.csv"
    file.write_text("id\n1\n")
    told = refused(tmp_path, "import", str(file), "--as", "identify", *options)
    assert options[1] in told


def test_the_vaults_keys_are_changed_and_people_stay_known(stopped: Path) -> None:
    before = json.loads(run(stopped, "vault", "status", "--json").stdout)
    assert before["values"] > 0
    purposes = {key["purpose"] for key in before["keys"]}
    assert {"tokens", "vault"} <= purposes
    assert "values anew" in run(stopped, "vault", "rotate").stdout
    after = json.loads(run(stopped, "vault", "status", "--json").stdout)
    ids = ({k["id"] for k in told["keys"] if k["purpose"] == "vault"} for told in (before, after))
    assert next(ids).isdisjoint(next(ids))
    shown = json.loads(run(stopped, "profile", "user_id:u1", "--reveal", "a test", "--json").stdout)
    assert shown["traits"]["name"] == "[Ayşe]"


def test_another_master_key_takes_over(stopped: Path) -> None:
    assert "keys are wrapped by" in run(stopped, "vault", "rewrap", "file:data/other.key").stdout
    assert "Give the right one back" in refused(stopped, "profile", "email:ayse@example.com")
    toml = stopped / "tekil.toml"
    toml.write_text(toml.read_text().replace("file:data/master.key", "file:data/other.key"))
    told = json.loads(run(stopped, "profile", "email:ayse@example.com", "--json").stdout)
    assert told["person_id"]
    assert run(stopped, "vault", "rewrap", "file:data/master.key").exit_code == 0
    toml.write_text(toml.read_text().replace("file:data/other.key", "file:data/master.key"))
