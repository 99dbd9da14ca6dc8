"""Personal values leave the messages on their way in, and nothing else about the messages changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.load.sealing import SUSPICIOUS, seal_id, seal_json, seal_text, suspicious_id
from tekil.privacy.find import KEYS, TOKEN, Kind, find
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.canary import CANARY, PLANTED, TRACES, traces
from tests.dictionary.defining import define
from tests.installation import Installation


def marked(kind: Kind, _value: str) -> str:
    return f"<{kind}>"


@pytest.mark.parametrize(
    ("text", "sealed"),
    [
        ('{"total":1249.90,"n":-1e3,"id":12345678901234567890}', None),
        ('{"name":"Nevresim","list":["a",1,null,true]}', None),
        ('{"email":"a@b.example"}', '{"email":"<email>"}'),
        ('{"note":"yaz: a@b.example!"}', '{"note":"yaz: <email>!"}'),
        ('{"note":"a\\u0040b.example"}', '{"note":"<email>"}'),
        ('{"first_name" : "Ay\\u015fe", "plan":"gold"}', '{"first_name" : "<name>", "plan":"gold"}'),
        ('{"phone":5321234567,"total":5321234567}', '{"phone":"<phone>","total":5321234567}'),
        ('{"tckn":10000000146}', '{"tckn":"<tckn>"}'),
        ('{"ids":[10000000146,10000000147]}', '{"ids":["<tckn>",10000000147]}'),
        ('{"a@b.example":1}', '{"<email>":1}'),
        (
            '{"address":{"street":"Bağdat Cad.","city":"İstanbul"}}',
            '{"address":{"street":"<address>","city":"İstanbul"}}',
        ),
        ('{"email":"","phone":null,"name":5}', None),
        ('{"phones":["0532 123 45 67","x"]}', '{"phones":["<phone>","x"]}'),
        ('"a@b.example"', '"<email>"'),
        ('{"say \\"hi\\"":"x\\\\"}', None),
    ],
)
def test_in_json_values_are_sealed_and_all_else_stays_to_the_letter(text: str, sealed: str | None) -> None:
    assert seal_json(text, marked) == (text if sealed is None else sealed)


def test_a_name_is_a_persons_only_among_traits() -> None:
    assert seal_json('{"name":"Ayşe"}', marked, inside="traits") == '{"name":"<name>"}'
    company = '{"company":{"name":"Minder Evi"}}'
    assert seal_json(company, marked, inside="traits") == company
    whole = '{"context":{"traits":{"name":"Ayşe"},"app":{"name":"shop"}}}'
    assert seal_json(whole, marked) == whole.replace("Ayşe", "<name>")


jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(jsons, st.booleans())
def test_any_json_stays_json_of_the_same_shape(value: Any, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    sealed = seal_json(text, marked)
    assert shape(json.loads(sealed)) == shape(value)
    if not find(text) and sealed == text:
        assert json.loads(sealed) == value


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    return [shape(inner) for inner in value] if isinstance(value, list) else "leaf"


WRITTEN = st.sampled_from(
    [
        "ayse@example.com",
        "a%40b.example",
        "0532 123 45 67",
        "+905321234567",
        "0(532)123-45-67",
        "10000000146",
        "TR33 0006 1005 1978 6457 8413 26",
        "DE89370400440532013000",
        "4111-1111-1111-1111",
        "378282246310005",
    ]
)


@given(st.text(max_size=8), WRITTEN, st.text(max_size=8))
def test_the_engine_never_passes_over_what_would_be_sealed(before: str, value: str, after: str) -> None:
    """Law: whatever `find` finds, the pattern of suspects matches. Only then may others go by unread."""
    text = f"{before} {value} {after}"
    assert find(text)
    suspects = f"SELECT regexp_matches($1, '{SUSPICIOUS}') AS is_suspect"
    assert WAREHOUSE.read(suspects, {"1": text}).to_pylist() == [{"is_suspect": True}]


WAREHOUSE = DuckDBWarehouse(":memory:")


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_member_with_a_personal_name_is_never_passed_over(key: str) -> None:
    loud = key.replace("i", "İ").upper()
    for spelled in (key, key.upper(), loud, key.title(), f"_{key}"):
        text = json.dumps({spelled: "x"}, ensure_ascii=False)
        assert seal_json(text, marked) != text, spelled
        suspects = f"SELECT regexp_matches($1, '{SUSPICIOUS}') AS is_suspect"
        assert WAREHOUSE.read(suspects, {"1": text}).to_pylist() == [{"is_suspect": True}], spelled


@given(
    st.sampled_from(sorted(KEYS)),
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("_ .-")), max_size=3),
)
def test_however_a_members_name_is_cut_it_is_looked_at_if_it_is_sealed(
    key: str, cuts: list[tuple[int, str]]
) -> None:
    for place, mark in cuts:
        key = key[:place] + mark + key[place:]
    text = json.dumps({key: "x"})
    if seal_json(text, marked) != text:
        suspects = f"SELECT regexp_matches($1, '{SUSPICIOUS}') AS is_suspect"
        assert WAREHOUSE.read(suspects, {"1": text}).to_pylist() == [{"is_suspect": True}]


@given(st.text(max_size=3), WRITTEN | st.uuids().map(str), st.text(max_size=3))
def test_an_id_is_sealed_or_not_whatever_else_its_message_holds(before: str, value: str, after: str) -> None:
    """Law: an id that would be sealed is always looked at, or one person would become two."""
    for text in (value, f"{before}{value}{after}"):
        if seal_id(text, marked) != text:
            suspects = f"SELECT {suspicious_id('$1')} AS is_suspect"
            assert WAREHOUSE.read(suspects, {"1": text}).to_pylist() == [{"is_suspect": True}]


def test_law_9_personal_values_lie_in_the_vault_alone(tmp_path: Path) -> None:
    """PII lives in the vault only: a byte scan of every file finds no raw value."""
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    installation = Installation(tmp_path, warehouse=warehouse)
    for message in PLANTED:
        installation.say(message)
    installation.run()
    assert traces(tmp_path) == []
    person = installation.person("email:Kanarya@Minder.example")
    assert person.as_dict()["traits"]["name"] == CANARY["name"]
    assert person.as_dict()["traits"]["plan"] == "gold"
    assert installation.person(f"phone:{CANARY['phone']}").person_id == person.person_id
    (shadow,) = installation.rows("SELECT email_domain FROM identifiers WHERE kind = 'email'")
    assert shadow["email_domain"] == "minder.example"
    (shadow,) = installation.rows("SELECT phone_country FROM identifiers WHERE kind = 'phone'")
    assert shadow["phone_country"] == "TR"
    installation.engine.rebuild()
    for table in ("events", "traits", "record_changes", "quarantine", "identity", "evidence", "attributes"):
        told = json.dumps(installation.rows(f"SELECT * FROM {table}"), default=str, ensure_ascii=False)
        assert [trace for trace in TRACES if trace in told] == [], table
    installation.close()
    installation.store.close()
    assert traces(tmp_path) == []


def test_a_number_of_a_person_becomes_a_token_wherever_it_stands() -> None:
    text = seal_text("ara: 0532 765 43 21", lambda kind, _: f"{kind}~{'a' * 26}")
    assert TOKEN.search(text)
    assert seal_text(text, marked) == text


FIELDS = {
    ("customer",): "name",
    ("delivery", "note"): "address",
    ("secret",): "dropped",
    ("deep", "secret"): "dropped",
    ("badge",): "identifier",
}


@pytest.mark.parametrize(
    ("text", "sealed"),
    [
        ('{"customer":"Ayşe","total":1249.90}', '{"customer":"<name>","total":1249.90}'),
        ('{"customer":{"a":"Ayşe","b":["x",7]}}', '{"customer":{"a":"<name>","b":["<name>","<name>"]}}'),
        ('{"delivery":{"note":"zil bozuk","city":"Van"}}', '{"delivery":{"note":"<address>","city":"Van"}}'),
        ('{"secret":{"a":1},"total":1.50}', '{"total":1.50}'),
        ('{"deep":{"secret":true,"n":1.0}}', '{"deep":{"n":1.0}}'),
        ('{"deep":5,"badge":42}', '{"deep":5,"badge":"<other>"}'),
        ('{"other":{"customer":"x"}}', '{"other":{"customer":"x"}}'),
        ("[1]", "[1]"),
    ],
)
def test_what_the_dictionary_declares_is_sealed_or_dropped(text: str, sealed: str) -> None:
    assert seal_json(text, marked, declared=FIELDS) == sealed


def test_a_definition_seals_what_no_form_gives_away_from_the_next_message_on(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    fields = {
        "properties.nick": {"type": "text", "pii": "name"},
        "properties.pin": {"type": "text", "keep": False},
    }
    define(installation.store, {"Played": {"fields": fields}})
    for event in ("Played", "Watched"):
        installation.say(
            {
                "type": "track",
                "event": event,
                "userId": "u1",
                "properties": {"nick": "kara kedi", "pin": "x9"},
            }
        )
    installation.run()
    rows = installation.rows("SELECT event, properties FROM timeline")
    played, watched = (
        json.loads(next(row["properties"] for row in rows if row["event"] == event))
        for event in ("Played", "Watched")
    )
    assert watched == {"nick": "kara kedi", "pin": "x9"}
    assert list(played) == ["nick"]
    assert installation.vault.show([played["nick"]], reveal=True) == ["kara kedi"]
    installation.close()
