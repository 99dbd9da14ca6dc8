"""Users and keys from the command line, where whoever owns the machine decides."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_commands import refused, run


def test_users_are_made_listed_changed_and_disabled(tmp_path: Path) -> None:
    run(tmp_path, "init")
    options = ["ayse", "--role", "marketer", "--only", "city=İzmir", "--json"]
    made = json.loads(run(tmp_path, "user", "create", *options).stdout)
    assert (made["name"], len(made["password"])) == ("ayse", 16)
    assert len(run(tmp_path, "user", "create", "veli", "--role", "administrator").stdout.strip()) == 16
    assert run(tmp_path, "user", "role", "ayse", "sales", "analyst").exit_code == 0
    assert run(tmp_path, "user", "disable", "ayse").exit_code == 0
    rows = {row["name"]: row for row in json.loads(run(tmp_path, "user", "list", "--json").stdout)}
    assert rows["ayse"] == {
        "name": "ayse",
        "roles": "sales analyst",
        "only": "",
        "enabled": False,
        "second_factor": False,
    }
    assert run(tmp_path, "user", "enable", "ayse").exit_code == 0
    reset = json.loads(run(tmp_path, "user", "password", "ayse", "--forget-second-factor", "--json").stdout)
    assert reset["password"] != made["password"]
    acts = [row["act"] for row in json.loads(run(tmp_path, "audit", "list", "--json").stdout)]
    assert acts[:3] == ["user.password_reset", "user.enabled", "user.disabled"]


def test_what_cannot_be_done_to_a_user_is_explained(tmp_path: Path) -> None:
    run(tmp_path, "init")
    run(tmp_path, "user", "create", "veli", "--role", "administrator")
    assert "There is no role 'king'" in refused(tmp_path, "user", "create", "ali", "--role", "king")
    assert "at least one role" in refused(tmp_path, "user", "create", "ali")
    assert "named 'veli' already" in refused(tmp_path, "user", "create", "veli", "--role", "sales")
    assert "no attribute rule" in refused(tmp_path, "user", "role", "veli", "sales", "--only", "x")
    assert "left to administrate" in refused(tmp_path, "user", "disable", "veli")
    assert "no user named 'ali'" in refused(tmp_path, "user", "password", "ali")


def test_somebody_at_a_provider_is_said_to_be_a_user_who_is_here(tmp_path: Path) -> None:
    run(tmp_path, "init")
    run(tmp_path, "user", "create", "veli", "--role", "administrator")
    link = ["user", "link", "veli", "--provider", "company", "--subject", "248"]
    assert "no provider named 'company'" in refused(tmp_path, *link)
    with (tmp_path / "tekil.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[[access.providers]]\nname = "company"\nissuer = "https://login.example"\n'
            'client_id = "tekil"\nroles = {admins = ["administrator"]}\n'
        )
    assert run(tmp_path, *link).exit_code == 0
    assert "somebody's already" in refused(tmp_path, *link)
    assert "no user named 'ali'" in refused(tmp_path, "user", "link", "ali", *link[3:])
    entry = json.loads(run(tmp_path, "audit", "list", "--limit", "1", "--json").stdout)[0]
    assert (entry["act"], entry["details"]) == ("identity.linked", {"issuer": "https://login.example"})


def test_a_key_ends_and_is_renewed(tmp_path: Path) -> None:
    run(tmp_path, "init")
    options = ["--api", "--scope", "sql:read", "--expires", "90d", "--only", "city=Van", "--json"]
    made = json.loads(run(tmp_path, "key", "create", *options).stdout)
    renewed = json.loads(run(tmp_path, "key", "rotate", made["id"], "--overlap", "1h", "--json").stdout)
    assert renewed["key"] != made["key"]
    assert run(tmp_path, "key", "rotate", made["id"]).stdout.startswith("tk_")
    assert "write one like 90d" in refused(tmp_path, "key", "create", *options[:4], "soon")
    entries = json.loads(run(tmp_path, "audit", "list", "--json").stdout)
    assert [row["act"] for row in entries] == ["key.rotated", "key.rotated", "key.created"]
    assert entries[1]["details"] == {"hours": 1}
    assert entries[2]["details"]["condition"] == "city=Van"
