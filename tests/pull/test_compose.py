"""A row and a mapping make a message, the same one every time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.errors import BadRequest
from tekil.messages import LEAD_SUBMITTED
from tekil.pull import Mapping, Row, compose, to_messages
from tekil.pull.mapping import fold

DIGEST = "ab" * 32


def row(cells: dict[str, Any], number: int = 2, *, untyped: bool = True) -> Row:
    return Row(number, {name: cell for name, cell in cells.items() if cell != ""}, tuple(cells), untyped)


def message(cells: dict[str, Any], mapping: Mapping, **kind: Any) -> dict[str, Any]:
    composed = compose(row(cells, **kind), mapping, DIGEST)
    assert composed.problems == ()
    return msgspec.json.decode(composed.body)


def test_a_turkish_customer_list_needs_no_mapping() -> None:
    said = message(
        {
            "Müşteri No": "00042",
            "Ad": "İpek",
            "Soyad": "Işık",
            "E-Posta Adresi": "Ipek@Ornek.com",
            "Cep Telefonu": "0532 111 22 33",
            "Doğum Tarihi": "05.03.1990",
            "Ciro": "1.234,50",
            "Puan": "120",
            "Segment": "",
        },
        Mapping.parse("identify"),
    )
    assert said["type"] == "identify"
    assert said["userId"] == "00042"
    assert said["traits"] == {
        "first_name": "İpek",
        "last_name": "Işık",
        "email": "Ipek@Ornek.com",
        "phone": "0532 111 22 33",
        "birthday": "1990-03-05",
        "Ciro": 1234.5,
        "Puan": 120,
    }
    assert said["context"]["import"] == {"file": DIGEST[:16], "row": 2}
    assert "timestamp" not in said


def test_a_list_of_leads_says_who_they_are_and_what_they_want() -> None:
    cells = {
        "Ad Soyad": "İpek Işık",
        "Telefon": "0532 111 22 33",
        "Şehir": "İzmir",
        "Kanal": "call",
        "Tutar": "1.250,50",
        "Mesaj": "Artı paket",
        "Tarih": "03.03.2026",
    }
    made = compose(row(cells), Mapping.parse("lead"), DIGEST)
    assert (made.problems, made.messages) == ((), 2)
    who, asked = msgspec.json.decode(b"[" + made.body + b"]")
    assert (who["type"], asked["type"], asked["event"]) == ("identify", "track", LEAD_SUBMITTED)
    assert who["traits"] == {"name": "İpek Işık", "phone": "0532 111 22 33"}
    assert asked["properties"] == {"channel": "call", "city": "İzmir", "value": 1250.5, "Mesaj": "Artı paket"}
    assert asked["context"]["traits"] == {"phone": "0532 111 22 33"}
    assert who["anonymousId"] == asked["anonymousId"]
    assert who["messageId"] == f"{asked['messageId']}-who"
    assert compose(row({"Şehir": "Van"}), Mapping.parse("lead"), DIGEST).problems != ()


def test_a_name_alone_is_a_whole_name() -> None:
    said = message({"id": "1", "Ad": "İpek Işık"}, Mapping.parse("identify"))
    assert said["traits"] == {"name": "İpek Işık"}


def test_orders_become_events_with_their_moment_and_who_made_them() -> None:
    said = message(
        {"tarih": "31.12.2025 14:30", "e-posta": "a@b.co", "sipariş no": "S1", "tutar": "149,90"},
        Mapping.parse("track:Order Completed", ["sipariş no=order_id", "tutar=total"]),
    )
    assert said["event"] == "Order Completed"
    assert said["timestamp"] == "2025-12-31T11:30:00.000Z"
    assert said["properties"] == {"order_id": "S1", "total": 149.9}
    assert said["context"]["traits"] == {"email": "a@b.co"}
    assert said["anonymousId"].startswith("import-")


def test_money_keeps_every_digit_on_the_wire() -> None:
    composed = compose(row({"id": "1", "tutar": "98.765.432.109.876,10"}), Mapping.parse("identify"), DIGEST)
    assert b'"tutar":98765432109876.10' in composed.body
    typed = Row(1, {"id": msgspec.Raw(b"1"), "x": msgspec.Raw(b"1.100000000000000000001")}, ("id", "x"))
    assert b'"x":1.100000000000000000001' in compose(typed, Mapping.parse("identify"), DIGEST).body


def test_an_event_column_wins_and_the_given_name_fills_its_holes() -> None:
    mapping = Mapping.parse("track:Lead")
    assert message({"user id": "1", "event": "Visit"}, mapping)["event"] == "Visit"
    assert message({"user id": "1", "event": ""}, mapping)["event"] == "Lead"


def test_spend_becomes_records_with_a_key_that_is_one_whatever_way_the_day_is_written() -> None:
    mapping = Mapping.parse("record:ad_spend", ["Kampanya=campaign", "Tarih=day"], "Tarih,Kampanya")
    said = message({"Tarih": "31.12.2025", "Kampanya": "Kış", "Maliyet": "1.250,75"}, mapping)
    assert said["object"] == "ad_spend"
    assert said["key"] == {"day": "2025-12-31", "campaign": "Kış"}
    assert said["fields"] == {"Maliyet": 1250.75}
    assert "timestamp" not in said


def test_a_records_own_id_is_its_key_when_none_is_named() -> None:
    said = message({"order_id": "1001", "durum": "kargoda"}, Mapping.parse("record:orders"))
    assert said["key"] == {"order_id": "1001"}


def test_people_known_by_e_mail_alone_share_an_id_in_one_file_that_does_not_tell_the_e_mail() -> None:
    mapping = Mapping.parse("identify")

    def anonymous(email: str, digest: str = DIGEST, column: str = "email") -> str:
        body = compose(row({column: email}), mapping, digest).body
        return str(msgspec.json.decode(body)["anonymousId"])

    assert anonymous("a@b.co") == anonymous("A@b.co") != anonymous("c@b.co")
    assert anonymous("a@b.co") != anonymous("a@b.co", "cd" * 32)
    assert "b.co" not in anonymous("a@b.co")
    phone = anonymous("0532 111 22 33", column="telefon")
    assert phone == anonymous("+905321112233", column="telefon")


@pytest.mark.parametrize(
    ("kind", "cells", "complaint"),
    [
        ("identify", {"city": "Bursa"}, "names nobody"),
        ("identify", {"e-posta": "yok"}, "names nobody"),
        ("track:X", {"user id": "1", "tarih": "31.13.2025"}, "column 'tarih': '31.13.2025' is not a time"),
        ("track", {"user id": "1", "not": "x"}, "has no event"),
        ("record:orders", {"order id": "", "tutar": "5"}, "has no key: 'order id' is empty"),
    ],
)
def test_a_row_with_a_problem_is_named_and_still_sent_whole(
    kind: str, cells: dict[str, Any], complaint: str
) -> None:
    composed = compose(row(cells, 17), Mapping.parse(kind), DIGEST)
    assert composed.row == 17
    assert complaint in composed.problems[0]
    for cell in filter(None, cells.values()):
        assert cell.encode() in composed.body


def test_a_line_that_is_no_row_is_sent_as_it_was_written() -> None:
    composed = compose(Row(3, {}, (), raw='{"a":', problem="is not JSON"), Mapping.parse("identify"), DIGEST)
    assert composed.problems == ("is not JSON",)
    assert msgspec.json.decode(composed.body)["raw"] == '{"a":'


def test_an_id_that_is_an_object_stays_one_for_the_quarantine_to_name() -> None:
    cells = {"userId": msgspec.Raw(b'{"a":1}'), "x": msgspec.Raw(b"null")}
    composed = compose(row(cells, untyped=False), Mapping.parse("identify"), DIGEST)
    assert msgspec.json.decode(composed.body)["userId"] == {"a": 1}
    assert "userId is no text" in composed.problems[0]


def test_null_in_jsonl_is_nobodys_name() -> None:
    null = msgspec.Raw(b"null")
    composed = compose(row({"email": null, "x": null}, untyped=False), Mapping.parse("identify"), DIGEST)
    assert "names nobody" in composed.problems[0]
    assert msgspec.json.decode(composed.body)["traits"] == {"email": None, "x": None}
    composed = compose(row({"id": null}, untyped=False), Mapping.parse("record:a"), DIGEST)
    assert "has no key" in composed.problems[0]


CELLS = st.dictionaries(st.sampled_from(["email", "tarih", "a", "b", "Müşteri No"]), st.text(max_size=6))


@given(CELLS, st.sampled_from(["identify", "track:X", "record:a"]), st.integers(1, 10**6))
def test_any_row_makes_one_message_the_same_every_time(cells: dict[str, str], kind: str, number: int) -> None:
    mapping = Mapping.parse(kind)
    one = row(cells, number)
    first, second = to_messages([one, one], mapping, DIGEST)
    assert first == second
    said = msgspec.json.decode(first)
    assert said["messageId"].endswith(f"-{number}")
    assert said["type"] == mapping.kind


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.text(min_size=1, max_size=5), max_size=5))
def test_no_cell_is_lost_whatever_the_columns_are_called(cells: dict[str, str]) -> None:
    typed = Row(1, dict(cells), tuple(cells))
    said = msgspec.json.decode(compose(typed, Mapping.parse("track:X"), DIGEST).body)
    written = {**said["properties"], **said["context"].get("traits", {})}
    top = [said[name] for name in ("userId", "anonymousId", "timestamp") if name in said]
    assert len(written) >= len(cells) - len(top)
    assert {value.strip() for value in cells.values()} <= {
        value.strip() for value in [*map(str, written.values()), *top, said["event"]]
    } | {""}


def test_ids_differ_by_file_by_mapping_and_by_row() -> None:
    identify = Mapping.parse("identify")
    one = row({"id": "1"})
    ids = {
        msgspec.json.decode(compose(r, m, d).body)["messageId"]
        for r, m, d in [
            (one, identify, DIGEST),
            (one, identify, "cd" * 32),
            (one, Mapping.parse("track:X"), DIGEST),
            (row({"id": "1"}, 3), identify, DIGEST),
        ]
    }
    assert len(ids) == 4


def test_what_the_person_maps_wins_over_what_the_names_say() -> None:
    mapping = Mapping.parse("identify", ["eski no=userId", "gizli=-", "il=home_city", "x=y=city"])
    said = message(
        {"Müşteri No": "7", "eski no": "9", "gizli": "s", "il": "Van", "x=y": "Bursa", "city": "Muş"}, mapping
    )
    assert said["userId"] == "9"
    assert said["traits"] == {"home_city": "Van", "city": "Bursa", "Müşteri No": 7, "city_2": "Muş"}


@pytest.mark.parametrize(
    ("kind", "maps", "key"),
    [
        ("person", [], ""),
        ("record", [], ""),
        ("record:", [], ""),
        ("identify:x", [], ""),
        ("identify", ["email"], ""),
        ("identify", ["=email"], ""),
        ("identify", [], "id"),
    ],
)
def test_a_mapping_that_is_none_is_refused_with_the_way_to_write_it(
    kind: str, maps: list[str], key: str
) -> None:
    with pytest.raises(BadRequest, match="--"):
        Mapping.parse(kind, maps, key)


@pytest.mark.parametrize("wrong", [{"timezone": "Mars/Olympus"}, {"decimal": "dot"}, {"dates": "x"}])
def test_settings_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="settings cannot be read"):
        Mapping.parse("identify", **wrong)


def test_a_column_that_the_file_has_not_is_named_beside_those_it_has() -> None:
    with pytest.raises(BadRequest, match="no column 'mail' in the file; it has: e-posta, ad"):
        Mapping.parse("identify", ["mail=email"]).check(["e-posta", "ad"])
    with pytest.raises(BadRequest, match="--key"):
        Mapping.parse("record:orders").check(["tutar"])


def test_column_names_are_compared_as_a_turkish_reader_would() -> None:
    assert {fold(name) for name in ("MÜŞTERİ NO", "Müşteri_No", "musteri no", "MUSTERI-NO")} == {"musterino"}
    assert fold("İL") == fold("IL") == "il"
