"""Phones, laptops, tablets, the app, and robots: their user agents, and how well their clocks are set."""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

Kind = Literal["phone", "desktop", "tablet", "app"]

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{v} Mobile/15E148 Safari/604.1"


class Make(msgspec.Struct, frozen=True):
    """A kind of device many people own. `agent` has a place for the browser's version, `days` is how long its
    cookies live unvisited (Safari forgets after a week)."""

    weight: int
    agent: str
    versions: tuple[str, ...]
    os: str
    model: str
    width: int
    height: int
    days: float = 390


MAKES: dict[Kind, tuple[Make, ...]] = {
    "phone": (
        Make(
            26,
            f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36",
            ("138", "139", "140", "141", "142"),
            "Android",
            "K",
            412,
            915,
        ),
        Make(
            13,
            "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/{v} Chrome/125.0.0.0 Mobile Safari/537.36",
            ("27.0", "28.0", "29.0"),
            "Android",
            "SM-A546E",
            384,
            854,
        ),
        Make(
            24,
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_SAFARI}",
            ("18.3", "18.4", "18.5"),
            "iOS",
            "iPhone",
            390,
            844,
            7,
        ),
        Make(
            6,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) "
            "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 "
            "Instagram {v} (iPhone15,3; iOS 18_5; tr_TR; tr; scale=3.00; 1290x2796)",
            ("385.0.0.32.87", "390.0.0.28.85"),
            "iOS",
            "iPhone15,3",
            430,
            932,
            7,
        ),
        Make(
            4,
            "Mozilla/5.0 (Linux; Android 13; 23021RAAEG Build/TKQ1.221114.001; wv) AppleWebKit/537.36 "
            "(KHTML, like Gecko) Version/4.0 Chrome/138.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/{v};]",
            ("520.0.0.43.99", "525.0.0.57.109"),
            "Android",
            "23021RAAEG",
            393,
            873,
        ),
    ),
    "desktop": (
        Make(
            46,
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36",
            ("138", "139", "140", "141", "142"),
            "Windows",
            "",
            1920,
            1080,
        ),
        Make(
            14,
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_CHROME} Safari/537.36",
            ("139", "140", "141"),
            "macOS",
            "",
            1440,
            900,
        ),
        Make(
            12,
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/{v} Safari/605.1.15",
            ("17.6", "18.4", "18.5"),
            "macOS",
            "",
            1512,
            982,
            7,
        ),
        Make(
            10,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/{v}.0.0.0",
            ("139", "140"),
            "Windows",
            "",
            1536,
            864,
        ),
        Make(
            5,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
            ("140", "142", "143"),
            "Windows",
            "",
            1920,
            1080,
        ),
        Make(
            4,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/138.0.0.0 YaBrowser/{v}.0.0 Safari/537.36",
            ("25.6", "25.8"),
            "Windows",
            "",
            1366,
            768,
        ),
    ),
    "tablet": (
        Make(
            6,
            "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/{v} Mobile/15E148 Safari/604.1",
            ("17.6", "18.5"),
            "iPadOS",
            "iPad",
            820,
            1180,
            7,
        ),
        Make(
            5,
            "Mozilla/5.0 (Linux; Android 14; SM-X210) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/{v}.0.0.0 Safari/537.36",
            ("138", "140"),
            "Android",
            "SM-X210",
            800,
            1280,
        ),
    ),
    "app": (
        Make(
            5,
            "MinderEvi/{v} (iPhone; iOS 18.5; Scale/3.00)",
            ("4.2.0", "4.3.1"),
            "iOS",
            "iPhone16,1",
            393,
            852,
        ),
        Make(
            7,
            "MinderEvi/{v} (Linux; U; Android 14; SM-S921B)",
            ("4.2.0", "4.3.1", "4.3.2"),
            "Android",
            "SM-S921B",
            384,
            832,
        ),
    ),
}

ROBOTS = (
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
    "+http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
)
PROBE = "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"


class Device(msgspec.Struct, frozen=True):
    """One device: what it says it is, its home address on the net, and how far its clock is off (seconds)."""

    kind: Kind
    make: Make
    version: str
    locale: str
    ip: str
    skew: float

    @property
    def agent(self) -> str:
        """The whole user agent."""
        return self.make.agent.format(v=self.version)


def draw(rng: Random, kind: Kind, ip: str) -> Device:
    """Draw a device of a kind. Most clocks are right to a second; one in forty is minutes or hours off."""
    make = rng.choices(MAKES[kind], [make.weight for make in MAKES[kind]])[0]
    chance = rng.random()
    if chance < 0.975:
        skew = rng.gauss(0, 0.8)
    elif chance < 0.995:
        skew = rng.uniform(-900, 900)
    else:
        skew = rng.choice((-86_400.0, -10_800.0, 3_600.0, 10_800.0))
    locale = "tr-TR" if rng.random() < 0.93 else "en-US"
    return Device(kind, make, rng.choice(make.versions), locale, ip, round(skew, 3))


def address(rng: Random) -> str:
    """Draw an address from the range that is set aside for benchmarks: it is nobody's."""
    return f"198.{rng.randrange(18, 20)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
