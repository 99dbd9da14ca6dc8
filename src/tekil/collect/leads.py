"""Leads at the door: `POST /v1/leads` for programs and pages, and the forms that Tekil serves itself."""

from __future__ import annotations

import hashlib
import logging
import math
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tekil.access.rates import Rates
from tekil.collect import answers
from tekil.collect.addresses import Addresses
from tekil.collect.bodies import inflate
from tekil.collect.commits import Commits
from tekil.collect.forms import FormsInForce
from tekil.collect.reading import Reading
from tekil.collect.rsgi import HTTPProtocol, Scope
from tekil.collect.senders import Senders, check_enabled, key_of
from tekil.errors import BadRequest, NotFound, TekilError, TooLarge, TooMany, Unauthorised
from tekil.forms import (
    HONEYPOT,
    FieldsInvalid,
    Form,
    Shown,
    Submission,
    flaws_in,
    lead_id,
    messages_of,
    read_answers,
    read_submission,
    render,
)
from tekil.forms.intake import ABOUT, CAMPAIGN, decode
from tekil.forms.page import THEMES, page_headers
from tekil.forms.texts import LANGUAGES, page_text
from tekil.log import Entry
from tekil.messages import MESSAGE_SIZE_MAX

ROUTE = "/v1/leads"
FORM_PREFIX = "/f/"

ADDRESS_PER_MINUTE = 30
"""Leads that may come from one address. An office behind one address fills in no more."""

KEY_PER_MINUTE = 1_200
"""Leads that may come by one write key, or by one form."""

KEY_LENGTH_MAX = 255
FIELDS_MAX = 100
PROBLEM = "application/problem+json"

logger = logging.getLogger("tekil.collect")

Answer = tuple[int, answers.HeaderList, bytes]


