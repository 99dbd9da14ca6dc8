"""The company's own dictionary: its true messages keep to it, but for what the tills are known not to say."""

from __future__ import annotations

from pathlib import Path

from tekil.definitions import apply, read
from tekil.demo import DICTIONARY
from tekil.demo.wire import utc
from tekil.kinds import KINDS
from tekil.verification import check_ledger
from tests.demo.conftest import Story
from tests.installation import Installation


def test_the_companys_true_messages_keep_to_its_dictionary(story: Story, tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    apply(installation.store, KINDS, read([DICTIONARY]), author="test")
    for source in {sending.source for sending in story.sendings}:
        mine = [s for s in story.sendings if s.source == source and s.nature == "message"]
        installation.now = max(installation.now, utc(mine[-1].at).replace(tzinfo=None))
        for start in range(0, min(len(mine), 3000), 500):
            installation.say(*(s.message for s in mine[start : start + 500]), source=source)
    installation.run()
    assert installation.rows("SELECT reasons FROM quarantine") == []
    assert check_ledger(installation.engine) == []
    asked = "SELECT source, event, field, rule FROM violations WHERE rule <> 'event_undefined'"
    assert {tuple(row.values()) for row in installation.rows(asked)} == {
        ("stores", "Order Completed", "properties.checkout_id", "missing")
    }
    installation.close()
    installation.store.close()
