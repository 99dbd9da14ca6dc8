"""Users who sign in elsewhere: which identity of which provider is whom here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from tekil.access.audit import Act, Actor
from tekil.errors import BadRequest, Forbidden
from tekil.store.access_tables import external_identities as identities
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.sessions import start_session
from tekil.store.tables import users
from tekil.store.users import USER_NAME, change_user, check_administrator, insert_user


class Arrival(msgspec.Struct, frozen=True):
    """Somebody who comes from a provider: who they are there, and what the mapping makes of them.

    `may_be_new` says that whom nobody knows yet is made a user.
    """

    provider: str
    issuer: str
    subject: str
    name: str
    roles: tuple[str, ...]
    may_be_new: bool = True


class Identities:
    """Reads and writes of identities elsewhere."""

    def __init__(self, begin: Begin, unknown_password: str) -> None:
        """Take what opens a transaction on the store, and the hash of a password that nobody knows."""
        self._begin = begin
        self._unknown = unknown_password

    def issuers_of(self, user_name: str) -> list[str]:
        """Return the providers that a user comes from."""
        query = select(identities.c.issuer).where(identities.c.user_name == user_name)
        with self._begin() as connection:
            return sorted(connection.execute(query).scalars())

    def link(self, user_name: str, issuer: str, subject: str, by: Actor) -> None:
        """Say that an identity elsewhere is a user here. Raises `BadRequest` if it is another's."""
        with self._begin() as connection:
            _link(connection, user_name, issuer, subject, by)

    def sign_in(self, arrival: Arrival, address: str) -> tuple[str, str]:
        """Return the name of whoever arrives, and their new session; their roles are what they are there now.

        Raises `Forbidden` where they may not come in: disabled, unknown, called like somebody else.
        """
        by = Actor("system", f"provider {arrival.provider}", address)
        known = (identities.c.issuer == arrival.issuer) & (identities.c.subject == arrival.subject)
        query = select(users.c.name, users.c.roles, users.c.disabled_at)
        joined = query.join(identities, identities.c.user_name == users.c.name).where(known)
        with self._begin() as connection:
            user = connection.execute(joined).first()
            if user is None:
                name = _new(connection, arrival, self._unknown, by)
            elif user.disabled_at is not None:
                raise Forbidden("This user is disabled here; ask an administrator.", code="user_disabled")
            else:
                name = user.name
                _renew_roles(connection, name, user.roles.split(), arrival.roles, by)
            token = start_session(connection, name, address)
            way = arrival.provider
            record(connection, Actor("user", name, address), Act.SIGNED_IN, "user", name, way=way)
        return name, token


def _new(connection: Connection, arrival: Arrival, password_hash: str, by: Actor) -> str:
    name = arrival.name
    if not arrival.may_be_new:
        raise Forbidden("Nobody has let you in here yet; ask an administrator.", code="user_unknown_here")
    if not USER_NAME.fullmatch(name):
        raise Forbidden(
            "The provider tells no name that would do here: up to 64 letters, digits and . @ + - _.",
            code="user_name_invalid",
        )
    if connection.execute(select(users.c.name).where(users.c.name == name)).first():
        # Whoever gets to choose their name there must not become somebody by it here.
        raise Forbidden(
            f"There is a user named {name!r} already, who does not come from there. An administrator can say "
            "that it is you: tekil user link.",
            code="user_name_taken",
        )
    # They come in by their provider only, until an administrator gives them a password.
    insert_user(connection, name, password_hash, arrival.roles, None, must_change=False)
    record(connection, by, Act.USER_CREATED, "user", name, roles=arrival.roles)
    _link(connection, name, arrival.issuer, arrival.subject, by)
    return name


def _link(connection: Connection, user_name: str, issuer: str, subject: str, by: Actor) -> None:
    change_user(connection, user_name, must_change=False)
    row = {"issuer": issuer, "subject": subject, "user_name": user_name, "created_at": now_us()}
    try:
        connection.execute(insert(identities).values(**row))
    except IntegrityError as error:
        raise BadRequest("This identity is somebody's already.", code="identity_taken") from error
    record(connection, by, Act.IDENTITY_LINKED, "user", user_name, issuer=issuer)


def _renew_roles(
    connection: Connection, name: str, held: Sequence[str], roles: tuple[str, ...], by: Actor
) -> None:
    if set(held) == set(roles):
        return
    change_user(connection, name, roles=" ".join(roles))
    check_administrator(connection)
    record(connection, by, Act.USER_ROLES_SET, "user", name, roles=roles)
