"""Definitions in the console: a form or rows, a plan first, every version kept."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.config import Config
from tekil.console import create_app
from tekil.definitions import stored
from tekil.store.audit import Wanted
from tests.console.conftest import HTML, member, token
from tests.installation import Installation
from tests.models.test_audiences import FEATURES, define, models_of
from tests.models.test_features import order

Client = TestClient[Any]
Post = Callable[..., Any]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("authored"), defined=models_of)
    define(made, FEATURES, buyers="orders > 0", many="orders > 2 and buyers")
    made.say(*(order(f"u{user}", 10 * n) for user in range(1, 6) for n in range(1, user + 1)))
    made.say({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "city": "İzmir"}})
    made.run()
    yield made
    made.close()


@pytest.fixture(scope="module")
def console(shop: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    app = create_app(shop.reads, shop.store, Config(root=tmp_path_factory.mktemp("console")))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        client.cookies.set("tekil_session", member(shop.store, "marketer"))
        yield client


@pytest.fixture
def post(console: Client) -> Post:
    def post(path: str, **fields: Any) -> Any:
        form = {"form_token": token(console.get("/definitions/new/audience").text), **fields}
        return console.post(path, data=form, follow_redirects=False)

    return post


ROWS = {
    "kind": "audience",
    "by": "rows",
    "was_by": "rows",
    "name": "local",
    "title_tr": "İzmirliler",
    "join": "and",
    "g0_join": "and",
    "g0_0_field": "orders",
    "g0_0_op": "ge",
    "g0_0_value": "1",
    "g1_join": "or",
    "g1_0_field": "traits.city",
    "g1_0_op": "is",
    "g1_0_value": "İzmir",
    "g1_1_field": "many",
    "g1_1_op": "yes",
    "g1_1_value": "",
}


def hidden(page: str) -> dict[str, str]:
    """What the plan's form would send back."""
    found = dict(
        re.findall(
            r'type="hidden" name="(\w+)" value="([^"]*)"', page.split('action="/definitions/apply"')[1]
        )
    )
    (document,) = re.findall(r'name="document" hidden>(.*?)</textarea>', page, re.S)
    (note,) = re.findall(r'name="note" value="([^"]*)"', page)
    return {**found, "document": html.unescape(document), "note": html.unescape(note)}


def test_rows_write_sql_and_tell_at_once_whom_it_holds_for(post: Post) -> None:
    told = post("/definitions/check", **ROWS, do="preview").json()
    assert told["sql"] == "orders >= 1\nand (traits.city = 'İzmir' or many)"
    assert '<p class="big">4</p>' in told["html"]
    assert "ada@example.com" not in told["html"]
    wrong = post("/definitions/check", **{**ROWS, "g0_0_value": "bir"}, do="preview").json()
    assert "12 ya da 12,5" in wrong["html"]
    typed = {"kind": "audience", "by": "text", "sql": "ordrs > 1"}
    assert "Did you mean orders?" in html.unescape(post("/definitions/check", **typed).json()["html"])


def test_buttons_add_and_take_away_rows_without_a_script(post: Post) -> None:
    page = post("/definitions/edit", **ROWS, do="row:0").text
    assert 'name="g0_1_field"' in page
    assert 'name="g2_0_field"' in post("/definitions/edit", **ROWS, do="group").text
    fewer = post("/definitions/edit", **ROWS, do="remove:1:1").text
    assert 'name="g1_1_field"' not in fewer
    assert "orders &gt;= 1\nand traits.city = &#39;İzmir&#39;" in fewer
    assert '<p class="big">4</p>' in post("/definitions/edit", **ROWS, do="preview").text


def test_what_was_written_becomes_rows_where_rows_can_say_it(post: Post) -> None:
    typed = {**ROWS, "was_by": "text", "sql": "orders > 1 or many"}
    page = post("/definitions/edit", **typed, do="preview").text
    assert re.search(r'name="by" value="rows" checked', page)
    assert re.search(r'name="g0_0_value"[^>]* value="1"', page)
    typed["sql"] = "days_since(last_seen) > 3"
    page = post("/definitions/edit", **typed, do="preview").text
    assert re.search(r'name="by" value="text" checked', page)
    assert "days_since(last_seen) &gt; 3" in page


