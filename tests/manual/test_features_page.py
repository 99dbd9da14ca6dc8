"""The manual's page on features: its examples can be applied, and it names every function and column."""

from __future__ import annotations

import re

import pytest

from tekil.definitions import Definition, check, parse
from tekil.expressions import FUNCTIONS
from tekil.kinds import KINDS
from tekil.models.audiences import ACTIVITY_COLUMNS
from tekil.models.features import event_scope
from tests.manual.test_pages import MANUAL

PAGE = (MANUAL / "features.md").read_text(encoding="utf-8")


def test_its_examples_can_be_applied() -> None:
    (examples,) = re.findall("```yaml\n(.*?)```", PAGE, re.DOTALL)
    written = parse(examples)
    check(KINDS, written, [])
    assert len(written) == 5


def test_it_tells_every_function_in_the_words_of_its_table() -> None:
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert told == list(dict.fromkeys((function.name, function.en) for function in FUNCTIONS))


def test_it_names_all_that_can_be_named() -> None:
    scope = event_scope()
    for name in [*scope.columns, *(f"{member}." for member in scope.members)]:
        assert f"`{name}" in PAGE, name


def test_the_page_on_audiences_can_be_applied_and_names_all_that_is_known_of_a_person() -> None:
    page = (MANUAL / "audiences.md").read_text(encoding="utf-8")
    examples = "---\n".join(re.findall("```yaml\n(.*?)```", page, re.DOTALL))
    carts = Definition("feature", "carts_7d", {}, "", {"sql": "count(*)"})
    orders = Definition("feature", "orders_30d", {}, "", {"sql": "count(*)"})
    check(KINDS, parse(examples), [carts, orders])
    assert all(f"`{name}`" in page for name in ACTIVITY_COLUMNS)


@pytest.mark.parametrize("page", ["stages.md", "scores.md"])
def test_the_pages_on_stages_and_scores_can_be_applied(page: str) -> None:
    text = (MANUAL / page).read_text(encoding="utf-8")
    examples = "---\n".join(re.findall("```yaml\n(.*?)```", text, re.DOTALL))
    named = ("carts_7d", "orders_30d")
    features = [Definition("feature", name, {}, "", {"sql": "count(*)"}) for name in named]
    check(KINDS, parse(examples), features)
    paths = set(re.findall(r"`GET (/v1/(?:stages|scores)[^`]*)`", text))
    assert paths <= {
        f"/v1/{what}{rest}"
        for what, inner in (("stages", "stage"), ("scores", "grade"))
        for rest in ("", "/{name}", f"/{{name}}/{{{inner}}}/people")
    }
    assert len(paths) == 3
