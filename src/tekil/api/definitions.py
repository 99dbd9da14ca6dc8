"""Definitions over the API: what applying documents would change, and putting them in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Router, post
from litestar.params import JSONBody

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import problems
from tekil.api.access import BEARER, actor_of, requires
from tekil.definitions import Change, Written, apply, parse
from tekil.errors import BadRequest, Forbidden
from tekil.kinds import KINDS
from tekil.planning import Plan, Planning
from tekil.privacy.typed import check_typed
from tekil.retention import RETENTION_KIND
from tekil.store import ApiKey, Store

ASKS_MORE = {RETENTION_KIND.name: Permission.RETENTION_WRITE}
"""Kind → the scope that changing it asks for beside `dictionary:write`: what it says is done to data."""


class Documents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Definitions as YAML text, several apart by `---`; `prune` removes what is in force and not in it."""

    text: str
    prune: bool = False
    note: str = ""


class Changes(msgspec.Struct, frozen=True):
    """What has changed, definition by definition and field by field."""

    changes: list[Change]


def definition_routes(store: Store, planning: Planning) -> Router:
    """Return the routes, over the store of definitions and what plans changes."""
    told: dict[str, Any] = {
        "tags": ["Definitions"],
        "status_code": 200,
        "guards": [requires("dictionary:write")],
        "security": BEARER,
        "responses": problems.responses(400, 401, 403, 413, 503),
        "sync_to_thread": True,
    }

    @post("/plan", summary="What applying definitions would change", **told)
    def make_plan(data: JSONBody[Documents]) -> Plan:
        """Check the documents; return what would change, and whom it would move. Changes nothing."""
        return planning.plan(_read(data), prune=data.prune)

    @post("/apply", summary="Put definitions in force", **told)
    def put_in_force(data: JSONBody[Documents], request: Request[Any, Any, Any]) -> Changes:
        """Check the documents and put them in force, all or none; return what changed."""
        wanted, by = _read(data), actor_of(request)
        kinds = {one.definition.kind for one in wanted}
        if data.prune:
            kinds |= {version.kind for version in store.definitions.current()}
        _check_scopes(request.state.key, kinds)
        note = check_typed(data.note, "The note")
        changes = apply(store, KINDS, wanted, author=by.name, note=note, prune=data.prune)
        for change in changes:
            store.audit.append(by, Act.DEFINITION_CHANGED, change.kind, change.name)
        return Changes(changes)

    return Router("/v1/definitions", route_handlers=[make_plan, put_in_force])


def _read(data: Documents) -> Sequence[Written]:
    wanted = parse(data.text, "text")
    if not wanted and not data.prune:
        raise BadRequest("There is no definition in the text.", code="definitions_missing")
    return wanted


def _check_scopes(key: ApiKey, kinds: set[str]) -> None:
    for kind in sorted(kinds & ASKS_MORE.keys()):
        if not key.allows(ASKS_MORE[kind]):
            raise Forbidden(
                f"Changing definitions of the kind {kind} asks for the scope {ASKS_MORE[kind]}, too.",
                code="scope_missing",
            )
