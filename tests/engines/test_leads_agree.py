"""Both engines hear the same leads in the same messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tekil.forms import Submission, messages_of
from tekil.leads import leads_said
from tests.engines.conftest import Pair
from tests.installation import Installation


def heard(installation: Installation) -> list[dict[str, Any]]:
    leads = [
        Submission(traits={"email": "ada@example.com", "phone": "0532 123 45 67"}, wishes={"city": "İzmir"}),
        Submission(traits={"phone": "0532 123 45 68"}, wishes={}, user_id="u-1", value=Decimal("1250.50")),
    ]
    for number, lead in enumerate([*leads, leads[0]]):
        body = messages_of(lead, f"lead-{number % 2}").body
        installation.say(*json.loads(body)["batch"])
    installation.say({"type": "track", "userId": "u-1", "event": "Other"})
    installation.run()
    rows = leads_said(installation.warehouse)
    installation.close()
    for row in rows:
        row["properties"] = json.loads(row["properties"])
    return sorted(rows, key=str)


def test_both_engines_hear_the_same_leads(pair: Pair) -> None:
    duckdb, spark = pair()
    found = heard(duckdb)
    assert len(found) == 2
    assert heard(spark) == found
