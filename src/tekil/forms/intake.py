"""What somebody filled in: held against the form, every flaw told by the name of its field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tekil.errors import BadRequest, Refused
from tekil.forms.model import (
    CONTACTS,
    FIELD_NAME,
    FIELDS_MAX,
    LONG_TEXT_MAX,
    OWN_FIELDS,
    PERSON_FIELDS,
    Form,
    FormField,
)
from tekil.forms.texts import flaw_text
from tekil.messages import VALUE_LENGTH_MAX, normalise

HONEYPOT = "homepage"
"""A field that no person sees. Whoever fills it in is a program, and is told that all went well."""

ABOUT = ("url", "referrer", "title")
CAMPAIGN = ("source", "medium", "name", "term", "content")
CHANNELS = re.compile(r"[a-z][a-z0-9_]{0,31}")
CURRENCY = re.compile(r"[A-Z]{3}")
VALUE_MAX = Decimal(10) ** 12
URL_MAX = 2_000

Scalar = str | bool | Decimal | int


class FieldFlaw(msgspec.Struct, frozen=True):
    """What is wrong with one field: its name, a code for programs, and a sentence for people."""

    field: str
    code: str
    message: str


class FieldsInvalid(Refused):
    """Something in a lead is not as the form asks; `flaws` names every field."""

    code = "fields_invalid"
    http_status = 422

    def __init__(self, flaws: list[FieldFlaw]) -> None:
        """Take the flaws, at least one."""
        super().__init__(" ".join(flaw.message for flaw in flaws))
        self.flaws = flaws


class ConsentSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice made on a form, and the version of the words that were read."""

    purpose: str
    given: bool
    version: str
    channels: tuple[str, ...] = ("email",)


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A lead as it was said. `traits` say who it is, `wishes` what they want."""

    traits: dict[str, str]
    wishes: dict[str, Any]
    channel: str = "form"
    form: str = ""
    pipeline: str = ""
    value: Decimal | None = None
    currency: str = ""
    language: str = ""
    consents: tuple[ConsentSaid, ...] = ()
    user_id: str = ""
    anonymous_id: str = ""
    page: dict[str, str] = {}
    campaign: dict[str, str] = {}


class _Flaws:
    """Gathers what is wrong, in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.found: list[FieldFlaw] = []

    def add(self, field: str, code: str, **values: Any) -> None:
        self.found.append(FieldFlaw(field, code, flaw_text(code, self.language, field=field, **values)))


MEMBERS = frozenset(
    {"form", "channel", "pipeline", "value", "currency", "language", "consents", "fields"}
    | {"user_id", "anonymous_id", "page", "campaign", HONEYPOT, *PERSON_FIELDS}
)
"""What a lead may have at its top."""


def decode(body: bytes) -> dict[str, Any]:
    """Return a lead's JSON, numbers exactly as they were written. Raises `BadRequest`."""
    try:
        said = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        told = f"The body is no JSON object: {error}."
        raise BadRequest(told, code="json_invalid") from error
    return said


def read_submission(said: Mapping[str, Any], forms: Mapping[str, Form], language: str) -> Submission:
    """Return the lead that an API's caller sent. Raises `FieldsInvalid` with every flaw."""
    flaws = _Flaws(language)
    for name in said.keys() - MEMBERS:
        flaws.add(name, "unknown")
    form = None
    if "form" in said:
        form = forms.get(str(said["form"]))
        if form is None:
            flaws.add("form", "unknown_form")
    fields = said.get("fields") or {}
    if not isinstance(fields, dict):
        flaws.add("fields", "not_an_object")
        fields = {}
    answers = {name: said[name] for name in PERSON_FIELDS if name in said} | fields
    traits, wishes = _answers(answers, form, flaws)
    found = Submission(
        traits=traits,
        wishes=wishes,
        channel=_matching(said, "channel", CHANNELS, flaws) or ("form" if form else "api"),
        form=form.name if form else "",
        pipeline=(form.spec.pipeline if form else "") or _matching(said, "pipeline", FIELD_NAME, flaws),
        value=_value(said.get("value"), flaws),
        currency=_matching(said, "currency", CURRENCY, flaws),
        language=_matching(said, "language", CHANNELS, flaws),
        consents=_consents(said.get("consents"), flaws),
        user_id=_identifier(said, "user_id", flaws),
        anonymous_id=_identifier(said, "anonymous_id", flaws),
        page=_texts(said.get("page"), "page", ABOUT, flaws),
        campaign=_texts(said.get("campaign"), "campaign", CAMPAIGN, flaws),
    )
    if flaws.found:
        raise FieldsInvalid(flaws.found)
    return found


def read_answers(form: Form, typed: Mapping[str, str], language: str) -> Submission:
    """Return the lead that the form's own page sent. Raises `FieldsInvalid` with every flaw.

    `typed` are the page's fields: those of the form, `consent_0`, `consent_1`, … where they were ticked, and
    the hidden ones that say where the person came from.
    """
    flaws = _Flaws(language)
    answers: dict[str, Any] = {}
    for field in form.spec.fields:
        text = typed.get(field.name, "").strip()
        if field.type == "checkbox":
            answers[field.name] = bool(text)
        elif text:
            answers[field.name] = text
    traits, wishes = _answers(answers, form, flaws)
    consents = tuple(
        ConsentSaid(asked.purpose, f"consent_{number}" in typed, asked.version, asked.channels)
        for number, asked in enumerate(form.spec.consents)
    )
    for number, (asked, made) in enumerate(zip(form.spec.consents, consents, strict=True)):
        if asked.required and not made.given:
            flaws.add(f"consent_{number}", "consent_needed")
    if flaws.found:
        raise FieldsInvalid(flaws.found)
    return Submission(
        traits=traits,
        wishes=wishes,
        form=form.name,
        pipeline=form.spec.pipeline,
        language=language,
        consents=consents,
        anonymous_id=typed.get("anonymous_id", "").strip()[:VALUE_LENGTH_MAX],
        page={name: text[:URL_MAX] for name in ABOUT if (text := typed.get(f"page_{name}", ""))},
        campaign={name: text[:200] for name in CAMPAIGN if (text := typed.get(f"utm_{name}", ""))},
    )


