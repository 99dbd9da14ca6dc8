"""A stand-in for İYS's API: a real HTTP server that keeps its own ledger and enforces the rules by itself.

Paths, names and shapes are those of the documentation at dev.iys.org.tr, and so are the codes H111, H113,
H114 and H155; for the other rules, whose codes it does not list, the stand-in has codes of its own (T…).
Nothing of the product is used here: what the client believes is held against another reading of the rules.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TRT = timezone(timedelta(hours=3))
"""Turkey has had no other time since 2016."""

CLOSED = {
    date(2026, month, day)
    for month, day in [
        (1, 1), (3, 20), (3, 21), (3, 22), (4, 23), (5, 1), (5, 19), (5, 27), (5, 28), (5, 29), (5, 30),
        (7, 15), (8, 30), (10, 29),
    ]
}  # fmt: skip
"""The public holidays of 2026, from the calendar on the wall."""

EVES = {date(2026, 3, 19), date(2026, 5, 26), date(2026, 10, 28)}
"""Half days: work ends at one in the afternoon."""


@dataclass
class StandIn:
    """What the server knows, and how it is to misbehave next. `now` has Turkey's zone."""

    now: Callable[[], datetime]
    held: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    moves: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    renewals: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    slow_bulks: bool = False
    deaf: bool = False
    """Takes what it is told, and answers as if it had fallen over."""
    bodies: list[Any] = field(default_factory=list)
    page: int = 2

    def verdict(self, told: dict[str, Any]) -> tuple[str, str] | None:
        """Return the code and the words by which a consent is refused, or nothing."""
        missing = {"type": "H111", "source": "H113", "recipient": "H114"}
        for name, code in missing.items():
            if not told.get(name):
                return code, f"{name} bulunamadı."
        phone = told["type"] in ("ARAMA", "MESAJ")
        recipient = told["recipient"]
        if told["type"] not in ("ARAMA", "MESAJ", "EPOSTA") or told["status"] not in ("ONAY", "RET"):
            return "T100", "Bilinmeyen değer."
        if phone and not (recipient.startswith("+90") and len(recipient) == 13 and recipient[1:].isdigit()):
            return "T101", "Alıcı telefon numarası değil."
        if not phone and ("@" not in recipient or recipient != recipient.lower()):
            return "T101", "Alıcı e-posta adresi değil."
        when = datetime.strptime(told["consentDate"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=TRT)
        if when > self.now():
            return "T102", "İzin tarihi ileri tarihli."
        if when < datetime(2015, 5, 1, tzinfo=TRT):
            return "H155", "2015-05-01 00:00:00 tarihinden önceki tarihler girilmemelidir."
        last = self.held.get(_key(told))
        if last is None and told["status"] == "RET":
            return "T103", "İlk kayıt RET olamaz."
        if last is not None and last["status"] == told["status"]:
            return "T104", "Aynı izin durumu."
        if last is not None and told["consentDate"] <= last["consentDate"]:
            return "T105", "İzin tarihi son kayıttan yeni olmalı."
        if told["status"] == "ONAY" and self.closed_at(when) <= self.now():
            return "T106", "Üç iş günü geçti."
        return None

    def closed_at(self, when: datetime) -> datetime:
        """Return when a consent comes too late: three working days after its own."""
        left, day = 3, when.date()
        while left:
            day = day + timedelta(days=1)
            if day.isoweekday() not in (6, 7) and day not in CLOSED:
                left -= 1
        hours = 13 if day in EVES else 24
        return datetime(day.year, day.month, day.day, tzinfo=TRT) + timedelta(hours=hours)

    def take(self, told: dict[str, Any], source: str = "HS") -> dict[str, Any]:
        """Hold a consent, and remember that it changed."""
        row = {
            **told,
            "transactionId": uuid.uuid4().hex,
            "creationDate": self.now().strftime("%Y-%m-%d %H:%M:%S"),
        }
        self.held[_key(told)] = row
        self.moves.append({**row, "side": source})
        return row

    def changed_by_recipient(self, recipient: str, type: str, status: str, when: datetime) -> None:
        """Let a citizen change a consent at İYS itself."""
        self.take(
            {
                "recipient": recipient,
                "recipientType": "BIREYSEL",
                "type": type,
                "status": status,
                "source": "IYS_WEB",
                "consentDate": when.astimezone(TRT).strftime("%Y-%m-%d %H:%M:%S"),
            },
            "IYS",
        )

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, token: str) -> Any:
        """Return (status, JSON)."""
        if path == "/oauth2/token":
            return self._token(body)
        if token not in self.tokens:
            return 401, {"message": "Unauthorized"}
        brand = "/sps/700001/brands/700002/consents"
        if not path.startswith(brand):
            return 404, {"message": "Not found"}
        rest = path.removeprefix(brand)
        if (method, rest) == ("POST", ""):
            wrong = self.verdict(body)
            if wrong:
                error = {"code": wrong[0], "message": wrong[1], "location": ["consent"]}
                return 422, {"errors": [error]}
            row = self.take(body)
            return 200, {"transactionId": row["transactionId"], "creationDate": row["creationDate"]}
        if (method, rest) == ("POST", "/request"):
            name = uuid.uuid4().hex
            self.requests[name] = body
            subs = [{"subrequestId": uuid.uuid4().hex, **one} for one in body]
            return 200, {"requestId": name, "subRequests": subs}
        if (method, rest) == ("POST", "/status"):
            row = self.held.get(_key(body))
            return (200, row) if row else (404, {"errors": [{"code": "T404", "message": "Kayıt yok."}]})
        if rest == "/changes":
            return self._changes(query)
        return self._outcomes(rest.removeprefix("/request/"))

    def _token(self, body: dict[str, str]) -> Any:
        password = body.get("username") == "api" and body.get("password") == "gizli"
        if not (password or body.get("refresh_token") in self.renewals):
            return 401, {"errors": [{"code": "T401", "message": "Kullanıcı adı ya da şifre yanlış."}]}
        token, renewal = uuid.uuid4().hex, uuid.uuid4().hex
        self.tokens.add(token)
        self.renewals.add(renewal)
        return 200, {
            "access_token": token,
            "refresh_token": renewal,
            "expires_in": 7200,
            "refresh_expires_in": 14400,
            "token_type": "bearer",
        }

    def _outcomes(self, name: str) -> Any:
        if name not in self.requests:
            return 404, {"errors": [{"code": "T404", "message": "İstek yok."}]}
        rows = []
        for index, told in enumerate(self.requests[name], 1):
            if self.slow_bulks:
                rows.append({"index": index, "status": "enqueue"})
                continue
            wrong = None if told.get("settled") else self.verdict(told)
            if wrong:
                error = {"code": wrong[0], "message": wrong[1]}
                rows.append({"index": index, "status": "failure", "error": error})
            else:
                if not told.get("settled"):
                    self.take(dict(told))
                    told["settled"] = True
                rows.append({"index": index, "status": "success"})
        return 200, rows

    def _changes(self, query: dict[str, list[str]]) -> Any:
        start = int(query.get("after", ["0"])[0])
        side = query.get("source", ["HS"])[0]
        found = [(n, move) for n, move in enumerate(self.moves, 1) if n > start and move["side"] == side]
        page = found[: self.page]
        after = page[-1][0] if page else start
        return 200, {"after": str(after), "list": [move for _, move in page]}


def _key(told: dict[str, Any]) -> tuple[str, str, str]:
    return (told["recipient"], told["recipientType"], told["type"])


class Server:
    """The stand-in behind a port of loopback, until `close`."""

    def __init__(self, stand_in: StandIn) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def _answer(self, method: str) -> None:
                place = urlsplit(self.path)
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                stand_in.asked.append(f"{method} {place.path.rpartition('/')[2]}")
                stand_in.bodies.append(body)
                token = self.headers.get("authorization", "").removeprefix("Bearer ")
                headers: dict[str, str] = {}
                if stand_in.failures and not place.path.endswith("token"):
                    status, headers = stand_in.failures.pop(0)
                    told: Any = {"message": "meşgul"}
                else:
                    status, told = stand_in.answer(method, place.path, parse_qs(place.query), body, token)
                    if stand_in.deaf and method == "POST" and place.path.endswith("consents"):
                        status, told = 500, {}
                content = json.dumps(told).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
