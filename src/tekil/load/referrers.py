"""What kind of place a referring host is: the search engines, networks and assistants people come from."""

from __future__ import annotations

HOSTS = {
    "search": {
        "google": "Google",
        "bing": "Bing",
        "yandex": "Yandex",
        "duckduckgo": "DuckDuckGo",
        "yahoo": "Yahoo",
        "ecosia": "Ecosia",
        "baidu": "Baidu",
        "startpage": "Startpage",
        "qwant": "Qwant",
        "brave": "Brave",
    },
    "social": {
        "facebook": "Facebook",
        "instagram": "Instagram",
        "x": "X",
        "twitter": "X",
        "t": "X",
        "linkedin": "LinkedIn",
        "lnkd": "LinkedIn",
        "youtube": "YouTube",
        "tiktok": "TikTok",
        "pinterest": "Pinterest",
        "reddit": "Reddit",
        "threads": "Threads",
        "eksisozluk": "Ekşi Sözlük",
        "whatsapp": "WhatsApp",
        "telegram": "Telegram",
    },
    "assistant": {
        "chatgpt": "ChatGPT",
        "openai": "ChatGPT",
        "perplexity": "Perplexity",
        "claude": "Claude",
        "gemini": "Gemini",
        "copilot": "Copilot",
    },
    "marketplace": {
        "trendyol": "Trendyol",
        "hepsiburada": "Hepsiburada",
        "n11": "n11",
        "amazon": "Amazon",
        "ciceksepeti": "Çiçeksepeti",
    },
    "email": {"mail": "Mail", "outlook": "Outlook"},
}
"""Medium → the telling label of a host → the name people know it by."""

# Hosts whose registered name says less than the label before it.
SUBDOMAINS = {
    "gemini.google": ("assistant", "Gemini"),
    "copilot.microsoft": ("assistant", "Copilot"),
    "mail.google": ("email", "Gmail"),
    "mail.yahoo": ("email", "Yahoo Mail"),
    "mail.yandex": ("email", "Yandex Mail"),
    "outlook.live": ("email", "Outlook"),
    "search.brave": ("search", "Brave"),
    "t.co": ("social", "X"),
    "x.com": ("social", "X"),
}

_LABELS = {label: (medium, name) for medium, hosts in HOSTS.items() for label, name in hosts.items()}
# One letter is nobody's name under any other ending than the ones in SUBDOMAINS.
_AMBIGUOUS = {"t", "x", "mail"}


def classify(host: str) -> tuple[str, str]:
    """Return a referring host's medium (`search`, `social`, …, `referral`) and the name to show.

    >>> classify("www.google.com.tr")
    ('search', 'Google')
    >>> classify("blog.example.org")
    ('referral', 'blog.example.org')
    """
    bare = host.rsplit("@", 1)[-1].split(":", 1)[0].removeprefix("www.")
    for beginning, answer in SUBDOMAINS.items():
        if f".{bare}.".find(f".{beginning}.") >= 0:
            return answer
    for label in reversed(bare.split(".")[:-1]):
        if label in _LABELS and label not in _AMBIGUOUS:
            return _LABELS[label]
        if len(label) > 3:
            # This is the registered name: what stands before it is the owner's own choice.
            break
    return "referral", bare
