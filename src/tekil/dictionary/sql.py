"""The dictionary's SELECTs: pure text. Definitions come in as rows beside the messages, not as SQL.

So the text is the same for two events and for two hundred, one pass serves them all, and no name, value or
place that somebody wrote into a definition is ever read as SQL. Only patterns are written out, because an
engine prepares a constant pattern once; they are quoted, and from a small common language (`patterns`).

Each message that the dictionary speaks of gets a row in `subject_rows`; what it says, a row a member in
`said_members`; what breaks a rule, a row in `found_violations`: position, number, event, field, rule, mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

SUBJECT = """CASE WHEN c.type = 'track' THEN 'track:' || c.event WHEN c.type = 'record'
    THEN 'record:' || c.object ELSE c.type || ':' END"""
"""`model.subject_of`, over the columns of `opened`."""

_ABOUT = f"FROM opened c JOIN subjects s ON s.subject = {SUBJECT} WHERE NOT c.is_wrong"

SUBJECT_ROWS = f"""
SELECT c.position, c.number, c.source, c.message_key, c.received_at, s.definition, s.event, s.label,
  s.is_synonym, s.undefined_mode
{_ABOUT}
"""
"""The good messages of defined events."""

NAME = "'^[A-Za-z_][A-Za-z0-9_ $-]{0,40}$'"
"""What a name nobody defined may look like to be shown: what else a sender wrote there may be a value."""


def quoted(text: str) -> str:
    """Return a text as a string literal of the warehouse's dialect."""
    return "'" + text.replace("'", "''") + "'"


def objects(root: str, definitions: Iterable[int]) -> str:
    """Return the SELECT of a root's objects, as JSON text, in messages of those definitions."""
    numbers = ", ".join(str(number) for number in definitions)
    return (
        f"SELECT c.position, c.number, s.definition, '{root}' AS above, c.{root} AS object_text"
        f" {_ABOUT} AND c.{root} IS NOT NULL AND s.definition IN ({numbers})"
    )


def members(relation: str) -> str:
    """Return the SELECT of the members of the objects in a relation. Nothing and '' count as not said."""
    return f"""
    SELECT position, number, definition, above || '.' || member_name AS path, member_value AS value
    FROM members_of({relation}, object_text) WHERE member_value NOT IN ('null', '""')
    """


def inner_objects(relation: str) -> str:
    """Return the SELECT of those members in a relation that are objects with defined members of their own."""
    return f"""
    SELECT m.position, m.number, m.definition, m.path AS above, m.value AS object_text
    FROM {relation} m JOIN prefixes p ON p.definition = m.definition AND p.path = m.path
    WHERE starts_with(m.value, '{{')
    """


def own_members(columns: Mapping[str, str]) -> list[str]:
    """Return the SELECTs of members that loading has in columns: path → column of `opened`."""
    return [
        f"SELECT c.position, c.number, s.definition, {quoted(path)} AS path, json_quoted(c.{column}) AS value"
        f" {_ABOUT} AND c.{column} IS NOT NULL"
        for path, column in columns.items()
    ]


# A JSON reader is called only for what is escaped: most texts are between their quotes as they are.
_UNQUOTED = """CASE WHEN strpos(m.value, chr(92)) = 0 THEN substr(m.value, 2, length(m.value) - 2)
    ELSE json_member('{"a":' || m.value || '}', 'a') END"""


def broken(patterns: Sequence[str]) -> str:
    """Return the SELECT of the rules that messages break, at most one a field: the first that it breaks."""
    cases = " ".join(
        f"WHEN {number} THEN NOT regexp_matches(said, {quoted(pattern)})"
        for number, pattern in enumerate(patterns)
    )
    mismatch = f"coalesce(CASE pattern {cases} END, TRUE)" if patterns else "FALSE"
    return f"""
    WITH held AS (
      SELECT r.position, r.number, r.source, r.message_key, r.received_at, r.event, r.label AS event_label,
        u.*, m.value,
        CASE WHEN starts_with(m.value, '"') THEN {_UNQUOTED} END AS said,
        CASE WHEN substr(m.value, 1, 1) NOT IN ('"', '[', '{{', 't', 'f') THEN try_cast(m.value AS DOUBLE) END
          AS amount
      FROM subject_rows r
      JOIN rules u ON u.definition = r.definition
      LEFT JOIN said_members m ON m.position = r.position AND m.number = r.number AND m.path = u.path
    ), spelled AS (
      SELECT *, coalesce(said, CASE WHEN amount = floor(amount) AND abs(amount) < 1e15
        THEN CAST(CAST(amount AS BIGINT) AS VARCHAR) ELSE value END) AS canonical
      FROM held
    ), judged AS (
      SELECT h.position, h.number, h.source, h.message_key, h.received_at, h.event, h.event_label,
        h.path AS field, h.label, h.mode,
        CASE
          WHEN value IS NULL THEN CASE WHEN required THEN 'missing' END
          WHEN type = 'text' AND said IS NULL THEN 'not_text'
          WHEN type = 'instant' AND coalesce(instant(said) IS NULL
            AND NOT regexp_matches(said, '^[0-9]{{13}}$'), TRUE) THEN 'not_an_instant'
          WHEN type IN ('number', 'integer') AND amount IS NULL THEN 'not_a_number'
          WHEN type = 'integer' AND amount <> floor(amount) THEN 'not_an_integer'
          WHEN type = 'boolean' AND value NOT IN ('true', 'false') THEN 'not_a_boolean'
          WHEN type = 'list' AND NOT starts_with(value, '[') THEN 'not_a_list'
          WHEN type = 'object' AND NOT starts_with(value, '{{') THEN 'not_an_object'
          WHEN has_allowed AND a.value_allowed IS NULL THEN 'not_allowed'
          WHEN amount < least_amount THEN 'too_small'
          WHEN amount > most_amount THEN 'too_large'
          WHEN pattern IS NOT NULL AND {mismatch} THEN 'no_match'
        END AS rule
      FROM spelled h LEFT JOIN allowed_values a ON a.rule_number = h.rule_number
        AND a.value_allowed = h.canonical
    )
    SELECT position, number, source, message_key, received_at, event, event_label, field, label, rule, mode
    FROM judged WHERE rule IS NOT NULL
    """


