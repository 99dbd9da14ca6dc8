"""Personal values leave the messages here: what goes on holds tokens, and the vault holds the values.

The engine finds the messages that may hold something personal, by one pattern over all their texts. Only
those come here, where every string of theirs is looked at; most events never do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType

import msgspec
import pyarrow as pa

from tekil.dictionary.sql import SUBJECT
from tekil.identifiers import SEALED as SEALED_KINDS
from tekil.identifiers import Policy
from tekil.load.sql import OPENED_COLUMNS
from tekil.load.tables import SEALED_VALUES, TOKEN_PLACES
from tekil.privacy import Vault
from tekil.privacy.find import KEY_STEMS, KINDS, TOKEN, Kind, find, kind_of_key
from tekil.privacy.shadows import shadow
from tekil.warehouse import Warehouse, arrow_schema

GROUP_SUBJECT = "group:"
"""What `SUBJECT` says of a group() call."""

IDS = ("message_id", "user_id", "anonymous_id", "previous_id", "group_id", "click_id", "user_agent")
"""Columns of text that are a name for something: personal where they hold an address, or are a value whole.

Digits within a longer id are left alone: of ids made by chance, many would look like a number of somebody's.
"""

TEXTS = (
    "event",
    "object",
    "url",
    "url_host",
    "url_path",
    "title",
    "referrer",
    "referrer_host",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
)
"""Columns of text in which a personal value may stand, among others or alone."""

JSONS = ("properties", "context", "fields", "key")
"""Columns of JSON text."""

TRAITS = ("traits",)
"""Columns of JSON text that speak of a person: here `name` is a person's, but where a group is spoken of."""

WHOLE: dict[str, Kind] = {"email": "email", "phone": "phone"}
"""Columns that are a personal value, in its normal form."""

SEALED = (*IDS, *TEXTS, *JSONS, *TRAITS, *WHOLE)

_GAP = "[ ().-]{0,2}"

SUSPICIOUS = "|".join(
    (
        "@|%40",
        # An escape in JSON, behind which any letter may hide.
        "u0[01][0-9a-fA-F]{2}",
        # A phone number as it is written here, which is also any ten digits; one with its country.
        f"[0-9]{{3}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{2}}{_GAP}[0-9]{{2}}|[+][0-9]",
        # A card's groups of digits, an IBAN's beginning.
        "[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}|[0-9]{4} ?-?[0-9]{6}[ -]|[A-Z]{2}[0-9]{2} ?[A-Z0-9] ?[A-Z0-9]",
        KEY_STEMS,
    )
)
"""What every text matches that holds a personal value. It may match too much, and never too little."""

WHOLE_ID = "^([+(]?[0-9][0-9 ().-]{7,32}$|[A-Z]{2}[0-9]{2} ?[A-Z0-9])"
"""What every id matches that is a number of somebody's whole. None is longer: a UUID of digits alone is."""


def suspicious_id(column: str) -> str:
    """Return the SQL of whether an id may be, or hold, a personal value: the same for ids."""
    return (
        f"strpos({column}, '@') > 0 OR strpos({column}, '%40') > 0 OR regexp_matches({column}, '{WHOLE_ID}')"
    )


_IDS = " OR ".join(suspicious_id(name) for name in IDS)

_PARTS_OF_OTHERS = ("url_host", "url_path", "referrer_host")
"""Columns that stand in another one to the letter: what is in them is found there."""

_LOOKED_AT = ", ".join(name for name in (*TEXTS, *JSONS) if name not in _PARTS_OF_OTHERS)

_COLUMNS = tuple(name for name in OPENED_COLUMNS if name not in ("said_text", "is_wrong", "reasons"))

SUSPECTS = f"""
SELECT {SUBJECT} AS subject, {", ".join(_COLUMNS)} FROM opened c
WHERE NOT is_wrong AND ({SUBJECT} IN (SELECT subject FROM declared_subjects) OR
  email IS NOT NULL OR phone IS NOT NULL OR traits IS NOT NULL OR {_IDS}
  OR regexp_matches(concat_ws(' ', {_LOOKED_AT}), '{SUSPICIOUS}')
)
"""
"""The good messages that may hold something personal, by form or by the dictionary, whole."""

