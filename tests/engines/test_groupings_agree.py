"""Law 7 for groupings: the same street gives the same organisations and households on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tekil.groupings import Groupings
from tekil.models import ACTIVITY, AFFILIATIONS, ATTRIBUTES
from tekil.store import Store
from tekil.warehouse import open_warehouse
from tests.groupings.conftest import STREET
from tests.installation import Installation
from tests.spark_server import spark_url


@pytest.mark.slow
def test_organisations_and_households_are_alike_on_both_engines(
    stores: tuple[Store, Store], tmp_path: Path
) -> None:
    models = (ACTIVITY, ATTRIBUTES, AFFILIATIONS)
    one = Installation(tmp_path, store=stores[0], models=models)
    lake = open_warehouse(spark_url(tmp_path / "lake"))
    other = Installation(tmp_path, store=stores[1], warehouse=lake, vault=one.vault, models=models)
    found = []
    for installation in (one, other):
        for part in (STREET[:7], STREET[7:]):
            for message in part:
                installation.pass_time(minutes=1)
                installation.say(message)
            installation.run()
        groupings = Groupings(installation.reads, installation.store, installation.vault)
        cards = [groupings.organisation(row.id) for row in groupings.organisations()]
        people = [groupings.organisation_people(card.organisation.id) for card in cards]
        homes = [groupings.household(row.id) for row in groupings.households()]
        latest = groupings.latest("group:g-7")
        belongs = groupings.of_person(installation.person("user_id:w0").person_id)
        rows = installation.sorted_rows("SELECT * FROM affiliations")
        found.append((rows, cards, [page.members for page in people], homes, latest, belongs))
    other.engine.rebuild()
    assert other.sorted_rows("SELECT * FROM affiliations") == found[0][0]
    for ours, theirs in zip(*found, strict=True):
        assert ours == theirs
    assert len(found[0][3]) == 2
    one.close()
    other.close()
