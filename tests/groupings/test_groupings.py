"""Who belongs together, and that nobody is merged by it: over a street and two firms."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.access.audit import Actor
from tekil.definitions import Definition, Written, apply
from tekil.erasure import Eraser
from tekil.errors import NotFound
from tekil.groupings import Groupings, free_mail, reads
from tekil.groupings.free_mail import free_among
from tekil.identifiers import OrganisationsSpec, Policy, PolicySpec
from tekil.kinds import KINDS
from tekil.models import ACTIVITY, AFFILIATIONS, ATTRIBUTES
from tekil.verification import verify
from tests.groupings.conftest import HOME, LINE, STREET, group, identify
from tests.installation import Installation
from tests.streams import Said, cut, hear, streams

MODELS = (ACTIVITY, ATTRIBUTES, AFFILIATIONS)


def users_of(cards: Any) -> set[str]:
    return {i.value for one in cards for i in one.card.identifiers if i.kind == "user_id"}


def put_in_force(installation: Installation, **spec: Any) -> None:
    written = [Written(Definition("identity", "identity", spec=spec))]
    apply(installation.store, KINDS, written, author="test")


@pytest.fixture
def left_as_it_was(street: Installation) -> Iterator[None]:
    yield
    put_in_force(street)


def test_examples_hold() -> None:
    assert doctest.testmod(reads).failed == 0
    assert doctest.testmod(free_mail).failed == 0


def test_free_mail_is_a_list_that_the_policy_adds_to_and_takes_from() -> None:
    domains = ["acme.example", "gmail.com", "hotmail.com.tr", "mynet.com", "yandex.com.tr", "town.example"]
    spec = OrganisationsSpec(free_mail=["town.example"], company_mail=["mynet.com"])
    assert free_among(domains, spec) == ["gmail.com", "hotmail.com.tr", "town.example", "yandex.com.tr"]


def test_organisations_are_by_group_calls_and_by_domains_that_are_nobodys_own(groupings: Groupings) -> None:
    found = {one.id: (one.kind, one.name, one.people) for one in groupings.organisations()}
    assert found == {
        "domain:acme.example": ("domain", "acme.example", 4),
        "group:g-7": ("group", "Acme A.Ş.", 2),
        "group:g-8": ("group", "g-8", 1),
    }
    assert [one.id for one in groupings.organisations("ACME")] == ["domain:acme.example"]
    assert [one.id for one in groupings.organisations(limit=1, offset=1)] == ["group:g-7"]


def test_a_card_has_what_was_said_last_and_the_accounts_that_all_use(groupings: Groupings) -> None:
    card = groupings.organisation("group:g-7")
    assert card.traits == {"name": "Acme A.Ş.", "plan": "basic", "employees": 40, "phone": "+90 ••• ••• 00"}
    assert card.domains == {"acme.example": 2}
    assert card.events == 6
    (account,) = groupings.organisation("domain:acme.example").accounts
    assert (account.kind, account.value, account.people) == ("email", "i•••@a•••.example", 4)
    assert [event.type for event in groupings.latest("group:g-7")][:2] == ["group", "group"]
    page = groupings.organisation_people("domain:acme.example", limit=3)
    rest = groupings.organisation_people("domain:acme.example", limit=3, offset=page.next or 0)
    assert users_of([*page.members, *rest.members]) == {"w0", "w1", "w2", "w3"}
    assert rest.next is None


@pytest.mark.parametrize("reference", ["group:none", "domain:gmail.com", "acme.example", "group:a\0b", ""])
def test_what_is_no_organisation_is_not_found(groupings: Groupings, reference: str) -> None:
    with pytest.raises(NotFound):
        groupings.organisation(reference)
    with pytest.raises(NotFound):
        groupings.organisation_people(reference)


def test_households_are_who_shares_a_home_or_a_line_and_everybody_stays_themselves(
    street: Installation, groupings: Groupings
) -> None:
    found = {one.id: one for one in groupings.households()}
    by_people = {
        frozenset(users_of(groupings.household(name)[1])): [a.how for a in one.common]
        for name, one in found.items()
    }
    # A street of the same name elsewhere is another home, and whoever moved lives there no more.
    assert by_people == {
        frozenset({"anne", "baba", "cocuk"}): ["address"],
        frozenset({"anne", "baba"}): ["phone"],
    }
    assert {one.people for one in found.values()} == {2, 3}
    persons = {street.person(f"user_id:{user}").person_id for user in ("anne", "baba", "cocuk", "w0", "w1")}
    assert len(persons) == 5
    for wrong in ("h0000000000000000", "x", ""):
        with pytest.raises(NotFound):
            groupings.household(wrong)


def test_what_the_same_people_share_is_one_household_with_two_reasons(tmp_path: Path) -> None:
    home = Installation(tmp_path, models=MODELS)
    home.say(identify("a", phone=LINE, **HOME), identify("b", phone=LINE, **HOME))
    home.run()
    groupings = Groupings(home.reads, home.store, home.vault)
    (household,) = groupings.households()
    assert [one.how for one in household.common] == ["address", "phone"]
    assert all("•••" in one.value for one in household.common)
    assert groupings.of_person(home.person("user_id:a").person_id).households == [household]
    # The erased leave: one alone is no household.
    Eraser(home.engine).apply("user_id:b", Actor("user", "test"))
    assert groupings.households() == []
    home.close()


def test_everybody_is_told_where_they_belong(street: Installation, groupings: Groupings) -> None:
    belongs = groupings.of_person(street.person("user_id:w0").person_id)
    assert {(one.id, one.people) for one in belongs.organisations} == {
        ("domain:acme.example", 4),
        ("group:g-7", 2),
    }
    assert belongs.households == []
    at_home = groupings.of_person(street.person("user_id:anne").person_id)
    assert [one.id for one in at_home.organisations] == ["group:g-8"]
    assert sorted(one.people for one in at_home.households) == [2, 3]
    assert groupings.of_person("nobody").organisations == []


@pytest.mark.usefixtures("left_as_it_was")
def test_the_policy_says_what_groups_people_and_moves_nobody(
    street: Installation, groupings: Groupings
) -> None:
    before = street.knowledge()
    put_in_force(
        street, organisations={"groups": False, "company_mail": ["gmail.com"]}, households={"phone": False}
    )
    street.run()
    assert {one.id for one in groupings.organisations()} == {"domain:acme.example", "domain:gmail.com"}
    assert [[a.how for a in one.common] for one in groupings.households()] == [["address"]]
    put_in_force(street, organisations={"domains": False}, households={"people_max": 2})
    street.run()
    assert {one.id for one in groupings.organisations()} == {"group:g-7", "group:g-8"}
    assert [one.people for one in groupings.households()] == [2]
    put_in_force(street, organisations={"domains": False, "groups": False})
    assert groupings.organisations() == []
    assert street.knowledge() == before
    grouped = PolicySpec(organisations=OrganisationsSpec(groups=False))
    assert Policy(grouped).digest == Policy().digest


def test_no_name_and_no_number_is_in_what_is_kept(street: Installation) -> None:
    kept = repr(street.rows("SELECT * FROM affiliations"))
    assert "g-7" in kept
    for secret in ("Atatürk", "gmail", "532", "anne@"):
        assert secret not in kept, secret


@st.composite
def grouped(draw: st.DrawFn) -> list[list[Said]]:
    said = draw(streams(most=12))
    some = [
        Said("crm", one.received_at, {**draw(st.sampled_from(STREET)), "messageId": f"g{n}"})
        for n, one in enumerate(said)
    ]
    return cut(draw, [*said, *some])


@pytest.mark.slow
@settings(max_examples=8)
@given(parts=grouped())
def test_law_4_a_refresh_of_affiliations_is_a_rebuild(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[Said]]
) -> None:
    made = Installation(tmp_path_factory.mktemp("law"), models=MODELS)
    hear(made, parts)
    assert verify(made.engine).holds
    made.close()
    made.store.close()


def test_a_merge_brings_groups_together_and_its_withdrawal_parts_them(tmp_path: Path) -> None:
    made = Installation(tmp_path, models=MODELS)
    made.say(group("a", "g1"), group("b", "g2"))
    made.run()
    before = made.sorted_rows("SELECT * FROM affiliations")
    for act in ("merge", "withdraw"):
        made.pass_time(minutes=1)
        key = {"left": "user_id:a", "right": "user_id:b"}
        made.say({"type": "record", "object": "identity_assertion", "key": key, "fields": {"act": act}})
        made.run()
        if act == "merge":
            rows = made.rows("SELECT count(DISTINCT person_key) AS people, count(*) AS n FROM affiliations")
            assert rows == [{"people": 1, "n": 2}]
    assert made.sorted_rows("SELECT * FROM affiliations") == before
    assert verify(made.engine).holds
    made.close()
