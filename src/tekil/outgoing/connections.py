"""Tokens for other systems: kept sealed, renewed before their end, by one at a time, and given back."""

from __future__ import annotations

import hmac
import time
from collections import defaultdict
from collections.abc import Callable
from threading import Lock

import httpx
import msgspec

from tekil.access.audit import Act, Actor
from tekil.errors import BadRequest, Unavailable
from tekil.outgoing import grants
from tekil.outgoing.client import Outgoing
from tekil.outgoing.grants import Connection, ConnectionRefused, Started, Tokens
from tekil.store.connections import DISABLED, ConnectionRow, ConnectionRows
from tekil.store.second_factors import Sealer

LEASE_SECONDS = 45.0
"""How long one may take to renew a token before others do: longer than a request can last."""

POLL_SECONDS = 0.1


class _Secrets(msgspec.Struct, frozen=True):
    """What of a connection is sealed: all of it."""

    connection: Connection
    tokens: Tokens | None = None
    started: Started | None = None


class Connections:
    """All connections of an installation. Safe for many threads, and beside other processes."""

    def __init__(
        self,
        rows: ConnectionRows,
        sealer: Sealer,
        outgoing: Outgoing,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Take where they are kept, what seals them, the way out; `clock` tells seconds since the epoch."""
        self._rows, self._sealer = rows, sealer
        self._clock, self._sleep = clock, sleep
        self._http = outgoing.client()
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    def close(self) -> None:
        """Let go of network connections."""
        self._http.close()

    def put(self, connection: Connection, by: Actor) -> None:
        """Keep a connection. One that is there already keeps its tokens unless something of it changed."""
        row = self._rows.find(connection.name)
        if row is not None and self._open(row.sealed).connection == connection:
            return
        sealed = self._seal(_Secrets(connection))
        self._rows.put(connection.name, connection.grant, connection.token_url, sealed, by)

    def of(self, name: str) -> HeldConnection:
        """Return one connection's tokens, for whoever asks with them."""
        return HeldConnection(self, name)

    def token(self, name: str) -> str:
        """Return an access token that lasts a while yet, a new one where need be.

        Raises `NotFound` where there is no such connection, `ConnectionRefused` where the other side says no,
        `Unavailable` where it cannot be asked now.
        """
        found = self._fresh(name)
        if found is not None:
            return found
        with self._locks[name]:
            until = self._clock() + LEASE_SECONDS
            # Another thread may have renewed it while this one waited, and another process may right now.
            while (found := self._fresh(name)) is None:
                if self._rows.claim(name, self._clock(), LEASE_SECONDS):
                    return self._renew(name)
                if self._clock() > until:
                    raise Unavailable(f"{name} is being renewed elsewhere.", code="connection_unavailable")
                self._sleep(POLL_SECONDS)
            return found

    def probe(self, name: str, by: Actor) -> None:
        """Ask the other side for a new token now, whether one is at hand or not; that is put on record.

        Raises what `token` raises.
        """
        works = False
        try:
            with self._locks[name]:
                self._check_enabled(self._rows.get(name))
                if not self._rows.claim(name, self._clock(), LEASE_SECONDS):
                    raise Unavailable(f"{name} is being renewed elsewhere.", code="connection_unavailable")
                self._renew(name)
            works = True
        finally:
            if self._rows.find(name) is not None:
                self._rows.note(name, by, Act.CONNECTION_TESTED, works=works)

    def all(self) -> list[ConnectionRow]:
        """Return all connections by name, with their states and nothing secret in the clear."""
        return self._rows.all()

    def set_enabled(self, name: str, enabled: bool, by: Actor) -> None:
        """Let a connection be used, or no longer: then nobody is given a token of it."""
        self._rows.set_enabled(name, enabled, by)

    def spoiled(self, name: str, token: str) -> None:
        """Note that a token was refused before its time, so that the next is a new one."""
        with self._locks[name]:
            held = self._held(name)
            if held.tokens is not None and hmac.compare_digest(
                held.tokens.access.encode(), token.encode(errors="replace")
            ):
                # What forgot a token may have forgotten what renews it; only leave cannot be asked for anew.
                by_leave = held.connection.grant == "authorization_code"
                refresh = held.tokens.refresh if by_leave else ""
                over = msgspec.structs.replace(held.tokens, expires_at=0.0, refresh=refresh)
                self._save(name, msgspec.structs.replace(held, tokens=over))

    def start(self, name: str, redirect_uri: str) -> str:
        """Return where to send somebody who shall give leave at the other side."""
        held = self._held(name)
        url, started = grants.start(held.connection, redirect_uri)
        self._save(name, msgspec.structs.replace(held, started=started))
        return url

    def finish(self, name: str, state: str, code: str, by: Actor) -> None:
        """Trade the code that somebody brought back for tokens; a state is good for one attempt.

        Raises `BadRequest` where the state is not the one that was sent along.
        """
        with self._locks[name]:
            held = self._held(name)
            expected = held.started.state if held.started else ""
            if not expected or not hmac.compare_digest(expected.encode(), state.encode(errors="replace")):
                raise BadRequest(
                    "This answer does not belong to a question of ours; connect anew.",
                    code="connection_state_unknown",
                )
            assert held.started is not None, "its state was just compared"
            fields = grants.code_fields(held.started, code)
            held = msgspec.structs.replace(held, started=None)
            self._save(name, held)
            tokens = self._ask(held.connection, fields)
            self._save(name, msgspec.structs.replace(held, tokens=tokens))
            self._rows.note(name, by, Act.CONNECTION_AUTHORISED)

    def remove(self, name: str, by: Actor) -> bool:
        """Forget a connection, and tell the other side; return whether it knows.

        It is forgotten here even where the other side cannot be told.
        """
        with self._locks[name]:
            held = self._held(name)
            revoked = self._revoke(held)
            self._rows.remove(name, by, revoked=revoked)
        return revoked

    def _fresh(self, name: str) -> str | None:
        row = self._rows.get(name)
        self._check_enabled(row)
        tokens = self._open(row.sealed).tokens
        if tokens is not None and tokens.is_fresh(self._clock()):
            return tokens.access
        if row.state == "broken":
            raise ConnectionRefused(row.error, code="connection_broken")
        return None

    def _check_enabled(self, row: ConnectionRow) -> None:
        if row.state == DISABLED:
            told = f"{row.name} is disabled; enable it in the console under Connections."
            raise ConnectionRefused(told, code="connection_disabled")

    def _renew(self, name: str) -> str:
        held = self._held(name)
        try:
            tokens = self._renewed(held)
        except ConnectionRefused as error:
            # Whoever asks with a password may be let in again without a change here.
            for_good = error.code == "connection_broken" and held.connection.grant == "authorization_code"
            self._rows.fail(name, "broken" if for_good else "refused", error.message)
            raise
        except BaseException as error:
            self._rows.fail(name, "away", str(error) if isinstance(error, Unavailable) else "")
            raise
        self._save(name, msgspec.structs.replace(held, tokens=tokens))
        return tokens.access

    def _renewed(self, held: _Secrets) -> Tokens:
        connection, refresh = held.connection, held.tokens.refresh if held.tokens else ""
        by_leave = connection.grant == "authorization_code"
        if refresh:
            try:
                return self._ask(connection, grants.refresh_fields(refresh), refresh)
            except ConnectionRefused:
                if by_leave:
                    raise
        if by_leave:
            raise ConnectionRefused(
                f"Nobody has given leave to {connection.name} yet, or it came without a refresh token; "
                "connect it in a browser.",
                code="connection_broken",
            )
        return self._ask(connection, grants.first_fields(connection))

    def _ask(self, connection: Connection, fields: dict[str, str], refresh: str = "") -> Tokens:
        try:
            answer = self._http.post(**grants.request_of(connection, connection.token_url, fields))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise grants.away(connection, str(error) or type(error).__name__) from error
        return grants.read_tokens(connection, answer, self._clock(), refresh)

    def _revoke(self, held: _Secrets) -> bool:
        connection, tokens = held.connection, held.tokens
        if not connection.revoke_url or tokens is None:
            return False
        kind = "refresh_token" if tokens.refresh else "access_token"
        fields = {"token": tokens.refresh or tokens.access, "token_type_hint": kind}
        try:
            answer = self._http.post(**grants.request_of(connection, connection.revoke_url, fields))
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.status_code == httpx.codes.OK

    def _held(self, name: str) -> _Secrets:
        return self._open(self._rows.get(name).sealed)

    def _save(self, name: str, held: _Secrets) -> None:
        expires_at = held.tokens.expires_at if held.tokens else None
        self._rows.save(name, self._seal(held), None if expires_at is None else int(expires_at * 1e6))

    def _seal(self, held: _Secrets) -> str:
        return self._sealer.seal(msgspec.json.encode(held).decode())

    def _open(self, sealed: str) -> _Secrets:
        return msgspec.json.decode(self._sealer.open(sealed), type=_Secrets)


class HeldConnection:
    """One connection's tokens."""

    def __init__(self, connections: Connections, name: str) -> None:
        """Take all of them, and which one."""
        self._connections, self._name = connections, name

    def token(self) -> str:
        """See `Connections.token`."""
        return self._connections.token(self._name)

    def spoiled(self, token: str) -> None:
        """See `Connections.spoiled`."""
        self._connections.spoiled(self._name, token)
