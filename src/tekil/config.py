"""What `tekil.toml` says: two ports, three URLs, a workspace. Parsed once, at the edge."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from tekil.errors import Misconfigured

FILE_NAME = "tekil.toml"


class Workspace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The company: its name, the zone its days are counted in, the language its pages start in.

    `currency` is the one in which sums are told (ISO 4217); amounts in others are converted.
    """

    name: str = "Tekil"
    timezone: str = "Europe/Istanbul"
    language: str = "tr"
    currency: str = "TRY"


class Collect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the door listens; `public_url` is how the world reaches it, where a proxy stands in front.

    What `trusted_proxies` say of a visitor's address is believed. One address may send
    `leads_per_minute`; 0 is as many as it likes.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    leads_per_minute: Annotated[int, msgspec.Meta(ge=0)] = 30


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the console and the API listen; `public_url` is how people reach it behind a proxy.

    What `trusted_proxies` (addresses and networks) say of a visitor's address and scheme is believed.
    """

    host: str = "127.0.0.1"
    port: int = 8001
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")

    @property
    def origin(self) -> str:
        """The address that people's browsers show, without a slash at its end."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How profiles are made. Of a trait's values, one from an earlier `trusted_sources` beats a later one."""

    trusted_sources: tuple[str, ...] = ()


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the master key is, which every other key is wrapped by: `file:…`, `env:NAME` or `command:…`."""

    master: str = "file:data/master.key"


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An OpenID Connect provider that people sign in by, in `[[access.providers]]`.

    Its secret is read from the environment's `TEKIL_OIDC_NAME_SECRET`. `roles` maps what `roles_claim` holds
    there to roles here; who has none does not come in. `provision` makes users of those who come.
    """

    name: str
    issuer: str
    client_id: str
    roles: dict[str, tuple[str, ...]]
    title: str = ""
    scope: str = "openid profile"
    roles_claim: str = "groups"
    name_claim: str = "preferred_username"
    provision: bool = True


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How console and API are guarded: the roles that need a second factor, how long a session idles.

    Those in `passkey` need a passkey; no code of an authenticator will do for them. A caller (API key, or
    address where there is none) may make `requests_per_second`; 0 is as many as it likes.
    """

    second_factor: tuple[str, ...] = ()
    passkey: tuple[str, ...] = ()
    idle_minutes: int = 60
    requests_per_second: Annotated[int, msgspec.Meta(ge=0)] = 500
    providers: tuple[ProviderSettings, ...] = ()


class OutgoingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where requests of Tekil's may go beside the open internet: addresses and networks in `allow`."""

    allow: tuple[str, ...] = ()


class QualitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often data quality is looked at, and the `webhook` that is told of each alert's beginning and end.

    With `TEKIL_QUALITY_SECRET` in the environment, what is sent is signed by it.
    """

    webhook: str = ""
    every_seconds: float = 60.0


class LeadSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `webhook` that is told when leads are assigned, late, won and lost.

    With `TEKIL_LEADS_SECRET` in the environment, what is sent is signed by it.
    """

    webhook: str = ""


class PurposeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A purpose of the company's own, in `[[consent.purposes]]`; without `channels` it has all of them."""

    name: str
    title_tr: str
    title_en: str
    text_tr: str = ""
    text_en: str = ""
    channels: tuple[str, ...] = ()


class ConsentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What consent is asked for, what a banner's categories stand for, and where the world reaches the pages.

    `categories` maps a category's name to `purpose` or `purpose:channel`, beside the usual ones.
    """

    purposes: tuple[PurposeSettings, ...] = ()
    categories: dict[str, str] = {}
    public_url: str = ""
    link_days: int = 90


class IysSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """İYS, Turkey's register of consents; without `base_url` it is left alone.

    The password is read from the environment's `TEKIL_IYS_PASSWORD`. `sources` maps a ledger entry's source
    to İYS's, such as `fair = "HS_ETKINLIK"`.
    """

    base_url: str = ""
    iys_code: int = 0
    brand_code: int = 0
    username: str = ""
    purpose: str = "marketing"
    recipient_type: str = "BIREYSEL"
    sources: dict[str, str] = {}
    every_seconds: float = 60.0


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the three places things are kept, by URL."""

    url: str = ""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `tekil.toml`. `root` is the folder it was read from; relative paths start there."""

    workspace: Workspace = Workspace()
    collect: Collect = Collect()
    console: Console = Console()
    profile: Profile = Profile()
    keys: Keys = Keys()
    access: Access = Access()
    consent: ConsentSettings = ConsentSettings()
    iys: IysSettings = IysSettings()
    outgoing: OutgoingSettings = OutgoingSettings()
    quality: QualitySettings = QualitySettings()
    leads: LeadSettings = LeadSettings()
    log: Place = Place("sqlite:///data/log.db")
    warehouse: Place = Place("duckdb:///data/warehouse.duckdb")
    store: Place = Place("sqlite:///data/store.db")
    root: Path = Path()

    @property
    def data(self) -> Path:
        """The folder for what belongs to this installation and is nobody else's: sockets, local keys."""
        return self.root / "data"

    def resolve(self, place: Place) -> str:
        """Return a place's URL with a relative file path made absolute against `root`."""
        scheme, mark, path = place.url.partition(":///")
        if not mark or path.startswith("/") or scheme.startswith("postgresql"):
            return place.url
        return f"{scheme}:///{(self.root / path).resolve()}"


