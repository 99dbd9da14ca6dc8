"""Consents out of messages: what banners, consent platforms and browsers say in `context`.

Read are Segment's `consent.categoryPreferences`, RudderStack's `consentManagement`, OneTrust's active groups,
the TC string of IAB's framework, and Global Privacy Control. A category stands for a purpose; which one is a
setting with a default. Where a message says two things of one purpose, the refusal holds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from tekil.config import ConsentSettings
from tekil.errors import Misconfigured
from tekil.privacy import tcf
from tekil.privacy.consents import Choice
from tekil.privacy.ledger import ConsentLedger
from tekil.store.consent_entries import OBSERVED, Entry, entry_id

CATEGORIES = {
    "analytics": "analytics",
    "performance": "analytics",
    "statistics": "analytics",
    "measurement": "analytics",
    "c0002": "analytics",
    "functional": "personalisation",
    "functionality": "personalisation",
    "preferences": "personalisation",
    "personalization": "personalisation",
    "personalisation": "personalisation",
    "c0003": "personalisation",
    "advertising": "sharing",
    "targeting": "sharing",
    "social": "sharing",
    "c0004": "sharing",
    "c0005": "sharing",
    "marketing": "marketing",
    "profiling": "profiling",
    "sharing": "sharing",
}
"""A category's name in small letters → the purpose it stands for, on the site and in the app."""

ONETRUST = ("c0002", "c0003", "c0004", "c0005")
"""The groups that OneTrust leaves out of its list where they were refused."""

TCF_PURPOSES = {
    "sharing": frozenset({2, 4, 7}),
    "profiling": frozenset({3}),
    "personalisation": frozenset({5, 6}),
    "analytics": frozenset({8, 9}),
}
"""Purpose → the framework's purposes, all of which must be consented to."""

GPC_ENDS = ("sharing",)
"""What Global Privacy Control refuses: the sale or sharing of personal data."""

TRUE = ("true", "1")

PART_NAMES = ("consent", "consent_management", "onetrust_groups", "tc_string", "gpc")
"""The columns of `load.consents.SAID` that hold what was said."""

HEARD_MAX = 50_000
"""People whose last words are kept in mind: those on the site in the last minutes."""

READ_MAX = 4_096
"""Contexts whose meaning is kept in mind: nearly everybody says one of few things."""


class Said(msgspec.Struct, frozen=True):
    """What one context says: each choice with the signal that said it, and the text's version."""

    choices: dict[Choice, tuple[bool, str]]
    text_version: str = ""


class Categories:
    """Which purpose and channel a category stands for."""

    def __init__(self, settings: ConsentSettings) -> None:
        """Take the settings, whose categories come before the usual ones.

        Raises `Misconfigured` for a category that stands for nothing.
        """
        self._choices: dict[str, Choice] = {name: (purpose, "web") for name, purpose in CATEGORIES.items()}
        for name, target in settings.categories.items():
            purpose, _, channel = target.partition(":")
            if not purpose:
                raise Misconfigured(
                    f"consent.categories.{name} is empty; write a purpose like analytics, or a purpose and a "
                    "channel like marketing:email.",
                    code="config_invalid",
                )
            self._choices[name.lower()] = (purpose, channel or "web")

    def __call__(self, name: str) -> Choice | None:
        """Return what a category stands for; nothing for one that is nobody's, such as the necessary one."""
        return self._choices.get(name.strip().lower())


def read_context(parts: Mapping[str, str | None], categories: Categories) -> Said:
    """Return what the parts of a context say, by the names of `load.consents.PARTS`. Nonsense is nothing."""
    consent = _object(parts.get("consent"))
    groups = parts.get("onetrust_groups") or _text(consent, "OnetrustActiveGroups")
    string = parts.get("tc_string") or _text(consent, "tcString")
    gpc = (parts.get("gpc") or _text(consent, "gpc")).lower()
    told = [
        *_preferences(consent.get("categoryPreferences"), categories),
        *_management(_object(parts.get("consent_management")), categories),
        *(_groups(groups, categories) if groups else ()),
        *(_framework(string) if string else ()),
        *(((purpose, "web"), False, "gpc") for purpose in GPC_ENDS if gpc in TRUE),
    ]
    choices: dict[Choice, tuple[bool, str]] = {}
    for choice, given, signal in told:
        if choice not in choices or not given:
            choices[choice] = (given, signal)
    return Said(choices, _text(consent, "version"))


Row = Mapping[str, Any]
Who = tuple[str, str]
Parts = tuple[str | None, ...]


class _Heard(NamedTuple):
    """Somebody's last word, when it was said, and the row that said it then, where it is not written yet."""

    parts: Parts
    at: datetime
    repeated: Row | None

    def repeating(self, rows: Sequence[Row]) -> _Heard:
        """Return the same word, said again in some rows."""
        last = max(rows, key=lambda row: row["last_at"])
        return _Heard(self.parts, last["last_at"], last) if last["last_at"] > self.at else self