def flaws_in(error: FieldsInvalid) -> dict[str, str]:
    """Return what is wrong, by field."""
    return {flaw.field: flaw.message for flaw in reversed(error.flaws)}


def _answers(
    answers: Mapping[str, Any], form: Form | None, flaws: _Flaws
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return who somebody is and what they want, of answers by field."""
    if len(answers) > FIELDS_MAX:
        flaws.add("fields", "too_many", most=FIELDS_MAX)
        return {}, {}
    found = dict(_checked(answers, form, flaws))
    for field in form.spec.fields if form else ():
        if field.required and (field.name not in answers or found.get(field.name) is False):
            flaws.add(field.name, "missing")
    wrong = {flaw.field for flaw in flaws.found}
    if not any(name in found or name in wrong for name in CONTACTS):
        asked = [field.name for field in form.spec.fields if field.name in CONTACTS] if form else CONTACTS
        flaws.add(asked[0], "contact_missing")
    traits = {name: str(value) for name, value in found.items() if name in PERSON_FIELDS}
    return traits, {name: value for name, value in found.items() if name not in PERSON_FIELDS}


def _checked(answers: Mapping[str, Any], form: Form | None, flaws: _Flaws) -> Iterator[tuple[str, Any]]:
    for name, value in answers.items():
        field = form.field(name) if form else _usual(name, value)
        if field is None:
            flaws.add(name, "unknown")
        elif value is None or value == "":
            if field.required:
                flaws.add(name, "missing")
        elif (made := _answer(field, value, flaws)) is not None:
            yield name, made


def _usual(name: str, value: Any) -> FormField | None:
    """Return what a field is that no form speaks of."""
    if FIELD_NAME.fullmatch(name) is None or name in OWN_FIELDS:
        return None
    if name in CONTACTS:
        return FormField(name, "email" if name == "email" else "phone")
    if name in PERSON_FIELDS:
        return FormField(name)
    if isinstance(value, bool):
        return FormField(name, "checkbox")
    return FormField(name, "number" if isinstance(value, int | Decimal) else "long_text", most=LONG_TEXT_MAX)


def _answer(field: FormField, value: Any, flaws: _Flaws) -> Scalar | None:
    """Return an answer as it is kept, or nothing where it is none, having said so."""
    if field.type == "checkbox":
        if not isinstance(value, bool):
            flaws.add(field.name, "not_true_or_false")
            return None
        return value
    if field.type == "number":
        return _number(field.name, value, flaws)
    if not isinstance(value, str):
        flaws.add(field.name, "not_text")
    elif len(value) > field.length:
        flaws.add(field.name, "too_long", most=field.length)
    elif "\0" in value:
        flaws.add(field.name, "not_text")
    elif field.type in ("email", "phone") and normalise(field.type, value) is None:
        flaws.add(field.name, f"not_{field.type}")
    elif field.type == "choice" and value not in field.choices:
        flaws.add(field.name, "not_a_choice", choices=", ".join(field.choices))
    else:
        return value.strip()
    return None


def _number(name: str, value: Any, flaws: _Flaws) -> Decimal | None:
    try:
        number = None if isinstance(value, bool) else Decimal(str(value).replace(",", "."))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) >= VALUE_MAX:
        flaws.add(name, "not_a_number")
        return None
    return number


def _value(value: Any, flaws: _Flaws) -> Decimal | None:
    """Return what a lead may be worth, to the hundredth."""
    if value is None:
        return None
    number = _number("value", value, flaws)
    if number is not None and (number < 0 or number != number.quantize(Decimal("0.01"))):
        flaws.add("value", "not_money")
        return None
    return number


def _matching(said: Mapping[str, Any], name: str, pattern: re.Pattern[str], flaws: _Flaws) -> str:
    value = said.get(name)
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        flaws.add(name, "malformed")
        return ""
    return value


def _identifier(said: Mapping[str, Any], name: str, flaws: _Flaws) -> str:
    value = said.get(name)
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not value.isprintable() or normalise(name, value) is None:
        flaws.add(name, "malformed")
        return ""
    return value.strip()


def _consents(said: Any, flaws: _Flaws) -> tuple[ConsentSaid, ...]:
    if said is None:
        return ()
    try:
        found = msgspec.convert(said, tuple[ConsentSaid, ...])
    except msgspec.ValidationError as error:
        flaws.add("consents", "consent_malformed", why=str(error))
        return ()
    if any(not one.version.strip() or len(one.version) > 64 for one in found):
        flaws.add("consents", "consent_malformed", why="version has 1 to 64 characters")
    return found[:FIELDS_MAX]


def _texts(said: Any, name: str, known: tuple[str, ...], flaws: _Flaws) -> dict[str, str]:
    if said is None:
        return {}
    if not isinstance(said, dict) or said.keys() - set(known):
        flaws.add(name, "members", known=", ".join(known))
        return {}
    if any(not isinstance(text, str) or len(text) > URL_MAX for text in said.values()):
        flaws.add(name, "too_long", most=URL_MAX)
        return {}
    return dict(said)
