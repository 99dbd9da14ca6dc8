"""The checklist is answered by what is there: an empty installation is not ready, and each step shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tekil.access.audit import SYSTEM, Act
from tekil.config import Access, Collect, Config, Keys
from tekil.console.pages import NAV
from tekil.definitions import Definition, Written, apply
from tekil.engine import utc_now
from tekil.kinds import KINDS
from tekil.readiness import CHECKS, GROUPS, PLAIN, Measuring, told
from tekil.readiness.checks.journey import WELL_KNOWN, plain
from tekil.readiness.model import Answer, Check, Point, Words
from tekil.store import open_store
from tekil.store.keys import DAY_US
from tests.installation import NOON, Installation


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, store=open_store(f"sqlite:///{tmp_path / 'store.db'}"))
    yield made
    made.close()
    made.store.close()


def measuring(place: Installation, config: Config | None = None, scraped: Any = None) -> Measuring:
    settings = config or Config(collect=Collect(port=1))
    return Measuring(
        place.reads, place.store, settings, place.vault, lambda: scraped, clock=lambda: place.now
    )


def points(place: Installation, name: str, config: Config | None = None, scraped: Any = None) -> list[Point]:
    measured = measuring(place, config, scraped).measure()
    return list(next(answer.points for answer in measured.answers if answer.check.name == name))


def states(found: list[Point]) -> list[str]:
    return [point.state for point in found]


def test_an_installation_that_was_sent_nothing_has_an_answer_for_everything(place: Installation) -> None:
    measured = measuring(place).measure()
    assert [answer.check for answer in measured.answers] == list(CHECKS)
    assert all(answer.points for answer in measured.answers)
    assert {check.group for check in CHECKS} == set(GROUPS)
    assert measured.count("ready") == 0
    for answer in measured.answers:
        for point in told(answer, PLAIN).points:
            assert point.reason
            assert "{" not in point.reason + point.fix


def test_the_journey_is_mapped_stage_by_stage(place: Installation) -> None:
    assert set(states(points(place, "journey"))) == {"missing"}
    place.say(
        {"type": "page", "anonymousId": "a1"},
        {"type": "track", "anonymousId": "a1", "event": "Order Completed"},
        {"type": "track", "anonymousId": "a1", "event": "Started a quote"},
    )
    place.run()
    visit, interest, intent, sign_up, purchase, loyalty = states(points(place, "journey"))
    assert (visit, interest, intent, sign_up) == ("ready", "missing", "missing", "missing")
    assert (purchase, loyalty) == ("attention", "missing")
    define(place, "Order Completed", {})
    define(place, "Started a quote", {"stage": "intent"})
    assert states(points(place, "journey")) == ["ready", "missing", "ready", "missing", "ready", "missing"]


def define(place: Installation, name: str, spec: dict[str, Any]) -> None:
    apply(place.store, KINDS, [Written(Definition("event", name, {}, "", spec))], author="test")


def test_no_well_known_name_belongs_to_two_stages() -> None:
    names = [name for names in WELL_KNOWN.values() for name in names]
    assert len(names) == len(set(names))
    assert all(name == plain(name) for name in names)


def test_sources_that_fall_silent_are_named(place: Installation) -> None:
    for source in ("web", "erp", "spare"):
        place.store.keys.create_write_key(source)
    place.say({"type": "page", "anonymousId": "a1"}, source="web")
    place.say({"type": "record", "object": "order", "key": {"id": 1}, "fields": {"a": 1}}, source="erp")
    place.run()
    found = points(place, "channels")
    assert states(found) == ["ready", "missing", "ready", "attention"]
    assert "spare" in found[-1].values["sources"]  # type: ignore[operator]
    place.pass_time(days=8)
    place.say({"type": "page", "anonymousId": "a1"}, source="web")
    place.run()
    silent = [point.values["source"] for point in points(place, "channels") if "source" in point.values]
    assert silent == ["erp"]


def test_systems_are_in_step_while_their_records_arrive(place: Installation) -> None:
    place.say({"type": "record", "object": "Orders", "key": {"id": 1}, "fields": {"a": 1}}, source="erp")
    place.run()
    assert states(points(place, "records")) == ["missing", "ready", "missing", "missing"]
    place.pass_time(days=3)
    assert states(points(place, "records")) == ["missing", "attention", "missing", "missing"]


def test_a_master_key_beside_the_data_is_told_of(place: Installation, tmp_path: Path) -> None:
    place.say({"type": "track", "userId": "u1", "event": "A"})
    place.run()
    beside = Config(root=tmp_path, keys=Keys("file:data/master.key"))
    apart = Config(root=tmp_path, keys=Keys("env:TEKIL_MASTER_KEY"))
    assert states(points(place, "personal", beside)) == ["ready", "ready", "attention", "ready"]
    assert states(points(place, "personal", apart)) == ["ready", "ready", "ready", "ready"]


def test_breaches_of_the_dictionary_ask_for_attention(place: Installation) -> None:
    define(place, "A", {"fields": {"properties.price": {"type": "number"}}})
    place.say(*({"type": "track", "userId": "u1", "event": "A", "properties": {"price": "x"}},) * 2)
    place.run()
    assert states(points(place, "personal"))[-1] == "attention"


def test_second_factors_administrators_and_keys_are_counted(place: Installation) -> None:
    place.now = utc_now()  # Keys are made and end by the machine's clock.
    place.store.users.create_first()
    settings = Config(access=Access(("administrator",)))
    assert states(points(place, "signing_in", settings))[:3] == ["missing", "ready", "attention"]
    place.store.users.create("ayse", ["administrator"])
    place.store.keys.create_api_key("for ever", ["ledger:read"])
    place.store.keys.create_api_key("soon over", ["ledger:read"], lasts_us=3 * DAY_US)
    found = points(place, "signing_in")
    assert states(found)[1:] == ["attention", "ready", "attention", "attention"]
    assert [point.figure for point in found[3:]] == [1, 1]


def test_a_trail_that_was_tampered_with_is_found_though_it_was_verified_before(place: Installation) -> None:
    for n in range(3):
        place.store.audit.append(SYSTEM, Act.SQL_RUN, "warehouse", str(n))
    watch = measuring(place)

    def trail() -> Point:
        measured = watch.measure(anew=True)
        return next(answer.points[0] for answer in measured.answers if answer.check.name == "traces")

    assert (trail().state, trail().figure) == ("ready", 3)
    with place.store._begin() as connection:
        connection.exec_driver_sql("update audit_entries set actor = 'nobody' where number = 2")
    place.store.audit.append(SYSTEM, Act.SQL_RUN, "warehouse", "3")
    place.pass_time(hours=2)
    assert trail().state == "attention"
    assert trail().values == {"number": 2}
    with place.store._begin() as connection:
        connection.exec_driver_sql("update audit_entries set actor = 'tekil' where number = 2")
    assert (trail().state, trail().figure) == ("ready", 4)


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_performance_is_watched_while_somebody_reads_the_figures(place: Installation) -> None:
    place.say({"type": "track", "userId": "u1", "event": "A"})
    place.run()
    server = HTTPServer(("127.0.0.1", 0), _Healthy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        settings = Config(collect=Collect(port=server.server_port))
        found = points(place, "performance", settings, scraped=NOON)
        assert states(found) == ["ready", "ready", "ready", "ready"]
        place.pass_time(minutes=6)
        assert states(points(place, "performance", settings, scraped=NOON))[-1] == "attention"
        place.pass_time(hours=1)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert states(points(place, "performance", settings))[2:] == ["attention", "missing"]


def test_reviews_that_are_due_and_requests_that_are_late_ask_for_attention(place: Installation) -> None:
    define(place, "A", {"review": "2026-01-01"})
    define(place, "B", {"review": "2027-01-01"})
    assert states(points(place, "reviews")) == ["attention", "ready", "ready"]
    define(place, "A", {"review": "2026-06-01"})
    assert set(states(points(place, "reviews"))) == {"ready"}


def test_answers_are_remembered_for_a_minute_unless_asked_anew(place: Installation) -> None:
    asked = []

    def look(_sight: object) -> list[Point]:
        asked.append(place.now)
        return [Point("ready", Words("a", "a"))]

    check = Check("one", "trust", Words("a", "a"), look)
    watch = Measuring(
        place.reads, place.store, Config(), place.vault, lambda: None, checks=[check], clock=lambda: place.now
    )
    first = watch.measure()
    place.pass_time(seconds=59)
    assert watch.measure() is first
    assert watch.measure(anew=True).at == place.now
    place.pass_time(seconds=60)
    watch.measure()
    assert asked == [NOON, NOON + timedelta(seconds=59), NOON + timedelta(seconds=119)]


@pytest.mark.parametrize(
    ("points_are", "whole"),
    [
        (["ready", "ready"], "ready"),
        (["missing", "missing"], "missing"),
        (["ready", "missing"], "attention"),
        (["attention"], "attention"),
    ],
)
def test_a_check_is_as_ready_as_its_points(points_are: list[Any], whole: str) -> None:
    found = tuple(Point(state, Words("a", "a")) for state in points_are)
    assert Answer(CHECKS[0], found).state == whole


def test_every_link_of_the_checklist_leads_to_a_page(place: Installation) -> None:
    place.store.keys.create_write_key("web")
    place.say({"type": "page", "anonymousId": "a1"}, source="web")
    place.run()
    measured = measuring(place).measure()
    links = {point.link.split("/")[1] for a in measured.answers for point in a.points if point.link}
    pages = {path.strip("/") for _, entries in NAV for _, path, _ in entries}
    assert links <= pages
