"""Tekil in a notebook: `tk = tekil.open(path)`, `tk.sql(…)`, `tk.profile("email:…")`.

While an installation runs, its engine owns the warehouse, and the library asks it over HTTP; otherwise the
library opens the files itself, to read only.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx
import msgspec
import pyarrow as pa

from tekil import config
from tekil.access.audit import Actor
from tekil.config import Config
from tekil.errors import BadRequest, Busy, NotFound, TekilError, Unavailable

if TYPE_CHECKING:
    from tekil.offline import Files

LOCAL_KEY = "local.key"
"""File in the data folder that lets this machine's user ask the running engine."""

ARROW = "application/vnd.apache.arrow.stream"

_ERRORS: dict[int, type[TekilError]] = {400: BadRequest, 404: NotFound, 409: Busy, 503: Unavailable}


class Tekil:
    """An installation, to be read. Use as a context manager, or call `close`."""

    def __init__(self, settings: Config) -> None:
        """Take the settings; find out whether the engine runs."""
        self._settings = settings
        self._http = self._connect()
        self._files = None if self._http else self._open_files()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether the engine runs, and is asked over HTTP."""
        return self._http is not None

    def sql(self, statement: str) -> pa.Table:
        """Run one SELECT over the warehouse and return its rows as an Arrow table.

        Raises `BadRequest` where the SQL is wrong or is no SELECT.
        """
        if self._files is not None:
            return self._files.sql(statement)
        answer = self.request("POST", "/v1/sql", json={"statement": statement}, accept=ARROW)
        return pa.ipc.open_stream(answer.content).read_all()

    def profile(self, reference: str, *, reveal: str | None = None) -> dict[str, Any]:
        """Return a person by id or `kind:value`, as the API gives them. Raises `NotFound`.

        Personal values are masked; to `reveal` them, say what for.
        """
        if self._files is not None:
            return self._files.profile(reference, reveal=reveal)
        quoted = httpx.URL(path=reference).raw_path.decode()
        asked = {} if reveal is None else {"params": {"reveal": reveal}}
        return self.json("GET", f"/v1/profiles/{quoted}", **asked)

    def plan(self, text: str, *, prune: bool = False) -> dict[str, Any]:
        """Return what applying definitions (YAML) would do: changes, whom they move, what depends on them.

        Changes nothing. Raises `BadRequest` for what cannot be applied.
        """
        if self._files is not None:
            return self._files.plan(text, prune=prune)
        return self.json("POST", "/v1/definitions/plan", json={"text": text, "prune": prune})

    def explain(self, identifier: str, other: str | None = None) -> dict[str, Any]:
        """Return why an identifier is of its person, or of one person with another. Raises `NotFound`."""
        if self._files is not None:
            return self._files.explain(identifier, other)
        asked = {"of": identifier} if other is None else {"of": identifier, "other": other}
        return self.json("GET", "/v1/identity/explain", params=asked)

    def plan_identity(self, act: str, one: str, other: str | None) -> dict[str, Any]:
        """Return what saying `act` (merge, split, withdraw, share) would do. Changes nothing."""
        if self._files is not None:
            return self._files.plan_identity(act, one, other)
        return self.json("POST", "/v1/identity/plan", json={"act": act, "one": one, "other": other})

    def apply_identity(
        self, act: str, one: str, other: str | None, *, reason: str, by: Actor
    ) -> dict[str, Any]:
        """Say it, through the log; return the plan. `by` says who, where no engine runs that knows."""
        if self._files is not None:
            return self._files.apply_identity(act, one, other, reason=reason, by=by)
        saying = {"act": act, "one": one, "other": other, "reason": reason}
        plan: dict[str, Any] = self.json("POST", "/v1/identity/apply", json=saying)["plan"]
        return plan

    def run_links(self, *, by: Actor) -> dict[str, Any]:
        """Compare everybody anew, and link who is alike as the policy says; return what was found."""
        if self._files is not None:
            return self._files.run_links(by=by)
        return self.json("POST", "/v1/identity/links/run")

    def link_queue(self, decision: str = "waiting", limit: int = 50) -> list[dict[str, Any]]:
        """Return pairs that wait, or that were decided, the weightiest first; values are masked."""
        if self._files is not None:
            return self._files.link_queue(decision, limit)
        asked: Any = {"decision": decision, "limit": limit}
        found: Any = self.json("GET", "/v1/identity/links/queue", params=asked)
        return list(found)

    def decide_link(self, pair: str, decision: str, *, by: Actor) -> dict[str, Any]:
        """Decide a pair: accepted, rejected or undecided. Raises `NotFound`."""
        if self._files is not None:
            return self._files.decide_link(pair, decision, by=by)
        return self.json("POST", "/v1/identity/links/decide", json={"id": pair, "decision": decision})

    def link_trust(self) -> list[dict[str, Any]]:
        """Return precision and recall of links against what people decided, by weight."""
        if self._files is not None:
            return self._files.link_trust()
        found: Any = self.json("GET", "/v1/identity/links/trust")
        return list(found)

    def organisations(self, text: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """Return organisations, those of most people first; whose id holds `text`, where there is one."""
        if self._files is not None:
            return self._files.organisations(text, limit)
        asked: Any = {"q": text, "limit": limit}
        found: Any = self.json("GET", "/v1/organisations", params=asked)
        return list(found)

    def organisation(self, reference: str) -> dict[str, Any]:
        """Return an organisation's card with some of its `people`. Raises `NotFound`."""
        if self._files is not None:
            return self._files.organisation(reference)
        path = f"/v1/organisations/{quote(reference, safe='')}"
        people = self.json("GET", f"{path}/people")["people"]
        return {**self.json("GET", path), "people": people}

    def households(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return households, the largest first."""
        if self._files is not None:
            return self._files.households(limit)
        asked: Any = {"limit": limit}
        found: Any = self.json("GET", "/v1/households", params=asked)
        return list(found)

    def household(self, reference: str) -> dict[str, Any]:
        """Return a household and its `people`. Raises `NotFound`."""
        if self._files is not None:
            return self._files.household(reference)
        return self.json("GET", f"/v1/households/{quote(reference, safe='')}")

    def ledger(self) -> dict[str, Any]:
        """Return the ledger in messages: `total` and `sources`."""
        if self._files is not None:
            return self._files.ledger()
        return self.json("GET", "/v1/ledger")

    def doing(self) -> dict[str, Any]:
        """Return what the engine is busy with beside its cycles: `what`, `done`, `all`; and `definitions`.

        The latter is the revision of the definitions that all answers follow; 0 where no engine runs.
        """
        idle = {"what": "", "done": 0, "all": 0, "definitions": 0}
        return idle if self._http is None else self.json("GET", "/v1/engine/progress")

    def json(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """Ask the running engine's API and return the JSON object it answers."""
        told: dict[str, Any] = msgspec.json.decode(self.request(method, path, **content).content)
        return told

    def request(self, method: str, path: str, *, accept: str = "*/*", **content: Any) -> httpx.Response:
        """Ask the running engine's API. Raises what the API's problem document says."""
        if self._http is None:
            raise Unavailable("Tekil is not running here. Start it with `tekil up`.", code="not_running")
        try:
            answer = self._http.request(method, path, headers={"Accept": accept}, **content)
        except httpx.HTTPError as error:
            raise Unavailable(f"The engine did not answer: {error}", code="engine_unavailable") from error
        if answer.is_error:
            kind = _ERRORS.get(answer.status_code, TekilError)
            try:
                problem = answer.json()
            except ValueError:
                problem = {}
            raise kind(problem.get("detail") or answer.text, code=problem.get("code"))
        return answer

    def close(self) -> None:
        """Let go of files and connections."""
        if self._http is not None:
            self._http.close()
        if self._files is not None:
            self._files.close()

    def _connect(self) -> httpx.Client | None:
        key = self._settings.data / LOCAL_KEY
        if not key.is_file():
            return None
        console = self._settings.console
        host = "127.0.0.1" if console.host in {"0.0.0.0", "::"} else console.host
        client = httpx.Client(
            base_url=f"http://{host}:{console.port}",
            headers={"Authorization": f"Bearer {key.read_text(encoding='utf-8').strip()}"},
            timeout=httpx.Timeout(None, connect=2.0),
            follow_redirects=True,
            trust_env=False,
        )
        try:
            # The key is ours alone: whoever accepts it is this installation's engine, not a stranger's.
            alive = client.get("/v1/ledger").status_code == httpx.codes.OK
        except httpx.HTTPError:
            alive = False
        if not alive:
            client.close()
            return None
        return client

    def _open_files(self) -> Files:
        # The engine writes its key when it first runs; before that there is nothing to look at.
        if not (self._settings.data / LOCAL_KEY).is_file():
            raise Unavailable(
                f"Tekil has never run in {self._settings.root}, so there is nothing to see yet. "
                "Start it with `tekil up`.",
                code="never_started",
            )
        # With an engine to ask, none of the weight of reading files is needed.
        files: Files = importlib.import_module("tekil.offline").Files(self._settings)
        return files


def open(path: str | Path = ".") -> Tekil:
    """Open the installation in a folder (or any folder below it).

    Raises `Misconfigured` where there is none.
    """
    return Tekil(config.load(Path(path)))
