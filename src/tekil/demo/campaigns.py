"""Where visits come from: campaigns that start and stop with the shopping year, and all that is unpaid."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import date
from itertools import accumulate
from random import Random
from urllib.parse import quote_plus

import msgspec


class Campaign(msgspec.Struct, frozen=True):
    """A paid campaign. `starts` and `ends` are (month, day), both included; `keywords` are (text, cost per
    click in TRY), for Meta the ad sets; `clicks_in` is its click rate; `demand` lifts the whole shop."""

    platform: str
    name: str
    weight: float
    keywords: tuple[tuple[str, float], ...]
    clicks_in: float
    landing: str = "/"
    starts: tuple[int, int] = (1, 1)
    ends: tuple[int, int] = (12, 31)
    coupon: str | None = None
    demand: float = 0.0

    def runs_on(self, day: date) -> bool:
        """Say whether it runs on a day; a campaign may cross the new year."""
        today = (day.month, day.day)
        if self.starts <= self.ends:
            return self.starts <= today <= self.ends
        return today >= self.starts or today <= self.ends


_LINEN, _TOWEL, _THROW = "/kategori/nevresim-takimlari", "/kategori/havlular", "/kategori/battaniye-ve-sallar"

CAMPAIGNS = (
    Campaign("google", "marka", 5, (("minder evi", 1.4), ("minderevi", 1.2)), 0.24),
    Campaign(
        "google",
        "nevresim-genel",
        6,
        (("nevresim takımı", 7.9), ("çift kişilik nevresim", 8.6), ("saten nevresim", 9.8)),
        0.045,
        _LINEN,
    ),
    Campaign(
        "google",
        "havlu-genel",
        4,
        (("bambu havlu", 5.2), ("peştemal", 4.1), ("havlu seti", 5.9)),
        0.05,
        _TOWEL,
    ),
    Campaign(
        "google",
        "kirlent-genel",
        3,
        (("kırlent", 4.8), ("kırlent kılıfı", 4.2)),
        0.048,
        "/kategori/kirlentler",
    ),
    Campaign(
        "meta",
        "yeni-musteri",
        7,
        (("kadın 25-44", 3.6), ("benzer kitle", 4.4), ("ilgi: ev dekorasyonu", 3.1)),
        0.013,
    ),
    Campaign("meta", "yeniden-pazarlama", 4, (("sepette bırakan", 2.9), ("ürün gören", 2.4)), 0.021),
    Campaign(
        "google",
        "kasim-indirimleri",
        7,
        (("kasım indirimi nevresim", 8.1), ("ev tekstili indirim", 7.2)),
        0.061,
        "/kampanya/kasim",
        (11, 1),
        (11, 30),
        "KASIM20",
        0.45,
    ),
    Campaign(
        "meta",
        "kasim-indirimleri",
        6,
        (("geniş kitle", 3.9), ("benzer kitle", 4.6)),
        0.017,
        "/kampanya/kasim",
        (11, 5),
        (11, 30),
        "KASIM20",
        0.0,
    ),
    Campaign(
        "meta",
        "yilbasi-hediye",
        5,
        (("hediye arayanlar", 4.2),),
        0.016,
        "/kampanya/yilbasi",
        (12, 8),
        (12, 31),
        "YENIYIL",
        0.2,
    ),
    Campaign(
        "google",
        "beyaz-gunler",
        5,
        (("beyaz günler", 5.4), ("yorgan indirim", 6.8)),
        0.055,
        "/kampanya/beyaz-gunler",
        (1, 5),
        (1, 31),
        "BEYAZ15",
        0.25,
    ),
    Campaign(
        "meta",
        "sevgililer-gunu",
        4,
        (("çiftler", 3.8),),
        0.015,
        "/kampanya/sevgililer-gunu",
        (2, 1),
        (2, 14),
        None,
        0.1,
    ),
    Campaign(
        "meta",
        "anneler-gunu",
        6,
        (("hediye arayanlar", 4.0), ("benzer kitle", 4.5)),
        0.018,
        "/kampanya/anneler-gunu",
        (4, 24),
        (5, 11),
        "ANNEM",
        0.3,
    ),
    Campaign(
        "google",
        "ceyiz-sezonu",
        6,
        (("çeyiz seti", 9.4), ("çeyizlik nevresim", 8.8)),
        0.052,
        "/kampanya/ceyiz",
        (5, 15),
        (7, 31),
        "CEYIZ500",
        0.15,
    ),
    Campaign("meta", "plaj-havlusu", 4, (("tatilciler", 3.0),), 0.014, _TOWEL, (6, 10), (8, 20)),
    Campaign(
        "google",
        "okula-donus",
        4,
        (("tek kişilik nevresim", 6.4), ("öğrenci evi", 4.9)),
        0.05,
        _LINEN,
        (8, 20),
        (9, 20),
        None,
        0.1,
    ),
    Campaign(
        "meta",
        "sonbahar-sallari",
        5,
        (("kadın 25-44", 3.7), ("ilgi: ev dekorasyonu", 3.3)),
        0.015,
        _THROW,
        (9, 25),
        (11, 15),
    ),
)

MAILINGS = ("haftanin-secimleri", "yeni-koleksiyon", "sana-ozel", "son-sans")


class Origin(msgspec.Struct, frozen=True):
    """How one visit came: `query` is what its landing address has after `?`, `tags` the campaign context."""

    channel: str
    referrer: str = ""
    query: str = ""
    landing: str = ""
    tags: dict[str, str] | None = None
    campaign: Campaign | None = None
    keyword: str | None = None


_SEARCH = "organic search"
_ORGANIC: tuple[tuple[int, Origin], ...] = (
    (74, Origin(_SEARCH, "https://www.google.com/")),
    (10, Origin(_SEARCH, "https://www.google.com.tr/")),
    (9, Origin(_SEARCH, "https://yandex.com.tr/")),
    (5, Origin(_SEARCH, "https://www.bing.com/")),
    (2, Origin(_SEARCH, "https://duckduckgo.com/")),
)
_REFERRALS: tuple[tuple[int, Origin], ...] = (
    (22, Origin("social", "https://l.instagram.com/")),
    (10, Origin("social", "https://tr.pinterest.com/")),
    (6, Origin("social", "https://www.youtube.com/")),
    (16, Origin("comparison", "https://www.akakce.com/")),
    (10, Origin("comparison", "https://www.cimri.com/")),
    (
        12,
        Origin(
            "marketplace",
            "https://www.trendyol.com/",
            "utm_source=trendyol&utm_medium=marketplace",
            "",
            {"source": "trendyol", "medium": "marketplace"},
        ),
    ),
    (
        8,
        Origin(
            "marketplace",
            "https://www.hepsiburada.com/",
            "utm_source=hepsiburada&utm_medium=marketplace",
            "",
            {"source": "hepsiburada", "medium": "marketplace"},
        ),
    ),
    (7, Origin("assistant", "https://chatgpt.com/", "utm_source=chatgpt.com", "", {"source": "chatgpt.com"})),
    (3, Origin("assistant", "https://www.perplexity.ai/")),
    (2, Origin("assistant", "https://gemini.google.com/")),
    (4, Origin("referral", "https://www.evimveben.example/en-iyi-nevresim-markalari")),
)
DIRECT = Origin("direct")

WAYS = ("paid", "organic", "referral", "direct")
NEWCOMER = (46, 27, 17, 10)
REGULAR = (22, 24, 8, 46)


def click_id(rng: Random, size: int = 42) -> str:
    """Draw what an ad platform adds to an address so as to know its own clicks again."""
    return urlsafe_b64encode(rng.randbytes(size)).decode().rstrip("=")


def paid(rng: Random, campaign: Campaign) -> Origin:
    """Return a click on one of a campaign's ads."""
    keyword = rng.choice(campaign.keywords)[0]
    term = quote_plus(keyword)
    if campaign.platform == "google":
        tags = {"source": "google", "medium": "cpc", "name": campaign.name, "term": keyword}
        query = (
            f"utm_source=google&utm_medium=cpc&utm_campaign={campaign.name}&utm_term={term}"
            f"&gclid=Cj0KCQ{click_id(rng)}"
        )
        return Origin(
            "paid search", "https://www.google.com/", query, campaign.landing, tags, campaign, keyword
        )
    tags = {"source": "facebook", "medium": "paid_social", "name": campaign.name, "content": keyword}
    query = (
        f"utm_source=facebook&utm_medium=paid_social&utm_campaign={campaign.name}&utm_content={term}"
        f"&fbclid=IwAR{click_id(rng, 36)}"
    )
    referrer = rng.choice(("https://l.facebook.com/", "https://l.instagram.com/", "https://m.facebook.com/"))
    return Origin("paid social", referrer, query, campaign.landing, tags, campaign, keyword)


