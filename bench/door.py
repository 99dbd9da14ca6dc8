"""Bar: durable acks >= 60 % of the same server answering an empty 200; p99 < 10 ms at 64 connections.

Run: python bench/door.py [--rounds 5] [--seconds 2]. Prints one line, and exits 1 where a bar is missed.

Two servers stand side by side: the door, with a real log and store; and the same Granian with the same
settings, whose application reads the body and answers an empty 200. A third process asks them in turns, one
event a request, so that whatever else the machine does falls on both. Afterwards the log must hold exactly
the messages that were acknowledged.
"""

from __future__ import annotations

import argparse
import multiprocessing
import select
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tekil.collect.server import serve, serve_app
from tekil.log import Log, open_log
from tekil.privacy import DayKeys, KeyRing, read_master_key
from tekil.store import Store, open_store

CONNECTIONS = 64
RATIO_BAR, P99_BAR_MS = 0.60, 10.0
HOST = "127.0.0.1"
BODY = (
    b'{"type":"track","event":"Order Completed","userId":"musteri-4711","anonymousId":"8f2c6d1e-40ab-4b7e",'
    b'"messageId":"%s","timestamp":"2026-03-01T10:15:30.123Z","properties":{"order_id":"50314","total":1249.90,'
    b'"currency":"TRY","products":[{"product_id":"N-22","name":"Nevresim","price":749.90,"quantity":1}]},'
    b'"context":{"library":{"name":"analytics-python","version":"2.3.4"},"page":{"url":"https://minder.example/",'
    b'"path":"/","title":"Minder Evi"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)","locale":"tr-TR"}}'
)
ID_LENGTH = 16


@dataclass
class Round:
    """What one round of asking gave: answers a second, and how long each took, in milliseconds."""

    rate: float
    latencies: list[float]
    acknowledged: int


class EmptyApp:
    """Reads the body and answers an empty 200."""

    async def __rsgi__(self, scope, protocol):
        await protocol()
        protocol.response_empty(200, [])


def run_door(folder: Path, port: int) -> None:
    store = open_store(f"sqlite:///{folder}/store.db")
    serve(opened_log(folder, store), store.keys, host=HOST, port=port)


def opened_log(folder: Path, store: Store) -> Log:
    """Return the door's log, encrypted as an installation's is."""
    keys = KeyRing(store.data_keys, read_master_key("file:master.key", folder))
    return open_log(f"sqlite:///{folder}/log.db", DayKeys(keys))


def run_empty(port: int) -> None:
    serve_app(lambda _loop, _stack: EmptyApp(), host=HOST, port=port)


def ask(port: int, head: bytes, seconds: float, first_id: int, pipe) -> None:
    """Keep 64 connections busy for a while, each with one request at a time; send back a `Round`."""
    length = len(BODY) - 2 + ID_LENGTH
    head += b"Content-Length: %d\r\n\r\n" % length
    before, after = BODY.split(b"%s")
    prefix = head + before
    poll = select.epoll()
    connections = {}
    started: dict[int, float] = {}
    for _ in range(CONNECTIONS):
        connection = socket.create_connection((HOST, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
    latencies: list[float] = []
    now = time.perf_counter
    next_id = first_id
    begin = now()
    end = begin + seconds
    for number, connection in connections.items():
        started[number] = now()
        connection.send(prefix + b"%016d" % next_id + after)
        next_id += 1
    open_requests = CONNECTIONS
    while open_requests:
        for number, _ in poll.poll(5):
            connection = connections[number]
            answer = connection.recv(4096)
            instant = now()
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"Not a 200: {answer[:300]!r}")
            latencies.append(instant - started[number])
            if instant < end:
                started[number] = instant
                connection.send(prefix + b"%016d" % next_id + after)
                next_id += 1
            else:
                open_requests -= 1
    took = now() - begin
    pipe.send(Round(len(latencies) / took, [1000 * value for value in latencies], next_id - first_id))


def measure(port: int, head: bytes, seconds: float, first_id: int = 0) -> Round:
    """Ask from a process of its own, as a client would."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=ask, args=(port, head, seconds, first_id, theirs))
    process.start()
    theirs.close()
    result: Round = ours.recv()
    process.join()
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"Nothing listens at {HOST}:{port}.")


def check_log(folder: Path, acknowledged: int) -> None:
    """Raise where the log does not hold exactly what was acknowledged, each message once."""
    store = open_store(f"sqlite:///{folder}/store.db")
    log = opened_log(folder, store)
    kept = 0
    ids: set[int] = set()
    for table in log.replay(limit=50_000):
        for body in table["body"].to_pylist():
            for message in msgspec.json.decode(body)["batch"]:
                ids.add(int(message["messageId"]))
                kept += 1
    log.close()
    store.close()
    if not kept == len(ids) == acknowledged or ids != set(range(acknowledged)):
        raise SystemExit(
            f"{acknowledged:,} messages were acknowledged, the log holds {kept:,} ({len(ids):,} ids)."
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tekil-bench-") as name:
        folder = Path(name)
        store = open_store(f"sqlite:///{folder}/store.db")
        key = store.keys.create_write_key("bench").key
        store.close()
        door, empty = free_port(), free_port()
        servers = [
            multiprocessing.Process(target=run_door, args=(folder, door)),
            multiprocessing.Process(target=run_empty, args=(empty,)),
        ]
        for server in servers:
            server.start()
        try:
            wait_for(door)
            wait_for(empty)
            return compare(folder, door, empty, key, options.rounds, options.seconds)
        finally:
            for server in servers:
                server.terminate()
                server.join()


def compare(folder: Path, door: int, empty: int, key: str, rounds: int, seconds: float) -> int:
    head = (
        b"POST /v1/track HTTP/1.1\r\nHost: door\r\nContent-Type: application/json\r\nAuthorization: Bearer "
    )
    head += key.encode() + b"\r\n"
    acknowledged = 0
    door_rounds: list[Round] = []
    empty_rounds: list[Round] = []
    for number in range(rounds + 1):
        seen = measure(door, head, seconds, acknowledged)
        acknowledged += seen.acknowledged
        bare = measure(empty, head, seconds)
        if number:  # The first round warms up.
            door_rounds.append(seen)
            empty_rounds.append(bare)
    check_log(folder, acknowledged)
    rate = statistics.median(r.rate for r in door_rounds)
    ratio = statistics.median(a.rate / b.rate for a, b in zip(door_rounds, empty_rounds, strict=True))
    latencies = sorted(value for r in door_rounds for value in r.latencies)
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    print(
        f"durable acks: {rate:,.0f} req/s, {ratio:.0%} of the same server answering an empty 200 "
        f"(bar: >= {RATIO_BAR:.0%}); p50 {p50:.1f} ms, p99 {p99:.1f} ms at {CONNECTIONS} connections "
        f"(bar: p99 < {P99_BAR_MS:.0f} ms)"
    )
    return 0 if ratio >= RATIO_BAR and p99 < P99_BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
