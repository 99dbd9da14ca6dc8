"""What people type: refused where it would be read by everybody, masked where it only explains."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator

import pytest

from tekil.config import ConsentSettings
from tekil.definitions import InvalidDefinitions, check, parse
from tekil.errors import BadRequest
from tekil.kinds import KINDS
from tekil.privacy import KeyRing, MasterKey, Vault, typed
from tekil.privacy.ledger import ConsentLedger, open_ledger
from tekil.privacy.typed import check_typed, masked, typed_condition
from tekil.store import Store, open_store

MAIL, PHONE, TCKN = "irem.kanarya@example.com", "0532 765 43 21", "10000000146"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('typed')}/store.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def ledger(store: Store) -> ConsentLedger:
    vault = Vault(store.sealed_values, KeyRing(store.data_keys, MasterKey(b"m" * 32)))
    return open_ledger(store, vault, ConsentSettings())


def test_examples_hold() -> None:
    assert doctest.testmod(typed).failed == 0


def test_a_reason_is_kept_with_masks_and_a_note_is_refused_without_the_value() -> None:
    reason = masked(f"{MAIL} asked, her number is {PHONE}")
    assert reason == "i•••@e•••.com asked, her number is +90 ••• ••• 21"
    with pytest.raises(BadRequest, match="The note holds what looks like an identity number") as refused:
        check_typed(f"as {TCKN} wished", "The note")
    assert refused.value.code == "typed_personal"
    assert TCKN not in refused.value.message
    assert check_typed("the checkout of 2026", "The note") == "the checkout of 2026"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (3, f"kind: event\nname: A\ntitle: {{en: 'Of {MAIL}'}}\n"),
        (4, f"kind: event\nname: A\nspec:\n  description: Call {PHONE}\n"),
        (6, f"kind: event\nname: A\nspec:\n  fields:\n    properties.to:\n      allowed: ['{MAIL}']\n"),
        (2, f"kind: audience\nname: '{TCKN}'\nsql: {{}}\n".replace("sql: {}\n", "spec: {sql: orders > 1}\n")),
        (3, f"kind: feature\nname: f\nspec: {{sql: \"count(*) filter (where event = '{MAIL}')\"}}\n"),
    ],
)
def test_a_definition_that_gives_away_somebody_is_refused_at_its_line(line: int, text: str) -> None:
    with pytest.raises(InvalidDefinitions) as refused:
        check(KINDS, parse(text, "shop.yaml"), [])
    told = str(refused.value)
    assert f"shop.yaml:{line}: " in told
    assert "looks like" in told
    assert not [value for value in (MAIL, PHONE) if value in told]


def test_colleagues_and_addresses_of_nobody_may_be_named() -> None:
    event = "kind: event\nname: A\nowner: growth@example.com\nspec: {steward: data@example.com}\n"
    policy = "kind: identity\nname: identity\nspec: {blocked: ['^info@example[.]com$', 'test@example.com']}\n"
    check(KINDS, parse(event + "---\n" + policy), [])


def test_a_proof_is_sealed_by_form_and_by_the_name_of_its_column(ledger: ConsentLedger, store: Store) -> None:
    proof = {
        "full_name": "İrem Kanarya",
        "note": f"from {PHONE}",
        "form": "12/A",
        MAIL: 1,
        "tckn": 10000000146,
    }
    entry = ledger.record(
        "email", MAIL, "marketing", "email", True, source="fair", recorded_by="x", proof=proof
    )
    assert not [value for value in ("Kanarya", "765", MAIL, TCKN) if value in entry.proof]
    kept = json.loads(entry.proof)
    assert kept["form"] == "12/A"
    assert kept["full_name"].startswith("name~")
    assert ledger.tokens.reveal(kept["full_name"]) == "İrem Kanarya"
    assert ledger.tokens.reveal(kept["tckn"]) == TCKN


def test_where_a_consent_came_from_names_nobody(ledger: ConsentLedger) -> None:
    for source, version in ((MAIL, ""), ("web", PHONE)):
        with pytest.raises(BadRequest) as refused:
            ledger.record(
                "email",
                MAIL,
                "marketing",
                "email",
                True,
                source=source,
                text_version=version,
                recorded_by="x",
            )
        assert refused.value.code == "typed_personal"


def test_an_attribute_rule_names_no_one_person() -> None:
    with pytest.raises(BadRequest) as refused:
        typed_condition(f"email={MAIL}")
    assert refused.value.code == "typed_personal"
    assert typed_condition("city=İzmir") is not None
