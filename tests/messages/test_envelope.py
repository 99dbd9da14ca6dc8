"""The log's one envelope: the client's bytes inside, ours around them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tekil.messages import MESSAGE_SIZE_MAX, pack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=5), st.none() | st.text())
def test_what_was_sent_is_what_lies_in_the_log(messages: list[Any], sent_at: str | None) -> None:
    raw = [msgspec.json.encode(message) for message in messages]
    envelope = pack(raw, None if sent_at is None else msgspec.json.encode(sent_at))
    assert envelope.messages == len(messages)
    expected: dict[str, Any] = {"batch": messages}
    if sent_at is not None:
        expected["sentAt"] = sent_at
    if strange := [place for place, message in enumerate(messages) if not isinstance(message, dict)]:
        expected["strange"] = strange
    assert msgspec.json.decode(envelope.body) == expected


def test_a_clients_bytes_are_not_written_anew() -> None:
    assert b'{ "x" : 1.10e2 }' in pack([b'{ "x" : 1.10e2 }']).body


def test_a_message_over_the_limit_is_kept_and_marked_by_its_place() -> None:
    fits = b'"' + b"x" * (MESSAGE_SIZE_MAX - 2) + b'"'
    over = b'"' + b"x" * (MESSAGE_SIZE_MAX - 1) + b'"'
    envelope = msgspec.json.decode(pack([fits, over, b"1", memoryview(over)]).body)
    assert envelope["oversize"] == [1, 3]
    assert [len(message) for message in envelope["batch"][:2]] == [MESSAGE_SIZE_MAX - 2, MESSAGE_SIZE_MAX - 1]
    assert "oversize" not in msgspec.json.decode(pack([fits]).body)


def test_what_is_no_object_is_kept_and_marked_by_its_place() -> None:
    parts: list[bytes | memoryview] = [b"5", b" \t\r\n{}", memoryview(b"{}"), b"[{}]", b'"{"', b"null"]
    assert msgspec.json.decode(pack(parts).body)["strange"] == [0, 3, 4, 5]
    assert "strange" not in msgspec.json.decode(pack(parts[1:3]).body)
