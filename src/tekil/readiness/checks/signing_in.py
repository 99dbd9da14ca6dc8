"""Who may sign in: second factors, administrators, and keys that end."""

from __future__ import annotations

from tekil.access.policy import ADMINISTRATOR
from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, OutOf, Point
from tekil.readiness.sight import Sight

ADMINISTRATORS = range(2, 6)
"""One alone locks everybody out the day they are away; a crowd is no least privilege."""

SOON_DAYS = 14


def _look(sight: Sight) -> list[Point]:
    users = [user for user in sight.store.users.all() if not user.disabled]
    with_factor = sum(user.has_second_factor for user in users)
    administrators = sum(ADMINISTRATOR in user.roles for user in users)
    access = sight.config.access
    strict = {*access.second_factor, *access.passkey}
    few = administrators < ADMINISTRATORS.start
    return [
        Point(
            "ready" if users and with_factor == len(users) else "attention" if with_factor else "missing",
            Words("İkinci doğrulamayı açmış kullanıcılar.", "Users with a second factor."),
            figure=OutOf(with_factor, len(users)),
            fix=Words("Herkes kendi hesabından açar.", "Everybody sets it up in their own account."),
            link="/users",
        ),
        Point(
            "ready" if strict else "attention",
            Words("İkinci doğrulaması zorunlu roller.", "Roles that cannot do without a second factor."),
            figure=len(strict),
            fix=Words(
                "tekil.toml'da access.second_factor ya da access.passkey altında rolleri yazın.",
                "Name the roles under access.second_factor or access.passkey in tekil.toml.",
            ),
            link="/roles",
        ),
        Point(
            "ready" if administrators in ADMINISTRATORS else "attention",
            Words("Yöneticiler.", "Administrators."),
            figure=administrators,
            fix=Words(
                "Bir yönetici daha ekleyin; biri yokken kimse kapıda kalmasın.",
                "Add one more, so that nobody is locked out while one is away.",
            )
            if few
            else Words("Herkese yalnız işinin rolünü verin.", "Give everybody the role of their work alone."),
            link="/users",
        ),
        *_keys(sight),
    ]


def _keys(sight: Sight) -> list[Point]:
    keys = [key for key in sight.store.keys.api_keys() if not key.revoked and not key.expired]
    endless = sum(key.expires_at is None for key in keys if "*" not in key.scopes)
    soon = sight.ago(days=-SOON_DAYS)
    ending = sum(key.expires_at is not None and key.expires_at < soon for key in keys)
    return [
        Point(
            "attention" if ending else "ready",
            Words("14 gün içinde süresi dolacak API anahtarları.", "API keys that expire within 14 days."),
            figure=ending,
            fix=Words("Yenileyin.", "Renew them."),
            link="/keys",
        ),
        Point(
            "attention" if endless else "ready",
            Words("Süresi hiç dolmayan API anahtarları.", "API keys that never expire."),
            figure=endless,
            fix=Words("Bir bitiş günüyle yenileyin.", "Renew them with a day on which they end."),
            link="/keys",
        ),
    ]


SIGNING_IN = Check(
    "signing_in", "trust", Words("İkinci doğrulama ve roller açık", "Second factors and roles are on"), _look
)
