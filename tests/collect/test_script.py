"""The door gives sites the script that sends to it."""

from __future__ import annotations

import gzip

from tekil.collect.script import script
from tests.collect.running import Collector

PACKED_MAX = 6_000


def test_the_script_is_small_and_the_same_packed(collector: Collector) -> None:
    plain = collector.ask("GET", "/tekil.js")
    packed = collector.ask("GET", "/tekil.js", Accept_Encoding="br, gzip")
    assert plain.status == packed.status == 200
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == script().plain
    assert len(packed.body) <= PACKED_MAX


def test_a_browser_that_has_the_script_is_told_so(collector: Collector) -> None:
    tag = collector.ask("GET", "/tekil.js").headers["etag"]
    again = collector.ask("GET", "/tekil.js", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    assert collector.ask("GET", "/tekil.js", If_None_Match='"older"').status == 200


def test_the_script_is_only_to_be_had(collector: Collector) -> None:
    assert collector.ask("POST", "/tekil.js", b"{}").code == "method_refused"