NEW_SHADOWS = f"""
SELECT token, kind, shadow FROM new_sealed_values n
WHERE NOT EXISTS (SELECT 1 FROM {SEALED_VALUES.name} s WHERE s.token = n.token)
"""
"""What is not known yet of the values sealed now."""

NEW_TOKEN_PLACES = f"""
SELECT DISTINCT token_key, place_key, is_record FROM (
  SELECT key64(m.token) AS token_key, e.identifier_key AS place_key, FALSE AS is_record
  FROM told_tokens m JOIN new_events e ON e.position = m.position AND e.number = m.number
  UNION ALL
  SELECT key64(m.token) AS token_key, key64(s.object || ':' || s.key) AS place_key, TRUE AS is_record
  FROM told_tokens m JOIN sealed_messages s ON s.position = m.position AND s.number = m.number
  WHERE s.type = 'record'
) AS n
WHERE NOT EXISTS (
  SELECT 1 FROM {TOKEN_PLACES.name} p
  WHERE p.token_key = n.token_key AND p.place_key = n.place_key AND p.is_record = n.is_record
)
"""
"""By which identifiers, and in which records, the values sealed now are mentioned; what is not known yet."""

MENTIONS = pa.schema([("position", pa.int64()), ("number", pa.int64()), ("token", pa.string())])
"""The staged `told_tokens`."""

# A string and whether it names a member, a number, or the beginning or end of an object or a list.
_PART = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?[0-9][0-9.eE+-]*)|([{\[])|([}\]])')

_decode = msgspec.json.Decoder(str).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.encode

Token = Callable[[Kind, str], str]

Silent = Callable[[str, datetime], bool]
"""Whether a token stands for somebody who was erased after an instant."""

ERASED = "erased"
"""Stands in other people's messages where a value of somebody who was erased stood."""

NAMING = ("user_id", "anonymous_id", "previous_id", *WHOLE)
"""Columns that name whom a message is about: one that names somebody who was erased is inert whole."""


def nobody(_token: str, _said_at: datetime) -> bool:
    """Say of every token that its person was not erased."""
    return False


Declared = Mapping[str, Mapping[str, str]]
"""What the dictionary declares: `Dictionary.declared`."""

CLASSES: dict[str, Kind] = {
    **{kind: kind for kind in KINDS},
    "birth_date": "birthdate",
    "identifier": "other",
}
"""The dictionary's classes of personal values → kinds. What is of another class is not kept at all."""


Mention = tuple[int, int, str]
"""The position and number of a message, and a token in it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was taken out: the messages with tokens instead, token → kind and value, and which held it.

    `gone` are the mentions of somebody who was erased that gave way to `ERASED`.
    """

    messages: pa.Table
    values: Mapping[str, tuple[Kind, str]]
    mentions: Sequence[Mention]
    gone: frozenset[Mention] = frozenset()


def seal(
    warehouse: Warehouse,
    vault: Vault,
    declared: Declared = MappingProxyType({}),
    policy: Policy | None = None,
    silent: Silent = nobody,
) -> Sealed:
    """Stage `sealed_messages` from `opened`: those that may hold something personal, as they may be kept.

    Returns what was taken out; nothing is in the vault yet (see `keep_values`). `silent` says which tokens
    stand for somebody who was erased, in messages of an instant.
    """
    warehouse.stage("declared_subjects", pa.table({"subject": pa.array(list(declared), pa.string())}))
    sealed = seal_rows(warehouse.query(SUSPECTS), vault, declared, policy or Policy(), silent)
    warehouse.stage("sealed_messages", sealed.messages)
    return sealed


