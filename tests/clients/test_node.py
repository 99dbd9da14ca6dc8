"""The Node clients of Segment and RudderStack, unchanged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.clients.conftest import Target, assert_sent

pytestmark = pytest.mark.clients

KINDS = ["identify", "track", "page", "screen", "group", "alias"] + ["track"] * 100


@pytest.mark.parametrize("program", ["segment_node.js", "rudder_node.js"])
def test_a_node_client(target: Target, node: Callable[[str], None], program: str) -> None:
    node(program)
    messages = target.wait_for(len(KINDS))
    assert_sent(messages, KINDS)
    (order,) = [message for message in messages if message.get("event") == "Sipariş Tamamlandı"]
    assert order["properties"] == {"total": 1249.9, "currency": "TRY"}
