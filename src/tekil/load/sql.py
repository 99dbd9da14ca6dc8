"""The loader's SELECTs: pure text, each one step, in the warehouse's dialect."""

from __future__ import annotations

from tekil.dictionary.sql import quoted
from tekil.identifiers import Policy
from tekil.load.tables import EVENTS
from tekil.messages import CUT_TYPE, MESSAGE_TYPES, VALUE_LENGTH_MAX
from tekil.warehouse import columns_given

CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "li_fat_id")
"""The query parameters by which ad platforms know a click again."""

_TYPES = ", ".join(f"'{name}'" for name in (*MESSAGE_TYPES, CUT_TYPE))
_CLICK = f"[?&]({'|'.join(CLICK_IDS)})=([^&#]+)"


def trimmed(column: str) -> str:
    """Return the SQL of a text without the blanks around it, null where nothing is left.

    Few have any, and to look takes a fifth of the time that trimming does.
    """
    return f"""CASE WHEN {column} LIKE ' %' OR {column} LIKE '% ' OR {column} = ''
        THEN nullif(trim({column}, ' '), '') ELSE {column} END"""


def _said(expression: str) -> str:
    """An instant as clients write it: ISO 8601, or milliseconds since the epoch."""
    return f"""coalesce(instant({expression}), CASE WHEN regexp_matches({expression}, '^[0-9]{{13}}$')
        THEN shifted(TIMESTAMP '1970-01-01', try_cast({expression} AS BIGINT) * 1000) END)"""


def _parameter(name: str) -> str:
    """A query parameter of `url`. Most URLs have none, and the search is cheaper than the pattern."""
    return f"""CASE WHEN strpos(asking_url, '{name}=') > 0
        THEN nullif(decoded(regexp_extract(asking_url, '[?&]{name}=([^&#]*)', 1)), '') END"""


def digits(text: str) -> str:
    """Return the SQL of a phone number's digits and plus signs."""
    return f"regexp_replace({text}, '[^0-9+]', '', 'g')"


def international(digits: str) -> str:
    """Return the SQL of a number with its country, from the column of its digits."""
    return f"""CASE
        WHEN starts_with({digits}, '+') THEN {digits}
        WHEN starts_with({digits}, '00') THEN '+' || substr({digits}, 3)
        WHEN length({digits}) = 11 AND starts_with({digits}, '0') THEN '+90' || substr({digits}, 2)
        WHEN length({digits}) = 10 THEN '+90' || {digits}
        ELSE '+' || {digits} END"""


def address(text: str) -> str:
    """Return the SQL of an e-mail address in its normal letters."""
    return f"lowered(replace(trim({text}, ' '), 'İ', 'i'))"


# Written out, because not every engine's patterns know [:space:].
_WORD = r"[^@ \t\n\x0B\f\r]+"

EMAIL = f"""CASE WHEN length(address) <= {VALUE_LENGTH_MAX} AND strpos(address, '@') > 0
    AND regexp_matches(address, '^{_WORD}@{_WORD}[.]{_WORD}$') THEN address END"""
"""`normal_forms.normal_email`, over the column `address`."""

PHONE = "CASE WHEN regexp_matches(phone_number, '^[+][0-9]{8,15}$') THEN phone_number END"
"""`normal_forms.normal_phone`, over the column `phone_number`."""

_NUL = "'\\u0000'"