def keep_values(
    warehouse: Warehouse, vault: Vault, sealed: Sealed, inert: frozenset[tuple[int, int]] = frozenset()
) -> int:
    """Keep what was taken out in the vault, but for what only `inert` messages hold; return how much it is.

    Stages `new_sealed_values` and `told_tokens`. Raises `Unavailable` while the store is away: then nothing
    has been written anywhere else.
    """
    mentions = [
        mention for mention in sealed.mentions if mention[:2] not in inert and mention not in sealed.gone
    ]
    values = {token: sealed.values[token] for _, _, token in mentions if token in sealed.values}
    vault.keep((token, kind, value) for token, (kind, value) in values.items())
    shadows = [(token, kind, shadow(kind, value)) for token, (kind, value) in values.items()]
    told = [dict(zip(SEALED_VALUES.column_names, row, strict=True)) for row in shadows]
    warehouse.stage("new_sealed_values", pa.Table.from_pylist(told, arrow_schema(SEALED_VALUES)))
    columns = list(zip(*mentions, strict=True)) or [(), (), ()]
    warehouse.stage("told_tokens", pa.table(dict(zip(MENTIONS.names, columns, strict=True)), MENTIONS))
    return len(values)


def keep_shadows(warehouse: Warehouse) -> None:
    """Add what may be known of the values sealed now to the tables of those sealed before."""
    warehouse.append(SEALED_VALUES.name, NEW_SHADOWS)
    warehouse.append(TOKEN_PLACES.name, NEW_TOKEN_PLACES)


def seal_rows(
    rows: pa.Table, vault: Vault, declared: Declared, policy: Policy, silent: Silent = nobody
) -> Sealed:
    """Return the rows of `SUSPECTS` with tokens in the place of personal values."""
    taken: dict[str, tuple[Kind, str]] = {}

    def token(kind: Kind, value: str) -> str:
        made = vault.token(kind, value)
        taken[made] = kind, value
        return made

    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    subjects = columns.pop("subject").to_pylist()
    said_at = rows["occurred_at"].to_pylist()
    held: dict[tuple[int, str], None] = {}
    silenced: set[tuple[int, str]] = set()
    for name in SEALED:
        # The same page, browser or product comes again and again.
        change = cache(_change_of(name, token, declared, policy))
        texts = zip(rows[name].to_pylist(), subjects, strict=True)
        changed = [None if text is None else change(text, subject) for text, subject in texts]
        for row, text in enumerate(changed):
            # Most texts of most rows hold none; the sign of a token is looked for before its shape.
            if text is not None and "~" in text:
                tokens = TOKEN.findall(text)
                held.update(dict.fromkeys((row, found) for found in tokens))
                if name not in NAMING and (gone := [t for t in tokens if silent(t, said_at[row])]):
                    changed[row] = _silenced(text, gone)
                    silenced.update((row, found) for found in gone)
        columns[name] = pa.chunked_array([changed], pa.string())
    places = list(zip(rows["position"].to_pylist(), rows["number"].to_pylist(), strict=True))
    mentions = [(*places[row], found) for row, found in held]
    gone_from = frozenset((*places[row], found) for row, found in silenced)
    return Sealed(pa.table(columns), taken, mentions, gone_from)


def _silenced(text: str, tokens: Sequence[str]) -> str:
    for token in tokens:
        text = text.replace(token, ERASED)
    return text


def _change_of(column: str, token: Token, declared: Declared, policy: Policy) -> Callable[[str, str], str]:
    """Return what happens to a text of a column in a message of a subject."""
    if column in WHOLE:
        # Identity may see one address where two were written; what was written stays in the traits.
        return lambda text, _: token(WHOLE[column], policy.normalise(column, text) or text)
    if column in IDS:
        return lambda text, _: seal_id(text, token)
    if column in TEXTS:
        return lambda text, _: seal_text(text, token)
    root = "traits" if column in TRAITS else column
    fields = {subject: _below(root, paths) for subject, paths in declared.items()}

    def sealed(text: str, subject: str) -> str:
        # What a group() call says is of a group: its name is no person's.
        inside = root if root == "traits" and subject != GROUP_SUBJECT else ""
        return seal_json(text, token, inside=inside, declared=fields.get(subject, NOTHING))

    return sealed


