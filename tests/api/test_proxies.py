"""What a proxy says of a visitor is believed of our own proxies only."""

from __future__ import annotations

from typing import Any

import pytest

from tekil.api import Proxies
from tekil.errors import Misconfigured


def seen(peer: str, *forwarded: str, proto: str = "") -> tuple[str, str]:
    """The address and the scheme that a request seems to come by."""
    headers = [(b"x-forwarded-for", text.encode()) for text in forwarded]
    headers += [(b"X-Forwarded-Proto", proto.encode())] if proto else []
    scope: Any = {"type": "http", "client": (peer, 5), "scheme": "http", "headers": headers}
    Proxies(["10.0.0.0/8", "127.0.0.1", "::1"]).see_through(scope)
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        # Two proxies of ours in a row, in one header or in two.
        ("10.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        # What the visitor wrote themselves stands before what our proxy heard.
        ("10.0.0.1", ["1.1.1.1, 127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["127.0.0.1"], "127.0.0.1"),
        # Somebody else's word is nothing.
        ("203.0.113.5", ["1.1.1.1"], "203.0.113.5"),
        ("testclient", ["1.1.1.1"], "testclient"),
        # Nor is what cannot be an address.
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, <script>"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_the_visitor_is_the_last_who_is_no_proxy_of_ours(
    peer: str, forwarded: list[str], expected: str
) -> None:
    assert seen(peer, *forwarded)[0] == expected


def test_a_scheme_is_believed_of_our_proxies_only() -> None:
    assert seen("10.0.0.1", proto="https")[1] == "https"
    assert seen("10.0.0.1", proto="http, https")[1] == "https"
    assert seen("10.0.0.1", proto="gopher")[1] == "http"
    assert seen("203.0.113.5", proto="https")[1] == "http"


def test_a_network_that_is_none_is_said() -> None:
    with pytest.raises(Misconfigured, match=r"console\.trusted_proxies"):
        Proxies(["my-proxy"])


def test_what_is_no_request_is_left_alone() -> None:
    scope: Any = {
        "type": "websocket",
        "client": ("10.0.0.1", 1),
        "headers": [(b"x-forwarded-for", b"1.1.1.1")],
    }
    Proxies(["10.0.0.1"]).see_through(scope)
    assert scope["client"] == ("10.0.0.1", 1)
