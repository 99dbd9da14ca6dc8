"""Every way in, and what lies in the log afterwards."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote, urlencode

import msgspec
import pytest

from tekil.messages import DOORS
from tests.collect.running import Collector

TRACK = {"type": "track", "event": "Signed Up", "userId": "u-1", "messageId": "m-1"}
SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}


@pytest.mark.parametrize("door", [door for door in DOORS if door not in ("batch", "import")])
def test_a_message_comes_in_by_the_door_of_its_type(collector: Collector, after: int, door: str) -> None:
    answer = collector.post(f"/v1/{door}", {"userId": "u-1", "door": door})
    assert (answer.status, msgspec.json.decode(answer.body)) == (200, {"success": True})
    (row,) = collector.bodies(after)
    assert (row["source"], row["door"], row["messages"]) == ("web", door, 1)
    assert row["body"] == {"batch": [{"userId": "u-1", "door": door}]}


@pytest.mark.parametrize(("short", "door"), SHORT.items())
def test_a_short_form_is_the_same_door(collector: Collector, after: int, short: str, door: str) -> None:
    body = {"batch": [TRACK]} if door == "batch" else TRACK
    assert collector.post(f"/v1/{short}", body).status == 200
    assert [row["door"] for row in collector.bodies(after)] == [door]


@pytest.mark.parametrize("door", ["batch", "import"])
def test_a_batch_is_one_body_with_the_bytes_of_its_messages(
    collector: Collector, after: int, door: str
) -> None:
    body = b'{"sentAt":"2026-01-01T00:00:00Z","batch":[ {"a" : 1.50}, 7, {"b":"\\u0041"}]}'
    assert collector.post(f"/v1/{door}", body).status == 200
    (table,) = list(collector.log.replay(after))
    assert table["body"].to_pylist() == [
        '{"batch":[{"a" : 1.50},7,{"b":"\\u0041"}],"sentAt":"2026-01-01T00:00:00Z","strange":[1]}'
    ]
    assert table["messages"].to_pylist() == [3]


def test_received_at_is_the_instant_of_the_request(collector: Collector, after: int) -> None:
    before = time.time()
    collector.post("/v1/track", TRACK)
    (row,) = collector.bodies(after)
    instant = (row["received_at"] - row["received_at"].__class__(1970, 1, 1)).total_seconds()
    assert before - 0.01 <= instant <= time.time() + 0.01


def test_an_empty_batch_is_answered_and_nothing_is_kept(collector: Collector, after: int) -> None:
    assert collector.post("/v1/batch", {"batch": []}).status == 200
    assert collector.log.head() == after


def test_a_shared_context_lies_under_each_messages_own(collector: Collector, after: int) -> None:
    batch = {
        "context": {"library": {"name": "lib", "version": "1"}, "ip": "10.0.0.1", "big": 1e999},
        "integrations": {"All": True},
        "batch": [
            {"event": "a", "context": {"library": {"version": "2"}, "ip": None}},
            {"event": "b", "integrations": {"All": False}},
            "not an object",
        ],
    }
    raw = msgspec.json.encode(batch).replace(b'"big":null', b'"big":1e400')
    assert collector.post("/v1/batch", raw).status == 200
    (table,) = list(collector.log.replay(after))
    assert '"big":1e400' in table["body"][0].as_py()
    first, second, third = msgspec.json.decode(table["body"][0].as_py().replace("1e400", "1"))["batch"]
    library = {"name": "lib", "version": "2"}
    assert first == {
        "event": "a",
        "context": {"library": library, "ip": "10.0.0.1", "big": 1},
        "integrations": {"All": True},
    }
    assert second["integrations"] == {"All": False}
    assert second["context"]["library"] == {"name": "lib", "version": "1"}
    assert third == "not an object"


def test_a_messages_sent_at_is_passed_on_if_it_can_be_a_time(collector: Collector, after: int) -> None:
    for sent_at in ("2026-01-01T00:00:00Z", 17, "a\u0000b", "x" * 100):
        assert collector.post("/v1/track", {**TRACK, "sentAt": sent_at}).status == 200
    bodies = [row["body"] for row in collector.bodies(after)]
    assert [body.get("sentAt") for body in bodies] == ["2026-01-01T00:00:00Z", None, None, None]
    assert [body["batch"][0]["sentAt"] for body in bodies[1:]] == [17, "a\u0000b", "x" * 100]


def test_an_oversize_message_in_a_batch_is_kept_and_marked(collector: Collector, after: int) -> None:
    big = {"event": "big", "properties": {"text": "x" * 33_000}}
    assert collector.post("/v1/batch", {"batch": [TRACK, big]}).status == 200
    (row,) = collector.bodies(after)
    assert (row["messages"], row["body"]["oversize"]) == (2, [1])


@pytest.mark.parametrize("kind", ["track", "page"])
@pytest.mark.parametrize("prefix", ["/pixel/v1", "/v1/pixel"])
def test_a_segment_pixel_is_a_picture_and_a_message(
    collector: Collector, after: int, prefix: str, kind: str
) -> None:
    data = base64.b64encode(msgspec.json.encode({**TRACK, "writeKey": collector.key, "é": "ğ?>"})).decode()
    answer = collector.ask("GET", f"{prefix}/{kind}?data={quote(data)}", key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.body.startswith(b"GIF89a")
    (row,) = collector.bodies(after)
    assert (row["door"], row["body"]["batch"][0]["é"]) == (kind, "ğ?>")


def test_a_rudderstack_pixel_writes_fields_as_parameters(collector: Collector, after: int) -> None:
    parameters = {
        "writeKey": collector.key,
        "anonymousId": "a-1",
        "event": "Opened",
        "context.page.url": "https://minder.example/?a=1",
        "context.page.path": "/",
        "properties": '{"campaign":"yaz"}',
        "properties.step": "2",
    }
    assert collector.ask("GET", f"/pixel/v1/track?{urlencode(parameters)}", key=None).status == 200
    assert collector.messages(after) == [
        {
            "anonymousId": "a-1",
            "event": "Opened",
            "context": {"page": {"url": "https://minder.example/?a=1", "path": "/"}},
            "properties": {"campaign": "yaz", "step": "2"},
        }
    ]


def test_a_beacon_is_a_batch_in_plain_text_with_its_key_in_the_address(
    collector: Collector, after: int
) -> None:
    path = f"/beacon/v1/batch?writeKey={collector.key}"
    body = msgspec.json.encode({"batch": [TRACK]}).decode()
    answer = collector.post(path, body, key=None, Content_Type="text/plain;charset=UTF-8", Origin="http://a")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "http://a"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert collector.messages(after) == [TRACK]


def test_self_metrics_are_taken_whatever_they_say_and_not_kept(collector: Collector, after: int) -> None:
    assert collector.post("/v1/m", b"anything {", key=None).status == 200
    assert collector.log.head() == after


def test_settings_tell_analytics_js_where_to_send(collector: Collector) -> None:
    answer = collector.ask("GET", f"/v1/projects/{collector.key}/settings", key=None, Origin="http://shop")
    settings = msgspec.json.decode(answer.body)
    segment = settings["integrations"]["Segment.io"]
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "http://shop"
    assert (segment["apiKey"], segment["apiHost"], segment["protocol"]) == (
        collector.key,
        f"127.0.0.1:{collector.port}/v1",
        "http",
    )
    assert settings["plan"]["track"]["__default"]["enabled"] is True


def test_settings_behind_a_proxy_that_ends_tls_say_https(collector: Collector) -> None:
    path = f"/v1/projects/{collector.key}/settings"
    answer = collector.ask("GET", path, key=None, X_Forwarded_Proto="https", Host="track.minder.example")
    segment = msgspec.json.decode(answer.body)["integrations"]["Segment.io"]
    assert (segment["apiHost"], segment["protocol"]) == ("track.minder.example/v1", "https")


def test_settings_never_repeat_a_host_that_is_none(collector: Collector) -> None:
    path = f"/v1/projects/{collector.key}/settings"
    answer = collector.ask("GET", path, key=None, Host="a/b?c")
    if answer.status == 200:
        assert "apiHost" not in msgspec.json.decode(answer.body)["integrations"]["Segment.io"]
    else:
        assert answer.status == 400


def test_settings_of_an_unknown_key_are_refused(collector: Collector) -> None:
    assert collector.ask("GET", "/v1/projects/nobody/settings", key=None).status == 401


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/?p=npm&v=3.0&writeKey=x"])
def test_rudderstack_sdks_are_told_of_their_source(collector: Collector, path: str) -> None:
    source = msgspec.json.decode(collector.ask("GET", path).body)["source"]
    assert (source["name"], source["enabled"], source["destinations"]) == ("web", True, [])
    assert source["writeKey"] == collector.key


def test_the_door_says_that_it_is_there(collector: Collector) -> None:
    assert collector.ask("GET", "/healthz", key=None).body == b'{"status":"ok"}'


def test_a_browser_may_send_whatever_headers_it_asks_for(collector: Collector) -> None:
    answer = collector.ask(
        "OPTIONS",
        "/v1/batch",
        key=None,
        Origin="https://minder.example",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization,content-type,x-retry-count,anonymousid",
    )
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "https://minder.example"
    assert answer.headers["access-control-allow-headers"].split(",")[2] == "x-retry-count"
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_a_browser_that_asks_for_nothing_in_particular_hears_the_usual(collector: Collector) -> None:
    headers = collector.ask("OPTIONS", "/v1/t", key=None, Origin="null").headers
    for name in ("Authorization", "Content-Type", "X-Retry-Count", "AnonymousId"):
        assert name in headers["access-control-allow-headers"]


def test_a_trailing_slash_changes_nothing(collector: Collector, after: int) -> None:
    assert collector.post("/v1/track/", TRACK).status == 200
    assert collector.messages(after) == [TRACK]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/track", 405),
        ("PUT", "/v1/batch", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/v1/projects/a/b", 404),
        ("DELETE", "/v1/%ff%00", 404),
    ],
)
def test_what_is_not_there_says_so(collector: Collector, method: str, path: str, status: int) -> None:
    answer = collector.ask(method, path)
    assert answer.status == status
    assert set(msgspec.json.decode(answer.body)) == {"code", "message"}
