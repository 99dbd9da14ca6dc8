"""Leads in simulated time: heard once, given in turns, passed on, late, escalated, joined, erased."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tekil.access.audit import SYSTEM
from tekil.erasure import Eraser
from tekil.errors import BadRequest, NotFound
from tekil.forms.intake import ConsentSaid
from tekil.leads import LeadNotices, Reader
from tekil.leads.life import Accept, Assign, Contacted, Judge, Lost, Move, Note, Pass, Won
from tekil.outgoing import SIGNATURE, Outgoing, Webhook
from tekil.store.leads import LeadChanged
from tests.leads.desk import CHIEF, ROUTING, SalesDesk
from tests.models.test_audiences import models_of
from tests.outgoing.loopback import Answer, Loopback


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SalesDesk]:
    """One desk for all stories: each is about leads of its own, at an hour of its own."""
    made = SalesDesk(tmp_path_factory.mktemp("desk"))
    yield made
    made.close()


def test_a_lead_goes_from_hand_to_hand_until_somebody_calls_and_wins_it(desk: SalesDesk) -> None:
    lead = desk.comes("hand@example.com", value=None, wishes={"city": "İzmir"}, channel="call")
    first = desk.lead(lead)
    assert (first.state, first.owner, first.channel, first.said) == (
        "assigned",
        "ada",
        "call",
        {"city": "İzmir"},
    )
    # Nobody takes it within a quarter of an hour: the other one gets it.
    desk.later(minutes=15)
    assert (desk.lead(lead).owner, desk.lead(lead).passed_by) == ("ece", ("ada",))
    desk.does("ece", lead, Accept())
    # She takes it, and calls nobody within the hour.
    desk.later(minutes=45)
    late = desk.lead(lead)
    assert (late.breaches, late.owner, late.due_at) == (1, "ece", late.received_at + 7_200_000_000)
    desk.later(minutes=60)
    assert (desk.lead(lead).owner, desk.lead(lead).breaches) == ("chief", 2)
    desk.does("chief", lead, Assign("ada"))
    desk.does("ada", lead, Contacted())
    desk.does("ada", lead, Move("offer"))
    desk.later(hours=2)
    desk.does("ada", lead, Judge("good"))
    won = desk.does("ada", lead, Won("1500,50"))
    assert (won.state, won.value) == ("won", 150050)
    assert desk.acts(lead) == [
        "received",
        "assigned",
        "let_lie",
        "assigned",
        "accepted",
        "breached",
        "breached",
        "escalated",
        "assigned",
        "contacted",
        "moved",
        "judged",
        "won",
    ]
    told = desk.desk.one(lead, CHIEF)
    assert told.first_contact == 2 * 3600
    assert told.stages == {"new": 7200.0, "offer": 7200.0}
    assert desk.store.leads.outcomes(0)["web", "good"] == 1


def test_what_salespeople_did_is_in_the_persons_history_once(desk: SalesDesk) -> None:
    lead = desk.comes("history@example.com", value=Decimal("12.50"), anonymous_id="cookie-h")
    desk.does("chief", lead, Contacted())
    desk.does("chief", lead, Contacted())
    desk.does("chief", lead, Judge("good"))
    desk.does("chief", lead, Won("99.90"))
    desk.look()
    desk.shop.run()
    person = desk.desk.one(lead, CHIEF).shown.person_id
    events = {e.event: e for e in desk.shop.reads.timeline(person).events if e.event}
    assert events.keys() == {"Lead Submitted", "Lead Contacted", "Lead Rated", "Lead Won"}
    said = json.loads(events["Lead Won"].properties or "{}")
    assert (said["lead"], said["value"], said["currency"], said["quality"]) == (lead, 99.9, "TRY", "good")
    assert desk.shop.person("anonymous_id:cookie-h").person_id == person
    [count] = desk.shop.rows(
        "SELECT count(*) AS n FROM events WHERE event = 'Lead Contacted' AND anonymous_id = 'cookie-h'"
    )
    assert count["n"] == 1
    assert desk.store.leads.owed(what="log.") == []


def test_outside_hours_a_lead_waits_for_the_morning(desk: SalesDesk) -> None:
    desk.shop.now = desk.shop.now.replace(hour=18)
    lead = desk.comes()
    assert (desk.lead(lead).state, desk.lead(lead).owner) == ("waiting", "")
    desk.later(hours=11, minutes=59)
    assert desk.lead(lead).state == "waiting"
    desk.later(minutes=1)
    given = desk.lead(lead)
    assert given.state == "assigned"
    assert given.due_at == given.assigned_at + 3600 * 1_000_000
    desk.does(given.owner, lead, Contacted())


def test_the_same_person_is_one_lead_however_often_they_ask(desk: SalesDesk) -> None:
    first = desk.comes("twice@example.com", traits={"phone": "0532 000 00 01"})
    by_phone = desk.comes("other@example.com", traits={"phone": "0532 000 00 01"}, value=None)
    again = desk.comes("other@example.com")
    assert [desk.lead(x).state for x in (by_phone, again)] == ["duplicate", "duplicate"]
    assert {desk.lead(x).duplicate_of for x in (by_phone, again)} == {first}
    assert desk.acts(first).count("again") == 2
    desk.does("chief", first, Lost("price"))
    fresh = desk.comes("twice@example.com")
    assert desk.lead(fresh).state == "assigned"
    assert {other.id for other in desk.desk.one(fresh, CHIEF).others} >= {first}
    desk.does("chief", fresh, Lost("later"))


def test_two_people_at_one_computer_are_two_leads(desk: SalesDesk) -> None:
    for name in ("u-one", "u-two"):
        desk.shop.say({"type": "identify", "userId": name, "anonymousId": "shared", "traits": {}})
        desk.shop.run()
        desk.shop.pass_time(minutes=1)
    pair = [
        desk.comes(f"{name}@example.com", user_id=name, anonymous_id="shared") for name in ("u-one", "u-two")
    ]
    assert [desk.lead(lead).state for lead in pair] == ["assigned", "assigned"]
    for lead in pair:
        desk.does("chief", lead, Lost("price"))


def test_the_same_message_twice_is_one_lead(desk: SalesDesk) -> None:
    lead = desk.comes("repeat@example.com")
    rows = [row for table in desk.shop.log.replay(0) for row in table.to_pylist()]
    desk.shop.say_body(rows[-1])
    desk.shop.run()
    desk.look()
    assert desk.acts(lead) == ["received", "assigned"]
    desk.does("chief", lead, Lost("no_answer"))


def test_turns_are_fair_and_whoever_passes_does_not_get_it_back(desk: SalesDesk) -> None:
    leads = [desk.comes() for _ in range(6)]
    assert Counter(desk.lead(lead).owner for lead in leads) == {"ada": 3, "ece": 3}
    mine = next(lead for lead in leads if desk.lead(lead).owner == "ada")
    desk.does("ada", mine, Pass())
    desk.look()
    assert desk.lead(mine).owner == "ece"
    for lead in leads:
        desk.does("chief", lead, Contacted())


def test_people_see_their_own_leads_and_those_that_nobody_has(desk: SalesDesk) -> None:
    lead = desk.comes("mine@example.com")
    owner = desk.lead(lead).owner
    other = {"ada": "ece", "ece": "ada"}[owner]
    assert desk.desk.one(lead, Reader(owner)).shown.called == "m•••@e•••.com"
    for act in (Accept(), Note("hello")):
        with pytest.raises(NotFound):
            desk.does(other, lead, act)
    assert lead not in [shown.lead.id for shown in desk.desk.find(Reader(other))]
    with pytest.raises(BadRequest, match="leads:oversee"):
        desk.does(owner, lead, Assign(other))
    stale = desk.lead(lead)
    desk.does(owner, lead, Accept())
    with pytest.raises(LeadChanged):
        desk.store.leads.save(stale, stale)
    board = desk.desk.board("sales", Reader(owner))
    [column] = [c for c in board.columns if c.name == "new"]
    assert lead in [shown.lead.id for shown in column.leads]
    assert {shown.lead.owner for c in board.columns for shown in c.leads} <= {owner, ""}
    with pytest.raises(NotFound):
        desk.desk.board("nobodys", CHIEF)
    desk.does("chief", lead, Lost("price"))


def test_sums_of_stages_are_exact_to_the_kurus(desk: SalesDesk) -> None:
    before = {c.name: sum(s.value for s in c.sums) for c in desk.desk.board("sales", CHIEF).columns}
    worth = ["0.1", "0.2", "1234567.89"]
    leads = [desk.comes(value=amount) for amount in map(Decimal, worth)]
    after = {c.name: sum(s.value for s in c.sums) for c in desk.desk.board("sales", CHIEF).columns}
    assert after["new"] - before["new"] == 10 + 20 + 123456789
    desk.does("chief", leads[0], Contacted())
    rows = {row.owner: row for row in desk.desk.sla(CHIEF, 0)}
    assert rows[desk.lead(leads[1]).owner].open >= 1
    assert rows[desk.lead(leads[0]).owner].median is not None
    for lead in leads:
        desk.does("chief", lead, Lost("price"))


def test_a_task_is_reminded_of_once(desk: SalesDesk) -> None:
    lead = desk.comes()
    desk.does("chief", lead, Contacted())
    due = desk.desk.now() + 3600 * 1_000_000
    task = desk.desk.add_task(lead, "call again", due, CHIEF)
    with pytest.raises(BadRequest):
        desk.desk.add_task(lead, "mail ada@example.com", due, CHIEF)
    before = desk.notices().count("lead.task_due")
    desk.later(minutes=59)
    assert desk.notices().count("lead.task_due") == before
    desk.later(minutes=1)
    desk.later(minutes=1)
    assert desk.notices().count("lead.task_due") == before + 1
    assert desk.desk.finish_task(lead, task.id, CHIEF).done_at == desk.desk.now()
    with pytest.raises(NotFound):
        desk.desk.finish_task(lead, "none", CHIEF)
    desk.does("chief", lead, Lost("price"))


def test_a_consent_on_a_form_is_in_the_ledger_for_the_very_address(desk: SalesDesk) -> None:
    given = ConsentSaid("marketing", True, "2026-03", ("email", "sms"))
    desk.comes("yes@example.com", consents=(given, ConsentSaid("marketing", False, "2026-03", ("call",))))
    token = desk.shop.vault.token("email", "yes@example.com")
    [entry] = desk.store.consents.of([token])
    assert (entry.purpose, entry.channel, entry.given, entry.text_version) == (
        "marketing",
        "email",
        True,
        "2026-03",
    )


def test_the_webhook_is_told_in_order_signed_and_again_until_it_hears(desk: SalesDesk) -> None:
    for owed in desk.store.leads.owed(10_000):
        desk.store.leads.paid(owed.id)
    lead = desk.comes()
    desk.shop.pass_time(seconds=1)
    desk.does("chief", lead, Lost("price"))
    statuses = iter([500, 200, 200])
    server = Loopback(lambda _asked: Answer(status=next(statuses)))
    said: list[Any] = []
    webhook = Webhook(f"{server.url}/hook", Outgoing(["127.0.0.1"]), "secret")
    notices = LeadNotices(desk.store.leads, webhook, said.append, desk.desk.now)
    assert "500" in (notices.tell() or "")
    assert notices.tell() is None
    server.close()
    webhook.close()
    told = [json.loads(asked.body) for asked in server.asked[1:]]
    assert [one["what"] for one in told] == ["lead.assigned", "lead.lost"]
    assert {one["lead"] for one in told} == {lead}
    assert all(len(asked.headers[SIGNATURE.lower()]) == 64 for asked in server.asked)
    assert desk.store.leads.owed() == []


def test_erasing_the_person_takes_the_lead_and_all_that_is_known_of_it(desk: SalesDesk) -> None:
    lead = desk.comes("gone@example.com", wishes={"friend": "other@example.com", "city": "Van"})
    assert desk.lead(lead).said == {"city": "Van"}
    desk.does("chief", lead, Note("wants it soon"))
    told = repr([desk.lead(lead), desk.store.leads.entries(lead), desk.store.leads.owed(10_000)])
    assert "gone@" not in told
    assert "other@" not in told
    desk.desk.add_task(lead, "call", desk.desk.now(), CHIEF)
    Eraser(desk.shop.engine).apply("email:gone@example.com", SYSTEM)
    with pytest.raises(NotFound):
        desk.lead(lead)
    assert desk.store.leads.entries(lead) == []
    assert desk.store.leads.tasks(lead) == []
    assert [owed for owed in desk.store.leads.owed(10_000) if owed.lead_id == lead] == []


def test_rules_ask_for_audiences_and_places(tmp_path: Path) -> None:
    rules = ROUTING.replace(
        "  agents: [{name: ada}, {name: ece}]\n",
        "  agents: [{name: ada, territories: [İzmir]}, {name: ece}, {name: can}]\n"
        "  rules: [{name: vip, audience: eager, agents: [can]}, {name: near, territory: true}, "
        "{name: rest, agents: [ece]}]\n",
    )
    made = SalesDesk(tmp_path, rules, models_of)
    made.define("kind: audience\nname: eager\nspec: {sql: events_30d >= 3}\n")
    near = made.comes(wishes={"city": "IZMİR"})
    far = made.comes("eager@example.com", wishes={"city": "Van"})
    assert [made.lead(one).owner for one in (near, far)] == ["ada", "ece"]
    made.does("chief", far, Lost("price"))
    eager = made.comes("eager@example.com")
    made.does("chief", eager, Lost("price"))
    assert made.lead(made.comes("eager@example.com")).owner == "can"
    made.close()


def test_one_lead_that_cannot_be_looked_after_holds_up_nobody(
    desk: SalesDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("tekil.leads.runner.assign", lambda *_: 1 / 0)
        lead = desk.comes("stuck@example.com")
    assert desk.lead(lead).state == "new"
    other = desk.comes("next@example.com")
    assert desk.lead(other).state == "assigned"
    desk.does("chief", other, Lost("price"))
    desk.later(hours=1)
    assert desk.lead(lead).state == "assigned"
    desk.does("chief", lead, Lost("price"))


def test_without_a_routing_leads_wait_for_whoever_takes_them(tmp_path: Path) -> None:
    made = SalesDesk(tmp_path, "")
    lead = made.comes()
    assert (made.lead(lead).state, made.lead(lead).due_at) == ("waiting", None)
    assert made.does("ada", lead, Accept()).owner == "ada"
    other = made.comes()
    made.define(ROUTING)
    made.later(hours=1)
    assert made.lead(other).state == "assigned"
    made.close()
