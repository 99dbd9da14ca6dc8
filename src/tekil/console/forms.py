"""What a form sent, and the proof that it was our form."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tekil.console.visit import SESSION, VISITOR, AnyRequest, form_token
from tekil.errors import BadRequest, Forbidden

FIELDS_MAX = 256


class Form:
    """A form's fields, as text."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        """Take the fields in the order they were sent."""
        self._fields = fields

    def one(self, name: str) -> str:
        """Return a field's text without space around it, empty where it was not sent."""
        return self._fields.get(name, [""])[0].strip()

    def secret(self, name: str) -> str:
        """Return a field's text exactly as it was typed."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Return every value of a field, such as the boxes that were ticked."""
        return self._fields.get(name, [])


FormHere = NamedDependency[SkipValidation[Form]]


async def read_form(request: AnyRequest) -> Form:
    """Return a form's fields. Raises `BadRequest` where the body is no form."""
    body = await request.body()
    try:
        return Form(parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError as error:
        raise BadRequest("The form cannot be read.", code="form_invalid") from error


async def check_form(request: AnyRequest) -> None:
    """Return if a page of ours, shown to this very visitor, sent the form.

    Raises `Forbidden` for any other sender: another site, or a page older than the session.
    """
    form = await read_form(request)
    visitor = request.cookies.get(VISITOR, "")
    expected = form_token(visitor, request.cookies.get(SESSION, ""))
    sent = form.one("form_token")
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if foreign or not visitor or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise Forbidden(
            "The form did not come from this page. Reload the page and send it again.", code="form_stale"
        )


def inner_path(text: str) -> str:
    """Return a path of ours to go to, the home page for anything that could lead elsewhere."""
    inside = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if inside and text.isprintable() and "\\" not in text else "/"
