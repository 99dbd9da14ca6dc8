"""A sales desk over an installation in simulated time: leads come in, people act, the clock moves."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

from tekil.config import ConsentSettings
from tekil.definitions import apply, parse
from tekil.forms import Submission, lead_id, messages_of
from tekil.kinds import KINDS
from tekil.leads import LeadHearing, Reader, leads_said, open_desk, open_leads
from tekil.leads.life import AnyAct
from tekil.models import Defined
from tekil.privacy.ledger import open_ledger
from tekil.store.leads import Lead
from tests.installation import Installation

ZONE = "Europe/Istanbul"
CHIEF = Reader("chief", oversees=True)

ROUTING = """\
kind: routing
name: sales_desk
spec:
  agents: [{name: ada}, {name: ece}]
  accept_within: 15 minutes
  first_contact: 1 hour
  escalate_to: chief
"""

_numbers = itertools.count(1)


class SalesDesk:
    """An installation that hears of leads, and what looks after them."""

    def __init__(self, folder: Path, routing: str = ROUTING, defined: Defined = lambda _: ()) -> None:
        self.shop = Installation(
            folder,
            defined=defined,
            hearing=lambda store, vault: [
                lambda staged: LeadHearing(open_ledger(store, vault, ConsentSettings())).hear(
                    leads_said(staged)
                )
            ],
        )
        # A Wednesday, ten in the morning in Istanbul.
        self.shop.now = datetime(2026, 3, 4, 7)
        self.store = self.shop.store
        if routing:
            self.define(routing)
        places = (self.store, self.shop.log, self.shop.warehouse, self.shop.vault)
        self.runner = open_leads(*places, ZONE, lambda: self.shop.now, every_us=0)
        self.desk = open_desk(self.store, self.shop.vault, ZONE, lambda: self.shop.now)

    def define(self, document: str) -> None:
        apply(self.store, KINDS, parse(document), author="test")

    def comes(self, email: str = "", **members: Any) -> str:
        """Have a lead come in, as the door writes it, and be looked at; return its id."""
        message = f"lead-{next(_numbers)}"
        traits = {"email": email or f"{message}@example.com", **members.pop("traits", {})}
        wishes = members.pop("wishes", {})
        body = messages_of(Submission(traits=traits, wishes=wishes, **members), message)
        self.shop.say_body(
            {
                "body": body.body.decode(),
                "received_at": self.shop.now,
                "source": "web",
                "door": "batch",
                "messages": 2,
            }
        )
        self.shop.run()
        self.look()
        return lead_id("web", message)

    def look(self) -> None:
        while self.runner.step():
            pass

    def later(self, **span: float) -> None:
        """Let time go by, and have leads looked at."""
        self.shop.pass_time(**span)
        self.look()

    def lead(self, lead: str) -> Lead:
        return self.store.leads.get(lead)

    def does(self, who: str, lead: str, act: AnyAct) -> Lead:
        return self.desk.act(lead, act, Reader(who, oversees=who == "chief"))

    def acts(self, lead: str) -> list[str]:
        return [told.act for told in self.store.leads.entries(lead)]

    def notices(self) -> list[str]:
        """What the webhook would be told, in order."""
        return [owed.what for owed in self.store.leads.owed()]

    def close(self) -> None:
        self.shop.close()
        self.store.close()
