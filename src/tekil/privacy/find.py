"""Personal values in texts: which there are, of what kind, and in which one written form.

Names and addresses cannot be told from other words, so they are known by the member they stand in. E-mail
addresses, phone numbers, Turkish identity numbers, IBANs and payment cards are known wherever they stand:
by their form and, where the kind has one, by their checksum.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, get_args
from urllib.parse import unquote

from tekil.messages.checksums import is_tckn
from tekil.messages.normal_forms import normal_email, normal_phone

Kind = Literal["email", "phone", "tckn", "iban", "card", "name", "address", "birthdate", "passport", "other"]
"""What a personal value is. A kind is the first word of its tokens, so it never changes."""

KINDS: tuple[Kind, ...] = get_args(Kind)

TOKEN = re.compile(rf"(?:{'|'.join(KINDS)})~[a-z2-7]{{26}}")
"""What stands for a sealed value: its kind, and 130 bits that only the vault's key could have made."""


class Personal(NamedTuple):
    """A personal value found in a text: from where to where, its kind, and its normal form."""

    start: int
    end: int
    kind: Kind
    value: str


# A letter, digit or underscore on either side would make it part of some longer word.
_EMAIL = re.compile(r"[\w.+'*!#$^{|}-]+(?:%2[bB][\w.+-]+)?(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.UNICODE)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}", re.ASCII)

# Not the end of a longer number or word, what follows a decimal point, or a part of a UUID.
_BEGIN, _END = r"(?<![^\W_])(?<![0-9][.])(?<![0-9a-fA-F]-)", r"(?![0-9])"
_GAP = "[ ().-]{0,2}"
_LOCAL = f"[2-5][0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{2}}{_GAP}[0-9]{{2}}"

# Looked for at every place, because what looks like the beginning of one may belong to the number before.
_NUMBERS: dict[Kind, re.Pattern[str]] = {
    "phone": re.compile(
        rf"{_BEGIN}(?=((?:(?:\+|00)?90{_GAP}0?|\(?0{_GAP}){_LOCAL}{_END}"
        rf"|\+[1-9][0-9]{{7,14}}{_END}|\+[1-9][0-9]{{0,2}}(?:{_GAP}[0-9]{{2,4}}){{2,5}}{_END}"
        rf"|00[1-9][0-9]{{7,13}}{_END}))"
    ),
    "tckn": re.compile(rf"{_BEGIN}(?=([1-9][0-9]{{10}}{_END}))"),
    "card": re.compile(
        rf"{_BEGIN}(?=([2-69][0-9]{{3}}(?:[ -]?[0-9]{{4}}){{3}}{_END}"
        rf"|3[47][0-9]{{2}}[ -]?[0-9]{{6}}[ -]?[0-9]{{5}}{_END}))"
    ),
}

_KEYS: dict[Kind, str] = {
    "email": "email emailaddress emailadresi mail mailaddress eposta epostaadresi customeremail useremail",
    "phone": "phone phonenumber telephone telefon telefonno tel gsm gsmno mobile mobilephone mobilenumber"
    " cellphone ceptelefonu cep customerphone userphone msisdn",
    "tckn": "tckn tcno tckimlik tckimlikno kimlikno nationalid identitynumber",
    "iban": "iban",
    "card": "cardnumber kartno kartnumarasi pan creditcard creditcardnumber",
    "name": "firstname lastname middlename surname familyname givenname fullname customername recipientname"
    " contactname buyername adsoyad adisoyadi soyad soyadi isimsoyisim soyisim musteriadi",
    "address": "address address1 address2 addressline1 addressline2 street streetaddress adres acikadres"
    " adressatiri shippingaddress billingaddress teslimatadresi faturaadresi",
    "birthdate": "birthday birthdate dateofbirth dob dogumtarihi dogumgunu",
    "passport": "passport passportno passportnumber pasaportno",
}
KEYS: dict[str, Kind] = {key: kind for kind, keys in _KEYS.items() for key in keys.split()}
"""Names of members that hold a personal value, in small letters and digits alone → the kind."""

TRAIT_KEYS: dict[str, Kind] = {"name": "name", "ad": "name", "isim": "name", "displayname": "name"}
"""The same, but only of a person's own traits: elsewhere a name is a product's, a page's, a campaign's."""

_PLAIN = str.maketrans("İIıŞşĞğÜüÖöÇç", "iiissgguuoocc", "_ .-")


