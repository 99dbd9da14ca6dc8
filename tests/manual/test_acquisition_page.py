"""The manual's page on acquisition: its examples can be applied, and it names models, calls and columns."""

from __future__ import annotations

import re
from pathlib import Path

from tekil.acquisition.channels import channel_scope
from tekil.acquisition.sessions import SESSION_COLUMNS, TOUCH_COLUMNS
from tekil.acquisition.tables import MODELS, TABLES
from tekil.api.acquisition import acquisition_routes
from tekil.definitions import apply, parse
from tekil.kinds import KINDS
from tests.acquisition.shop import attribution, founded
from tests.manual.test_pages import MANUAL

PAGE = (MANUAL / "acquisition.md").read_text(encoding="utf-8")


def test_its_examples_can_be_applied_together_and_its_sql_runs(tmp_path: Path) -> None:
    shop = founded(tmp_path)
    examples = "---\n".join(re.findall("```yaml\n(.*?)```", PAGE, re.DOTALL))
    changes = apply(shop.store, KINDS, parse(examples), author="test", prune=True)
    assert {change.kind for change in changes} == {"channels", "conversion", "kpi", "funnel"}
    shop.run()
    attribution(shop).run()
    (question,) = re.findall(r"^    (SELECT .+)", PAGE, re.MULTILINE)
    assert shop.rows(question) == []
    shop.close()


def test_it_names_every_model_and_all_that_a_rule_may_name() -> None:
    for name in (*MODELS, *channel_scope().columns):
        assert f"`{name}`" in PAGE, name


def test_it_names_every_call() -> None:
    router = acquisition_routes(None, None)  # type: ignore[arg-type]
    made = {
        f"{method} {router.path}{re.sub(r':str', '', path)}"
        for handler in router.routes
        for path, method in ((handler.path.removeprefix(router.path), m) for m in handler.methods)
        if method != "OPTIONS"
    }
    told = set(re.findall(r"^\| `((?:GET|POST) /v1/acquisition/[^`]+)`", PAGE, re.MULTILINE))
    assert told == made


def test_it_names_every_relation_with_its_columns() -> None:
    told = {
        name: re.findall("`(\\w+)`", columns)
        for name, columns in re.findall(
            r"^\| `(\w+)` \| [^|]+ \| (`person_key`[^|]+|`[^|]+) \|$", PAGE, re.MULTILINE
        )
    }
    expected = {table.name: list(table.column_names) for table in TABLES}
    expected["credits"] = [n for n in expected["credits"] if not n.startswith(("value_", "share_"))]
    expected["credits"] += ["value_", "share_"]
    expected |= {"sessions": ["person_key", *SESSION_COLUMNS], "touches": ["person_key", *TOUCH_COLUMNS]}
    for name, columns in expected.items():
        assert told[name] == columns, name
