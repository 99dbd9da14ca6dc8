"""What forms say to people, in both languages."""

from __future__ import annotations

from typing import Any

FLAWS = {
    "missing": ("Bu alan gerekli.", "{field} is needed."),
    "unknown": ("Böyle bir alan yok.", "There is no field {field!r}."),
    "unknown_form": ("Böyle bir form yok.", "There is no form of this name."),
    "contact_missing": (
        "Size ulaşabileceğimiz bir e-posta ya da telefon yazın.",
        "Give an e-mail or a phone.",
    ),
    "not_text": ("Buraya yazı yazın.", "{field} must be text."),
    "too_long": ("En çok {most} karakter yazın.", "{field} has at most {most} characters."),
    "not_email": ("Bu bir e-posta adresi değil; ad@ornek.com gibi yazın.", "This is no e-mail address."),
    "not_phone": (
        "Bu bir telefon numarası değil; 0532 123 45 67 gibi yazın.",
        "This is no phone number; write one like +90 532 123 45 67.",
    ),
    "not_a_choice": ("Listeden birini seçin.", "{field} is one of: {choices}."),
    "not_a_number": ("Bir sayı yazın.", "{field} must be a number."),
    "not_money": ("En çok iki ondalıklı bir tutar yazın.", "{field} is an amount with two decimals at most."),
    "not_true_or_false": ("Evet ya da hayır olmalı.", "{field} is true or false."),
    "malformed": ("Bu değer böyle yazılmaz.", "{field} is not written like this."),
    "not_an_object": ("Bu alan bir nesne olmalı.", "{field} is an object."),
    "members": ("Yalnızca şunlar olabilir: {known}.", "{field} may hold: {known}."),
    "too_many": ("En çok {most} alan olabilir.", "A lead has at most {most} fields."),
    "consent_needed": ("Devam etmek için bunu onaylayın.", "Tick this to go on."),
    "consent_malformed": ("İzinler okunamadı: {why}.", "The consents cannot be read: {why}."),
}
"""Code → what is wrong with a field, in Turkish and in English."""

PAGE = {
    "send": ("Gönder", "Send"),
    "thanks": ("Teşekkürler. En kısa sürede size döneceğiz.", "Thank you. We will be in touch soon."),
    "again": ("Lütfen işaretli alanları düzeltin.", "Please look at the marked fields."),
    "busy": (
        "Şu anda alınamadı; yazdıklarınız duruyor, birazdan yeniden gönderin.",
        "It could not be taken just now; send it again in a moment.",
    ),
    "needed": ("gerekli", "needed"),
    "choose": ("Seçin", "Choose"),
    "leave_empty": ("Bu alanı boş bırakın", "Leave this empty"),
    "email": ("E-posta", "E-mail"),
    "phone": ("Telefon", "Phone"),
    "first_name": ("Ad", "First name"),
    "last_name": ("Soyad", "Last name"),
    "name": ("Ad soyad", "Name"),
    "company": ("Şirket", "Company"),
    "message": ("Mesajınız", "Your message"),
}
"""What the form's page says by itself."""

LANGUAGES = ("tr", "en")


def flaw_text(code: str, language: str, **values: Any) -> str:
    """Return what is wrong, in a language."""
    return FLAWS[code][language == "en"].format(**values)


def page_text(key: str, language: str) -> str:
    """Return one of the page's own texts, empty where there is none."""
    return PAGE.get(key, ("", ""))[language == "en"]
