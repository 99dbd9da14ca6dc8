"""`tekil consent`: recorded, shown, imported, linked to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tekil import config
from tekil.cli.root import cli


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--dir", str(folder), "consent", *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config.write_template(tmp_path, name="Minder Evi", console_port=8123)
    return tmp_path


EMAIL = ["email:ayse@example.com", "--purpose", "marketing", "--channel", "email"]


def test_a_consent_is_given_withdrawn_and_shown(folder: Path) -> None:
    assert run(folder, "give", *EMAIL, "--at", "2026-01-02T10:00:00", "--source", "fair").exit_code == 0
    assert run(folder, "withdraw", *EMAIL).exit_code == 0
    shown = json.loads(run(folder, "get", EMAIL[0], "--json").stdout)
    assert [(row["state"], row["source"]) for row in shown] == [("withdrawn", "cli")]
    history = json.loads(run(folder, "get", EMAIL[0], "--history", "--json").stdout)
    assert history[0]["at"].startswith("2026-01-02")
    assert [row["source"] for row in history] == ["fair", "cli"]


def test_a_file_is_imported_once_and_says_which_rows_are_wrong(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    file.write_text(
        "identifier,purpose,channel,given,at,formNo\n"
        "email:ayse@example.com,marketing,email,evet,2026-01-02T10:00:00+03:00,F-7\n"
        "phone:0532 123 45 67,marketing,sms,RET,2026-01-03,\n"
        "email:ayse@example.com,marketing,email,perhaps,2026-01-02,\n"
        "email:ayse@example.com,marketing,email,yes,soon,\n",
        encoding="utf-8",
    )
    for _ in range(2):
        result = run(folder, "import", str(file))
        assert result.exit_code == 1
        assert "4 rows: 2 recorded, 2 refused." in result.stdout
        assert "row 4: given is 'perhaps'" in result.stderr
        assert "row 5: at is no instant" in result.stderr
    assert len(json.loads(run(folder, "get", "phone:+905321234567", "--history", "--json").stdout)) == 1


def test_a_link_names_the_console_and_not_the_person(folder: Path) -> None:
    result = run(folder, "link", *EMAIL)
    assert result.stdout.startswith("http://127.0.0.1:8123/consent/")
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in result.stderr
    assert "ayse" not in result.stdout