def find(start: Path) -> Path:
    """Return the `tekil.toml` in `start` or the nearest folder above it.

    Raises `Misconfigured` where there is none.
    """
    if start.is_file():
        return start
    for folder in [start.resolve(), *start.resolve().parents]:
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise Misconfigured(
        f"There is no {FILE_NAME} in {start.resolve()} or above it. Run `tekil init` there first.",
        code="config_missing",
    )


def load(start: Path) -> Config:
    """Read the configuration that governs `start` (a folder or the file itself).

    `TEKIL_LOG_URL`, `TEKIL_WAREHOUSE_URL` and `TEKIL_STORE_URL` win over the file, so that a
    password need not be written into it. Raises `Misconfigured` with the key and the reason.
    """
    path = find(start)
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=Config)
    except msgspec.MsgspecError as error:
        raise Misconfigured(f"{path} cannot be read: {error}", code="config_invalid") from error
    try:
        ZoneInfo(config.workspace.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise Misconfigured(
            f"{path}: workspace.timezone {config.workspace.timezone!r} is not a known zone; "
            "write one like Europe/Istanbul.",
            code="config_invalid",
        ) from error
    addresses = {"collect": config.collect.public_url, "console": config.console.public_url}
    for section, url in addresses.items():
        if not _is_address(url):
            raise Misconfigured(
                f"{path}: {section}.public_url {url!r} is no address of a server; write one like "
                "https://events.example.com, or leave it out.",
                code="config_invalid",
            )
    places = {
        name: Place(os.environ.get(f"TEKIL_{name.upper()}_URL") or getattr(config, name).url)
        for name in ("log", "warehouse", "store")
    }
    return msgspec.structs.replace(config, root=path.resolve().parent, **places)


def _is_address(url: str) -> bool:
    """Return whether a text is empty, or a scheme and a host with nothing after the port."""
    return re.fullmatch(r"(https?://[^/?#@\s]+/?)?", url) is not None


TEMPLATE = """\
# Tekil: what this installation is called, where it listens, and where it keeps things.

[workspace]
name = "{name}"
timezone = "Europe/Istanbul"
language = "tr"            # the console starts in this language: tr or en

[collect]                  # the door: SDKs, forms and webhooks send here
host = "127.0.0.1"
port = {collect_port}
# public_url = "https://events.example.com"   # how the world reaches the door, where a proxy stands in front

[console]                  # people and programs read here
host = "127.0.0.1"
port = {console_port}
# public_url = "https://tekil.example.com"   # how people reach the console; passkeys are bound to its host

[log]                      # what was said: raw, durable, in order
url = "sqlite:///data/log.db"

[warehouse]                # what it means: events, identity, profiles
url = "duckdb:///data/warehouse.duckdb"

[keys]                     # every personal value is sealed by keys that this one wraps; keep a copy elsewhere
master = "file:data/master.key"   # or env:TEKIL_MASTER_KEY, or command:vault read -field=key secret/tekil

[store]                    # what people decided, and what must be looked up fast
url = "sqlite:///data/store.db"   # or postgresql://user:password@host/database
"""


def write_template(folder: Path, *, name: str, collect_port: int = 8000, console_port: int = 8001) -> Path:
    """Write a `tekil.toml` into `folder` and return its path; an existing file is never overwritten.

    Raises `Misconfigured` where one is there already.
    """
    path = folder / FILE_NAME
    if path.exists():
        raise Misconfigured(f"{path} is there already; it was left as it is.", code="config_exists")
    folder.mkdir(parents=True, exist_ok=True)
    text = TEMPLATE.format(name=name.replace('"', "'"), collect_port=collect_port, console_port=console_port)
    path.write_text(text, encoding="utf-8")
    return path
