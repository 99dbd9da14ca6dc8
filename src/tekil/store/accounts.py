"""Who may sign in, as every part of the store knows them."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Select, func, select

from tekil.access.policy import Condition, Permission, permissions_of
from tekil.store.access_tables import passkeys
from tekil.store.tables import second_factors, users


class User(msgspec.Struct, frozen=True):
    """Somebody who may sign in. `condition` narrows whom they see; `must_change` is about their password.

    `has_authenticator` and `passkeys` (how many) are their second factors.
    """

    name: str
    created_at: int
    roles: tuple[str, ...] = ()
    disabled: bool = False
    must_change: bool = False
    condition: Condition | None = None
    has_authenticator: bool = False
    passkeys: int = 0

    @property
    def has_second_factor(self) -> bool:
        """Whether more than a password can be asked of them."""
        return self.has_authenticator or self.passkeys > 0

    @property
    def permissions(self) -> frozenset[Permission]:
        """What their roles allow together."""
        return frozenset() if self.disabled else permissions_of(self.roles)

    def allows(self, permission: str) -> bool:
        """Return whether one of their roles holds a permission."""
        return permission in self.permissions


def select_users(*more: ColumnElement[object]) -> Select[tuple[object, ...]]:
    """Return the query whose rows `user_of` reads, with more columns."""
    confirmed = second_factors.c.confirmed_at.label("factor_confirmed_at")
    good = (passkeys.c.user_name == users.c.name) & passkeys.c.suspect_at.is_(None)
    keys = select(func.count()).select_from(passkeys).where(good).scalar_subquery().label("passkeys")
    return select(users, confirmed, keys, *more).outerjoin(
        second_factors, second_factors.c.user_name == users.c.name
    )


def user_of(row: RowMapping) -> User:
    """Return a row of `select_users` as a user."""
    return User(
        name=row["name"],
        created_at=row["created_at"],
        roles=tuple(row["roles"].split()),
        disabled=row["disabled_at"] is not None,
        must_change=row["must_change"],
        condition=read_condition(row["condition"]),
        has_authenticator=row["factor_confirmed_at"] is not None,
        passkeys=row["passkeys"],
    )


def read_condition(text: str | None) -> Condition | None:
    """Return an attribute rule as the store keeps it."""
    return None if text is None else msgspec.json.decode(text, type=Condition)


def write_condition(condition: Condition | None) -> str | None:
    """Return an attribute rule as the store will keep it."""
    return None if condition is None else msgspec.json.encode(condition).decode()
