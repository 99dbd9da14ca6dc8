"""The engine's process: the loop in a thread of its own, the console and the API around it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from tekil.acquisition.attribution import Attribution
from tekil.acquisition.reads import AcquisitionReads
from tekil.api.acquisition import acquisition_routes
from tekil.api.audiences import audience_routes
from tekil.api.control import control_routes
from tekil.api.dictionary import dictionary_routes
from tekil.api.erasure import erasure_routes
from tekil.api.groupings import grouping_routes
from tekil.api.identity import identity_routes
from tekil.api.links import link_routes
from tekil.api.retention import retention_routes
from tekil.api.scores import score_routes
from tekil.api.stages import stage_routes
from tekil.app.engine import open_engine
from tekil.app.iys import kept_in_step
from tekil.app.leads import leads_told
from tekil.app.quality import quality_watched
from tekil.app.signals import ENDING, on_ending
from tekil.audience_reads import AudienceReads
from tekil.config import Config
from tekil.console import create_app
from tekil.console.who import Linking, WhoIsWho
from tekil.engine import Engine
from tekil.erasure import Eraser, ErasureDesk, Sweeping
from tekil.groupings import Groupings
from tekil.identity import IdentityDesk
from tekil.leads import open_leads
from tekil.library import LOCAL_KEY
from tekil.links import LinkDesk, LinkSearch
from tekil.live_reads import LiveReads
from tekil.load import QuarantineDesk
from tekil.outgoing import Connections, Outgoing
from tekil.ports import check_port
from tekil.privacy import open_keys
from tekil.privacy.ledger import ConsentLedger, open_ledger
from tekil.privacy.rectification import Rectification
from tekil.retention import Retention
from tekil.score_reads import ScoreReads
from tekil.stage_reads import StageReads
from tekil.store import Store

LOOP_DIED = 70
"""The exit code when the loop met what it cannot wait out: BSD's EX_SOFTWARE."""

SWITCH_INTERVAL_SECONDS = 0.0005
"""How soon a request gets its turn while the loop's thread works. Python's own 5 ms would be all a lookup may
take."""

GRACE_SECONDS = 5
"""How long requests in flight may take when the process ends."""


class _Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn would end the process by them before all is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(config: Config, say: Callable[[str], None]) -> None:
    """Be the engine, with console and API, until SIGTERM or SIGINT.

    Raises `Misconfigured` where the port is taken, `Unavailable` while another process owns the warehouse.
    """
    for number in ENDING:
        signal.signal(number, _leave)
    check_port(config.console.host, config.console.port, "console.port")
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    with open_engine(config) as engine:
        engine.recover(lambda what, done, everything: say(f"{what}: {done:,} of {everything:,}"))
        for proof in Eraser(engine).resume():
            say(f"An erasure that was cut off is done: {proof.destruction}")
        keep_local_key(config, engine.store)
        password = engine.store.users.create_first()
        if password:
            say(f"Sign in to the console as admin with the password {password}  (shown this once)")
        consents = open_ledger(engine.store, engine.vault, config.consent)
        outgoing = Outgoing(config.outgoing.allow)
        connections = Connections(engine.store.connections, engine.vault.texts("connections"), outgoing)
        retention = Retention(engine, open_keys(config, engine.store))
        attribution = Attribution(engine, config.workspace.timezone, config.workspace.currency)
        engine.chores += [attribution.step, retention.step]
        engine.chores.append(Sweeping(Eraser(engine), config.workspace.timezone).step)
        runner = open_leads(
            engine.store, engine.log, engine.warehouse, engine.vault, config.workspace.timezone
        )
        engine.chores.append(runner.step)
        identity = IdentityDesk(engine.log, engine.warehouse, engine.store, engine.vault)
        linking = _linking(engine, identity)
        engine.chores += [identity.step, linking.search.step]
        server = _server(config, engine, consents, retention, connections, identity, linking, attribution)
        stop = threading.Event()

        def end() -> None:
            stop.set()
            server.should_exit = True

        on_ending(end)
        loop = threading.Thread(target=_loop, args=(engine, stop, say), name="engine")
        loop.start()
        try:
            with (
                kept_in_step(config, consents, connections, outgoing, stop, say),
                leads_told(config, engine.store, outgoing, stop, say),
                quality_watched(config, engine.warehouse.read, engine.store, outgoing, stop, say),
            ):
                server.run()
        finally:
            stop.set()
            linking.search.close()
            loop.join()
            attribution.close()
            connections.close()
    say("The engine has stopped.")


def _linking(engine: Engine, identity: IdentityDesk) -> Linking:
    desk = LinkDesk(engine.log, engine.warehouse, engine.store, engine.vault, identity)
    return Linking(desk, LinkSearch(desk, engine.store))


def _server(
    config: Config,
    engine: Engine,
    consents: ConsentLedger,
    retention: Retention,
    connections: Connections,
    identity: IdentityDesk,
    linking: Linking,
    attribution: Attribution,
) -> _Server:
    reads = LiveReads(engine.log, engine.warehouse, engine.store, engine.vault, engine)
    desk = QuarantineDesk(engine.log, engine.warehouse, engine.vault)
    store = engine.store
    erasures = ErasureDesk(engine, [config.data])
    groupings = Groupings(reads, store, engine.vault)
    audiences = AudienceReads(reads, store)
    more = [
        control_routes(engine),
        dictionary_routes(store, desk),
        identity_routes(store, identity),
        acquisition_routes(AcquisitionReads(reads, store, config.workspace), attribution),
        audience_routes(audiences),
        link_routes(store, linking.desk, linking.search),
        *grouping_routes(groupings),
        score_routes(ScoreReads(store, audiences)),
        stage_routes(StageReads(reads, store, audiences)),
        retention_routes(retention, store),
        erasure_routes(erasures, store),
    ]
    return _Server(
        uvicorn.Config(
            create_app(
                reads,
                store,
                config,
                more,
                desk,
                consents,
                retention,
                Rectification(engine.log),
                erasures,
                connections,
                WhoIsWho(identity, linking, groupings),
            ),
            host=config.console.host,
            port=config.console.port,
            log_level="warning",
            access_log=False,
            # Who is behind a proxy is for `console.trusted_proxies` to say; see `tekil.api.proxies`.
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def _leave(_number: int, _frame: FrameType | None) -> None:
    """End at once while nothing is served yet; what is open is closed on the way."""
    sys.exit(0)


def _loop(engine: Engine, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Run cycles. A fault that is no passing one ends the whole process, whatever else it is doing.

    Nothing is lost by that: a crash at any instant resumes exactly. Living on would be worse, because only
    this process may open the warehouse, and whoever starts it anew would wait for ever.
    """
    try:
        engine.run(stop, lambda error: say(f"waiting: {error}"))
    except BaseException as error:
        traceback.print_exc()
        say(f"The engine's loop died of {type(error).__name__}; this process ends, to be started again.")
        sys.stderr.flush()
        os._exit(LOOP_DIED)


def keep_local_key(config: Config, store: Store) -> None:
    """Make sure that this machine's user can ask the engine: an API key in a file only they can read."""
    path = config.data / LOCAL_KEY
    if path.is_file() and store.keys.find_api_key(path.read_text(encoding="utf-8").strip()):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _, secret = store.keys.create_api_key("this machine", ["*"])
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret)