def _last_word(rows: Sequence[Row]) -> _Heard | None:
    """Return what was said last in some rows, all of them written; nothing where two things were."""
    at = max(row["last_at"] for row in rows)
    last = {_parts(row) for row in rows if row["last_at"] == at}
    return _Heard(last.pop(), at, None) if len(last) == 1 else None


class ConsentSignals:
    """Writes what messages say to the ledger, for one thread. The same messages again change nothing."""

    def __init__(self, ledger: ConsentLedger, settings: ConsentSettings) -> None:
        """Take the ledger, and what categories stand for."""
        self._ledger = ledger
        self._categories = Categories(settings)
        self._asked = {(p.name, channel) for p in ledger.purposes for channel in p.channels}
        self._read = lru_cache(maxsize=READ_MAX)(self._read_parts)
        self._heard: OrderedDict[Who, _Heard] = OrderedDict()

    def record(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Record the rows of `load.consents.SAID`; return how many entries that were.

        Who repeats what they said last costs no write: the repetition is kept in mind, and written down when
        they say something else, before it.
        """
        repeating: dict[Who, _Heard] = {}
        written: dict[Who, list[Row]] = {}
        for who, said in _by_person(rows).items():
            known = self._heard.get(who)
            if known is not None and all(_parts(row) == known.parts for row in said):
                repeating[who] = known.repeating(said)
            else:
                written[who] = said if known is None or known.repeated is None else [known.repeated, *said]
        wanted = [row for of in written.values() for row in of] + self._forgotten({*repeating, *written})
        observed = self._ledger.store.consents.observe([e for row in wanted for e in self._entries(row)])
        # Only what is written may count as heard: a store that was away is asked for the same again.
        for who, said in written.items():
            self._heard.pop(who, None)
            word = _last_word(said)
            if word is not None and self._ledger.tokens.token(*who) in observed.latest:
                self._heard[who] = word
        for who, word in repeating.items():
            self._heard[who] = word
            self._heard.move_to_end(who)
        while len(self._heard) > HEARD_MAX:
            self._heard.popitem(last=False)
        return observed.entries

    def _forgotten(self, speaking: Set[Who]) -> list[Row]:
        """Return the repetitions of those who will be too many to keep in mind."""
        over = len(self._heard) + sum(who not in self._heard for who in speaking) - HEARD_MAX
        oldest = islice((who for who in self._heard if who not in speaking), max(over, 0))
        return [row for who in oldest if (row := self._heard[who].repeated) is not None]

    def _read_parts(self, parts: Parts) -> Said:
        return read_context(dict(zip(PART_NAMES, parts, strict=True)), self._categories)

    def _entries(self, row: Row) -> Iterable[Entry]:
        said = self._read(_parts(row))
        token = self._ledger.tokens.token(row["kind"], row["value"])
        now = self._ledger.now()
        moments = {_microseconds(row[f"{m}_at"]): row[f"{m}_message"] for m in ("last", "first")}
        for (purpose, channel), (given, signal) in said.choices.items():
            if (purpose, channel) not in self._asked:
                continue
            for at, message in moments.items():
                proof = {"signal": signal, "message": message}
                yield Entry(
                    entry_id(token, purpose, channel, given, at, row["source"]),
                    row["kind"],
                    token,
                    purpose,
                    channel,
                    given,
                    at,
                    now,
                    row["source"],
                    said.text_version[:64],
                    msgspec.json.encode(proof).decode(),
                    OBSERVED,
                )


def _parts(row: Row) -> Parts:
    return tuple(row.get(name) for name in PART_NAMES)


def _by_person(rows: Iterable[Row]) -> dict[Who, list[Row]]:
    found: dict[Who, list[Row]] = {}
    for row in rows:
        found.setdefault((row["kind"], row["value"]), []).append(row)
    return found


Told = tuple[Choice, bool, str]


def _preferences(preferences: object, categories: Categories) -> Iterable[Told]:
    if isinstance(preferences, dict):
        for name, given in preferences.items():
            choice = categories(name)
            if choice is not None and isinstance(given, bool):
                yield choice, given, f"category {name}"


def _management(told: Mapping[str, Any], categories: Categories) -> Iterable[Told]:
    for member, given in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        names = told.get(member)
        for name in names if isinstance(names, list) else ():
            choice = categories(name) if isinstance(name, str) else None
            if choice is not None:
                yield choice, given, f"category {name}"


def _groups(text: str, categories: Categories) -> Iterable[Told]:
    active = {name.strip().lower() for name in text.split(",")}
    for name in dict.fromkeys([*ONETRUST, *sorted(active)]):
        choice = categories(name)
        if choice is not None:
            yield choice, name in active, f"OneTrust {name.upper()}"


def _framework(text: str) -> Iterable[Told]:
    told = tcf.decode(text)
    if told is not None:
        for purpose, wanted in TCF_PURPOSES.items():
            yield (purpose, "web"), wanted <= told.purposes, f"TCF {told.policy_version}"


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return ("true" if value else "false") if isinstance(value, bool) else str(value or "")


def _microseconds(instant: datetime) -> int:
    return (instant.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
