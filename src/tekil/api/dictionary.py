"""The dictionary's routes: events and their JSON Schemas, and saying quarantined messages again."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get, post
from litestar.params import FromPath, JSONBody

from tekil.access.audit import Act, Detail
from tekil.api import model, problems
from tekil.api.access import BEARER, actor_of, requires
from tekil.api.paths import reference as decode
from tekil.dictionary import Dictionary
from tekil.dictionary.json_schema import to_json_schema
from tekil.errors import NotFound
from tekil.load import Chosen, QuarantineDesk
from tekil.store import Store


def dictionary_routes(store: Store, desk: QuarantineDesk) -> Router:
    """Return the routes, over the store of definitions and the desk of the quarantine."""

    @get(
        "/dictionary/{event:str}",
        summary="An event of the dictionary as JSON Schema",
        tags=["Dictionary"],
        guards=[requires("dictionary:read")],
        security=BEARER,
        responses=problems.responses(400, 401, 403, 404, 503),
        sync_to_thread=True,
    )
    def get_schema(event: FromPath[str]) -> dict[str, Any]:
        """Return the schema (draft 2020-12) that the event's messages keep to."""
        found = Dictionary.read(store.definitions).find(decode(event))
        if found is None:
            raise NotFound(f"The dictionary has no event {decode(event)!r}.", code="event_unknown")
        return to_json_schema(found)

    @get(
        "/dictionary",
        summary="The names of the dictionary's events",
        tags=["Dictionary"],
        guards=[requires("dictionary:read")],
        security=BEARER,
        responses=problems.responses(401, 403, 503),
        sync_to_thread=True,
    )
    def get_names() -> dict[str, list[str]]:
        """Return all events that are defined, by name."""
        return {"events": [event.name for event in Dictionary.read(store.definitions).events]}

    @post(
        "/quarantine/replay",
        summary="Say quarantined messages again",
        tags=["Dictionary"],
        status_code=200,
        guards=[requires("quarantine:write")],
        security=BEARER,
        responses=problems.responses(400, 401, 403, 413, 503),
        sync_to_thread=True,
    )
    def replay(data: JSONBody[model.Replay], request: Request[Any, Any, Any]) -> model.Replayed:
        """Append the chosen messages to the log once more; they are loaded like any other."""
        said = desk.replay(Chosen(data.source, data.reason, data.event, limit=data.limit))
        told: dict[str, Detail] = {"source": data.source, "reason": data.reason, "messages": said}
        store.audit.append(actor_of(request), Act.QUARANTINE_REPLAYED, "quarantine", "", **told)
        return model.Replayed(said)

    return Router("/v1", route_handlers=[get_schema, get_names, replay])
