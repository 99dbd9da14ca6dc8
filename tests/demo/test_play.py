"""The company plays to a real door, and keeps at it when a door is busy, shut or gone."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from tekil.demo import SOURCES, Company, Played, Truth, play
from tekil.errors import BadRequest, Unauthorised
from tekil.messages import BATCH_MESSAGES_MAX, BATCH_SIZE_MAX
from tests.demo.conftest import UNTIL, Door

KEYS = {source: f"key-of-{source}" for source in SOURCES}
Answer = tuple[int, dict[str, str]]
OK: Answer = (200, {})


def company() -> Company:
    return Company(seed=2, people=60, days=10, until=UNTIL)


def written(message: dict[str, object]) -> bytes:
    return msgspec.json.encode(message, order="sorted")


def playing(
    door: str,
    keys: dict[str, str] = KEYS,
    *,
    company: Company | None = None,
    stop: threading.Event | None = None,
    live: bool = False,
    pace: float = 1.0,
    truth_path: Path | None = None,
    progress: Callable[[int, int | None], None] = lambda sent, total: None,
) -> Played:
    """Play a company to a door; only its history, unless told otherwise."""
    return play(
        company or Company(seed=2, people=60, days=10, until=UNTIL),
        door=door,
        write_keys=keys,
        truth_path=truth_path,
        live=live,
        stop=stop or threading.Event(),
        progress=progress,
        pace=pace,
    )


@contextmanager
def staged(answer: Callable[[int], Answer], port: int = 0) -> Iterator[tuple[str, list[bytes]]]:
    """Run a door that answers its n-th body as `answer` says, and keeps the bodies it took."""
    taken: list[bytes] = []
    turns = iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = answer(next(turns))
            if status == 200:
                taken.append(body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", taken
    finally:
        server.shutdown()
        server.server_close()


def test_a_real_door_takes_all_of_history(door: Door, tmp_path: Path) -> None:
    told = list(company().history())
    played = playing(door.url, door.keys, truth_path=tmp_path / "truth.json")
    logged = door.logged()
    assert played.sent == len(told) == len(logged)
    assert played.duplicates_sent == sum(s.nature == "duplicate" for s in told) > 0
    assert played.malformed_sent == sum(s.nature == "malformed" for s in told) > 0
    assert {(entry.door, entry.sent_at) for entry in logged} == {("import", None)}
    assert Counter((entry.source, written(entry.message)) for entry in logged) == Counter(
        (sending.source, written(sending.message)) for sending in told
    )
    assert msgspec.json.decode((tmp_path / "truth.json").read_bytes(), type=Truth) == company().truth()


def test_living_on_at_a_real_door_by_the_clocks_of_the_senders(door: Door, tmp_path: Path) -> None:
    stop = threading.Event()
    small = Company(seed=2, people=40, days=1, until=datetime.now(UTC))
    threading.Timer(4.0, stop.set).start()
    path = tmp_path / "truth.json"
    played = playing(door.url, door.keys, company=small, live=True, stop=stop, pace=240.0, truth_path=path)
    logged = door.logged()
    assert played.sent == len(logged)
    live = [entry for entry in logged if entry.door != "import"]
    assert {entry.door for entry in live} >= {"batch", "page", "track"}
    assert msgspec.json.decode(path.read_bytes(), type=Truth).until > small.until

    browsers = [entry for entry in live if entry.door == "page"]
    assert len(browsers) > 40
    sent = [datetime.fromisoformat(str(entry.sent_at)) for entry in browsers]
    wrong = [abs((at - entry.received_at).total_seconds()) for at, entry in zip(sent, browsers, strict=True)]
    waited = [
        (at - datetime.fromisoformat(entry.message["timestamp"])).total_seconds()
        for at, entry in zip(sent, browsers, strict=True)
    ]
    # However wrong a clock is, it is as wrong about the sending as about the event.
    assert max(wrong) > 1.0
    assert sum(-0.1 <= wait < 8 for wait in waited) / len(waited) > 0.9


def test_batches_keep_the_limits_of_the_wire() -> None:
    with staged(lambda turn: OK) as (url, bodies):
        played = playing(url, company=Company(seed=2, people=300, days=20, until=UNTIL))
    sizes = [len(msgspec.json.decode(body)["batch"]) for body in bodies]
    assert sum(sizes) == played.sent
    assert max(map(len, bodies)) <= BATCH_SIZE_MAX
    assert max(map(len, bodies)) > BATCH_SIZE_MAX * 0.9
    assert max(sizes) <= BATCH_MESSAGES_MAX


def test_a_busy_door_is_asked_again_as_late_as_it_says_and_nothing_is_lost() -> None:
    started = time.monotonic()
    with staged(lambda turn: (503, {"Retry-After": "0.3"}) if turn < 4 else OK) as (url, bodies):
        played = playing(url)
    assert time.monotonic() - started > 0.3
    assert sum(len(msgspec.json.decode(body)["batch"]) for body in bodies) == played.sent
    assert played.sent == len(list(company().history()))


def test_a_door_that_opens_later_gets_everything() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    results: list[Played] = []
    player = threading.Thread(target=lambda: results.append(playing(f"http://127.0.0.1:{port}")))
    player.start()
    time.sleep(0.3)
    with staged(lambda turn: OK, port):
        player.join(30)
    assert results[0].sent == len(list(company().history()))


def test_stopping_ends_the_wait_at_a_busy_door() -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with staged(lambda turn: (503, {"Retry-After": "60"})) as (url, _):
        started = time.monotonic()
        assert playing(url, stop=stop, live=True) == Played(0, 0, 0)
    assert time.monotonic() - started < 10


def test_a_wrong_key_is_said_at_once(door: Door) -> None:
    with pytest.raises(Unauthorised, match="Check the write keys"):
        playing(door.url, KEYS)


def test_a_door_that_refuses_ends_the_play() -> None:
    with staged(lambda turn: (413, {})) as (url, _), pytest.raises(BadRequest, match="answered 413"):
        playing(url)


def test_a_source_without_a_key_is_named_before_anything_is_sent() -> None:
    keys = {source: key for source, key in KEYS.items() if source != "stores"}
    with pytest.raises(BadRequest, match="no write key for stores"):
        playing("http://127.0.0.1:9", keys)


def test_progress_grows_and_ends_at_what_was_sent() -> None:
    heard: list[tuple[int, int | None]] = []
    with staged(lambda turn: OK) as (url, _):
        played = playing(url, progress=lambda sent, total: heard.append((sent, total)))
    assert [sent for sent, _ in heard] == sorted(sent for sent, _ in heard)
    assert heard[-1] == (played.sent, played.sent)