def _below(root: str, paths: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Return the declared paths below a root, in steps."""
    steps = {tuple(path.split(".")): what for path, what in paths.items()}
    return {path[1:]: what for path, what in steps.items() if path[0] == root and len(path) > 1}


def tokens_in(warehouse: Warehouse, texts: str) -> set[str]:
    """Return the tokens in the rows (`text`) of a SELECT."""
    rows = warehouse.query(f"SELECT text FROM ({texts}) AS texts WHERE text LIKE '%~%'")["text"]
    return {token for text in rows.to_pylist() for token in TOKEN.findall(text)}


def sealed_identifier(kind: str, value: str, vault: Vault, policy: Policy | None = None) -> str | None:
    """Return an identifier's value as the tables hold it; nothing where it can be none of its kind."""
    plain = (policy or Policy()).normalise(kind, value)
    if plain is None:
        return None
    sealed = SEALED_KINDS.get(kind)
    return vault.token(sealed, plain) if sealed else seal_id(plain, vault.token)


def seal_text(text: str, token: Token) -> str:
    """Return a text with tokens in the place of the personal values in it. Tokens stay as they are."""
    parts, at = [], 0
    for personal in find(text):
        parts += [text[at : personal.start], token(personal.kind, personal.value)]
        at = personal.end
    return "".join([*parts, text[at:]]) if parts else text


def seal_id(text: str, token: Token) -> str:
    """Return an id with tokens in the place of addresses in it, or one token where it is a value whole."""
    if "@" in text or "%40" in text:
        return seal_text(text, token)
    found = find(text)
    is_whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(text))
    return token(found[0].kind, found[0].value) if is_whole else text


Fields = Mapping[tuple[str, ...], str]
NOTHING: Fields = MappingProxyType({})


def seal_json(
    text: str, token: Token, *, inside: str = "", declared: Fields = NOTHING, others: Kind | None = None
) -> str:
    """Return a JSON text with tokens in the place of its personal values; all else stays to the letter.

    `inside` is the member that the text is the value of: a `name` among `traits` is a person's. `declared`
    says of members, by their steps, what class their values are of; `others` that a value which shows no
    other kind is of that one. A number that is personal becomes a string.
    """
    text = _without(text, [path for path, what in declared.items() if what not in CLASSES])
    parts: list[str] = []
    at = 0
    members = [inside]
    for match in _PART.finditer(text):
        string, colon, number, opening, closing = match.groups()
        if opening:
            members.append("")
        elif closing:
            members.pop()
        else:
            plain = _decode(string) if string else number
            if colon:
                members[-1] = plain
                sealed = seal_text(plain, token)
            elif declared and (told := _class_of(members, declared)):
                sealed = _seal_whole(plain, told, token)
            else:
                kind = kind_of_key(members[-1], is_trait=len(members) > 1 and members[-2] == "traits")
                sealed = _seal_value(plain, kind, token, is_text=bool(string))
                if others and sealed == plain:
                    sealed = _seal_whole(plain, others, token)
            if sealed != plain:
                start, end = match.span(1 if string else 3)
                parts += [text[at:start], _encode(sealed).decode()]
                at = end
    return "".join([*parts, text[at:]]) if parts else text


def _class_of(members: Sequence[str], declared: Fields) -> Kind | None:
    """Return the declared kind of the value at hand, or of an object or a list that it is in."""
    steps = tuple(name for name in members[1:] if name)
    found = next((declared[steps[:end]] for end in range(len(steps), 0, -1) if steps[:end] in declared), None)
    return None if found is None else CLASSES.get(found)


def _without(text: str, paths: Sequence[tuple[str, ...]]) -> str:
    """Return a JSON object's text without some members, each by its steps; numbers stay as written."""
    for first, *rest in paths:
        if not text.startswith("{"):
            return text
        members = _decode_object(text)
        if first in members and rest:
            members[first] = msgspec.Raw(_without(bytes(members[first]).decode(), [tuple(rest)]).encode())
        elif members.pop(first, None) is None:
            continue
        text = _encode(members).decode()
    return text


_WRITTEN_IN_DIGITS = ("phone", "tckn", "card", "passport")


def _seal_value(text: str, kind: Kind | None, token: Token, *, is_text: bool) -> str:
    """Return a member's value, sealed whole where the member is of a personal kind, else where it shows."""
    if kind is None or (not is_text and kind not in _WRITTEN_IN_DIGITS):
        return seal_text(text, token)
    return _seal_whole(text, kind, token)


def _seal_whole(text: str, kind: Kind, token: Token) -> str:
    return text if not text.strip() or TOKEN.fullmatch(text) else token(kind, text)
