"""Who wants a price is a lead, and it is somebody's whom the routing knows."""

from __future__ import annotations

from tekil.definitions import check, read
from tekil.demo import SALES
from tekil.kinds import KINDS
from tekil.messages import LEAD_SUBMITTED
from tests.demo.conftest import Story


def test_every_quote_asked_for_is_a_lead_with_its_budget(story: Story) -> None:
    asked = {m["properties"]["quote_id"]: m["properties"]["budget"] for m in story.tracks("Teklif İstendi")}
    leads = {m["messageId"]: m["properties"]["value"] for m in story.tracks(LEAD_SUBMITTED)}
    assert asked
    assert leads == {f"lead-{quote}": budget for quote, budget in asked.items()}


def test_the_desk_that_answers_them_can_be_put_in_force() -> None:
    check(KINDS, read([SALES]), [])
