"""What libraries know of the world: user agents, robots, referrers."""

from __future__ import annotations

import pytest

from tekil.load.known_values import describe_user_agent
from tekil.load.referrers import classify

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CHROME, (CHROME, "Chrome", "126.0", "Windows", None, False)),
        (IPHONE, (IPHONE, "Mobile Safari", "17.5", "iOS", "iPhone", False)),
        ("nonsense", ("nonsense", None, None, None, None, False)),
    ],
)
def test_user_agents_are_described(text: str, told: tuple[object, ...]) -> None:
    assert describe_user_agent(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "UptimeRobot/2.0",
        "curl/8.5.0",
        "python-requests/2.32",
        f"{CHROME} HeadlessChrome/126",
        "facebookexternalhit/1.1 (preview)",
    ],
)
def test_robots_are_known_as_such(text: str) -> None:
    assert describe_user_agent(text)[-1] is True


@pytest.mark.parametrize(
    ("host", "medium", "name"),
    [
        ("www.google.com.tr", "search", "Google"),
        ("mail.google.com", "email", "Gmail"),
        ("gemini.google.com", "assistant", "Gemini"),
        ("l.instagram.com", "social", "Instagram"),
        ("t.co", "social", "X"),
        ("x.com", "social", "X"),
        ("chatgpt.com", "assistant", "ChatGPT"),
        ("www.trendyol.com", "marketplace", "Trendyol"),
        ("blog.example.org", "referral", "blog.example.org"),
        ("x.example.org", "referral", "x.example.org"),
        ("google.example.org", "referral", "google.example.org"),
        ("user@shop.example:8080", "referral", "shop.example"),
        ("localhost", "referral", "localhost"),
    ],
)
def test_referrers_are_classified(host: str, medium: str, name: str) -> None:
    assert classify(host) == (medium, name)
