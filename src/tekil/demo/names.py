"""Turkish names, places, e-mail addresses and phone numbers, and the many ways people write them."""

from __future__ import annotations

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = _words(
    "Ayşe Fatma Emine Hatice Zeynep Elif Meryem Şerife Zehra Sultan Hanife Merve Havva Zeliha Esra Özlem "
    "Yasemin Hülya Sevgi Büşra Kübra Gülşah İpek İrem Işıl Çiğdem Tuğba Nurcan Songül Ebru Pınar Şule Ceren "
    "Defne Ecrin Nisanur Asya Gökçe Ülkü Dilek Sıla Duygu Gizem Öykü Begüm İlayda"
)
MEN = _words(
    "Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim İsmail Osman Yusuf Murat Ömer Ramazan Halil Süleyman "
    "Abdullah Mahmut Recep Salih Fatih Kadir Emre Hakan Serkan Uğur Çağrı Şükrü Özgür Gökhan Tolga Onur "
    "Barış Kerem Umut Ilgaz Doğan Oğuz Tuğrul Sinan Volkan Cem Görkem"
)
SURNAMES = _words(
    "Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara "
    "Koç Kurt Özkan Şimşek Polat Korkmaz Özcan Çakır Erdoğan Yavuz Can Acar Aktaş Güneş Bulut Bozkurt Işık "
    "Avcı Güler Turan Taş Keskin Ünal Gül Tekin Coşkun Sarı Kaplan Tunç Duman Ateş İnce Uçar Bayram Uysal "
    "Ekinci Sönmez Toprak Karataş Özer Aksoy Erdem Şen Gündüz Başaran Iğdır İpekçi Çiçek"
)

CITIES: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    (
        "İstanbul",
        36,
        ("Kadıköy", "Üsküdar", "Beşiktaş", "Şişli", "Ümraniye", "Bağcılar", "Başakşehir", "Maltepe"),
    ),
    ("Ankara", 14, ("Çankaya", "Keçiören", "Yenimahalle", "Etimesgut", "Gölbaşı")),
    ("İzmir", 11, ("Karşıyaka", "Bornova", "Buca", "Konak", "Çiğli", "Urla")),
    ("Bursa", 8, ("Nilüfer", "Osmangazi", "Yıldırım", "İnegöl")),
    ("Denizli", 6, ("Pamukkale", "Merkezefendi", "Buldan")),
    ("Antalya", 7, ("Muratpaşa", "Konyaaltı", "Kepez", "Alanya")),
    ("Kocaeli", 5, ("İzmit", "Gebze", "Gölcük")),
    ("Adana", 4, ("Seyhan", "Çukurova", "Yüreğir")),
    ("Konya", 4, ("Selçuklu", "Meram")),
    ("Eskişehir", 3, ("Odunpazarı", "Tepebaşı")),
    ("Gaziantep", 3, ("Şahinbey", "Şehitkamil")),
    ("Muğla", 3, ("Bodrum", "Menteşe", "Fethiye")),
    ("Trabzon", 2, ("Ortahisar", "Akçaabat")),
    ("Iğdır", 1, ("Merkez", "Aralık")),
)
CITY_WEIGHTS = tuple(weight for _, weight, _ in CITIES)

MAIL_DOMAINS = (
    "gmail.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "yahoo.com",
    "yandex.com",
    "mynet.com",
)
MAIL_WEIGHTS = (58, 20, 7, 6, 4, 3, 2)
MAIL_TYPOS = {
    "gmail.com": ("gmial.com", "gmail.con", "gmil.com", "gmail.co"),
    "hotmail.com": ("hotmial.com", "hotmail.con", "hotmal.com"),
    "outlook.com": ("outlok.com", "outlook.con"),
    "icloud.com": ("iclod.com", "icloud.con"),
    "yahoo.com": ("yaho.com", "yahoo.con"),
    "yandex.com": ("yadex.com",),
    "mynet.com": ("mynet.con",),
}

_ASCII = str.maketrans("çğıöşüÇĞİIÖŞÜ", "cgiosucgiiosu")
_UPPER = str.maketrans("iı", "İI")

PHONE_SHAPES = (
    "+90{0}{1}{2}{3}",
    "0{0}{1}{2}{3}",
    "{0}{1}{2}{3}",
    "+90 {0} {1} {2} {3}",
    "0{0} {1} {2} {3}",
    "{0} {1} {2} {3}",
    "0({0}) {1} {2} {3}",
    "0 ({0}) {1}-{2}-{3}",
    "90{0}{1}{2}{3}",
    "0{0}-{1}-{2}{3}",
)
PHONE_PREFIXES = (
    "530",
    "531",
    "532",
    "533",
    "535",
    "536",
    "538",
    "541",
    "542",
    "543",
    "545",
    "505",
    "506",
    "552",
)


def plain(name: str) -> str:
    """Return a name as an e-mail address writes it: lower case, Latin letters only (`İpek` → `ipek`)."""
    return name.translate(_ASCII).lower()


def capitals(text: str) -> str:
    """Return the text as a Turkish keyboard's caps lock writes it (`ipek` → `İPEK`)."""
    return text.translate(_UPPER).upper()


def mailbox(rng: Random, first: str, last: str, taken: set[str]) -> str:
    """Return a new e-mail address for a name. Its local part is nobody else's in any domain, so that
    a mistyped domain can never make it another person's address."""
    first, last = plain(first), plain(last)
    stem = rng.choice(
        (f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{first}_{last}", f"{last}.{first}")
    )
    local = stem
    while local in taken:
        local = f"{stem}{rng.randrange(1, 10_000)}"
    taken.add(local)
    return f"{local}@{rng.choices(MAIL_DOMAINS, MAIL_WEIGHTS)[0]}"


def mobile(rng: Random, taken: set[str]) -> str:
    """Return a new Turkish mobile number in E.164 (`+905321234567`)."""
    while True:
        number = f"+90{rng.choice(PHONE_PREFIXES)}{rng.randrange(2_000_000, 10_000_000)}"
        if number not in taken:
            taken.add(number)
            return number


def write_phone(rng: Random, number: str) -> str:
    """Return an E.164 number the way one person or another writes it in a form."""
    digits = number[3:]
    return rng.choice(PHONE_SHAPES).format(digits[:3], digits[3:6], digits[6:8], digits[8:])


def write_email(rng: Random, email: str, *, typo: bool) -> str:
    """Return an address as typed: mostly as it is, sometimes in capitals, with a space, or mistyped."""
    local, _, domain = email.partition("@")
    if typo and domain in MAIL_TYPOS:
        return f"{local}@{rng.choice(MAIL_TYPOS[domain])}"
    chance = rng.random()
    if chance < 0.86:
        return email
    if chance < 0.92:
        return email[0].upper() + email[1:]
    if chance < 0.95:
        return email.upper()
    if chance < 0.98:
        return capitals(email)
    return f" {email} "
