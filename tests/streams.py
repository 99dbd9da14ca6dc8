"""Random streams of messages for Hypothesis: few people, many collisions, Turkish letters, bad input."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.installation import NOON, Installation

USERS = ("u1", "u2", "ü-3", "4")
BROWSERS = ("a1", "a2", "11111111-2222-3333-4444-555555555555")
EMAILS = ("ayse@example.com", " AYŞE@example.com", "İnfo@Example.com", "info@example.com", "no address")
PHONES = ("0532 123 45 67", "+905321234567", "90 532 123 45 67", "12")
SOURCES = ("web", "app", "crm")
URLS = (
    "https://shop.example/p/1?utm_source=google&utm_medium=cpc&utm_campaign=k%C4%B1%C5%9F&gclid=abc",
    "https://shop.example/",
    "https://shop.example/search?q=%zz+havlu&fbclid=x",
    "not a url",
)


@dataclass(frozen=True)
class Said:
    """One message with the source that said it and the instant it was received."""

    source: str
    received_at: datetime
    message: Any


def _stamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds") + "Z"


instants = st.integers(-60 * 24 * 60, 0).map(lambda minutes: NOON + timedelta(minutes=minutes * 7 / 5))

values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["x", "İstanbul", 'say "hi"', ""])
)
traits = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(EMAILS),
        "phone": st.sampled_from(PHONES),
        "name": values,
        "plan": values,
        "nested": st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2),
    },
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "page": st.fixed_dictionaries({"url": st.sampled_from(URLS)}, optional={"title": st.just("Çarşaf")}),
        "locale": st.sampled_from(["tr-TR", "en-US"]),
        "userAgent": st.sampled_from(["Mozilla/5.0 (iPhone) Safari/604.1", "Googlebot/2.1"]),
    },
)


@st.composite
def good_messages(draw: st.DrawFn, number: int, *, shared: bool = False) -> dict[str, Any]:
    """A message that loads. Its id is its number, so that no two say the same.

    Where a device is `shared`, all is said on it, by one of two people or by whoever has not signed in.
    """
    kind = draw(st.sampled_from(["track", "track", "page", "identify", "identify", "alias"]))
    message: dict[str, Any] = {"type": kind, "messageId": f"m{number}", "timestamp": _stamp(draw(instants))}
    user = draw(st.none() | st.sampled_from(USERS))
    browser = draw(st.none() | st.sampled_from(BROWSERS))
    if shared:
        user, browser = draw(st.none() | st.sampled_from(USERS[:2])), BROWSERS[0]
    if user is None and browser is None:
        user = "u1"
    if user is not None:
        message["userId"] = user
    if browser is not None:
        message["anonymousId"] = browser
    if kind == "track":
        message["event"] = draw(st.sampled_from(["Order Completed", "Görüldü"]))
        message["properties"] = draw(st.dictionaries(st.sampled_from(["price", "sku"]), values))
    if kind == "alias":
        message["previousId"] = draw(st.sampled_from([*USERS, *BROWSERS]))
    if kind == "identify":
        message["traits"] = draw(traits)
    message["context"] = draw(contexts)
    return message


bad_messages = st.sampled_from(
    [
        5,
        None,
        "text",
        {},
        {"type": "track"},
        {"type": "track", "userId": "u1"},
        {"type": "dance", "userId": "u1"},
        {"type": "track", "userId": {"a": 1}, "event": "A"},
        {"type": "page", "anonymousId": "a1", "timestamp": "yesterday"},
        {"type": "identify", "userId": "u1", "traits": [1]},
        {"type": "identify", "userId": "u1", "traits": {"name": "a\u0000b"}},
        {"type": "alias", "userId": "u1"},
        {"type": "record", "object": "order"},
        {"type": "track", "userId": "u" * 600, "event": "A"},
    ]
)


@st.composite
def streams(draw: st.DrawFn, *, most: int = 25, bad: bool = False, shared: bool = False) -> list[Said]:
    """Good messages with ids of their own (and bad ones, if asked for), in some order of arrival."""
    count = draw(st.integers(1, most))
    said = []
    for number in range(count):
        message = (
            draw(bad_messages)
            if bad and draw(st.integers(0, 5)) == 0
            else draw(good_messages(number, shared=shared))
        )
        received = NOON + timedelta(seconds=number)
        said.append(Said(draw(st.sampled_from(SOURCES)), received, message))
    return said


def cut(draw: st.DrawFn, said: list[Said]) -> list[list[Said]]:
    """Cut a list into consecutive parts: what the engine takes in one cycle each."""
    parts: list[list[Said]] = []
    rest = said
    while rest:
        size = draw(st.integers(1, len(rest)))
        parts.append(rest[:size])
        rest = rest[size:]
    return parts


def hear(installation: Installation, parts: list[list[Said]]) -> None:
    """Take in each part in a cycle of its own; what is said keeps its own instant of receipt."""
    for part in parts:
        for one in part:
            installation.say(one.message, source=one.source, at=one.received_at)
        installation.now = max([installation.now, *(one.received_at for one in part)])
        installation.run()
