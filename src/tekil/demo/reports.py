"""What other systems report about no one in particular: advertising spend and the assortment; and robots."""

from __future__ import annotations

from datetime import date

from tekil.demo.campaigns import CAMPAIGNS
from tekil.demo.catalogue import Product
from tekil.demo.devices import MAKES, PROBE, ROBOTS, Device, Make
from tekil.demo.life import Life, Memory
from tekil.demo.visits import WEB, Visit
from tekil.demo.wire import lira, record, unique

UNSEEN = 1.18
"""Clicks billed for every one the site sees: blockers, refused cookies, people gone before it loads."""


def spend(life: Life, day: date, at: float) -> None:
    """Report what each keyword cost on a day. The platforms correct themselves two days later."""
    rng = life.rng
    for campaign in CAMPAIGNS:
        if not campaign.runs_on(day):
            continue
        for keyword, cost_per_click in campaign.keywords:
            seen = life.clicks.pop((day, campaign.platform, campaign.name, keyword), 0)
            clicks = round(seen * UNSEEN + rng.random() * 1.4)
            impressions = round(clicks / campaign.clicks_in * rng.uniform(0.85, 1.2)) + rng.randrange(12)
            cost = clicks * cost_per_click * rng.uniform(0.9, 1.12)
            key = {
                "day": day.isoformat(),
                "platform": campaign.platform,
                "campaign": campaign.name,
                "keyword": keyword,
            }
            for hours, share in ((0.0, rng.uniform(0.93, 1.0)), (48.0, 1.0)):
                fields = {
                    "impressions": impressions,
                    "clicks": clicks,
                    "cost": lira(cost * share),
                    "currency": "TRY",
                }
                when = at + hours * 3_600
                life.send("ads", when, record(unique(rng), when, "ad_spend", key, fields))


def assortment(life: Life, products: tuple[Product, ...], at: float) -> None:
    """Report products: name, category, price in TRY."""
    for number, product in enumerate(products):
        fields = {
            "name": product.name,
            "category": product.category.name,
            "variant": product.listing["variant"],
            "price": lira(product.price),
            "currency": "TRY",
            "stock": life.rng.randrange(0, 400),
        }
        when = at + number * 0.05
        life.send(WEB, when, record(unique(life.rng), when, "product", {"sku": product.sku}, fields))


def robot(life: Life, at: float) -> None:
    """Let a crawler read a few pages. It runs our script, so only its user agent gives it away."""
    rng = life.rng
    visit = Visit(life, _robot(rng.choice(ROBOTS)), Memory(unique(rng)), None, at)
    for product in rng.sample(life.products, rng.randint(1, 4)):
        visit.look(product.path, product.name)


def probe(life: Life, at: float) -> None:
    """Let the uptime check open the front page."""
    Visit(life, _robot(PROBE), Memory(unique(life.rng)), None, at).look("/", "Ana Sayfa")


def _robot(agent: str) -> Device:
    plain = MAKES["desktop"][0]
    make = Make(1, agent, ("",), "", "", plain.width, plain.height)
    return Device("desktop", make, "", "en-US", "198.18.0.1", 0.0)
