"""Which column means what: as the person says, else by the names that columns have in English and Turkish."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from tekil.errors import BadRequest
from tekil.pull.values import DayOrder, DecimalSign

Kind = Literal["identify", "track", "record", "lead"]
LISTS = {"list": "", "unlist": "-"}
"""What `--as list:NAME` and `--as unlist:NAME` put before the list's name."""

LIST_NAME = re.compile("[a-z][a-z0-9_]{0,49}")

LEFT_OUT = "-"
"""What `--map column=-` says: leave this column out."""

USER = (
    "userid customerid customerno customernumber memberid memberno musterino musterinumarasi musteriid "
    "musterikodu uyeno uyenumarasi uyeid kullaniciid kullanicino carikodu carino"
)
ANONYMOUS = "anonymousid visitorid cookieid ziyaretciid cerezid anonimid"
EMAIL = "email emailaddress mail mailaddress mailadresi emailadresi eposta epostaadresi elektronikposta"
PHONE = (
    "phone phonenumber phoneno telephone mobile mobilephone mobilenumber gsm gsmno tel telno telefon "
    "telefonno telefonnumarasi ceptelefonu cepno cep"
)
MOMENT = "timestamp originaltimestamp occurredat updatedat guncellemetarihi zamandamgasi"
WHEN = (
    f"{MOMENT} eventtime eventdate datetime date time createdat orderdate purchasedate tarih tarihsaat zaman "
    "islemtarihi siparistarihi satistarihi faturatarihi olaytarihi olusturmatarihi kayittarihi"
)
TRAITS = {
    "email": EMAIL,
    "phone": PHONE,
    "first_name": "firstname givenname forename ad adi isim ismi name",
    "last_name": "lastname surname familyname soyad soyadi soyisim",
    "name": "fullname adsoyad adisoyadi adivesoyadi advesoyad isimsoyisim adsoyisim musteriadi",
    "birthday": "birthday birthdate dateofbirth dogumtarihi dogumgunu",
    "gender": "gender sex cinsiyet",
    "city": "city sehir il",
    "district": "district ilce",
    "address": "address adres",
    "postal_code": "postalcode postcode zip zipcode postakodu",
    "country": "country ulke",
    "company": "company companyname firma firmaadi sirket sirketadi",
}
KNOWN: dict[Kind, dict[str, str]] = {
    "identify": {
        "userId": f"{USER} id",
        "anonymousId": ANONYMOUS,
        "timestamp": f"{MOMENT} date tarih",
        **TRAITS,
    },
    "track": {
        "userId": USER,
        "anonymousId": ANONYMOUS,
        "timestamp": WHEN,
        "event": "event eventname olay olayadi",
        "email": EMAIL,
        "phone": PHONE,
    },
    # Where somebody is decides who calls them, so a lead's city is a wish and no trait.
    "lead": {
        "userId": USER,
        "anonymousId": ANONYMOUS,
        "timestamp": WHEN,
        **{name: names for name, names in TRAITS.items() if name not in ("city", "district", "country")},
        "city": TRAITS["city"],
        "country": TRAITS["country"],
        "channel": "channel kanal",
        "form": "form formadi",
        "value": "value amount tutar deger potansiyel",
        "currency": "currency parabirimi",
        "product": "product urun",
        "pipeline": "pipeline surec",
    },
    # A record is no person event: its date is one of its fields, often of its key.
    "record": {"timestamp": MOMENT},
}
"""What each kind of message knows by name: a target, and the folded column names for it, best first."""

NAMING = ("email", "phone")
"""Traits that say who somebody is."""

TOP_LEVEL: dict[Kind, tuple[str, ...]] = {
    "identify": ("userId", "anonymousId", "timestamp", "messageId"),
    "track": ("userId", "anonymousId", "timestamp", "messageId", "event"),
    "record": ("timestamp", "messageId"),
    "lead": ("userId", "anonymousId", "timestamp", "messageId"),
}
LEAD_TRAITS = (
    "email", "phone", "first_name", "last_name", "name", "company", "birthday", "gender", "address",
    "postal_code",
)  # fmt: skip
"""What a lead's row says of who it is; all else is what they want."""

