"""Small pictures tell no lies: parts fill the whole, and what is small is still seen."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.config import Collect, Config
from tekil.console.charts import minute_rows, minutes_chart, svg, themed
from tekil.console.drawings import CROSSING_ROW, HUES, bars, crossings, hue, ledger_parts, sparkline
from tekil.console.formats import Formats
from tekil.console.language import Words
from tekil.console.snippets import SNIPPETS, door_url
from tekil.reads import Count, MinuteCount

amounts = st.integers(min_value=0, max_value=10**12)


@given(amounts, amounts, amounts, amounts)
def test_the_ledgers_parts_fill_the_width_in_order(
    loaded: int, quarantined: int, duplicate: int, waiting: int
) -> None:
    total = Count(loaded + quarantined + duplicate + waiting, loaded, quarantined, duplicate, waiting)
    parts = ledger_parts(total)
    assert [p.value for p in parts] == [n for n in (loaded, quarantined, duplicate, waiting) if n]
    if not parts:
        return
    assert parts[0].x == 0
    assert parts[-1].x + parts[-1].width == pytest.approx(1000)
    assert sum(p.from_width for p in parts) == pytest.approx(1000)
    assert all(p.width >= 5.99 for p in parts)
    ordered = sorted(parts, key=lambda p: p.value)
    assert all(a.width <= b.width + 1e-6 for a, b in itertools.pairwise(ordered))


def test_one_message_in_a_billion_is_seen() -> None:
    parts = {p.state: p for p in ledger_parts(Count(10**9 + 1, 10**9, 1, 0, 0))}
    assert parts["quarantined"].width == 6
    assert parts["quarantined"].flow.startswith("M")


def test_a_sparkline_spans_its_width_and_peaks_at_its_top() -> None:
    line, area = sparkline([0, 5, 10])
    assert line == "M0.0 26.0L60.0 14.0L120.0 2.0"
    assert area.startswith(line)
    assert sparkline([]) == sparkline([3]) == ("", "")
    assert "nan" not in sparkline([0, 0])[0]


@given(st.text())
def test_everybody_has_a_colour_and_keeps_it(text: str) -> None:
    assert 0 <= hue(text) < HUES
    assert hue(text) == hue(text)


NOW = datetime(2026, 11, 22, 20, 59, 30, tzinfo=UTC)
FORMATS = Formats(Words("tr"), "Europe/Istanbul")


def test_the_last_hour_has_every_minute_of_every_source_on_the_companys_clock() -> None:
    counts = [
        MinuteCount(datetime(2026, 11, 22, 20, 59), "web", 7),
        MinuteCount(datetime(2020, 1, 1), "web", 9),
    ]
    rows = minute_rows(counts, ["app", "web"], FORMATS, NOW)
    assert len(rows) == 120
    assert sum(row["events"] for row in rows) == 7
    last = datetime.fromtimestamp(rows[-1]["minute"] / 1000, UTC)
    assert (last.hour, last.minute) == (23, 59)


def test_the_chart_is_drawn_in_both_themes_without_a_browser() -> None:
    rows = minute_rows([MinuteCount(datetime(2026, 11, 22, 20, 50), "web", 7)], ["web"], FORMATS, NOW)
    spec = minutes_chart(rows, ["web"], [3], Words("tr"))
    assert json.dumps(spec)
    assert (
        themed(spec, "dark")["encoding"]["color"]["scale"]["range"]
        != spec["encoding"]["color"]["scale"]["range"]
    )
    drawn = svg(spec, "dark", Words("tr"))
    assert drawn.startswith("<svg")
    assert "#c79bea" in drawn


def test_every_snippet_sends_to_this_very_door_with_this_very_key() -> None:
    door = door_url(Config(collect=Collect(port=8765)), "console.example")
    assert door == "http://127.0.0.1:8765"
    for name, write in SNIPPETS.items():
        text = write(door, "KEY123")
        assert "127.0.0.1:8765" in text, name
        assert "KEY123" in text or name == "pixel"


def test_a_door_open_everywhere_has_the_name_it_was_seen_by() -> None:
    everywhere = Config(collect=Collect(host="0.0.0.0"))
    assert door_url(everywhere, "shop.example") == "http://shop.example:8000"
    assert door_url(Config(collect=Collect(host="::1")), "x") == "http://[::1]:8000"
    proxied = Config(collect=Collect(public_url="https://events.example.com/"))
    assert door_url(proxied, "console.example") == "https://events.example.com"


def test_bars_stand_side_by_side_and_something_is_never_nothing() -> None:
    drawn = bars([0, 1, 1000], 30.0, 10.0)
    assert [bar.value for bar in drawn] == [0, 1, 1000]
    assert drawn[0].height < drawn[1].height < drawn[2].height <= 10.0
    assert all(bar.y + bar.height == pytest.approx(10.0) for bar in drawn)
    assert all(one.x + one.width < other.x for one, other in itertools.pairwise(drawn))
    assert bars([]) == []


def test_an_overlap_has_a_column_for_each_combination_and_ties_its_dots() -> None:
    drawn = crossings([(["a", "c"], 40), (["b"], 10)], ["a", "b", "c"])
    assert [[is_in for _, is_in in one.dots] for one in drawn] == [[True, False, True], [False, True, False]]
    assert drawn[0].bottom - drawn[0].top == 2 * CROSSING_ROW
    assert drawn[1].bottom == drawn[1].top
    assert drawn[0].bar.height == 4 * drawn[1].bar.height
    assert crossings([], []) == []
