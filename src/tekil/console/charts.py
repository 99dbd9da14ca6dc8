"""Charts as Altair specifications. The browser draws them; without scripts they come as SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import altair as alt
import msgspec
import vl_convert

from tekil.console.formats import Formats, parse
from tekil.console.language import Words
from tekil.reads import MinuteCount

MINUTES = 60
"""How far back the Live page looks."""

PALETTE = {
    "light": ["#0b7a75", "#3b63c4", "#b4541a", "#8a4fb5", "#5d7a1e", "#c2417c", "#20799e", "#86662b"],
    "dark": ["#4fc4bb", "#8daaf5", "#f0a06b", "#c79bea", "#a8c765", "#f08ab5", "#6fc0e3", "#d6b36f"],
}
"""The stylesheet's --hue-0 … --hue-7, for charts that are drawn without it."""

INK = {"light": ("#5d6167", "#e6e3dd"), "dark": ("#a3a7ad", "#2e3237")}
"""Text and lines of a chart that is drawn without the stylesheet."""


def minute_rows(
    counts: Sequence[MinuteCount], sources: Sequence[str], formats: Formats, now: datetime
) -> list[dict[str, Any]]:
    """Return a row for each minute of the last hour and each source, zeros included, oldest first.

    `minute` is the workspace's wall clock in milliseconds, as if it were UTC: Vega knows only UTC and the
    browser's own zone, and the company's zone may be neither.
    """
    known: dict[tuple[datetime, str], int] = defaultdict(int)
    for count in counts:
        minute = parse(count.minute)
        if minute is not None:
            known[minute.replace(second=0, microsecond=0), count.source] += count.events
    last = now.astimezone(UTC).replace(second=0, microsecond=0)
    rows = []
    for back in range(MINUTES - 1, -1, -1):
        minute = last - timedelta(minutes=back)
        wall = minute.astimezone(formats.zone).replace(tzinfo=UTC)
        stamp = int(wall.timestamp() * 1000)
        rows += [{"minute": stamp, "source": s, "events": known[minute, s]} for s in sources]
    return rows


def minutes_chart(
    rows: list[dict[str, Any]], sources: Sequence[str], hues: Sequence[int], words: Words
) -> dict[str, Any]:
    """Return the Vega-Lite specification of events by minute, stacked by source.

    `usermeta.hues` says which colour of the stylesheet each source has.
    """
    titles = tuple(words(f"live.{what}") for what in ("minute", "source", "events"))
    return {**_drawing(tuple(sources), tuple(hues), titles), "data": {"name": "minutes", "values": rows}}


@lru_cache(maxsize=32)
def _drawing(sources: tuple[str, ...], hues: tuple[int, ...], titles: tuple[str, ...]) -> dict[str, Any]:
    """Return the specification without its rows. Altair checks one against its schema for 30 ms."""
    minute, source, events = titles
    chart = (
        alt.Chart(alt.InlineData(values=[], name="minutes"))
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "minute:T",
                timeUnit="utcyearmonthdatehoursminutes",
                scale=alt.Scale(type="utc"),
                title=None,
                axis=alt.Axis(format="%H:%M", tickCount=6, grid=False, labelFlush=True, ticks=False),
            ),
            y=alt.Y(
                "sum(events):Q",
                title=None,
                axis=alt.Axis(
                    tickCount=4, domain=False, ticks=False, labelPadding=8, format=",d", tickMinStep=1
                ),
            ),
            color=alt.Color(
                "source:N",
                scale=alt.Scale(domain=list(sources), range=[PALETTE["light"][hue] for hue in hues]),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("minute:T", timeUnit="utchoursminutes", title=minute, format="%H:%M"),
                alt.Tooltip("source:N", title=source),
                alt.Tooltip("sum(events):Q", title=events, format=",d"),
            ],
        )
        .properties(width="container", height=244, padding=0, usermeta={"hues": list(hues)})
    )
    return themed(chart.to_dict(), "light")


def themed(spec: dict[str, Any], theme: str) -> dict[str, Any]:
    """Return the specification with the colours of a theme, for where no stylesheet reaches."""
    ink, line = INK[theme]
    axis = {"labelColor": ink, "labelFontSize": 11, "gridColor": line, "domainColor": line, "tickColor": line}
    config = {"background": "transparent", "view": {"stroke": None}, "font": "sans-serif", "axis": axis}
    colour = spec["encoding"]["color"]
    scale = {**colour["scale"], "range": [PALETTE[theme][hue] for hue in spec["usermeta"]["hues"]]}
    encoding = {**spec["encoding"], "color": {**colour, "scale": scale}}
    return {**spec, "config": config, "encoding": encoding}


def svg(spec: dict[str, Any], theme: str, words: Words) -> str:
    """Return a specification drawn in a theme, 860 by 244, for browsers without scripts."""
    drawn = msgspec.json.encode({**themed(spec, theme), "width": 860}).decode()
    return _drawn(drawn, words.language)


@lru_cache(maxsize=16)
def _drawn(spec: str, language: str) -> str:
    """Draw a specification, which takes 50 ms; whoever looks in the same minute is shown the same picture."""
    return str(vl_convert.vegalite_to_svg(spec, format_locale=number_locale(Words(language))))


def number_locale(words: Words) -> dict[str, Any]:
    """Return how a language separates digits, as Vega wants to be told."""
    decimal, thousands = (",", ".") if words.language == "tr" else (".", ",")
    return {"decimal": decimal, "thousands": thousands, "grouping": [3], "currency": ["", ""]}
