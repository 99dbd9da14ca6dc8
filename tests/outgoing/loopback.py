"""Servers of a test's own on loopback, and the way out that may reach them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tekil.outgoing import Outgoing

ALLOW = ("127.0.0.0/8",)
LOOPBACK = Outgoing(ALLOW)


@dataclass
class Asked:
    """One request as a server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What a server says, in chunks, each after a pause of so many seconds."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: int = 1
    pause: float = 0.0


class Loopback:
    """A server that answers as it is told, until `close`. It keeps what it was asked."""

    def __init__(self, answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.answer = answer
        self._over = threading.Event()
        asked, over = self.asked, self._over
        this = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked.append(Asked(self.command, self.path, headers, body))
                told = this.answer(asked[-1])
                self.send_response(told.status)
                length = {"Content-Length": str(len(told.body) * told.chunks)}
                for name, value in {**length, **told.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for _ in range(told.chunks):
                        if told.pause and over.wait(told.pause):
                            return
                        self.wfile.write(told.body)
                        self.wfile.flush()
                except OSError:
                    pass  # whoever asked has left, as they should

            do_GET = do_POST = _answer

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