# Each step names what the next one uses more than once, so that nothing is worked out twice.
READ = f"""
WITH typed AS (
  SELECT *,
    coalesce({trimmed("type")}, CASE WHEN door NOT IN ('batch', 'import') THEN door END) AS kind,
    coalesce(originalTimestamp, timestamp) AS said_text,
    coalesce(sentAt, body_sent_at) AS sent_text
  FROM messages_in(incoming)
), told AS (
  SELECT *,
    {_said("said_text")} AS said_at,
    {_said("sent_text")} AS sent_at,
    coalesce(context_url, CASE WHEN kind = 'page' THEN json_member(properties, 'url') END) AS url,
    coalesce(CASE WHEN kind = 'identify' THEN json_member(traits, 'email') END, context_email) AS email_text,
    coalesce(CASE WHEN kind = 'identify' THEN json_member(traits, 'phone') END, context_phone) AS phone_text
  FROM typed
), spelled AS (
  SELECT *, {address("email_text")} AS address, {digits("phone_text")} AS phone_digits,
    CASE WHEN strpos(url, '?') > 0 THEN url END AS asking_url
  FROM told
), numbered AS (
  SELECT *, {international("phone_digits")} AS phone_number FROM spelled
)
SELECT position, number, source, door, received_at, said_text, said_at,
  kind AS type,
  CASE WHEN kind IN ('page', 'screen') THEN coalesce({trimmed("name")}, {trimmed("event")})
    ELSE {trimmed("event")} END AS event,
  coalesce({trimmed("messageId")}, 'tekil-' || position || '-' || number) AS message_id,
  {trimmed("userId")} AS user_id, {trimmed("anonymousId")} AS anonymous_id,
  {trimmed("previousId")} AS previous_id, {trimmed("groupId")} AS group_id,
  {EMAIL} AS email, {PHONE} AS phone,
  coalesce(list_contains(oversize, number), FALSE) AS is_oversize,
  coalesce(list_contains(strange, number), FALSE) AS is_no_object,
  {trimmed("object")} AS object, nullif(key, 'null') AS key, nullif(fields, 'null') AS fields,
  CASE
    WHEN said_at IS NULL THEN received_at
    WHEN door = 'import' OR sent_at IS NULL
      OR sent_at NOT BETWEEN TIMESTAMP '2000-01-01' AND TIMESTAMP '2200-01-01'
      OR said_at > TIMESTAMP '2200-01-01' THEN least(said_at, received_at)
    ELSE greatest(
      least(shifted(received_at, epoch_us(said_at) - epoch_us(sent_at)), received_at),
      TIMESTAMP '1970-01-01')
  END AS occurred_at,
  url,
  lowered(nullif(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)', 1), '')) AS url_host,
  nullif(regexp_extract(url, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+(/[^?#]*)', 1), '') AS url_path,
  coalesce(context_title, CASE WHEN kind = 'page' THEN json_member(properties, 'title') END) AS title,
  {trimmed("context_referrer")} AS referrer,
  lowered(nullif(regexp_extract(context_referrer, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)', 1), ''))
    AS referrer_host,
  coalesce({trimmed("campaign_source")}, {_parameter("utm_source")}) AS utm_source,
  coalesce({trimmed("campaign_medium")}, {_parameter("utm_medium")}) AS utm_medium,
  coalesce({trimmed("campaign_name")}, {_parameter("utm_campaign")}) AS utm_campaign,
  coalesce({trimmed("campaign_term")}, {_parameter("utm_term")}) AS utm_term,
  coalesce({trimmed("campaign_content")}, {_parameter("utm_content")}) AS utm_content,
  nullif(regexp_extract(asking_url, '{_CLICK}', 1), '') AS click_id_kind,
  nullif(regexp_extract(asking_url, '{_CLICK}', 2), '') AS click_id,
  {trimmed("user_agent")} AS user_agent, {trimmed("locale")} AS locale,
  CASE WHEN library_version IS NULL THEN library_name
    ELSE library_name || ' ' || library_version END AS library,
  starts_with(nullif(context, 'null'), '{{') AS is_context_object,
  starts_with(nullif(properties, 'null'), '{{') AS is_properties_object,
  starts_with(nullif(traits, 'null'), '{{') AS is_traits_object,
  is_nul_in_body, context_rest AS context, nullif(properties, 'null') AS properties,
  nullif(traits, 'null') AS traits
FROM numbered
"""
"""Log bodies → one row a message, its members in columns. Instants as DESIGN §3 has them:
`received_at − (sentAt − originalTimestamp)`, never later than received; imported history keeps its own."""


BLOCKED = "tekil_blocked_values"
"""Stands where the identity policy's pattern of blocked values goes: `with_policy` puts it there."""

WRONG = {
    "not_an_object": "is_no_object",
    "message_too_large": "is_oversize",
    "type_missing": "type IS NULL AND NOT is_no_object",
    "type_unknown": f"type NOT IN ({_TYPES})",
    "identifier_missing": (
        f"type NOT IN ('record', '{CUT_TYPE}') AND user_id IS NULL AND anonymous_id IS NULL"
    ),
    "identifier_not_text": (
        "is_json_container(user_id) OR is_json_container(anonymous_id) OR is_json_container(previous_id)"
    ),
    "identifier_too_long": " OR ".join(
        f"length({column}) > {VALUE_LENGTH_MAX}" for column in ("user_id", "anonymous_id", "previous_id")
    ),
    "identifier_blocked": (
        f"type <> 'record' AND coalesce(user_id, anonymous_id) IS NOT NULL"
        f" AND coalesce(regexp_matches(lowered(user_id), '{BLOCKED}'), TRUE)"
        f" AND coalesce(regexp_matches(lowered(anonymous_id), '{BLOCKED}'), TRUE)"
    ),
    "identifier_control": (
        r"regexp_matches(concat_ws('', user_id, anonymous_id, previous_id), '[\x01-\x1f\x7f]')"
    ),
    "event_missing": "type = 'track' AND event IS NULL",
    "event_not_text": "is_json_container(event)",
    "previous_id_missing": "type = 'alias' AND previous_id IS NULL",
    "object_missing": "type = 'record' AND object IS NULL",
    "key_missing": "type = 'record' AND (key IS NULL OR NOT starts_with(key, '{') OR key = '{}')",
    "timestamp_invalid": "said_text IS NOT NULL AND said_at IS NULL",
    "timestamp_out_of_range": "said_at < TIMESTAMP '1970-01-01'",
    "properties_not_an_object": "NOT is_properties_object",
    "traits_not_an_object": "NOT is_traits_object",
    "context_not_an_object": "NOT is_context_object",
    "fields_not_an_object": "NOT starts_with(fields, '{')",
    "nul_character": (
        "CASE WHEN is_nul_in_body THEN strpos(traits, " + _NUL + ") > 0 OR"
        " strpos(concat_ws('', user_id, anonymous_id, previous_id, event, message_id), chr(0)) > 0 END"
    ),
}
"""Reason code → the condition, over the columns of `READ`, under which a message is quarantined for it."""

