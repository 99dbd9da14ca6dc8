"""What acts make of a lead, and what cannot be: pure."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.errors import BadRequest
from tekil.leads.hours import Hours, HoursSpec
from tekil.leads.life import (
    Accept,
    AnyAct,
    Assign,
    Clocks,
    Contacted,
    Judge,
    Lost,
    Move,
    Note,
    Outcome,
    Pass,
    Reopen,
    Won,
    Worth,
    act_on,
    breached,
    hundredths,
    joined,
    notice,
)
from tekil.leads.life import (
    given as given_to,
)
from tekil.leads.pipelines import SALES
from tekil.leads.routing import Choice
from tekil.store.leads import Lead

NOW = int(datetime(2026, 3, 4, 7, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000
CLOCKS = Clocks(Hours(HoursSpec(), "Europe/Istanbul"), 15 * 60, 3600, "chief")


def lead(**members: object) -> Lead:
    usual = Lead(
        id="0" * 16,
        token="email~x",
        other_token="email~x",
        name_kind="email",
        name_value="email~x",
        identifier_key=1,
        source="web",
        channel="form",
        created_at=NOW,
        received_at=NOW,
        stage_since=NOW,
        due_at=NOW + 60 * MINUTE,
        look_at=NOW,
    )
    return msgspec.structs.replace(usual, **members)


def after(one: Lead, *acts: AnyAct, by: str = "ada", at: int = NOW) -> Lead:
    for act in acts:
        one = act_on(one, act, by, at, SALES, CLOCKS).lead
    return one


def refused(one: Lead, act: AnyAct, by: str = "ada") -> str:
    with pytest.raises(BadRequest) as error:
        act_on(one, act, by, NOW, SALES, CLOCKS)
    return error.value.code


def test_a_lead_that_is_given_must_be_taken_and_called_and_each_clock_stops_by_its_act() -> None:
    assigned = given_to(Outcome(lead()), Choice("ada", "rest"), NOW, CLOCKS)
    assert assigned.notices == ("lead.assigned",)
    assert (assigned.lead.accept_by, assigned.lead.look_at) == (NOW + 15 * MINUTE, NOW + 15 * MINUTE)
    taken = after(assigned.lead, Accept(), at=NOW + MINUTE)
    assert (taken.state, taken.accepted_at, taken.look_at) == ("accepted", NOW + MINUTE, NOW + 60 * MINUTE)
    called = after(taken, Contacted(), at=NOW + 2 * MINUTE)
    assert (called.contacted_at, called.look_at) == (NOW + 2 * MINUTE, None)
    assert after(called, Contacted(), at=NOW + 9 * MINUTE).contacted_at == NOW + 2 * MINUTE


def test_what_nobody_has_anybody_may_take_and_nobody_takes_what_is_anothers() -> None:
    assert after(lead(state="waiting"), Accept()).owner == "ada"
    mine = after(lead(), Accept())
    assert refused(mine, Accept(), by="ece") == "lead_owned"
    assert refused(lead(state="waiting"), Pass()) == "lead_unowned"
    passed = after(mine, Pass())
    assert (passed.state, passed.owner, passed.passed_by, passed.look_at) == ("waiting", "", ("ada",), NOW)


def test_stages_values_and_endings() -> None:
    mine = after(lead(), Accept(), Worth("1.250,50"), Move("offer"))
    assert (mine.stage, mine.value) == ("offer", 125050)
    assert refused(mine, Move("heaven")) == "stage_unknown"
    won = act_on(mine, Won("900"), "ada", NOW, SALES, CLOCKS)
    assert (won.lead.state, won.lead.value, won.lead.look_at) == ("won", 90000, None)
    assert won.notices == ("lead.won",)
    assert refused(mine, Lost("weather")) == "lost_reason_unknown"
    lost = after(mine, Lost("price"))
    assert (lost.state, lost.lost_reason) == ("lost", "price")
    assert refused(lost, Move("new")) == "lead_closed"
    again = after(lost, Reopen())
    assert (again.state, again.lost_reason, again.closed_at) == ("accepted", "", None)
    assert refused(again, Reopen()) == "lead_open"


def test_notes_hold_nobodys_address_and_quality_is_one_of_three() -> None:
    assert act_on(lead(), Note("wants a demo"), "ada", NOW, SALES, CLOCKS).entries[0].told() == {
        "text": "wants a demo"
    }
    assert refused(lead(), Note("call 0532 123 45 67")) == "typed_personal"
    assert after(lead(state="lost"), Judge("wrong")).quality == "wrong"
    assert refused(lead(), Judge("brilliant")) == "quality_unknown"


def test_a_second_breach_goes_to_the_chief_and_stays_there() -> None:
    mine = after(lead(), Accept())
    late = breached(mine, NOW + 60 * MINUTE, CLOCKS)
    assert (late.lead.breaches, late.lead.due_at, late.lead.passed_by) == (1, NOW + 120 * MINUTE, ("ada",))
    again = breached(late.lead, NOW + 120 * MINUTE, CLOCKS)
    assert (again.lead.owner, again.lead.due_at, again.lead.look_at) == ("chief", None, None)
    assert again.notices == ("lead.breached", "lead.escalated")


def test_a_lead_of_somebody_who_has_one_is_joined_to_it_and_can_be_taken_apart() -> None:
    first = lead(id="1" * 16, owner="ada")
    second, original = joined(lead(id="2" * 16, value=500), first, NOW)
    assert (second.lead.state, second.lead.duplicate_of, second.lead.look_at) == ("duplicate", "1" * 16, None)
    assert (original.lead.value, original.notices) == (500, ("lead.again",))
    assert refused(second.lead, Move("offer")) == "lead_duplicate"
    assert after(second.lead, Reopen()).state == "waiting"


def test_a_notice_names_the_lead_and_nobody_else() -> None:
    what, body = notice(Outcome(lead(facts='{"city": "İzmir"}')), "lead.assigned", NOW)
    told = msgspec.json.decode(body)
    assert (what, told["lead"]) == ("lead.assigned", "0" * 16)
    assert "email" not in body
    assert "İzmir" not in body


@given(st.integers(0, 10**13))
def test_amounts_are_exact_however_they_are_written(amount: int) -> None:
    whole, part = divmod(amount, 100)
    assert hundredths(f"{whole}.{part:02}") == amount
    assert hundredths(f"{whole:,}".replace(",", ".") + f",{part:02}") == amount


@pytest.mark.parametrize("text", ["", "abc", "1.005", "-1", "1e99", "NaN"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        hundredths(text)


ACTS = st.one_of(
    *(
        st.just(act)
        for act in (Accept(), Pass(), Contacted(), Reopen(), Won(), Won("3"), Lost("price"), Note("x"))
    ),
    st.sampled_from(["new", "offer"]).map(Move),
    st.sampled_from(["ada", "ece"]).map(Assign),
    st.just(Judge("good")),
    st.just(Worth("7")),
)


@given(st.lists(st.tuples(ACTS, st.sampled_from(["ada", "ece", "chief"])), max_size=12))
def test_whatever_people_do_a_lead_is_somebodys_or_looked_at_again(done: list[tuple[AnyAct, str]]) -> None:
    one = lead()
    for minute, (act, by) in enumerate(done):
        try:
            outcome = act_on(one, act, by, NOW + minute * MINUTE, SALES, CLOCKS)
        except BadRequest:
            continue
        assert outcome.entries or outcome.lead == one
        one = outcome.lead
        assert one.is_open == (one.closed_at is None)
        assert not one.is_open or one.owner or one.look_at is not None
        assert one.is_open or one.look_at is None
        assert (one.state == "lost") == bool(one.lost_reason)
