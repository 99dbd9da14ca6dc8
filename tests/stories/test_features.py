"""A feature, from a file to everybody's answers, in a running Tekil."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running_tekil import Running, eventually, tekil

DOCUMENT = """\
kind: feature
name: story_orders
title: {tr: Sipariş sayısı}
spec:
  sql: count(*) filter (where event = 'Story Order')
"""


def test_a_feature_is_applied_and_a_moment_later_everybody_has_it(up: Running, tmp_path: Path) -> None:
    up.send("track", userId="f-1", event="Story Order")
    up.wait_until_loaded()
    file = tmp_path / "feature.yaml"
    file.write_text(DOCUMENT, encoding="utf-8")
    applied = tekil(up.folder, "apply", str(file))
    assert applied.returncode == 0, applied.stderr

    def orders(number: int) -> bool:
        told = tekil(up.folder, "sql", f"SELECT * FROM features WHERE story_orders = {number}", "--json")
        return told.returncode == 0 and len(json.loads(told.stdout)) == 1

    assert eventually(lambda: orders(1))
    up.send("track", userId="f-1", event="Story Order")
    assert eventually(lambda: orders(2))
    assert tekil(up.folder, "verify").returncode == 0
