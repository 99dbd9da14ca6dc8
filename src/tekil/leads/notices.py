"""Telling the company's webhook what happened to leads: in order, signed, for a day at most."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tekil.errors import TekilError
from tekil.outgoing import Webhook
from tekil.store.clock import now_us
from tekil.store.leads import Leads

EVERY_SECONDS = 1.0
GIVEN_UP_US = 24 * 3_600 * 1_000_000
"""For so long a notice is tried again; a lead that was assigned yesterday helps nobody."""


class LeadNotices:
    """Pays the notices that are owed. What is owed is in the store, so a restart loses none."""

    def __init__(
        self,
        leads: Leads,
        webhook: Webhook,
        say: Callable[[str], object],
        clock: Callable[[], int] = now_us,
    ) -> None:
        """Take what is owed, who is told, and the program's log."""
        self._leads, self._webhook, self._say, self._clock = leads, webhook, say, clock

    def run(self, stop: threading.Event) -> None:
        """Tell until told to stop. What fails is tried again."""
        try:
            while not stop.is_set():
                try:
                    failed = self.tell() is not None
                except TekilError as error:
                    failed = True
                    self._say(f"leads: {error.message}")
                stop.wait(EVERY_SECONDS * (10 if failed else 1))
        finally:
            self._webhook.close()

    def tell(self) -> str | None:
        """Send what is owed; return why the first that failed did not arrive. The rest waits for it."""
        for owed in self._leads.owed():
            if self._webhook.url and owed.at >= self._clock() - GIVEN_UP_US:
                why = self._webhook.send(owed.body.encode(), owed.id)
                if why is not None:
                    self._say(
                        f"leads: the webhook was not told of {owed.lead_id} ({why}); it is tried again."
                    )
                    return why
            self._leads.paid(owed.id)
        return None
