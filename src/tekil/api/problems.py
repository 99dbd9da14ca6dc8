"""Errors as RFC 9457 problem documents: the one shape in which the API says no."""

from __future__ import annotations

import logging
import math
import secrets
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.openapi.datastructures import ResponseSpec

from tekil.errors import NotFound, TekilError, Unauthorised
from tekil.reads import MovedPerson

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """A problem document. `code` never changes and is for programs; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Return what the OpenAPI document says about these error statuses."""
    return {
        status: ResponseSpec(
            Problem, generate_examples=False, description=HTTPStatus(status).phrase, media_type=MEDIA_TYPE
        )
        for status in statuses
    }


def explain(request: Request[Any, Any, Any], error: Exception) -> TekilError:
    """Turn anything that was raised into one of our errors; what nobody foresaw is logged with a mark."""
    if isinstance(error, TekilError):
        if error.http_status == 500:
            logger.error("%s %s failed: %s", request.method, request.url.path, error.message)
        return error
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _from_framework(request, error)
    mark = secrets.token_hex(4)
    logger.error("%s %s failed, mark %s", request.method, request.url.path, mark, exc_info=error)
    return TekilError(
        f"Something of ours failed. The engine's log says what under the mark {mark}; asking again may help."
    )


def _from_framework(request: Request[Any, Any, Any], error: HTTPException) -> TekilError:
    """Say in our words what the web framework refused."""
    if isinstance(error, NotFoundException):
        return NotFound(f"There is nothing at {request.url.path}.", code="path_unknown")
    if isinstance(error, MethodNotAllowedException):
        text = f"{request.method} is not understood at {request.url.path}."
        refusal = TekilError(text, code="method_not_allowed")
    else:
        extra = error.extra if isinstance(error.extra, list) else []
        reasons = [f"{e.get('key', '')}: {e.get('message', '')}" for e in extra if isinstance(e, dict)]
        text = " ".join([error.detail.split(" for ")[0].rstrip(".") + ".", "; ".join(reasons)]).strip()
        refusal = TekilError(text, code="invalid_request" if error.status_code == 400 else "refused")
    refusal.http_status = error.status_code
    return refusal


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return the problem document of an error; a merged-away person is a redirect instead."""
    headers = dict(getattr(error, "headers", None) or {})
    if isinstance(error, MovedPerson):
        return Response(None, status_code=308, headers={"Location": _moved(request, error.person_id)})
    known = explain(request, error)
    if known.retryable:
        headers["Retry-After"] = str(math.ceil(known.retry_seconds))
    if isinstance(known, Unauthorised):
        headers["WWW-Authenticate"] = 'Bearer realm="tekil"'
    problem = Problem(
        type=f"urn:tekil:problem:{known.code}",
        title=HTTPStatus(known.http_status).phrase,
        status=known.http_status,
        detail=known.message,
        code=known.code,
        instance=request.url.path,
    )
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def _moved(request: Request[Any, Any, Any], person_id: str) -> str:
    """Return the same question asked of the person's new id."""
    template = str(request.scope.get("path_template", ""))
    path = template.replace("{reference:str}", person_id).replace("{reference}", person_id)
    query = request.url.query
    return f"{path}?{query}" if query else path