FOLDS = str.maketrans("çğıöşüâîû", "cgiosuaiu")


def fold(name: str) -> str:
    """Return a column name for comparing: `Müşteri No`, `musteri_no` and `MÜŞTERİ NO` are one."""
    # Python lowers İ to two characters and I to the wrong one for Turkish; here all of them are i.
    lowered = unicodedata.normalize("NFC", name).replace("İ", "i").lower().translate(FOLDS)
    return re.sub(r"[^a-z0-9]", "", lowered)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the columns of one header go: (column, name) pairs for each part of a message."""

    top: dict[str, str]
    """Field of the message → column."""
    key: tuple[tuple[str, str], ...]
    traits: tuple[tuple[str, str], ...]
    """For `track`: what is known of the person, in `context.traits`."""
    rest: tuple[tuple[str, str], ...]
    """Traits of an identify, properties of a track, fields of a record."""


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """What `--as`, `--map` and `--key` say, parsed.

    `name` is a track's event, where no column holds it, or a record's object; of an identify the list that
    people are put into, or, behind a `-`, taken out of. `columns` are (column, target) pairs. A changed
    mapping makes other messages with other ids.
    """

    kind: Kind
    name: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    key: tuple[str, ...] = ()
    timezone: str = "Europe/Istanbul"
    decimal: DecimalSign = "auto"
    dates: DayOrder = "auto"

    @classmethod
    def parse(
        cls,
        kind: str,
        maps: Sequence[str] = (),
        key: str = "",
        *,
        timezone: str = "Europe/Istanbul",
        decimal: DecimalSign = "auto",
        dates: DayOrder = "auto",
    ) -> Mapping:
        """Read `identify`, `lead`, `track`, `track:EVENT`, `record:OBJECT`, `list:NAME` or `unlist:NAME`.

        A map is `column=target`, a key `a,b`. Raises `BadRequest` for anything else, saying what to write.
        """
        word, _, name = kind.partition(":")
        if word in LISTS:
            word, name = "identify", f"{LISTS[word]}{_list_name(name)}"
            return cls.parse_as(word, name, maps, key, timezone=timezone, decimal=decimal, dates=dates)
        if word not in KNOWN or (word != "track" and (word == "record") != bool(name.strip())):
            raise _invalid(
                f"--as {kind!r} is not a way to import. Write identify, lead, track, track:EVENT NAME, "
                "record:OBJECT such as record:ad_spend, or list:NAME."
            )
        return cls.parse_as(word, name, maps, key, timezone=timezone, decimal=decimal, dates=dates)

    @classmethod
    def parse_as(
        cls,
        word: str,
        name: str,
        maps: Sequence[str],
        key: str,
        *,
        timezone: str,
        decimal: DecimalSign,
        dates: DayOrder,
    ) -> Mapping:
        """Read maps and a key for a kind of message and its name. Raises `BadRequest` like `parse`."""
        columns = []
        for pair in maps:
            # Column names hold `=` more often than our targets do.
            column, mark, target = pair.rpartition("=")
            if not mark or not column.strip() or not target.strip():
                raise _invalid(f"--map {pair!r} is not COLUMN=FIELD, for example --map 'Müşteri No=userId'.")
            columns.append((column.strip(), target.strip()))
        keys = tuple(part.strip() for part in key.split(",") if part.strip())
        if keys and word != "record":
            raise _invalid("--key belongs to --as record:OBJECT; an identify or a track has no key.")
        try:
            ZoneInfo(timezone)
            return msgspec.convert(
                {
                    "kind": word,
                    "name": name.strip(),
                    "columns": columns,
                    "key": keys,
                    "timezone": timezone,
                    "decimal": decimal,
                    "dates": dates,
                },
                cls,
            )
        except (msgspec.ValidationError, ValueError, KeyError) as error:
            raise _invalid(f"The import's settings cannot be read: {error}.") from error

    def check(self, columns: Iterable[str]) -> None:
        """Raise `BadRequest` where the mapping names a column the file has not, or a record has no key."""
        there = list(dict.fromkeys(columns))
        for column in (*(column for column, _ in self.columns), *self.key):
            if column not in there:
                raise _invalid(f"There is no column {column!r} in the file; it has: {', '.join(there)}.")
        if self.kind == "record" and not self.plan(tuple(there)).key:
            raise _invalid(
                f"Say which columns together name one {self.name}, with --key COLUMN,COLUMN. "
                f"The file has: {', '.join(there)}."
            )

    def plan(self, columns: tuple[str, ...]) -> Plan:
        """Return where each of `columns` goes."""
        return _plan(self, columns)


@lru_cache(maxsize=1024)
def _plan(mapping: Mapping, columns: tuple[str, ...]) -> Plan:
    targets = {column: target for column, target in mapping.columns if column in columns}
    keys = _key_columns(mapping, columns)
    folded = {
        fold(column): column for column in reversed(columns) if column not in targets and column not in keys
    }
    taken = set(targets.values())
    for target, names in KNOWN[mapping.kind].items():
        column = next((folded[name] for name in names.split() if name in folded), None)
        if target not in taken and column is not None and column not in targets:
            targets[column] = target
    # A column called just `Ad` or `Name` is a first name only beside a last name.
    if mapping.kind in ("identify", "lead") and not {"last_name", "name"} & set(targets.values()):
        for column, target in list(targets.items()):
            if target == "first_name" and fold(column) in {"ad", "adi", "isim", "ismi", "name"}:
                targets[column] = "name"
    return _divide(mapping, columns, targets, keys)


def _key_columns(mapping: Mapping, columns: tuple[str, ...]) -> tuple[str, ...]:
    if mapping.kind != "record":
        return ()
    if mapping.key:
        return mapping.key
    wanted = {fold(f"{mapping.name}id"), fold(f"{mapping.name.removesuffix('s')}id"), "id"}
    return tuple(column for column in columns if fold(column) in wanted)[:1]


def _divide(
    mapping: Mapping, columns: tuple[str, ...], targets: dict[str, str], keys: tuple[str, ...]
) -> Plan:
    top: dict[str, str] = {}
    parts: dict[str, dict[str, str]] = {"key": {}, "traits": {}, "rest": {}}
    # Columns that were given a target come first: where two would have one name, theirs stays.
    for column in sorted(columns, key=lambda name: name not in targets):
        target = targets.get(column, column)
        if target == LEFT_OUT and column in targets:
            continue
        if column in targets and target in TOP_LEVEL[mapping.kind] and target not in top:
            top[target] = column
            continue
        part = "rest"
        if column in keys:
            part = "key"
        elif mapping.kind == "lead" and target in LEAD_TRAITS:
            part = "traits"
        elif mapping.kind == "track" and column in targets:
            bag, dot, name = target.partition(".")
            if target in ("email", "phone") or (bag == "traits" and dot):
                part, target = "traits", name or target
        name, count = target, 1
        while name in parts[part]:
            count += 1
            name = f"{target}_{count}"
        parts[part][name] = column

    if mapping.kind == "identify" and mapping.name:
        # A list says who is in it, and nothing else that stands beside their names.
        parts["rest"] = {name: column for name, column in parts["rest"].items() if name in NAMING}

    def pairs(part: str) -> tuple[tuple[str, str], ...]:
        return tuple((column, name) for name, column in parts[part].items())

    return Plan(top, pairs("key"), pairs("traits"), pairs("rest"))


def _list_name(name: str) -> str:
    if not LIST_NAME.fullmatch(name.strip()):
        raise _invalid(f"{name!r} is no list's name: small letters a-z, digits and _, such as fair_2026.")
    return name.strip()


def _invalid(message: str) -> BadRequest:
    return BadRequest(message, code="mapping_invalid")