class LeadDoor:
    """Takes leads in. It belongs to the door's event loop."""

    def __init__(
        self,
        senders: Senders,
        commits: Commits,
        reading: Reading,
        forms: FormsInForce,
        addresses: Addresses,
        per_minute: int = ADDRESS_PER_MINUTE,
    ) -> None:
        """Take what the door has, the forms in force, and how many leads an address may send a minute."""
        self._senders, self._commits, self._reading = senders, commits, reading
        self._forms, self._addresses = forms, addresses
        self._by_address = Rates(per_minute / 60, burst=per_minute)
        self._by_key = Rates(KEY_PER_MINUTE / 60, burst=KEY_PER_MINUTE)

    async def post(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        """Answer `POST /v1/leads`: 201 with the lead's id once it is on disk, or a problem document."""
        origin = scope.headers.get("origin")
        try:
            self._count(scope)
            body = await self._body(scope, protocol)
            said = decode(body)
            source = await self._source(scope, said.pop("write_key", None))
            self._take(self._by_key, source)
            if _is_filled(said.pop(HONEYPOT, None)):
                return _created(_fresh_id(), source, origin)
            lead = read_submission(said, await self._forms.all(), _language(scope))
            return _created(await self._keep(source, lead, _message_id(scope, source)), source, origin)
        except TekilError as error:
            return _problem(error, origin)

    async def show(self, scope: Scope, name: str) -> Answer:
        """Answer with a form's page, its hidden fields filled with where the reader came from."""
        form = await self._form(name)
        query = dict(parse_qsl(scope.query_string[-4000:]))
        hidden = {"submission": secrets.token_hex(12)}
        page = {"url": query.get("page") or scope.headers.get("referer", "")}
        hidden |= {f"page_{part}": page[part][:2000] for part in ABOUT if page.get(part)}
        hidden |= {f"utm_{part}": query[f"utm_{part}"][:200] for part in CAMPAIGN if f"utm_{part}" in query}
        if query.get("utm_campaign"):
            hidden["utm_name"] = query["utm_campaign"][:200]
        if query.get("anonymous_id"):
            hidden["anonymous_id"] = query["anonymous_id"][:200]
        shown = Shown(_chosen(scope, query), hidden=hidden, theme=_theme(query))
        return 200, page_headers(form), render(form, shown)

    async def fill(self, scope: Scope, protocol: HTTPProtocol, name: str) -> Answer:
        """Answer what a form's page sent: thanks once it is on disk, or the page with what is wrong."""
        form = await self._form(name)
        query = dict(parse_qsl(scope.query_string[-4000:]))
        language = _chosen(scope, query)
        typed = _fields(await self._body(scope, protocol))
        hidden = {k: v for k, v in typed.items() if k.startswith(("page_", "utm_"))}
        hidden |= {k: typed[k] for k in ("submission", "anonymous_id") if k in typed}
        shown = Shown(language, typed, hidden=hidden, theme=_theme(query))
        headers = page_headers(form)
        try:
            self._count(scope)
            self._take(self._by_key, form.name)
            if _is_filled(typed.get(HONEYPOT)):
                return 200, headers, render(form, shown._replace(is_sent=True))
            lead = read_answers(form, typed, language)
            source = self._senders.enabled_source(form.spec.source)
            await self._keep(source, lead, _submission_id(form.name, typed.get("submission", "")))
        except FieldsInvalid as error:
            return error.http_status, headers, render(form, shown._replace(flaws=flaws_in(error)))
        except TekilError as error:
            # What is wrong with us is nothing to tell a visitor, but somebody must hear of it.
            logger.warning("The form %s took nothing: %s", form.name, error.message)
            refusal = page_text("busy", language)
            return error.http_status, headers, render(form, shown._replace(refusal=refusal))
        return 200, headers, render(form, shown._replace(is_sent=True))

    async def _form(self, name: str) -> Form:
        form = (await self._forms.all()).get(name)
        if form is None:
            raise NotFound(f"There is no form {name[:80]!r} here.", code="form_unknown")
        return form

    async def _body(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        body = await self._reading.read(scope.headers.get("content-length"), protocol)
        body = inflate(body, scope.headers.get("content-encoding", ""))
        if len(body) > MESSAGE_SIZE_MAX:
            raise TooLarge(f"A lead has at most {MESSAGE_SIZE_MAX:,} bytes.", code="lead_too_large")
        return body

    async def _source(self, scope: Scope, in_body: Any) -> str:
        authorization = scope.headers.get("authorization")
        named = [
            key_of(authorization) if authorization is not None else None,
            dict(parse_qsl(scope.query_string[-2000:])).get("writeKey"),
            in_body if isinstance(in_body, str) else None,
        ]
        return check_enabled(await self._senders.find([key for key in named if key]))

    async def _keep(self, source: str, lead: Submission, message_id: str) -> str:
        """Keep a lead's messages; return its id once they are on disk."""
        envelope = messages_of(lead, message_id)
        received_at = time.time_ns() // 1000
        await self._commits.keep(Entry(source, "batch", received_at, envelope.messages, envelope.body))
        return lead_id(source, message_id)

    def _count(self, scope: Scope) -> None:
        self._take(self._by_address, self._addresses.of(scope))

    @staticmethod
    def _take(rates: Rates, caller: str) -> None:
        wait = rates.take(caller)
        if wait:
            raise TooMany(
                f"Too many leads at once. Nothing was kept; send this again in {math.ceil(wait)} s.", wait
            )


def _is_filled(trap: Any) -> bool:
    return trap not in (None, "", False)


def _message_id(scope: Scope, source: str) -> str:
    """Return the message id of a lead: of the caller's key where they give one, else one that is new."""
    key = scope.headers.get("idempotency-key", "").strip()
    if not key:
        return _fresh_id()
    if len(key) > KEY_LENGTH_MAX or not key.isprintable():
        raise BadRequest(
            f"Idempotency-Key has 1 to {KEY_LENGTH_MAX} printable characters.", code="idempotency_key_invalid"
        )
    return _id_of(source, key)


def _submission_id(form: str, submission: str) -> str:
    return _id_of(f"form {form}", submission) if submission else _fresh_id()


def _id_of(*parts: str) -> str:
    told = msgspec.json.encode(parts)
    return f"lead-{hashlib.blake2b(told, digest_size=12).hexdigest()}"


def _fresh_id() -> str:
    return f"lead-{secrets.token_hex(12)}"


def _language(scope: Scope) -> str:
    first = scope.headers.get("accept-language", "").strip().lower()
    return "tr" if first.startswith("tr") else "en"


def _chosen(scope: Scope, query: Mapping[str, str]) -> str:
    asked = query.get("lang", "")
    return asked if asked in LANGUAGES else _language(scope)


def _theme(query: Mapping[str, str]) -> str:
    return query["theme"] if query.get("theme") in THEMES else ""


def _fields(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError as error:
        raise BadRequest("The form cannot be read.", code="form_invalid") from error


def _created(made: str, source: str, origin: str | None) -> Answer:
    headers = [*answers.json_headers(origin), ("location", f"/v1/leads/{made}")]
    return 201, headers, msgspec.json.encode({"lead": made, "source": source})


def _problem(error: TekilError, origin: str | None) -> Answer:
    """Return an error as RFC 9457 has it, with `errors` by field where fields are wrong."""
    told: dict[str, Any] = {
        "type": f"urn:tekil:problem:{error.code}",
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "detail": error.message,
        "code": error.code,
        "instance": ROUTE,
    }
    if isinstance(error, FieldsInvalid):
        told["errors"] = error.flaws
    headers = [("content-type", PROBLEM), *answers.cors(origin)]
    if error.retryable:
        headers.append(("retry-after", str(math.ceil(error.retry_seconds))))
    if isinstance(error, Unauthorised):
        headers.append(("www-authenticate", 'Basic realm="tekil"'))
    return error.http_status, headers, msgspec.json.encode(told)
