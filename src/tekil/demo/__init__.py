"""Minder Evi: a Turkish home-textiles retailer that does not exist, and behaves as if it did.

It is a client of a running Tekil and nothing else: its web shop, app, tills, call centre, quote desk, e-mail
tool and ad platforms speak to the door over HTTP. Who is really who stays in a file of its own (`Truth`).

What it is like, by default (3,000 people, 120 days; tests hold the main ones within bounds):

* about 215,000 messages, eight in ten from the web shop; two in five people are old customers, the others
  come one by one, and half of all people leave for good after some months;
* visits: direct 23 %, organic search 21 %, paid search 19 %, paid social 14 %, app 10 %, the rest from social
  networks, price comparison, marketplaces, e-mail, assistants, referrals; strangers add two for every five;
* of all visits 40 % end where they landed, 7 in 100 fill a cart, 3 reach the checkout, 2 order;
* an average order is worth some 1,900 TRY on the web and in stores, with 10 % VAT; one web order in sixteen
  comes back, one in three carries a coupon while a campaign has one;
* stores sell four times as often as the web: a third of their known customers show a card, two in five say a
  phone number, some an e-mail address, the others nothing;
* one person in thirty has registered twice; more than half live with another customer, and half of those
  households share a tablet; a tablet's cookie belongs to the household;
* e-mail goes out on Tuesdays: 34 % opened, 9 % of these clicked, 0.4 % unsubscribed;
* 0.8 % of messages are sent twice, 0.3 % more are malformed, 7 % of app visits arrive hours or days late, one
  clock in forty is wrong by minutes or hours; crawlers and an uptime check are counted unless recognised.
"""

from pathlib import Path

from tekil.demo.company import Company
from tekil.demo.play import SOURCES, Played, play
from tekil.demo.truth import Truth
from tekil.demo.wire import Sending

ACQUISITION = Path(__file__).with_name("acquisition.yaml")
"""What it steers its marketing by."""

DICTIONARY = Path(__file__).with_name("dictionary.yaml")
SALES = Path(__file__).with_name("sales.yaml")
"""What the company says its events mean."""

__all__ = ["ACQUISITION", "DICTIONARY", "SALES", "SOURCES", "Company", "Played", "Sending", "Truth", "play"]