_ANY_WRONG = " OR ".join(f"({condition})" for condition in WRONG.values())
_REASONS = ", ".join(f"CASE WHEN {condition} THEN '{code}' END" for code, condition in WRONG.items())

_FLAGS = (
    "door",
    "said_at",
    "is_oversize",
    "is_no_object",
    "is_context_object",
    "is_properties_object",
    "is_traits_object",
    "is_nul_in_body",
)
"""Columns of `READ` that nobody needs once it is known what is wrong."""

_READ_COLUMNS = tuple(name for name in columns_given(READ) if name not in _FLAGS)

OPEN = f"""
SELECT {", ".join(_READ_COLUMNS)}, is_wrong,
  CASE WHEN is_wrong THEN concat_ws(',', {_REASONS}) END AS reasons,
  key64(source || ':' || message_id) AS message_key,
  CASE WHEN door = 'import' THEN occurred_at ELSE received_at END AS known_at
FROM (SELECT *, coalesce({_ANY_WRONG}, FALSE) AS is_wrong FROM ({READ}) AS message_read) AS judged
"""
"""… → the same rows with the key they are known by, and the reasons why something is wrong with them. What
the dictionary says against a message is added to those later."""


def with_policy(select: str, policy: Policy) -> str:
    """Return `OPEN` for the policy in force."""
    return select.replace(BLOCKED, policy.blocked.replace("'", "''"))


OPENED_COLUMNS = (*_READ_COLUMNS, "is_wrong", "reasons", "message_key", "known_at")

SHAPES = f"""
SELECT message_key, is_wrong, type = 'record' AND NOT is_wrong AS is_record,
  type = 'identify' AND traits IS NOT NULL AND NOT is_wrong AS is_telling, type = '{CUT_TYPE}' AS is_cut
FROM opened
"""
"""What there is among the messages: steps that would find nothing are left out."""

KNOWN = """
SELECT message_key, source, message_id FROM events
WHERE message_key IN (SELECT message_key FROM suspects)
UNION ALL
SELECT message_key, source, message_id FROM record_changes
WHERE message_key IN (SELECT message_key FROM suspects)
"""
"""Messages already loaded that have a suspect's key: the 64 bits narrow it down, the ids decide."""

_EVENT_COLUMNS = ", ".join(
    name
    for name in EVENTS.column_names
    if name not in ("identifier_key", "identifiers", "context", "properties", "traits")
)

_UNTOUCHED = """FROM opened o WHERE NOT o.is_wrong AND NOT EXISTS (
    SELECT 1 FROM sealed_messages s WHERE s.position = o.position AND s.number = o.number
  )"""


def checked(columns: str) -> str:
    """Return the SELECT of the good messages, those that held something personal as they were sealed.

    Nothing is staged here: most messages go through untouched, and a copy of all of them is a tenth of the
    work of loading.
    """
    return f"SELECT {columns} {_UNTOUCHED} UNION ALL SELECT {columns} FROM sealed_messages"


REPEATED = f"""
SELECT position, number, source, message_key FROM (
  SELECT position, number, source, message_key, message_id,
    row_number() OVER (PARTITION BY source, message_id ORDER BY position, number) AS copy
  FROM ({checked("position, number, source, message_key, message_id")}) AS checked
  WHERE message_key IN (SELECT message_key FROM suspects)
) AS good
WHERE copy > 1 OR EXISTS (
  SELECT 1 FROM known_messages m
  WHERE m.message_key = good.message_key AND m.source = good.source AND m.message_id = good.message_id
)
"""
"""Good messages that were loaded before, or stand earlier among these: for all time, by source and id."""

_FIRST_SAID = """NOT EXISTS (
    SELECT 1 FROM repeated r WHERE r.position = c.position AND r.number = c.number
  )"""

