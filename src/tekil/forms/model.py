"""Forms as definitions: fields, the consents they ask for, and where what they bring goes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from tekil.definitions import Definition, Flaw, Kind, stored
from tekil.definitions.document import flaw_of
from tekil.store import Definitions

FieldType = Literal["text", "long_text", "email", "phone", "number", "choice", "checkbox"]

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
FIELDS_MAX = 40
TEXT_MAX = 200
LONG_TEXT_MAX = 4_000

CONTACTS = ("email", "phone")
"""Without one of these nobody can be called back."""

PERSON_FIELDS = (*CONTACTS, "first_name", "last_name", "name", "company")
"""Fields that say who somebody is: they become traits. All others say what they want."""

OWN_FIELDS = frozenset({"form", "channel", "pipeline", "value", "currency", "consents", "language"})
"""Members that a lead has beside its fields, so no field is called so."""

ORIGIN = re.compile(r"https?://[A-Za-z0-9.*-]+(:[0-9]{1,5})?")

Texts = dict[str, str]
"""A text by language: `tr`, `en`."""


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question. `most` is how many characters an answer may have; `choices` are values with titles."""

    name: str
    type: FieldType = "text"
    title: Texts = {}
    required: bool = False
    choices: dict[str, Texts] = {}
    most: int | None = None

    @property
    def length(self) -> int:
        """How many characters an answer may have."""
        return self.most or (LONG_TEXT_MAX if self.type == "long_text" else TEXT_MAX)


class FormConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A box to tick: a purpose and its channels, the very words, and the version that the ledger notes."""

    purpose: str
    text: Texts
    version: str
    channels: tuple[str, ...] = ("email",)
    required: bool = False


class FormSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A form's `spec`. Messages of the hosted page come from `source`; `origins` may show it in a frame."""

    fields: tuple[FormField, ...]
    source: str = "forms"
    consents: tuple[FormConsent, ...] = ()
    intro: Texts = {}
    button: Texts = {}
    thanks: Texts = {}
    pipeline: str = ""
    origins: tuple[str, ...] = ()


class Form(msgspec.Struct, frozen=True):
    """A form in force."""

    name: str
    title: Texts
    spec: FormSpec

    def field(self, name: str) -> FormField | None:
        """Return the field of a name, or nothing."""
        return next((field for field in self.spec.fields if field.name == name), None)


def in_language(texts: Mapping[str, str], language: str, otherwise: str = "") -> str:
    """Return a text in a language, in another where there is none.

    >>> in_language({"tr": "Ad"}, "en"), in_language({}, "en", "name")
    ('Ad', 'name')
    """
    return texts.get(language) or next(iter(texts.values()), "") or otherwise


def forms_in_force(definitions: Definitions) -> dict[str, Form]:
    """Return the forms by name."""
    found = [stored(version) for version in definitions.current(FORM_KIND.name)]
    return {d.name: Form(d.name, d.title, msgspec.convert(d.spec, FormSpec)) for d in found}


def _check(definition: Definition) -> list[Flaw]:
    if FIELD_NAME.fullmatch(definition.name.replace("-", "_")) is None:
        told = "A form's name stands in its address: small letters, digits and dashes, a letter first."
        return [Flaw(("name",), told)]
    try:
        spec = msgspec.convert(definition.spec, FormSpec)
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    return [*_field_flaws(spec.fields), *_other_flaws(spec)]


def _field_flaws(fields: Sequence[FormField]) -> list[Flaw]:
    flaws = []
    names = [field.name for field in fields]
    if not set(CONTACTS) & set(names):
        told = "A form asks for email or phone at least: nobody else can be called back."
        flaws.append(Flaw(("spec", "fields"), told))
    if len(fields) > FIELDS_MAX:
        flaws.append(Flaw(("spec", "fields"), f"A form has at most {FIELDS_MAX} fields."))
    for number, field in enumerate(fields):
        place = ("spec", "fields", number)
        if FIELD_NAME.fullmatch(field.name) is None or field.name in OWN_FIELDS:
            flaws.append(Flaw((*place, "name"), f"No field can be called {field.name!r}."))
        if names.index(field.name) < number:
            flaws.append(Flaw((*place, "name"), f"{field.name!r} is asked for twice."))
        if (field.type == "choice") != bool(field.choices):
            flaws.append(Flaw((*place, "choices"), "Choices belong to a field of type choice."))
        if field.name in CONTACTS and field.type != field.name:
            flaws.append(Flaw((*place, "type"), f"{field.name} is of type {field.name}; write that."))
    return flaws


def _other_flaws(spec: FormSpec) -> list[Flaw]:
    flaws = []
    for number, origin in enumerate(spec.origins):
        if ORIGIN.fullmatch(origin) is None:
            told = f"{origin!r} is no site; write one like https://www.example.com."
            flaws.append(Flaw(("spec", "origins", number), told))
    for number, consent in enumerate(spec.consents):
        place = ("spec", "consents", number)
        if not consent.version.strip() or len(consent.version) > 64:
            flaws.append(Flaw((*place, "version"), "The ledger notes a version of 1 to 64 characters."))
        if not consent.channels:
            flaws.append(Flaw((*place, "channels"), "Say for which channels it is asked."))
        if not any(consent.text.values()):
            flaws.append(Flaw((*place, "text"), "Write what the person reads before they choose."))
    return flaws


FORM_KIND = Kind("form", _check, lambda _definitions: [])
