"""What İYS accepts, checked before anything is sent: each rule with its code and its words. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from tekil.privacy.iys.calendar import TURKEY, deadline
from tekil.store.iys import IysRecord

TYPES = {"call": "ARAMA", "sms": "MESAJ", "email": "EPOSTA"}
"""Channel → İYS's type. Other channels are none of its business."""

KINDS = {"ARAMA": "phone", "MESAJ": "phone", "EPOSTA": "email"}
RECIPIENT_TYPES = ("BIREYSEL", "TACIR")
GIVEN, WITHDRAWN = "ONAY", "RET"
STATUSES = (GIVEN, WITHDRAWN)

SOURCES = (
    "HS_WEB",
    "HS_FIZIKSEL_ORTAM",
    "HS_ISLAK_IMZA",
    "HS_CAGRI_MERKEZI",
    "HS_SOSYAL_MEDYA",
    "HS_EPOSTA",
    "HS_MESAJ",
    "HS_MOBIL",
    "HS_EORTAM",
    "HS_ETKINLIK",
    "HS_2015",
    "HS_ATM",
    "HS_KARAR",
)
"""Where a service provider may have got a consent."""

OLDEST = datetime(2015, 5, 1, tzinfo=TURKEY)
"""The law's first day: İYS takes nothing from before it."""

_PHONE = re.compile(r"\+90[2-58][0-9]{9}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

TEXTS = {
    "type_unknown": (
        "İzin tipi ARAMA, MESAJ ya da EPOSTA olmalı.",
        "The type must be ARAMA, MESAJ or EPOSTA.",
    ),
    "recipient_type_unknown": (
        "Alıcı tipi BIREYSEL ya da TACIR olmalı.",
        "The recipient type must be BIREYSEL or TACIR.",
    ),
    "status_unknown": ("İzin durumu ONAY ya da RET olmalı.", "The status must be ONAY or RET."),
    "source_unknown": (
        "İzin kaynağı İYS'nin bildiği kaynaklardan biri değil; tekil.toml'da [iys.sources] altında eşleyin.",
        "İYS does not know this source; map it under [iys.sources] in tekil.toml.",
    ),
    "recipient_invalid": (
        "Alıcı +90 ile başlayan bir telefon numarası ya da küçük harfli bir e-posta olmalı.",
        "The recipient must be a phone number with +90, or an e-mail address in small letters.",
    ),
    "recipient_unknown": (
        "Adresin kendisi bu kurulumda yok; yalnızca belirteci biliniyor.",
        "The address itself is not known here, only its token.",
    ),
    "date_in_future": ("İzin tarihi gelecekte olamaz.", "The consent's date cannot lie in the future."),
    "date_before_2015": (
        "İzin tarihi 1 Mayıs 2015'ten önce olamaz.",
        "The consent's date cannot lie before 1 May 2015.",
    ),
    "first_is_refusal": (
        "Bir alıcının İYS'deki ilk kaydı RET olamaz; İYS'de ONAY yoksa RET bildirilmesi gerekmez.",
        "A recipient's first record at İYS cannot be RET; where there is no ONAY, none needs to be told.",
    ),
    "status_repeated": (
        "İYS bu alıcı için aynı durumu zaten biliyor.",
        "İYS already holds this very status for the recipient.",
    ),
    "date_not_newer": (
        "İzin tarihi, İYS'deki son kaydın tarihinden sonra olmalı.",
        "The consent's date must be later than that of the last record at İYS.",
    ),
    "overdue": (
        "Onayın üzerinden üç iş günü geçti; İYS onu artık almaz. Kişiden yeniden onay alın.",
        "Three business days have passed since the consent; İYS takes it no more. Ask the person again.",
    ),
}
"""Code of a rule → what is wrong, in Turkish and English."""


class Check(msgspec.Struct, frozen=True):
    """What the rules say of a record: the first broken one's code, or nothing; and whether it is late."""

    code: str = ""
    late: bool = False


def recipient(kind: str, value: str) -> str | None:
    """Return an address as İYS writes it, or nothing where it can be none of its kind."""
    if kind == "phone":
        return value if _PHONE.fullmatch(value) else None
    lowered = value.replace("İ", "i").replace("I", "i").lower()
    return lowered if _EMAIL.fullmatch(lowered) else None


def check(record: IysRecord, value: str | None, last: IysRecord | None, now: datetime) -> Check:
    """Return whether İYS would accept a record about the address `value`, with `last` as what it holds.

    A refusal whose three business days are over is still told, because the person's will stands: it is
    marked late. A consent that old is worth nothing there.
    """
    consent_at = instant(record.consent_at)
    late = now >= deadline(consent_at)
    broken = (
        ("type_unknown", record.type not in KINDS),
        ("recipient_type_unknown", record.recipient_type not in RECIPIENT_TYPES),
        ("status_unknown", record.status not in STATUSES),
        ("source_unknown", record.source not in SOURCES),
        ("recipient_unknown", value is None),
        (
            "recipient_invalid",
            value is not None
            and (KINDS.get(record.type) != record.kind or recipient(record.kind, value) is None),
        ),
        ("date_in_future", consent_at > now),
        ("date_before_2015", consent_at < OLDEST),
        ("first_is_refusal", last is None and record.status == WITHDRAWN),
        ("status_repeated", last is not None and last.status == record.status),
        ("date_not_newer", last is not None and _second(record.consent_at) <= _second(last.consent_at)),
        ("overdue", late and record.status == GIVEN),
    )
    code = next((code for code, is_broken in broken if is_broken), "")
    return Check(code, late and not code and record.status == WITHDRAWN)


def instant(microseconds: int) -> datetime:
    """Return an instant of the store."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _second(microseconds: int) -> int:
    """Return what İYS sees of an instant: it knows seconds, no finer."""
    return microseconds // 1_000_000
