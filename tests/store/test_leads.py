"""Leads in every database: heard once, written only by who saw them last, summed to the hundredth."""

from __future__ import annotations

import msgspec
import pytest

from tekil.errors import NotFound
from tekil.store import Store
from tekil.store.leads import Lead, LeadChanged, LeadEntry, LeadTask, StageSum

RECEIVED = LeadEntry(1, "tekil", "received")


def lead(number: int, **members: object) -> Lead:
    made = Lead(
        id=f"{number:016x}",
        token=f"email~{number}",
        other_token=f"phone~{number}",
        name_kind="email",
        name_value=f"email~{number}",
        identifier_key=number,
        source="web",
        channel="form",
        created_at=number,
        received_at=number,
        stage_since=number,
        look_at=number,
    )
    return msgspec.structs.replace(made, **members)


def hear(store: Store, *leads: Lead) -> int:
    return store.leads.hear(leads, {one.id: RECEIVED for one in leads})


def test_what_is_heard_again_changes_nothing(store: Store) -> None:
    assert hear(store, lead(1), lead(2)) == 2
    store.leads.save(lead(1), lead(1, owner="ada"))
    assert hear(store, lead(1), lead(3)) == 1
    assert store.leads.get(lead(1).id).owner == "ada"
    assert [told.act for told in store.leads.entries(lead(1).id)] == ["received"]
    assert hear(store) == 0


def test_only_who_saw_it_last_may_write_it(store: Store) -> None:
    hear(store, lead(1))
    seen = store.leads.get(lead(1).id)
    saved = store.leads.save(seen, lead(1, owner="ada", version=9), [RECEIVED], [("lead.assigned", "{}")])
    assert saved.version == seen.version + 1
    assert store.leads.get(seen.id) == saved
    with pytest.raises(LeadChanged):
        store.leads.save(seen, lead(1, owner="ece"), [RECEIVED], [("lead.assigned", "{}")])
    assert len(store.leads.entries(seen.id)) == 2
    [owed] = store.leads.owed()
    store.leads.paid(owed.id)
    assert store.leads.owed() == []
    with pytest.raises(NotFound):
        store.leads.get("none")


def test_leads_are_found_by_sight_state_and_stage_and_summed_exactly(store: Store) -> None:
    hear(
        store,
        lead(1, owner="ada", value=10),
        lead(2, owner="ece", value=10**13),
        lead(3, value=None),
        lead(4, stage="offer", value=5, currency="EUR"),
        lead(5, state="won", owner="ada", value=7, look_at=None, quality="good"),
    )
    found = store.leads.find
    assert [one.id[-1] for one in found()] == ["4", "3", "2", "1"]
    assert [one.id[-1] for one in found(seen_by="ada")] == ["4", "3", "1"]
    assert [one.id[-1] for one in found(owner="ada", states=("won",))] == ["5"]
    assert [one.id[-1] for one in found(stage="offer", pipeline="sales")] == ["4"]
    assert store.leads.sums("sales") == [
        StageSum("new", "TRY", 3, 10**13 + 10),
        StageSum("offer", "EUR", 1, 5),
    ]
    assert store.leads.sums("sales", seen_by="ada")[0].value == 10
    assert store.leads.load() == {"ada": 1, "ece": 1}
    assert [one.id[-1] for one in store.leads.due(2)] == ["1", "2"]
    assert store.leads.outcomes(2) == {("web", "new"): 3, ("web", "good"): 1}
    assert [one.id[-1] for one in store.leads.open_of({"email~1", "phone~3", "email~5"})] == ["1", "3"]
    assert [one.id[-1] for one in store.leads.all_of({"email~5"})] == ["5"]


def test_closed_leads_are_forgotten_with_all_about_them(store: Store) -> None:
    hear(store, lead(1, state="won", closed_at=5), lead(2, state="lost", closed_at=9), lead(3))
    store.leads.put_task(lead(1), LeadTask("t", lead(1).id, "call", "ada", due_at=5))
    assert store.leads.count_closed(9) == 1
    assert store.leads.forget_closed(9) == 1
    assert store.leads.forget_closed(9) == 0
    assert (store.leads.entries(lead(1).id), store.leads.tasks(lead(1).id)) == ([], [])
    assert [told.act for told in store.leads.entries(lead(2).id)] == ["received"]


def test_tasks_turns_and_the_persons_rows(store: Store) -> None:
    hear(store, lead(1), lead(2))
    task = LeadTask("t", lead(1).id, "call", "ada", due_at=5)
    store.leads.put_task(lead(1), task)
    assert store.leads.reminders(4) == []
    assert store.leads.reminders(5) == [task]
    store.leads.remind(lead(1), task, ("lead.task_due", "{}"), 5)
    assert store.leads.reminders(9) == []
    store.leads.put_task(lead(1), msgspec.structs.replace(task, done_at=6))
    assert store.leads.tasks(lead(1).id)[0].done_at == 6
    assert store.leads.turns("sales") == ""
    for body in ("{}", '{"a": 1}'):
        store.leads.put_turns("sales", body)
    assert store.leads.turns("sales") == '{"a": 1}'
    removed = store.person_rows.remove([], {"phone~1": "x"})
    assert {name: n for name, n in removed.items() if name.startswith("lead")} == {
        "leads": 1,
        "lead_entries": 1,
        "lead_tasks": 1,
        "lead_notices": 1,
    }
    assert [one.id for one in store.leads.find()] == [lead(2).id]
