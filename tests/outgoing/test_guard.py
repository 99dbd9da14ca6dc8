"""Requests reach the open internet, what an installation allows, and nothing else (CWE-918)."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tekil.errors import Misconfigured
from tekil.outgoing import Outgoing
from tekil.outgoing import client as client_module
from tekil.outgoing.guard import OutgoingRefused, permitted, read_networks
from tests.outgoing.loopback import ALLOW, LOOPBACK, Answer, Loopback

INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.5",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "fec0::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_refused_however_they_are_written(address: str) -> None:
    assert not permitted(address, (), in_clear=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "64:ff9b::808:808"])
def test_the_open_internet_is_reached_with_tls_only(address: str) -> None:
    assert permitted(address, (), in_clear=False)
    assert not permitted(address, (), in_clear=True)
    assert permitted(address, read_networks(["0.0.0.0/0", "::/0"]), in_clear=True)


def test_what_is_allowed_is_allowed_exactly() -> None:
    allowed = read_networks(["10.1.0.0/16", "fd00::/8"])
    assert permitted("10.1.2.3", allowed, in_clear=True)
    assert permitted("::ffff:10.1.2.3", allowed, in_clear=True)
    assert permitted("fd12::1", allowed, in_clear=True)
    assert not permitted("10.2.0.1", allowed, in_clear=False)
    with pytest.raises(Misconfigured, match=r"outgoing\.allow"):
        Outgoing(["10.0.0.1/8"])
    with pytest.raises(Misconfigured):
        Outgoing(["localhost"])


@pytest.fixture
def server() -> Iterator[Loopback]:
    opened = Loopback(lambda _: Answer(b"secret of the inside"))
    yield opened
    opened.close()


REFUSED = (OutgoingRefused, httpx.ConnectError, httpx.InvalidURL)
SPELLINGS = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://user:pass@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_loopback_reaches_it(server: Loopback, spelling: str) -> None:
    with Outgoing().client() as client, pytest.raises(REFUSED):
        client.get(spelling.format(port=server.port))
    assert server.asked == []


def test_what_is_allowed_is_reached(server: Loopback) -> None:
    with LOOPBACK.client(server.url) as client:
        assert client.get("/").text == "secret of the inside"


def test_a_name_that_changes_its_mind_reaches_only_what_was_judged(server: Loopback) -> None:
    answers = itertools.chain([["203.0.113.10"]], itertools.repeat(["127.0.0.1"]))
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    # The first answer is of a documentation network, the second is the inside; neither may be reached.
    with Outgoing(look_up=rebinding).client() as client:
        for _ in range(2):
            with pytest.raises(OutgoingRefused):
                client.get(f"https://rebinds.example:{server.port}/")
    assert server.asked == []
    assert asked == ["rebinds.example"] * 2


def test_a_name_is_looked_up_once_and_the_address_that_was_judged_is_connected_to(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, connected = [], []
    connect = socket.create_connection

    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    def connecting(address: tuple[str, int], *more: object, **others: object) -> socket.socket:
        connected.append(address[0])
        return connect(address, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "create_connection", connecting)
    with Outgoing(["127.0.0.1"], look_up=resolver).client() as client:
        assert client.get(f"http://inner.example:{server.port}/").status_code == 200
    assert (looked_up, connected) == (["inner.example"], ["127.0.0.1"])
    assert server.asked[0].headers["host"] == f"inner.example:{server.port}"


def certified(folder: Path, name: str) -> Path:
    """Return a file with a new key, and a certificate for a name that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place.write_bytes(private + made.public_bytes(Encoding.PEM))
    return place


def test_the_certificate_is_of_the_name_though_the_address_was_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = certified(tmp_path, "inner.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(place)
    server = Loopback(lambda _: Answer(b"by tls"), tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(place))
    here = Outgoing(["127.0.0.1"], look_up=lambda *_: ["127.0.0.1"])
    with here.client() as client:
        assert client.get(f"https://inner.example:{server.port}/").text == "by tls"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            client.get(f"https://another.example:{server.port}/")
    monkeypatch.delenv("SSL_CERT_FILE")
    with here.client() as client, pytest.raises(httpx.ConnectError, match="certificate"):
        client.get(f"https://inner.example:{server.port}/")
    server.close()


def test_one_inner_address_among_public_ones_refuses_the_name(server: Loopback) -> None:
    both = Outgoing(look_up=lambda *_: ["8.8.8.8", "127.0.0.1"])
    with both.client() as client, pytest.raises(OutgoingRefused, match="open internet"):
        client.get(f"https://both.example:{server.port}/")
    with Outgoing(look_up=lambda *_: []).client() as client, pytest.raises(OutgoingRefused):
        client.get("https://nowhere.example/")


def test_no_redirect_is_followed(server: Loopback) -> None:
    inside = Loopback(lambda _: Answer(b"", 302, {"Location": f"{server.url}/metadata"}))
    with LOOPBACK.client() as client:
        assert client.get(inside.url).status_code == 302
    assert server.asked == []
    inside.close()


def test_an_answer_that_does_not_end_is_left() -> None:
    endless = Loopback(lambda _: Answer(b"x" * 1_000_000, chunks=100))
    with LOOPBACK.client() as client, pytest.raises(httpx.ReadError, match="5,000,000"):
        client.get(endless.url)
    endless.close()


def test_an_answer_that_trickles_is_left_when_its_time_is_over() -> None:
    trickling = Loopback(lambda _: Answer(b"x", chunks=1_000, pause=0.02))
    began = time.monotonic()
    with Outgoing(ALLOW, seconds=0.2).client() as client, pytest.raises(httpx.ReadTimeout):
        client.get(trickling.url)
    assert time.monotonic() - began < 2
    trickling.close()


def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    bombing = Loopback(lambda _: Answer(bomb, headers={"Content-Encoding": "gzip"}))
    with LOOPBACK.client() as client, pytest.raises(httpx.DecodingError):
        client.get(bombing.url)
    assert bombing.asked[0].headers["accept-encoding"] == "identity"
    bombing.close()


def test_a_proxy_of_the_environment_is_not_asked(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, server.url)
    with Outgoing().client() as client, pytest.raises(OutgoingRefused):
        client.get("http://10.0.0.1/")
    assert server.asked == []


def test_connections_are_kept_and_each_request_has_its_own_time(server: Loopback) -> None:
    with Outgoing(ALLOW, seconds=0.3).client(server.url) as client:
        for _ in range(3):
            assert client.get("/").status_code == 200
            time.sleep(0.15)
    with pytest.raises(httpx.ConnectError), LOOPBACK.client() as client:
        client.get("http://127.0.0.1:9/")
    assert client_module.TOTAL_SECONDS > client_module.CONNECT_SECONDS
