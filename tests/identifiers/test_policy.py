"""The identity policy: what ships, what a document may say, and values in their normal forms."""

from __future__ import annotations

from typing import Any

import pytest

from tekil.definitions import Definition, InvalidDefinitions, Written, check
from tekil.identifiers import NORMALISERS, Policy, PolicySpec, kind_of
from tekil.kinds import KINDS


def policy(**spec: Any) -> Policy:
    definition = Definition("identity", "identity", spec=spec)
    check(KINDS, [Written(definition)], [])
    return Policy.of([definition])


def flaws(name: str = "identity", **spec: Any) -> str:
    with pytest.raises(InvalidDefinitions) as told:
        check(KINDS, [Written(Definition("identity", name, spec=spec))], [])
    return str(told.value)


def test_a_policy_ships_and_a_document_changes_what_it_names() -> None:
    assert Policy.of([]).rule("user_id").per_person == 1
    changed = policy(kinds={"email": {"persons": 9}, "card": {"strength": "unique"}})
    assert (changed.rule("email").persons, changed.rule("email").normaliser) == (9, "email")
    assert changed.rule("card").per_person == 1
    assert changed.rule("never heard of") == PolicySpec().others


@pytest.mark.parametrize(
    "value", ["", "0", "000-000", "-1", "NULL", "undefined", "Anonymous", "[object Object]"]
)
def test_what_programs_write_for_nobody_is_nobody(value: str) -> None:
    assert Policy().is_blocked(value)


@pytest.mark.parametrize("value", ["1", "u1", "-12", "annul", "none-of-these"])
def test_what_somebody_may_be_called_is_somebody(value: str) -> None:
    assert not Policy().is_blocked(value)


def test_whatever_persons_depend_on_changes_the_digest_and_nothing_else_does() -> None:
    assert policy().digest == Policy().digest == Policy.of([], revision=7).digest
    assert len({policy().digest, policy(values_max=3).digest, policy(blocked=[]).digest}) == 3


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"kinds": {"Bad Kind": {}}}, "is no kind"),
        ({"kinds": {"email": {"strength": "holy"}}}, "holy"),
        ({"kinds": {"email": {"persons": "few"}}}, "int"),
        ({"blocked": ["(?i)x"]}, "(?:"),
        ({"records": {"customer": {"name": "crm_id"}}}, "fields."),
        ({"sources": {"web": ["No!"]}}, "is no kind"),
        ({"anonymous_history_days": -1}, "number of days"),
        ({"identifiers_max": 1}, "2 to 100"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_with_its_place(spec: dict[str, Any], told: str) -> None:
    assert told in flaws(**spec)


def test_there_is_one_policy() -> None:
    assert "one identity policy" in flaws(name="another")


@pytest.mark.parametrize(
    ("normaliser", "value", "expected"),
    [
        ("trimmed", "  C 1 ", "C 1"),
        ("trimmed", "a\tb", None),
        ("trimmed", "x" * 10_000, None),
        ("lower", "İZMİR-I", "izmir-i"),
        ("email", " AYŞE@Example.com", "ayşe@example.com"),
        ("gmail", "a.y.se+x@GMAIL.com", "ayse@gmail.com"),
        ("gmail", "no address", None),
        ("phone", "0532 123 45 67", "+905321234567"),
        ("tckn", "10000000146", "10000000146"),
        ("tckn", "10000000147", None),
        ("vkn", "454 053 6920", "4540536920"),
        ("vkn", "4540536921", None),
    ],
)
def test_values_have_one_form(normaliser: str, value: str, expected: str | None) -> None:
    assert NORMALISERS[normaliser](value) == expected


def test_kinds_are_called_alike_whoever_names_them() -> None:
    assert [kind_of(name) for name in ("ios.id", "GA Client-ID", "İndirim Kartı", "7", "")] == [
        "device_id",
        "ga_client_id",
        "indirim_kart",
        None,
        None,
    ]
