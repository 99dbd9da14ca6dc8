"""The manual's page on SQL names every relation with all its columns, and its questions have answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tekil.dictionary import COUNTED
from tekil.identity import TABLES as IDENTITY_TABLES
from tekil.load import TABLES as LOAD_TABLES
from tekil.models import ACTIVITY, AFFILIATIONS, ATTRIBUTES, MEMBERSHIP_TABLES, VIEWS
from tests.installation import Installation
from tests.laws.conftest import Found
from tests.manual.test_pages import MANUAL

PAGE = (MANUAL / "sql.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
NAME = re.compile("`(\\w+)`")
WHOLE = {"person_events": "events", "person_traits": "traits"}
"""Relation → the one whose columns it has besides its own, which the page does not repeat."""


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def columns(installation: Installation, relation: str) -> list[str]:
    return installation.warehouse.read(f"SELECT * FROM {relation} LIMIT 0").column_names


def test_every_relation_is_on_the_page_with_its_columns(installation: Installation) -> None:
    told = {name: NAME.findall(text) for name, text in ROW.findall(PAGE)}
    tables = [*LOAD_TABLES, *IDENTITY_TABLES, ACTIVITY.table, ATTRIBUTES.table, *MEMBERSHIP_TABLES]
    tables.append(AFFILIATIONS.table)
    assert told.keys() == {*VIEWS, COUNTED, *(table.name for table in tables)}
    for relation, names in told.items():
        if relation == AFFILIATIONS.name:
            assert names == list(AFFILIATIONS.table.column_names)
            continue
        expected = columns(installation, relation)
        if relation == "activity":
            assert names == ["profile", "person_id"]
            continue
        if relation in WHOLE:
            assert names[-1] == WHOLE[relation]
            names[-1:] = columns(installation, WHOLE[relation])
        assert names == expected, relation


def test_every_question_on_the_page_has_an_answer(installation: Installation) -> None:
    page_view = {
        "type": "page",
        "userId": "u1",
        "context": {"page": {"url": "https://x.example/?utm_source=g"}},
    }
    order = {"type": "track", "event": "Order Completed", "userId": "u1", "properties": {"total": 12.5}}
    installation.say(page_view, order, {"type": "identify", "userId": "u1", "traits": {"city": "Van"}})
    installation.run()
    asked = re.findall(r"^    (SELECT (?:.+\n      )*.+)", PAGE, re.MULTILINE)
    assert len(asked) == 5
    answers = [installation.rows(question) for question in asked]
    assert answers[0] == [{"source": "g", "people": 1}]
    assert answers[2] == [{"city": "Van", "people": 1}]
    assert float(answers[3][0]["turnover"]) == 12.5
