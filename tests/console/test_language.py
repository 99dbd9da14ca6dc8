"""Every visible word is in the catalogue, in both languages; numbers and days read as people write them."""

from __future__ import annotations

import re
import string
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import Environment

from tekil import console
from tekil.access.audit import Act
from tekil.console.formats import Formats
from tekil.console.language import Words, catalogue, choose
from tekil.load import REASONS
from tekil.store.keys import SCOPES

FOLDER = Path(console.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
SPOKEN = re.compile(r'\s(?:title|alt|placeholder|aria-label|value)="([^"]*)"')
NAME = {"Tekil", "token"}
"""What is the same in every language: our name, and a value that nobody reads."""


def test_both_catalogues_say_the_same_things() -> None:
    turkish, english = catalogue("tr"), catalogue("en")
    assert turkish.keys() == english.keys()
    for key in turkish:
        places = [{p for _, p, _, _ in string.Formatter().parse(c[key]) if p} for c in (turkish, english)]
        assert places[0] == places[1], key
        assert turkish[key].strip(), key


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_speaks_for_itself(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    text = "".join(
        value if kind == "data" else "\x00" if kind.endswith("_begin") else ""
        for _, kind, value in Environment().lex(source)
    )
    spoken = [found for found in SPOKEN.findall(text) if "\x00" not in found]
    text = re.sub(r"<[^>]*>", " ", re.sub(r"<!--.*?-->", " ", text, flags=re.S))
    raw = set(re.findall(r"[^\W\d_]{2,}", text)) - NAME
    assert not raw, f"{template.name} says {raw} in one language"
    assert not [s for s in spoken if re.search(r"[^\W\d_]{2,}", s) and s not in CODES], spoken


EDITOR = {"preview", "rows", "text", "group", "plan"}
CODES = {
    "form_token",
    "next",
    "enabled",
    "light dark",
    "yes",
    "no",
    "actor",
    "act",
    "since",
    "until",
    *EDITOR,
}


def test_every_text_a_template_or_page_asks_for_is_there() -> None:
    asked = set()
    for path in [*TEMPLATES, *FOLDER.glob("*.py")]:
        asked |= set(re.findall(r"""(?:\bt|words)\(\s*"([\w.]+)"[,)]""", path.read_text(encoding="utf-8")))
    assert len(asked) > 80
    assert asked <= catalogue("tr").keys(), asked - catalogue("tr").keys()
    assert {f"scope.{scope}" for scope in (*SCOPES, "*")} <= catalogue("tr").keys()
    assert {f"act.{act}" for act in Act} <= catalogue("tr").keys()
    assert {f"reason.{reason}" for reason in REASONS} <= catalogue("tr").keys()


def test_a_visitor_reads_what_they_chose_then_what_their_browser_asks_then_what_the_company_does() -> None:
    assert choose("en", "tr", "tr") == "en"
    assert choose(None, "de, en;q=0.5, tr;q=0.9", "en") == "tr"
    assert choose("xx", "de", "tr") == "tr"
    assert choose(None, "tr;q=never,,;", "fr") == "en"


@pytest.fixture
def turkish() -> Formats:
    return Formats(Words("tr"), "Europe/Istanbul")


@pytest.fixture
def english() -> Formats:
    return Formats(Words("en"), "Europe/Istanbul")


def test_numbers(turkish: Formats, english: Formats) -> None:
    assert (turkish.number(1234567.8, 1), english.number(1234567.8, 1)) == ("1.234.567,8", "1,234,567.8")
    assert (turkish.percent(1, 8), english.percent(1, 8)) == ("%12,5", "12.5%")
    assert english.percent(1, 1_000_000) == "<0.1%"
    assert english.percent(999_999, 1_000_000) == ">99.9%"
    assert (english.percent(0, 0), english.percent(5, 5)) == ("0%", "100%")
    assert (turkish.seconds(0.412), english.seconds(4.24), english.seconds(180)) == (
        "0,41 sn",
        "4.2 s",
        "3 min",
    )
    assert english.seconds(None) == "–"


def test_instants_are_shown_in_the_workspaces_zone(turkish: Formats, english: Formats) -> None:
    late = datetime(2026, 11, 22, 21, 30)
    assert turkish.full(late) == "23 Kasım 2026, 00:30"
    assert english.full("2026-11-22T21:30:00Z") == "23 November 2026, 00:30"
    assert english.full(int(late.replace(tzinfo=UTC).timestamp() * 1e6)) == "23 November 2026, 00:30"
    assert english.iso(late) == "2026-11-22T21:30:00Z"
    assert turkish.heading(date(2026, 11, 20), date(2026, 11, 23)) == "20 Kasım 2026, Cuma"
    assert turkish.heading(date(2026, 11, 22), date(2026, 11, 23)) == "Dün"
    assert (english.full(None), english.clock("no instant"), english.iso("")) == ("–", "–", "")


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (2, "şimdi"),
        (59, "59 sn önce"),
        (61, "1 dk önce"),
        (7200, "2 sa önce"),
        (90_000, "dün"),
        (86400 * 6, "6 gün önce"),
        (86400 * 30, "23 Ekim 2026"),
    ],
)
def test_how_long_ago(turkish: Formats, passed: float, text: str) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert turkish.ago(now - timedelta(seconds=passed), now) == text
