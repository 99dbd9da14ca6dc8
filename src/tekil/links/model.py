"""What people are compared by: few fields, each in one spelling, whatever form it was typed in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from tekil.identity.graph import Integers

_TURKISH = str.maketrans("İIıŞşĞğÜüÖöÇçÂâÎîÛû", "iiissgguuooccaaiiuu")
LOCAL_MIN = 3
ROLES = frozenset({"info", "bilgi", "iletisim", "satis", "sales", "admin", "destek", "muhasebe", "contact"})
"""Mailboxes of a firm, not of a person."""

_BIRTHDAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
TAIL = 7
"""Digits of a phone number that are compared: those after the operator's code, which people change."""


def folded(text: str) -> str:
    """Return a text in plain small letters and digits, words one space apart; for comparing only.

    İ and I are told apart nowhere: half of all keyboards write one where the other is meant.

    >>> folded(" İREM  Işık-ÇELİK "), folded("Γιώργος")
    ('irem isik celik', 'γιωργος')
    """
    plain = unicodedata.normalize("NFKD", text.translate(_TURKISH)).lower()
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def local_part(address: str) -> str:
    """Return the letters and digits of an e-mail address before the @, without a tag.

    >>> local_part("Ayse.Yilmaz+haber@example.com")
    'ayseyilmaz'
    """
    return folded(address.partition("@")[0].partition("+")[0]).replace(" ", "")


def beside_names(local: str, *names: str) -> str:
    """Return what an e-mail address says that the names in it do not; nothing where that is little.

    Namesakes have like addresses, so the names would count twice.

    >>> beside_names("aysekaya", "ayse", "kaya"), beside_names("bulut1907kaya", "ayse nur", "kaya")
    ('', 'bulut1907')
    """
    for name in sorted({part for text in names for part in text.split()}, key=len, reverse=True):
        local = local.replace(name, "") if len(name) > 1 else local
    return local if len(local) >= LOCAL_MIN and local not in ROLES else ""


def tail(number: str) -> str:
    """Return the last digits of a phone number.

    >>> tail("+905321234567")
    '1234567'
    """
    return "".join(c for c in number if c.isdigit())[-TAIL:]


def birthday(text: str) -> str:
    """Return a day as ISO writes it; nothing where it is written otherwise.

    >>> birthday("1990-04-05T00:00:00Z"), birthday("5 Nisan")
    ('1990-04-05', '')
    """
    found = _BIRTHDAY.match(text)
    return found[0] if found else ""


FIELDS: Mapping[str, Callable[[str], str]] = {
    "first_name": folded,
    "last_name": folded,
    "birthday": birthday,
    "email": local_part,
    "phone": tail,
    "address": folded,
    "city": folded,
    "company": folded,
}
"""Field → what brings a value into the form that is compared; an empty one says nothing."""

_TRAITS: Mapping[str, str] = {
    "first_name": "firstname givenname ad",
    "last_name": "lastname surname familyname soyad soyadi",
    "name": "name fullname adsoyad displayname",
    "birthday": "birthday birthdate dateofbirth dob dogumtarihi dogumgunu",
    "address": "address adres street streetaddress addressline1",
    "city": "city sehir il",
    "company": "company companyname sirket firma",
}
TRAITS: Mapping[str, str] = {name: field for field, names in _TRAITS.items() for name in names.split()}
"""Name of a trait, folded and without spaces → the field that it says; `name` is both names."""


def field_of(trait: str) -> str | None:
    """Return the field that a trait's value is of.

    >>> field_of("Doğum Tarihi"), field_of("plan")
    ('birthday', None)
    """
    return TRAITS.get(folded(trait).replace(" ", ""))


@dataclass(frozen=True)
class People:
    """Whom to compare, each one row, as evidence knows them without any link.

    `keys` are person keys, `names` (`kind:value`) the identifier by which a link names each; `unique` is a
    bit for each kind of which they have all values that one person has. `compared` holds `unique_id` (the
    row's number) and the fields in their compared form, null where nothing is known: personal values, kept
    in memory only. `tokens` holds by field what stands for them elsewhere.
    """

    keys: Integers
    names: list[str]
    unique: Integers
    compared: pa.Table
    tokens: Mapping[str, list[str | None]]
