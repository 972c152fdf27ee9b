"""The embedded default, in one process: `python -m web5.node.serve --port 8000 --site dist/site --data .build/data`.

Serves the static site at `/`, two remote nodes at `/dwn0` and `/dwn1`, and a DID DHT gateway, which the nodes resolve
did:dht through, at `/dht`.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.guard import guarded_http
from web5.cpython.http import HttpxHttp
from web5.cpython.lock import sole_use
from web5.crypto.signature_cache import SignatureCache
from web5.dids.resolver import DidResolver, default_resolver
from web5.dids.web import DidWeb
from web5.dwn.engine import Dwn
from web5.dwn.store.database import open_file
from web5.dwn.store.schema import STEPS
from web5.dwn.time_window import WINDOW_SECONDS
from web5.errors import StorageError
from web5.node import logs
from web5.node.connections import ConnectionLimits
from web5.node.gateway import create_gateway
from web5.node.http import Server, listen, server_config
from web5.node.limits import Limits
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.server import create_app
from web5.node.static import create_site
from web5.ports.clock import SystemClock
from web5.tasks import report

NODES = ("/dwn0", "/dwn1")
GATEWAY = "/dht"

REVIEW_SECONDS = 30.0
"""Time between two looks at whether what allowed the subscriptions still holds."""


@asynccontextmanager
async def embedded(
    data_dir: Path,
    site: Path | None,
    registration: RegistrationSettings | None = None,
    window_seconds: float | None = WINDOW_SECONDS,
    *,
    allow_local: bool = False,
    public_url: str | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[ASGIApp]:
    """Open the whole default as one ASGI app.

    Parameters:
        data_dir: the folder for the data of the nodes and the gateway.
        site: the folder of the static site; None serves none.
        registration: the nodes' demands on their tenants; None: nothing.
        window_seconds: as for `Dwn`.
        allow_local: resolve did:web of this machine and its network too, for development.
        public_url, limits: see `create_app`.

    Raises:
        StorageBusy: another process uses `data_dir`.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_use(data_dir))
        crypto, clock = CPythonCrypto(), SystemClock()
        database = open_file(data_dir / "gateway.sqlite")
        stack.push_async_callback(database.close)
        gateway = create_gateway(database, crypto, clock)
        http = HttpxHttp(httpx.ASGITransport(gateway))
        stack.push_async_callback(http.close)
        websites = HttpxHttp() if allow_local else guarded_http()
        stack.push_async_callback(websites.close)
        web = DidWeb(websites, allow_localhost=allow_local)
        resolver = default_resolver(http, crypto, clock, "http://gateway", web=web)
        nodes, gates = {}, {}
        for path in NODES:
            opening = open_node(data_dir / path[1:], resolver, registration, window_seconds)
            nodes[path], gates[path] = await stack.enter_async_context(opening)
        dwns = create_app(nodes, limits, gates, public_url)
        rest = create_site(site) if site else dwns

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            """Hand each path to the app of its first segment; the gateway alone sees its paths without that.

            None sees the header `Host`, so none can echo it.
            """
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"host"]}
            prefix = "/" + scope["path"].removeprefix("/").split("/", 1)[0]
            if prefix == GATEWAY:
                await gateway({**scope, "root_path": scope.get("root_path", "") + GATEWAY}, receive, send)
            else:
                await (dwns if prefix in NODES else rest)(scope, receive, send)

        yield app


@asynccontextmanager
async def open_node(
    folder: Path,
    resolver: DidResolver,
    registration: RegistrationSettings | None = None,
    window_seconds: float | None = WINDOW_SECONDS,
) -> AsyncIterator[tuple[Dwn, Registrations | None]]:
    """Open a DWN on a SQLite file and a folder of blobs, with its registrations; closed at the end of the block.

    Parameters:
        registration: the demands on its tenants; None: everybody is served.
        window_seconds: as for `Dwn`.

    Raises:
        StorageBusy: another process has the folder open.
        StorageError: the data in it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_use(folder))
        database = open_file(folder / "dwn.sqlite")
        stack.push_async_callback(database.close)
        database.check_version({"dwn": STEPS})
        blobs = FileBlobs(folder / "blobs")
        stack.push_async_callback(blobs.close)
        registrations = None
        if registration is not None and registration.requirements:
            registry = open_file(folder / "registrations.sqlite")
            stack.push_async_callback(registry.close)
            registrations = Registrations(registry, registration, SystemClock())
        crypto = SignatureCache(CPythonCrypto())
        dwn = Dwn(
            database=database,
            blobs=blobs,
            resolver=resolver,
            crypto=crypto,
            clock=SystemClock(),
            window_seconds=window_seconds,
            tenant_gate=registrations,
        )
        await dwn.open()
        reviewing = asyncio.create_task(_review(dwn, REVIEW_SECONDS))
        stack.callback(reviewing.cancel)
        yield dwn, registrations


async def _review(dwn: Dwn, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await dwn.review_subscriptions()
        except StorageError as error:
            report("subscriptions could not be reviewed", error)


class _Server(Server):
    """A server that prints its address once it accepts."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            print(f"Serving http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)


