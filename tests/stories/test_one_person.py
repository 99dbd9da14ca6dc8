"""The main job, end to end: real clients say things, and soon the person they belong to is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import segment.analytics.client as segment

from tests.running_tekil import Running, eventually, tekil


def known(up: Running, reference: str) -> dict[str, Any]:
    """Wait until somebody is known by this name, and return them."""

    def look() -> dict[str, Any] | None:
        answer = up.get(f"/v1/profiles/{reference}")
        return answer.json() if answer.status_code == 200 else None

    person: dict[str, Any] = eventually(look)
    return person


def test_an_unmodified_sdk_sends_and_a_moment_later_the_person_is_there(up: Running) -> None:
    errors: list[object] = []
    client = segment.Client(up.key, host=up.door, on_error=lambda error, _: errors.append(error))
    client.identify("m-1", {"email": "Ayşe@Minder.example", "name": "Ayşe Yılmaz"})
    client.track("m-1", "Sipariş Tamamlandı", {"total": 1249.9, "currency": "TRY"})
    client.flush()
    person = known(up, "email:ayşe@minder.example")
    client.join()
    assert errors == []
    assert person["traits"]["name"] == "A••• Y•••"
    revealed = up.get("/v1/profiles/user_id:m-1?reveal=a+complaint").json()
    assert revealed["traits"]["name"] == "Ayşe Yılmaz"

    events = eventually(
        lambda: (
            len(told := up.get(f"/v1/profiles/{person['person_id']}/events").json()["events"]) == 2 and told
        )
    )
    assert {event["event"] for event in events} == {"Sipariş Tamamlandı", None}
    web = next(source for source in up.ledger()["sources"] if source["source"] == "web")
    assert web["accepted"] == web["loaded"] >= 2


def test_two_browsers_and_a_login_are_one_person_and_the_old_id_leads_there(up: Running) -> None:
    for browser in ("laptop", "phone"):
        up.send("page", anonymousId=browser, context={"page": {"url": "https://minder.example/"}})
    laptop, phone = (known(up, f"anonymous_id:{browser}")["person_id"] for browser in ("laptop", "phone"))
    assert laptop != phone
    for browser in ("laptop", "phone"):
        up.send("identify", anonymousId=browser, userId="m-2")
    both = eventually(
        lambda: (
            (one := known(up, "user_id:m-2"))["person_id"] == known(up, "anonymous_id:phone")["person_id"]
            and one["events"] == 4
            and one
        )
    )
    assert both["person_id"] == laptop
    moved = httpx.get(f"{up.console}/v1/profiles/{phone}", headers=dict(up.reader.headers))
    assert moved.status_code == 308
    assert moved.headers["location"].endswith(laptop)


def test_late_and_repeated_events_change_only_what_they_should(up: Running) -> None:
    now = {"userId": "m-3", "type": "track", "event": "Bugün", "messageId": "once"}
    late = {
        "userId": "m-3",
        "type": "track",
        "event": "Dün",
        "messageId": "late",
        "originalTimestamp": "2026-01-01T00:00:00Z",
        "timestamp": "2026-01-01T00:00:00Z",
    }
    before = up.wait_until_loaded()
    up.send("batch", batch=[now, now])
    up.send("batch", batch=[late])
    up.send("batch", batch=[now])
    after = eventually(lambda: (t := up.wait_until_loaded())["accepted"] == before["accepted"] + 4 and t)
    assert after["loaded"] - before["loaded"] == 2
    assert after["duplicate"] - before["duplicate"] == 2
    person = eventually(lambda: (one := known(up, "user_id:m-3"))["events"] == 2 and one)
    assert person["first_seen"] == "2026-01-01T00:00:00.000Z"
    events = up.get(f"/v1/profiles/{person['person_id']}/events").json()["events"]
    assert [event["event"] for event in events] == ["Bugün", "Dün"]


@pytest.mark.slow
def test_a_file_is_imported_once_however_often_it_is_sent(up: Running, tmp_path: Path) -> None:
    file = tmp_path / "üyeler.csv"
    file.write_text("Müşteri No;E-posta;Ad Soyad;Bakiye\n7;elif@minder.example;Elif Kaya;1.234,50\n", "utf-8")
    arguments = ("import", str(file), "--as", "identify", "--source", "crm", "--decimal", "comma", "--json")
    first, second = (tekil(up.folder, *arguments) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["sent"] == 1
    assert json.loads(second.stdout)["skipped"] == 1
    person = known(up, "email:elif@minder.example")
    assert person["traits"]["name"] == "E••• K•••"
    assert person["traits"]["Bakiye"] == 1234.5
    assert person["events"] == 1


def test_a_record_is_what_was_said_of_it_last(up: Running) -> None:
    for spent, day in ((10, "01"), (12, "02")):
        up.send(
            "batch",
            batch=[
                {
                    "type": "record",
                    "object": "shelf_rent",
                    "key": {"campaign": "kış"},
                    "fields": {"spend": spent},
                    "timestamp": f"2026-03-{day}T00:00:00Z",
                }
            ],
        )
    up.wait_until_loaded()
    select = "SELECT key, fields FROM records WHERE object = 'shelf_rent'"
    rows = eventually(
        lambda: (
            (told := json.loads(tekil(up.folder, "sql", select, "--json").stdout))
            and "12" in str(told)
            and told
        )
    )
    assert [json.loads(row["fields"]) for row in rows] == [{"spend": 12}]
    assert [json.loads(row["key"]) for row in rows] == [{"campaign": "kış"}]
    verified = tekil(up.folder, "verify")
    assert verified.returncode == 0, verified.stdout