def mailed(name: str) -> Origin:
    """Return a click in one of our own e-mails."""
    query = f"utm_source=bulten&utm_medium=email&utm_campaign={name}"
    return Origin("email", "", query, "", {"source": "bulten", "medium": "email", "name": name})


class Traffic:
    """What brings visitors on one day: the campaigns that run, weighed."""

    def __init__(self, day: date) -> None:
        """Take the day, in Istanbul."""
        self.day = day
        self.running = [campaign for campaign in CAMPAIGNS if campaign.runs_on(day)]
        self.demand = 1 + sum(campaign.demand for campaign in self.running)
        self.coupons = [campaign.coupon for campaign in self.running if campaign.coupon]
        self._weights = list(accumulate(campaign.weight for campaign in self.running))

    def origin(self, rng: Random, *, regular: bool) -> Origin:
        """Draw how a visit came. People who know the shop come by themselves more often."""
        match rng.choices(WAYS, REGULAR if regular else NEWCOMER)[0]:
            case "paid":
                return paid(rng, rng.choices(self.running, cum_weights=self._weights)[0])
            case "organic":
                return rng.choices([o for _, o in _ORGANIC], [w for w, _ in _ORGANIC])[0]
            case "referral":
                return rng.choices([o for _, o in _REFERRALS], [w for w, _ in _REFERRALS])[0]
            case _:
                return DIRECT
