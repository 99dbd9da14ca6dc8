"""Visits and touches as models: SELECTs over the events of each person, derived like everything else.

A **session** ends after half an hour without an event, as GA4 has it
(https://support.google.com/analytics/answer/9191807), and where another campaign, click or site brings the
visitor back, as Universal Analytics had it (https://support.google.com/analytics/answer/2731565). Sessions
are of one device. A **touch** is a session, or an event that stands for a contact without one: a call, a
store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tekil.acquisition.channels import DIRECT, ChannelsSpec, channel_sql, channels_of, described
from tekil.definitions import Definition
from tekil.dictionary.sql import quoted
from tekil.expressions import ExpressionFlaw, check
from tekil.models import Model
from tekil.models.features import event_scope
from tekil.warehouse.protocol import ColumnType

SESSIONS, TOUCHES = "sessions", "touches"

MINUTE_US = 60_000_000

SAID = ("source", "medium", "campaign", "term", "content", "click", "click_id", "referrer")

SESSION_COLUMNS: Mapping[str, ColumnType] = {
    "session_key": "bigint",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "events": "bigint",
    "pages": "bigint",
    "landing_host": "text",
    "landing_path": "text",
    "said_source": "text",
    "said_medium": "text",
    "said_campaign": "text",
    **dict.fromkeys(SAID, "text"),
    "channel": "text",
}

TOUCH_COLUMNS: Mapping[str, ColumnType] = {
    "touch_key": "bigint",
    "touched_at": "timestamp",
    "kind": "text",
    "channel": "text",
    "source": "text",
    "medium": "text",
    "campaign": "text",
    "keyword": "text",
    "click_id": "text",
}


def touch_models(definitions: Sequence[Definition], zone: str = "UTC") -> list[Model]:
    """Return the models of sessions and of touches, with the channels that are in force."""
    try:
        spec = channels_of(definitions)
        channel = channel_sql(spec)
    except ExpressionFlaw:
        # Rules that this version does not understand (any more); `tekil plan` says why.
        spec = channels_of([])
        channel = channel_sql(spec)
    return [
        Model(SESSIONS, _sessions(spec, channel), SESSION_COLUMNS),
        Model(TOUCHES, _touches(spec, zone), TOUCH_COLUMNS),
    ]


def _is_arrival(spec: ChannelsSpec) -> str:
    """Return the condition under which an event says that something brought the visitor."""
    own = "regexp_replace(url_host, '^www[.]', '')"
    strange = (
        f"referrer_host IS NOT NULL AND regexp_replace(referrer_host, '^www[.]', '') <> coalesce({own}, '')"
    )
    for host in spec.ignored_referrers:
        strange += f" AND referrer_host <> {quoted(host)} AND referrer_host NOT LIKE {quoted(f'%.{host}')}"
    return f"(utm_source IS NOT NULL OR click_id IS NOT NULL OR ({strange}))"


def _sessions(spec: ChannelsSpec, channel: str) -> str:
    window = "(PARTITION BY person_key, device ORDER BY occurred_at, message_key)"
    arrived = "(PARTITION BY person_key, device, arrival IS NULL ORDER BY occurred_at, message_key)"
    columns = "person_key, device, occurred_at, message_key, type, url_host, url_path, arrival, click_id"
    said = """utm_source AS source, utm_medium AS medium, utm_campaign AS campaign, utm_term AS term,
      utm_content AS content, click_id_kind AS click, referrer_host AS referrer"""
    names = "source, medium, campaign, term, content, click, referrer"
    # All that brought a visitor within one session is the same, or it would have begun another.
    began = ", ".join(f"max({name}) FILTER (WHERE arrival IS NOT NULL) AS {name}" for name in SAID)
    grouped = f"""
    SELECT person_key, min(session_key) AS session_key, min(occurred_at) AS started_at,
      max(occurred_at) AS ended_at, count(*) AS events,
      count(*) FILTER (WHERE type IN ('page', 'screen')) AS pages,
      max(url_host) FILTER (WHERE is_new = 1) AS landing_host,
      max(url_path) FILTER (WHERE is_new = 1) AS landing_path,
      max(arrival) IS NULL AS is_direct, {began}
    FROM (
      SELECT *, CASE WHEN is_new = 1 THEN message_key END AS session_key,
        sum(is_new) OVER {window} AS number
      FROM (
        SELECT {columns}, {names}, CASE
            WHEN lag(occurred_at) OVER {window} IS NULL THEN 1
            WHEN epoch_us(occurred_at) - epoch_us(lag(occurred_at) OVER {window})
              > {spec.inactive_minutes * MINUTE_US} THEN 1
            WHEN arrival IS NOT NULL AND arrival <> lag(arrival) OVER {arrived} THEN 1
            ELSE 0 END AS is_new
        FROM (
          SELECT person_key, coalesce(anonymous_id, user_id) AS device, occurred_at, message_key, type,
            url_host, url_path, click_id, {said},
            CASE WHEN {_is_arrival(spec)} THEN concat_ws('|', coalesce(utm_source, click_id, referrer_host),
              utm_medium, utm_campaign, utm_term, utm_content, click_id) END AS arrival
          FROM person_events WHERE type IN ('page', 'screen') OR url IS NOT NULL
        ) AS visits
      ) AS told_apart
    ) AS numbered
    GROUP BY person_key, device, number"""
    opened = f"""(SELECT person_key, session_key, started_at, ended_at, events, pages, landing_host,
      landing_path, is_direct, source AS said_source, medium AS said_medium, campaign AS said_campaign,
      {", ".join(SAID)} FROM ({grouped}) AS grouped)"""
    kept = [name for name in SESSION_COLUMNS if name != "channel"]
    others = ["person_key", "is_direct", *(name for name in kept if name not in SAID or name == "click_id")]
    return (
        f"SELECT person_key, {', '.join(kept)},"
        f" CASE WHEN is_direct THEN '{DIRECT}' ELSE {channel} END AS channel"
        f" FROM ({described(f'{opened} AS opened', others)}) AS described"
    )


def _touches(spec: ChannelsSpec, zone: str) -> str:
    """Return the SELECT of touches, over `sessions` and the events that stand for contacts without one."""
    visits = """SELECT person_key, session_key AS touch_key, started_at AS touched_at, 'visit' AS kind,
  channel, source, medium, campaign, coalesce(term, content) AS keyword, click_id FROM sessions"""
    whens, asked = [], []
    for touch in spec.events:
        condition = f"event = {quoted(touch.event)}"
        if touch.when:
            condition += f" AND {check(touch.when, event_scope(zone)).sql}"
        whens.append(f"WHEN {condition} THEN {quoted(touch.channel)}")
        asked.append(f"({condition})")
    if not asked:
        return visits
    contacts = f"""SELECT person_key, message_key AS touch_key, occurred_at AS touched_at, 'event' AS kind,
  CASE {" ".join(whens)} END AS channel, lowered(source) AS source, 'offline' AS medium,
  CAST(NULL AS VARCHAR) AS campaign, CAST(NULL AS VARCHAR) AS keyword, CAST(NULL AS VARCHAR) AS click_id
FROM person_events WHERE type = 'track' AND ({" OR ".join(asked)})"""
    return f"{visits}\nUNION ALL\n{contacts}"