_STEMS = (
    "mail|posta|phone|telef|msisdn|gsm|kimlik|national|identity|iban|soyad|isim|adres|address|street|birth"
    "|do[gğĞ]um|passport|pasaport|credit[_ .-]?card|m[uüÜ][sşŞ]teri[_ .-]?ad|(card|kart)[_ .-]?n"
    "|(first|last|middle|sur|family|given|full|customer|recipient|contact|buyer)[_ .-]?name|ad[_ .-]?soy"
    '|mobile[_ .-]?[pn]|cep[_ .-]?tel|"[_ .-]?(tel|tc|tckn|pan|dob|cep|mobile)[_ .-]?(no)?[_ .-]?"'
)
KEY_STEMS = f"(?i:{_STEMS.replace('i', '[iİı]')})"
"""What is in every name of a personal member, written in the common part of all patterns: the engine looks
for it too."""

_KEY_STEMS = re.compile(KEY_STEMS)


@lru_cache(maxsize=4096)
def kind_of_key(key: str, *, is_trait: bool) -> Kind | None:
    """Return the kind of the values of a member called `key`; nothing where they are not personal.

    >>> kind_of_key("first_name", is_trait=False), kind_of_key("name", is_trait=False)
    ('name', None)
    """
    plain = key.translate(_PLAIN).lower()
    if plain in KEYS:
        return KEYS[plain] if _KEY_STEMS.search(f'"{key}"') else None
    return TRAIT_KEYS.get(plain) if is_trait else None


def find(text: str) -> list[Personal]:
    """Return the personal values that a text gives away by their form, in order, none within another."""
    candidates = list(_candidates(text))
    if len(candidates) < 2:
        return candidates
    found: list[Personal] = []
    for personal in sorted(candidates, key=lambda one: (one.start, -one.end)):
        if not found or personal.start >= found[-1].end:
            found.append(personal)
    return found


def normal(kind: Kind, text: str) -> str:
    """Return the one form that all ways of writing a value share: the same person gives the same token.

    >>> normal("phone", "0532 123 45 67"), normal("name", " Ayşe  Yılmaz ")
    ('+905321234567', 'Ayşe Yılmaz')
    """
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if kind == "email":
        return normal_email(plain) or plain
    if kind == "phone":
        return normal_phone(plain) or plain
    if kind in ("tckn", "iban", "card", "passport"):
        return "".join(letter for letter in plain if letter.isalnum()).upper()
    return plain


def is_iban(text: str) -> bool:
    """Return whether a text without spaces is an IBAN: ISO 13616, remainder 1 of 97."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text, re.ASCII):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


_CARD = re.compile(
    r"4[0-9]{15}|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)[0-9]{12,13}|3[47][0-9]{13}"
    r"|9792[0-9]{12}|65[0-9]{14}|6011[0-9]{12}",
    re.ASCII,
)
"""Visa, Mastercard, American Express, Troy, Discover: an issuer's first digits and the card's length."""


def is_card(digits: str) -> bool:
    """Return whether digits are a payment card's number: a known issuer, its length, and Luhn's sum."""
    if not _CARD.fullmatch(digits) or len(digits) not in (15, 16):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


# Cheap looks before the thorough ones: most texts hold nothing of the kind.
_ANY_NUMBER = re.compile(rf"[0-9](?:{_GAP}[0-9]){{7}}", re.ASCII)
_ANY_IBAN = re.compile(r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]", re.ASCII)


def _candidates(text: str) -> Iterator[Personal]:
    if "@" in text or "%40" in text:
        for match in _EMAIL.finditer(text):
            address = normal_email(unquote(match[0]))
            if address is not None:
                yield Personal(match.start(), match.end(), "email", address)
    if _ANY_IBAN.search(text):
        for match in _IBAN.finditer(text):
            yield from _ibans(match)
    if _ANY_NUMBER.search(text):
        for kind, pattern in _NUMBERS.items():
            for match in pattern.finditer(text):
                value = normal(kind, match[1])
                if _HOLDS[kind](value):
                    yield Personal(match.start(1), match.end(1), kind, value)


def _ibans(match: re.Match[str]) -> Iterator[Personal]:
    """Yield the longest beginning of a match that is an IBAN: what follows may be another number."""
    for end in range(match.end(), match.start() + 14, -1):
        plain = match.string[match.start() : end].replace(" ", "")
        if match.string[end - 1] != " " and is_iban(plain):
            yield Personal(match.start(), end, "iban", plain)
            return


_HOLDS: dict[Kind, Callable[[str], bool]] = {
    "phone": lambda value: normal_phone(value) is not None,
    "tckn": is_tckn,
    "card": is_card,
}
