"""What the door refuses: always a 4xx with a code and a message, never a 5xx, never a hang."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.messages import BATCH_MESSAGES_MAX, BATCH_SIZE_MAX, MESSAGE_SIZE_MAX
from tests.collect.running import HOST, Collector

HOSTILE = [
    b"",
    b" ",
    b"null",
    b"[]",
    b"17",
    b'"text"',
    b"{",
    b"{]",
    b"{}x",
    b"{}{}",
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":01}',
    b'{"a":1,}',
    b"{'a':1}",
    b'{"a":"\x00"}',
    b'{"a":"\xff"}',
    b'{"\xc3\x28":1}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\\x41"}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
    b'{"a":' + b"[" * 30_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"<event/>",
    b"\x1f\x8b",
    b"\x1f\x8b\x08\x00garbage",
]


def assert_refused(answer, *, status: int | None = None, code: str | None = None) -> None:
    assert 400 <= answer.status < 500, answer
    problem = msgspec.json.decode(answer.body)
    assert set(problem) == {"code", "message"}
    assert problem["message"].endswith((".", "]"))
    assert status in (None, answer.status), answer
    assert code in (None, problem["code"]), answer


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_what_is_no_json_object_is_refused(collector: Collector, after: int, path: str, body: bytes) -> None:
    assert_refused(collector.post(path, body), status=400)
    wrapped = b'{"batch":[' + body + b"]}"
    answer = collector.post("/v1/batch", wrapped)
    # null, numbers, text and arrays may be items: the loader says of each what is wrong with it.
    assert answer.status == 200 or answer.status == 400
    assert collector.post("/v1/track", {"alive": True}).status == 200


@given(body=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_make_the_door_fail(collector: Collector, body: bytes) -> None:
    assert collector.post("/v1/track", body).status in (200, 400)
    assert collector.post("/v1/batch", body).status in (200, 400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(
    batch=JSON,
    context=JSON,
    integrations=JSON,
    sent_at=JSON,
    write_key=JSON,
    cut=st.integers(0, 40) | st.none(),
)
def test_no_json_makes_the_door_fail(
    collector: Collector, batch, context, integrations, sent_at, write_key, cut: int | None
) -> None:
    fields = {"batch": batch, "context": context, "integrations": integrations}
    text = msgspec.json.encode({**fields, "sentAt": sent_at, "writeKey": write_key})
    for path in ("/v1/batch", "/v1/track"):
        answer = collector.post(path, text if cut is None else text[: -cut or None])
        assert answer.status in (200, 400), answer


def test_numbers_and_escapes_that_json_allows_are_let_in(collector: Collector, after: int) -> None:
    body = b'{"huge":1e999,"zero":"a\\u0000b","long":123456789012345678901234567890,"pair":"\\ud83d\\ude00"}'
    assert collector.post("/v1/track", body).status == 200
    (table,) = list(collector.log.replay(after))
    assert table["body"][0].as_py().encode() == b'{"batch":[' + body + b"]}"


def test_a_batch_without_an_array_of_messages_is_refused(collector: Collector) -> None:
    for body in ({}, {"batch": None}, {"batch": {}}, {"batch": "x"}):
        assert_refused(collector.post("/v1/batch", body), status=400, code="shape_invalid")


def test_sixty_four_levels_are_let_in_and_one_more_is_not(collector: Collector) -> None:
    def nested(levels: int) -> bytes:
        return b'{"s":"}]","a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert collector.post("/v1/track", nested(64)).status == 200
    assert_refused(collector.post("/v1/track", nested(65)), status=400, code="json_too_deep")
    assert collector.post("/v1/batch", b'{"batch":[' + nested(62) + b"]}").status == 200
    assert_refused(collector.post("/v1/batch", b'{"batch":[' + nested(63) + b"]}"), code="json_too_deep")


def test_many_brackets_beside_each_other_are_not_deep(collector: Collector) -> None:
    assert collector.post("/v1/track", {"items": [{"a": [1]} for _ in range(500)]}).status == 200


def test_a_message_has_a_limit(collector: Collector) -> None:
    room = MESSAGE_SIZE_MAX - len(b'{"a":""}')
    assert collector.post("/v1/track", {"a": "x" * room}).status == 200
    assert_refused(collector.post("/v1/track", {"a": "x" * (room + 1)}), status=413, code="message_too_large")


def test_a_batch_has_a_limit_of_bytes_and_of_messages(collector: Collector, after: int) -> None:
    room = BATCH_SIZE_MAX - len(b'{"batch":[""]}')
    assert collector.post("/v1/batch", {"batch": ["x" * room]}).status == 200
    assert_refused(
        collector.post("/v1/batch", {"batch": ["x" * (room + 1)]}), status=413, code="body_too_large"
    )
    assert collector.post("/v1/batch", {"batch": [{}] * BATCH_MESSAGES_MAX}).status == 200
    one_more = {"batch": [{}] * (BATCH_MESSAGES_MAX + 1)}
    assert_refused(collector.post("/v1/import", one_more), status=413, code="batch_too_large")


def test_a_shared_context_cannot_make_a_batch_explode(collector: Collector) -> None:
    body = {"context": {"a": "x" * 400_000}, "batch": [{}] * 2_000}
    assert_refused(collector.post("/v1/batch", body), status=413, code="batch_too_large")


def test_a_body_far_too_large_hears_so(collector: Collector) -> None:
    assert_refused(collector.post("/v1/batch", b" " * 3_000_000), status=413, code="body_too_large")


def test_gzip_is_read_with_its_header_and_without(collector: Collector, after: int) -> None:
    packed = gzip.compress(b'{"batch":[{"event":"zipped"}]}')
    assert collector.post("/v1/batch", packed, Content_Encoding="gzip").status == 200
    assert collector.post("/v1/batch", packed).status == 200
    halves = gzip.compress(b'{"batch":[{"event":') + gzip.compress(b'"zipped"}]}')
    assert collector.post("/v1/batch", halves, Content_Encoding="gzip").status == 200
    assert collector.messages(after) == [{"event": "zipped"}] * 3


@pytest.mark.parametrize("door", ["/v1/batch", "/v1/track"])
def test_a_gzip_bomb_is_refused_cheaply(collector: Collector, door: str) -> None:
    bomb = gzip.compress(b"[" * (100 << 20), compresslevel=1)
    assert len(bomb) < BATCH_SIZE_MAX
    begin = time.monotonic()
    assert_refused(collector.post(door, bomb, Content_Encoding="gzip"), status=413)
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        gzip.compress(b"{}")[:-4],
        gzip.compress(b"{}")[:-8] + b"\0" * 8,
        gzip.compress(b"{}") + b"trailing",
        zlib.compress(b"{}"),
    ],
    ids=["plain", "cut", "wrong sum", "trailing", "zlib"],
)
def test_gzip_that_is_none_is_refused(collector: Collector, body: bytes) -> None:
    answer = collector.post("/v1/track", body, Content_Encoding="gzip")
    assert_refused(answer, status=400, code="gzip_invalid")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "nonsense"])
def test_other_encodings_are_refused(collector: Collector, encoding: str) -> None:
    answer = collector.post("/v1/track", b"{}", Content_Encoding=encoding)
    assert_refused(answer, status=415, code="encoding_unsupported")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain;charset=UTF-8",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        "",
    ],
)
def test_content_types_that_sdks_and_curl_send_are_read(collector: Collector, kind: str) -> None:
    assert collector.post("/v1/track", b"{}", Content_Type=kind).status == 200


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "application/xml", "text/html", "image/png"]
)
def test_content_types_that_cannot_be_json_are_refused(collector: Collector, kind: str) -> None:
    answer = collector.post("/v1/track", b"{}", Content_Type=kind)
    assert_refused(answer, status=415, code="content_unsupported")


def test_headers_that_are_no_text_do_no_harm(collector: Collector) -> None:
    answer = raw(
        collector,
        b"POST /v1/track?x=%ff HTTP/1.1\r\nHost: \xff\r\nAuthorization: Bearer \xff\xfe\r\n"
        b"Content-Type: \xe9\r\nOrigin: \xe9\r\nContent-Encoding: \xe9\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
    )
    assert answer.split(b" ")[1] in (b"400", b"401")


@pytest.mark.parametrize("data", ["%%%", "a", "e30", "bnVsbA==", "%ff", "", "W10="])
def test_a_pixel_that_holds_nothing_readable_is_refused(collector: Collector, data: str) -> None:
    answer = collector.ask("GET", f"/pixel/v1/track?data={data}", key=None)
    assert 400 <= answer.status < 500


def test_a_body_in_chunks_is_read(collector: Collector, after: int) -> None:
    def parts() -> Iterator[bytes]:
        yield b'{"event":'
        time.sleep(0.05)
        yield b'"chunked"}'

    assert collector.post("/v1/track", parts()).status == 200
    assert collector.messages(after) == [{"event": "chunked"}]


def test_a_body_in_chunks_has_the_same_limits(collector: Collector) -> None:
    assert_refused(collector.post("/v1/track", iter([b" " * 10_000] * 5)), code="message_too_large")
    assert_refused(collector.post("/v1/batch", iter([b" " * 50_000] * 20)), code="body_too_large")


def raw(collector: Collector, request: bytes, *, timeout: float = 20) -> bytes:
    """Send bytes as they are; return all that comes until the door hangs up."""
    with socket.create_connection((HOST, collector.port), timeout=timeout) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


HEAD = b"POST /v1/track HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


@pytest.mark.slow
def test_slow_bodies_are_ended_and_hold_nobody_up(collector: Collector) -> None:
    """Both kinds at once: a body that stops in the middle, and chunks that trickle on for ever."""
    answers: dict[str, tuple[bytes, float]] = {}

    def stall() -> None:
        begin = time.monotonic()
        answer = raw(collector, HEAD + b"Content-Length: 100\r\n\r\n{", timeout=30)
        answers["stalled"] = answer, time.monotonic() - begin

    def trickle() -> None:
        begin = time.monotonic()
        with socket.create_connection((HOST, collector.port), timeout=30) as connection:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            connection.settimeout(0.2)
            answer = b""
            while not answer and time.monotonic() < begin + 30:
                connection.send(b"1\r\n \r\n")
                try:
                    answer = connection.recv(65536)
                except TimeoutError:
                    continue
        answers["trickled"] = answer, time.monotonic() - begin

    threads = [threading.Thread(target=stall), threading.Thread(target=trickle)]
    for thread in threads:
        thread.start()
    assert collector.post("/v1/track", {"event": "meanwhile"}).status == 200
    for thread in threads:
        thread.join()
    for kind in ("stalled", "trickled"):
        answer, seconds = answers[kind]
        assert answer.startswith(b"HTTP/1.1 408"), (kind, answer)
        assert b"body_timeout" in answer or kind == "trickled"
        assert 9 < seconds < 13, kind


@pytest.mark.slow
def test_headers_that_never_end_are_hung_up_on(collector: Collector) -> None:
    begin = time.monotonic()
    answer = raw(collector, b"POST /v1/track HTTP/1.1\r\nHost: a\r\nX-Slow: ", timeout=30)
    assert answer in (b"",) or answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begin < 15


def test_headers_have_a_limit(collector: Collector) -> None:
    answer = raw(collector, b"POST /v1/track HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n")
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"431")


def test_what_is_no_http_is_hung_up_on(collector: Collector) -> None:
    assert raw(collector, b"\x16\x03\x01\x02\x00hello\r\n\r\n")[9:12] in (b"", b"400")
    assert collector.post("/v1/track", {}).status == 200
