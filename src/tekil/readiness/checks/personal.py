"""Is what is personal masked: does the vault work, is the log encrypted, is the dictionary kept to?"""

from __future__ import annotations

from datetime import timedelta

from tekil.errors import TekilError
from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Point, Share
from tekil.readiness.sight import DAYS, Sight

VIOLATIONS_MAX = 0.01
"""More breaches than one in a hundred messages ask for somebody."""

PROBE = "tekil readiness"


def _look(sight: Sight) -> list[Point]:
    return [_vault(sight), _log(sight), _master_key(sight), _violations(sight)]


def _vault(sight: Sight) -> Point:
    try:
        works = sight.vault.open_body(sight.vault.seal_body(PROBE)) == PROBE
    except TekilError:
        works = False
    return Point(
        "ready" if works else "attention",
        Words("Kasa mühürlüyor ve açıyor.", "The vault seals and opens.")
        if works
        else Words("Kasa kendi mühürlediğini açamıyor.", "The vault cannot open what it seals."),
        fix=Words(
            "`tekil vault status` ile anahtarlara, tekil.toml'da keys.master ayarına bakın.",
            "Look at the keys with `tekil vault status`, and at keys.master in tekil.toml.",
        ),
    )


def _log(sight: Sight) -> Point:
    keys = sum(key.purpose.startswith("log ") for key in sight.store.data_keys.all())
    if keys:
        told = Words(
            "Günlük, her günün kendi anahtarıyla şifreli: {keys} günün anahtarı duruyor.",
            "The log is encrypted, each day by its own key: the keys of {keys} days are kept.",
        )
        return Point("ready", told, {"keys": keys}, figure=keys, link="/retention")
    return Point(
        "missing",
        Words("Günlüğün henüz bir anahtarı yok.", "The log has no key yet."),
        fix=Words("İlk mesajla kendiliğinden oluşur.", "The first message makes one."),
    )


def _master_key(sight: Sight) -> Point:
    kind, _, rest = sight.config.keys.master.partition(":")
    beside = kind == "file" and (sight.config.root / rest).resolve().is_relative_to(
        sight.config.data.resolve()
    )
    if beside:
        told = Words(
            "Ana anahtar, mühürlediği verilerin yanında duruyor: klasörü kopyalayan ikisini de alır.",
            "The master key lies beside the data it seals: whoever copies the folder has both.",
        )
    else:
        told = Words("Ana anahtar verilerin yanında durmuyor.", "The master key is kept away from the data.")
    return Point(
        "attention" if beside else "ready",
        told,
        fix=Words(
            "tekil.toml'da keys.master için env:… ya da command:… yazın ve anahtarın bir kopyasını saklayın.",
            "Write env:… or command:… for keys.master in tekil.toml, and keep a copy of the key.",
        ),
    )


def _violations(sight: Sight) -> Point:
    since = (sight.now - timedelta(days=DAYS)).date().isoformat()
    rows = sight.reads.sql(
        f"SELECT sum(messages) AS messages FROM violations WHERE day >= '{since}'"
    ).to_pylist()
    broken = int(rows[0]["messages"] or 0) if rows else 0
    messages = sum(one.messages for one in sight.traffic)
    share = broken / messages if messages else 0.0
    return Point(
        "attention" if share > VIOLATIONS_MAX else "ready" if messages else "missing",
        Words("Sözlüğe uymayan bulgular, mesajlara oranla.", "Breaches of the dictionary, by messages."),
        figure=Share(broken, messages),
        fix=Words("Kuralları ya da göndereni düzeltin.", "Put the rules, or what sends, right."),
        link="/quality",
    )


PERSONAL = Check("personal", "trust", Words("Kişisel veriler maskeli", "Personal data is masked"), _look)