UNDEFINED_FIELDS = f"""
SELECT r.position, r.number, r.source, r.message_key, r.received_at, r.event, r.label AS event_label,
  CASE WHEN regexp_matches(substr(m.path, strpos(m.path, '.') + 1), {NAME}) THEN m.path ELSE '*' END
    AS field,
  CASE WHEN regexp_matches(substr(m.path, strpos(m.path, '.') + 1), {NAME})
    THEN substr(m.path, strpos(m.path, '.') + 1) ELSE '*' END AS label,
  'undefined' AS rule, r.undefined_mode AS mode
FROM said_members_1 m JOIN subject_rows r ON r.position = m.position AND r.number = m.number
LEFT JOIN known_paths k ON k.definition = m.definition AND k.path = m.path
WHERE k.path IS NULL AND r.undefined_mode <> 'evolve' AND NOT starts_with(m.path, 'context.')
"""
"""Members that the definition of an event with closed fields does not list."""


def undefined_events(mode: str) -> str:
    """Return the SELECT of `track` messages whose event nobody defined."""
    return f"""
    SELECT c.position, c.number, c.source, c.message_key, c.received_at,
      CASE WHEN regexp_matches(c.event, {NAME}) THEN c.event ELSE '*' END AS event,
      CASE WHEN regexp_matches(c.event, {NAME}) THEN c.event ELSE '*' END AS event_label,
      '' AS field, '' AS label, 'event_undefined' AS rule, '{mode}' AS mode
    FROM opened c LEFT JOIN subjects s ON s.subject = {SUBJECT}
    WHERE NOT c.is_wrong AND c.type = 'track' AND s.subject IS NULL
    """


HELD_BACK = """
SELECT position, number, array_to_string(distinct_texts(
    CASE WHEN label = '' THEN event_label || ':' || rule ELSE event_label || '.' || label || ':' || rule END
  ), ',') AS reasons
FROM found_violations WHERE mode = 'quarantine' GROUP BY position, number
"""
"""Messages that go to quarantine, with their reasons: `order_completed.total:not_a_number`."""

RENAMED = "SELECT position, number, event AS true_name FROM subject_rows WHERE is_synonym"

_SAID_EVENT = "'{\"said_event\":' || json_quoted(coalesce(c.event, c.object))"


def rewritten(columns: Sequence[str]) -> str:
    """Return the SELECT of `opened` with the verdicts in it: what is held back is wrong, and synonyms have
    the event's true name; the one that was said stands in the context as `said_event`.

    `columns` are those of `opened`.
    """
    instead = {
        "is_wrong": "(c.is_wrong OR h.position IS NOT NULL)",
        "reasons": """CASE WHEN h.position IS NULL THEN c.reasons
            ELSE concat_ws(',', c.reasons, h.reasons) END""",
        "event": "CASE WHEN c.type = 'track' THEN coalesce(t.true_name, c.event) ELSE c.event END",
        "object": "CASE WHEN c.type = 'record' THEN coalesce(t.true_name, c.object) ELSE c.object END",
        "context": f"""CASE WHEN t.true_name IS NULL THEN c.context
            WHEN c.context IS NULL OR c.context = '{{}}' THEN {_SAID_EVENT} || '}}'
            ELSE {_SAID_EVENT} || ',' || substr(c.context, 2) END""",
    }
    selected = ", ".join(f"{instead.get(name, f'c.{name}')} AS {name}" for name in columns)
    return f"""
    SELECT {selected} FROM opened c
    LEFT JOIN held_back h ON h.position = c.position AND h.number = c.number
    LEFT JOIN renamed t ON t.position = c.position AND t.number = c.number
    """


COUNTED_VIOLATIONS = """
SELECT violation_key, source, event, field, rule, mode, day, sum(messages) AS messages,
  max(sample_key) AS sample_key
FROM (
  SELECT key64(concat_ws('|', source, event, field, rule, mode, CAST(CAST(received_at AS DATE) AS VARCHAR)))
      AS violation_key,
    source, event, field, rule, mode, CAST(CAST(received_at AS DATE) AS VARCHAR) AS day,
    CAST(1 AS BIGINT) AS messages, message_key AS sample_key
  FROM found_violations
  UNION ALL
  SELECT violation_key, source, event, field, rule, mode, day, messages, sample_key FROM violations
  WHERE day IN (SELECT CAST(CAST(received_at AS DATE) AS VARCHAR) FROM found_violations)
) AS counted
GROUP BY violation_key, source, event, field, rule, mode, day
"""
"""The violations of the days at hand with these messages' in them: counts and a key of one of them, never a
value."""
