"""What consent can be asked for: purposes, with their words, and the channels that each is asked about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from tekil.config import ConsentSettings
from tekil.errors import BadRequest

CHANNELS = ("email", "sms", "call", "whatsapp", "push", "web")
"""The ways to reach a person; `web` is the site and the app, where nobody is written to."""

ADDRESS_KINDS = {"email": "email", "sms": "phone", "call": "phone", "whatsapp": "phone"}
"""Channel → the kind of identifier that is its address: consent for these is the address's own, by law."""

LANGUAGES = ("tr", "en")


class Words(msgspec.Struct, frozen=True):
    """A text in both languages."""

    tr: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text in a language, Turkish where there is none in it."""
        return self.en if language == "en" else self.tr


class Purpose(msgspec.Struct, frozen=True):
    """Something personal data is used for. `text` is what a person reads before they choose."""

    name: str
    title: Words
    text: Words
    channels: tuple[str, ...]


DEFAULT_PURPOSES = (
    Purpose(
        "marketing",
        Words("Kampanya ve duyurular", "Offers and news"),
        Words(
            "Kampanya, indirim ve yeniliklerden, seçtiğiniz kanallardan haberdar edilmenize izin verirsiniz.",
            "You allow us to tell you about offers, discounts and news through the channels you choose.",
        ),
        CHANNELS,
    ),
    Purpose(
        "analytics",
        Words("Ölçüm ve geliştirme", "Measuring and improving"),
        Words(
            "Hizmeti geliştirmek için siteyi ve uygulamayı kullanımınızın ölçülmesine izin verirsiniz.",
            "You allow us to measure how you use the site and the app, in order to improve them.",
        ),
        ("web",),
    ),
    Purpose(
        "personalisation",
        Words("Kişiselleştirme", "Personalisation"),
        Words(
            "Tercihlerinizin hatırlanmasına ve içeriğin size göre düzenlenmesine izin verirsiniz.",
            "You allow us to remember your preferences and to arrange what you see accordingly.",
        ),
        ("web",),
    ),
    Purpose(
        "profiling",
        Words("Profil çıkarma", "Profiling"),
        Words(
            "Geçmiş alışverişlerinizden ilgi alanlarınızın tahmin edilmesine izin verirsiniz.",
            "You allow us to estimate what interests you from what you did before.",
        ),
        ("web",),
    ),
    Purpose(
        "sharing",
        Words("Reklam ortaklarıyla paylaşım", "Sharing with advertising partners"),
        Words(
            "Verilerinizin, ilgili reklamlar için reklam ortaklarımızla paylaşılmasına izin verirsiniz.",
            "You allow us to share your data with our advertising partners, for relevant advertisements.",
        ),
        ("web",),
    ),
)
"""What an installation asks about where its tekil.toml does not say otherwise."""


def purposes_of(settings: ConsentSettings) -> tuple[Purpose, ...]:
    """Return the purposes of an installation: its own where it names any, else the default ones."""
    own = tuple(
        Purpose(p.name, Words(p.title_tr, p.title_en), Words(p.text_tr, p.text_en), p.channels or CHANNELS)
        for p in settings.purposes
    )
    return own or DEFAULT_PURPOSES


def check_choice(purposes: Sequence[Purpose], purpose: str, channel: str) -> None:
    """Raise `BadRequest` where a purpose does not exist, or is not asked about for a channel."""
    found = next((known for known in purposes if known.name == purpose), None)
    if found is None:
        names = ", ".join(known.name for known in purposes)
        raise BadRequest(f"There is no purpose {purpose!r}. There are: {names}.", code="purpose_unknown")
    if channel not in found.channels:
        raise BadRequest(
            f"The purpose {purpose} has no channel {channel!r}. It has: {', '.join(found.channels)}.",
            code="channel_unknown",
        )


def shown_text(purposes: Sequence[Purpose], language: str) -> str:
    """Return what a person has before their eyes when they choose, as one text."""
    lines = [f"{p.title.in_language(language)}\n{p.text.in_language(language)}" for p in purposes]
    return "\n\n".join(lines)


def text_version(text: str) -> str:
    """Return the version of a text: it changes when a letter of it does."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