_JSONS = "context, properties, traits"


def new_events(policy: Policy, *, are_some_repeated: bool, has_named: bool) -> str:
    """Return the SELECT of events never loaded before; what becomes a VARIANT is JSON text still.

    Each is known by its user id, unless the policy blocks it, or else by its anonymous id.
    """
    columns = f"{_EVENT_COLUMNS}, {_JSONS}"
    return f"""
    SELECT {columns}, {_named(has_named)}, key64(
        CASE WHEN user_id IS NULL OR regexp_matches(lowered(user_id), {quoted(policy.blocked)})
        THEN coalesce('anonymous_id:' || anonymous_id, 'user_id:' || user_id)
        ELSE 'user_id:' || user_id END) AS identifier_key
    FROM ({checked(columns)}) AS c {_NAMED_JOIN if has_named else ""}
    WHERE type <> 'record' {"AND " + _FIRST_SAID if are_some_repeated else ""}
    """


_NAMED_JOIN = """LEFT JOIN (
      SELECT position AS named_at, number AS named_number, identifiers FROM named_identifiers
    ) AS n ON n.named_at = c.position AND n.named_number = c.number"""


def _named(has_named: bool) -> str:
    return "n.identifiers" if has_named else "CAST(NULL AS VARCHAR) AS identifiers"


WHOLE_EVENTS = f"""
SELECT {_EVENT_COLUMNS}, identifier_key, identifiers, as_variant(context) AS context,
  as_variant(properties) AS properties, as_variant(traits) AS traits
FROM new_events
"""
"""The new events on their way to the table."""

IDENTIFIES = """
SELECT identifier_key, message_key, source, occurred_at, known_at, traits
FROM new_events WHERE type = 'identify' AND traits IS NOT NULL
"""

NEW_TRAITS = """
SELECT identifier_key, message_key, source, member_name AS name, member_value AS value, occurred_at, known_at
FROM members_of(identifies, traits)
WHERE member_value <> 'null'
"""

_RECORD_COLUMNS = "message_key, message_id, source, object, key, fields, occurred_at, received_at, known_at"


def new_records(*, has_named: bool) -> str:
    """Return the SELECT of records never loaded before."""
    return f"""
    SELECT message_key, message_id, position, number, source, object,
      key64(object || ':' || key) AS record_key, key, as_variant(fields) AS fields, {_named(has_named)},
      occurred_at, received_at, known_at
    FROM ({checked(f"position, number, type, {_RECORD_COLUMNS}")}) AS c {_NAMED_JOIN if has_named else ""}
    WHERE type = 'record' AND {_FIRST_SAID}
    """


QUESTIONABLE = """
SELECT position, body FROM incoming
WHERE position IN (SELECT position FROM opened WHERE is_wrong)
"""
"""Bodies in which something is wrong."""

PUT_ASIDE = """
SELECT c.position, c.number, c.source, c.received_at, c.reasons, i.item AS body, CAST(1 AS BIGINT) AS messages
FROM opened c JOIN items_in(questionable) AS i ON i.position = c.position AND i.number = c.number
WHERE c.is_wrong
UNION ALL
SELECT position, CAST(0 AS BIGINT) AS number, source, received_at, 'unreadable' AS reasons, body,
  CAST(messages AS BIGINT) AS messages
FROM unreadable
"""

COUNTED = """
SELECT source, sum(loaded) AS loaded, sum(quarantined) AS quarantined, sum(duplicate) AS duplicate,
  sum(erased) AS erased, max(last_received) AS last_received
FROM (
  SELECT source, loaded, quarantined, duplicate, erased, last_received FROM ledger
  UNION ALL
  SELECT source, count(*) AS loaded, 0 AS quarantined, 0 AS duplicate, 0 AS erased,
    max(received_at) AS last_received
  FROM opened WHERE NOT is_wrong GROUP BY source
  UNION ALL
  SELECT source, count(*) AS loaded, 0 AS quarantined, 0 AS duplicate, count(*) AS erased,
    max(received_at) AS last_received
  FROM inert GROUP BY source
  UNION ALL
  SELECT source, -count(*) AS loaded, 0 AS quarantined, count(*) AS duplicate, 0 AS erased,
    NULL AS last_received
  FROM repeated GROUP BY source
  UNION ALL
  SELECT source, 0 AS loaded, sum(messages) AS quarantined, 0 AS duplicate, 0 AS erased,
    max(received_at) AS last_received
  FROM new_quarantine GROUP BY source
) AS counts GROUP BY source
"""
"""The ledger with these messages in it: a good one is loaded, unless it is a repetition; one of somebody who
was erased counts as loaded, and leaves no row."""
