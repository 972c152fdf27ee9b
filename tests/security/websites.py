"""Websites over TLS on loopback, which a guarded client believes to be on the public internet."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from web5.cpython.guard import GuardedTransport
from web5.cpython.http import HttpxHttp

PUBLIC = "93.184.216.34"
HOST = "site.example"
NAMES = (HOST, "other.example", "private.example")

Site = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""Answers a request for `host/path`."""


class Loopback(httpcore.AnyIOBackend):
    """The public internet: every address leads to this machine, but for those in `down`."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.down: set[str] = set()

    async def connect_tcp(self, host: str, *more: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        if host in self.down:
            raise httpcore.ConnectError(f"nobody is at {host}")
        return await super().connect_tcp("127.0.0.1", *more, **options)


class Websites:
    """What answers at `port`, for any name in `NAMES`, and a client that finds it there.

    Attributes:
        addresses: what each name resolves to, answer by answer; the last one stays.
        resolved: how often each was asked for.
        asked: requests as `host/path`.
        running: connections that are open now; `most` of them were.
    """

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self.port = port
        self.addresses: dict[str, list[list[str]]] = {name: [[PUBLIC]] for name in NAMES}
        self.addresses["private.example"] = [["10.0.0.7"]]
        self.resolved: Counter[str] = Counter()
        self.asked: list[str] = []
        self.running = self.most = 0
        self.network = Loopback()
        self.http = HttpxHttp(GuardedTransport(self.resolve, trust, self.network))

    def url(self, path: str = "", host: str = HOST) -> str:
        return f"https://{host}:{self.port}/{path}"

    async def resolve(self, host: str, port: int) -> list[str]:
        self.resolved[host] += 1
        if host not in self.addresses:
            raise OSError(f"there is no {host}")
        answers = self.addresses[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def answer(status: str = "200 OK", body: bytes = b"", headers: Iterable[str] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def websites(folder: Path, site: Site) -> AsyncIterator[Websites]:
    """Serve until the end of the block."""
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    ours: Websites

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours.running += 1
        ours.most = max(ours.most, ours.running)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            host = next(line for line in head if line.lower().startswith("host:"))[5:].strip().partition(":")[0]
            ours.asked.append(f"{host}{head[0].split()[1]}")
            await site(ours.asked[-1], writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            ours.running -= 1
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    ours = Websites(port, ssl.create_default_context(cafile=str(certificate)))
    try:
        yield ours
    finally:
        await ours.http.close()
        server.close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName("other.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path