async def serve(
    listener: socket.socket, app: AbstractAsyncContextManager[ASGIApp], limits: ConnectionLimits, proxies: Sequence[str]
) -> None:
    """Serve an app, such as `embedded`, until SIGINT or SIGTERM; see `server_config`."""
    async with app as opened:
        await _Server(server_config(opened, limits, proxies)).serve([listener])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m web5.node.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="the port; 0 takes a free one (%(default)s)")
    parser.add_argument("--site", type=Path, help="the folder of the static site")
    parser.add_argument("--data", type=Path, default=Path(".build/data"), help="the data folder (%(default)s)")
    parser.add_argument(
        "--public-url", type=_url, metavar="URL", help="the URL of the root, for /info; else the address that is asked"
    )
    parser.add_argument(
        "--proxy",
        type=_network,
        action="append",
        default=[],
        metavar="ADDRESS",
        help="an address or network of a reverse proxy, whose X-Forwarded-For is believed; can be repeated",
    )
    parser.add_argument(
        "--reply-bytes",
        type=_count,
        default=Limits.reply,
        metavar="BYTES",
        help="the most bytes of entries in one reply; what more there is follows by its cursor (%(default)s)",
    )
    parser.add_argument(
        "--connections",
        type=_count,
        default=ConnectionLimits.connections,
        metavar="COUNT",
        help="the most connections, as far as descriptors allow (%(default)s)",
    )
    parser.add_argument(
        "--connections-per-address", type=_count, metavar="COUNT", help="the most of one address (half of them all)"
    )
    parser.add_argument("--terms", type=Path, help="a text file: the nodes serve only who agrees to these terms")
    parser.add_argument(
        "--proof-of-work",
        type=_whole,
        default=0,
        metavar="HASHES",
        help="the nodes serve only who does about so much work once; 16777216 is the reference's default",
    )
    parser.add_argument(
        "--time-window",
        type=_whole,
        default=WINDOW_SECONDS,
        metavar="SECONDS",
        help="how far the date of a signed question may be from the nodes' clock, and that of a message ahead of it"
        " (%(default)s); 0: any",
    )
    parser.add_argument(
        "--allow-local",
        action="store_true",
        help="resolve did:web of this machine and its network too: for development, never with strangers about",
    )
    options = parser.parse_args(arguments)
    logs.set_up()
    if options.site and not options.site.is_dir():
        return _failed(f"There is no site in {options.site}; build it first: python3 build.py site")
    try:
        terms = options.terms.read_text(encoding="utf-8") if options.terms else None
    except (OSError, ValueError) as error:
        return _failed(f"The terms in {options.terms} cannot be read: {error}")
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        reason = error.strerror or error
        return _failed(f"Cannot serve at {options.host}:{options.port} ({reason}); try another --port.")
    try:
        registration = RegistrationSettings(terms, options.proof_of_work)
        app = embedded(
            options.data,
            options.site,
            registration,
            options.time_window or None,
            allow_local=options.allow_local,
            public_url=options.public_url,
            limits=Limits(reply=options.reply_bytes),
        )
        limits = ConnectionLimits(options.connections, options.connections_per_address)
        asyncio.run(serve(listener, app, limits, options.proxy))
    except (StorageError, OSError) as error:
        return _failed(f"The data in {options.data} cannot be opened: {error}")
    except KeyboardInterrupt:
        return 0
    return 0


def _port(text: str) -> int:
    if (number := _whole(text)) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError("this is a whole number")
    return int(text)


def _count(text: str) -> int:
    if (number := _whole(text)) == 0:
        raise argparse.ArgumentTypeError("there must be at least one")
    return number


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError("a public URL is like https://dwn.example.org")
    return text


def _failed(line: str) -> int:
    print(line, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