def test_a_plan_comes_first_then_it_is_in_force_audited_and_for_everybody(
    shop: Installation, console: Client, post: Post
) -> None:
    plan = post("/definitions/edit", **ROWS, note="for the shop in İzmir", do="plan").text
    assert "+  sql: |-" in plan
    assert '<dd class="big">4</dd>' in plan
    assert shop.store.definitions.history("audience", "local") == []
    answer = post("/definitions/apply", **hidden(plan))
    assert (answer.status_code, answer.headers["location"]) == (303, "/definitions/audience/local")
    (version,) = shop.store.definitions.history("audience", "local")
    assert version.note == "for the shop in İzmir"
    assert version.author.startswith("member-")
    assert stored(version).title == {"tr": "İzmirliler"}
    (entry,) = shop.store.audit.page(Wanted(), 1)
    assert (entry.act, entry.object_id) == ("definition.changed", "local")
    shop.run()
    assert shop.rows("SELECT count(*) AS n FROM members WHERE audience = 'local'") == [{"n": 4}]
    page = console.get("/definitions/audience/local").text
    assert re.search(r'name="g1_0_value"[^>]* value="İzmir"', page)
    assert "Özellik · orders" in page


def test_a_plan_that_is_no_longer_true_is_shown_anew(shop: Installation, post: Post) -> None:
    plan = hidden(post("/definitions/edit", **{**ROWS, "name": "late"}, do="plan").text)
    define_more(shop, "buyers", "orders >= 1")
    answer = post("/definitions/apply", **plan)
    assert answer.status_code == 400
    assert "Az önce başka biri" in answer.text
    assert post("/definitions/apply", **hidden(answer.text)).status_code == 303


def define_more(shop: Installation, name: str, sql: str) -> None:
    from tekil.definitions import Definition, Written, apply
    from tekil.kinds import KINDS

    apply(shop.store, KINDS, [Written(Definition("audience", name, {}, "", {"sql": sql}))], author="other")


def test_a_feature_shows_what_people_answer_and_whom_a_change_moves(post: Post) -> None:
    form = {"kind": "feature", "by": "text", "was": "orders", "name": "orders"}
    form["sql"] = "count(*) filter (where event = 'Order' and number(properties.total) > 15)"
    told = post("/definitions/check", **form).json()["html"]
    assert "kişinin yanıtı var" in told
    plan = post("/definitions/edit", **form, do="plan").text
    assert "Bunlar da etkilenir" in plan
    assert re.search(r"<strong>buyers</strong>.*?4 kişi; 0 girer, 1 çıkar", plan, re.S)


def test_another_name_is_a_rename_and_history_goes_on(
    shop: Installation, console: Client, post: Post
) -> None:
    form = {**ROWS, "was": "local", "name": "locals"}
    assert "eski adı local" in (plan := post("/definitions/edit", **form, do="plan").text)
    assert post("/definitions/apply", **hidden(plan)).status_code == 303
    assert [v.name for v in shop.store.definitions.history("audience", "locals")] == ["locals", "local"]
    shop.run()
    assert console.get("/definitions/audience/local").status_code == 404
    older = console.get("/definitions/audience/locals/versions/1").text
    assert "Bu sürüme dön" in older


def test_a_former_version_is_restored_and_a_definition_taken_away(
    shop: Installation, console: Client, post: Post
) -> None:
    define_more(shop, "many", "orders > 4")
    plan = post("/definitions/plan", kind="audience", name="many", version="1").text
    assert "orders &gt; 2 and buyers" in plan
    assert post("/definitions/apply", **hidden(plan)).status_code == 303
    newest = shop.store.definitions.history("audience", "many")[0]
    assert (newest.note, stored(newest).spec["sql"]) == ("1. sürüme dönüldü", "orders > 2 and buyers")
    refused = post("/definitions/plan", kind="audience", name="buyers")
    assert refused.status_code == 400
    plan = post("/definitions/plan", kind="audience", name="late").text
    assert post("/definitions/apply", **hidden(plan)).headers["location"] == "/definitions"
    assert shop.store.definitions.history("audience", "late")[0].body is None
    listed = console.get("/definitions").text
    assert 'href="/definitions/audience/many"' in listed
    assert "/definitions/audience/late" not in listed


def test_the_picture_leads_from_events_to_what_is_made_of_them(console: Client) -> None:
    page = console.get("/definitions/picture").text
    assert 'data-used="feature/orders" data-user="audience/buyers"' in page
    assert console.get("/definitions/now").json() == {"busy": False, "html": ""}


def test_whoever_may_only_look_sees_no_form_and_other_kinds_ask_for_more(
    shop: Installation, console: Client, post: Post
) -> None:
    document = "kind: event\nname: X\nspec: {}\n"
    answer = post("/definitions/apply", kind="event", document=document, revision="0")
    assert answer.status_code == 403
    mistaken = post("/definitions/edit", kind="event", text="kind: audience\nname: x\n", do="plan")
    assert mistaken.status_code == 403
    personal = post("/definitions/edit", **{**ROWS, "title_tr": "ada@example.com için"}, do="plan")
    assert personal.status_code == 400
    assert "bu" not in personal.headers
    viewer = member(shop.store, "auditor")
    other = TestClient(console.app, raise_server_exceptions=False)
    other.headers.update(HTML)
    other.cookies.set("tekil_session", viewer)
    assert other.get("/definitions").status_code == 403
