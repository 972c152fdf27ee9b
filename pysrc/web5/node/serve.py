"""A whole node in one process: DWNs, a DID DHT gateway that they resolve did:dht through, and a static site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

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
from web5.node.connect.relay import Relay
from web5.node.gateway import create_gateway
from web5.node.limits import Limits
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.server import create_app
from web5.node.static import create_site
from web5.node.tenants import use
from web5.node.tenants.rates import Rates
from web5.node.tenants.registry import Registry
from web5.node.tenants.tenancy import Tenancy, TenantRules
from web5.ports.clock import SystemClock
from web5.ports.http import BodyStream, Http, HttpResponse
from web5.tasks import report

NODES = ("/dwn0", "/dwn1")
"""The paths of the nodes that `build.py serve` has, which are the default of apps in development."""

GATEWAY = "/dht"
_OWN_GATEWAY = "http://gateway"
RELAY = "connect.sqlite"
"""The file with what apps and wallets have left for each other, below that of all data."""

ROOT_FOLDER = "dwn"
"""The folder, below that of all data, of a DWN at `/`."""

DATABASE, REGISTRY, BLOBS = "dwn.sqlite", "tenants.sqlite", "blobs"
"""The files in the folder of a DWN: messages, the word about tenants, and large data."""

COMPONENTS = {"dwn": STEPS, "use": use.SCHEMA}
"""The components of a DWN's database."""

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
    paths: Sequence[str] = NODES,
    gateway: bool = True,
    gateways: Sequence[str] = (),
    rules: TenantRules | None = None,
    rates: Rates | None = None,
    serve_metrics: bool = True,
    metrics_token: str | None = None,
    connect: bool = True,
) -> AsyncIterator[ASGIApp]:
    """Open a whole node as one ASGI app.

    Parameters:
        data_dir: the folder for the data of the nodes and the gateway.
        site: the folder of the static site; None serves none.
        registration: the nodes' demands on their tenants; None: nothing.
        window_seconds: as for `Dwn`.
        allow_local: resolve did:web of this machine and its network too, for development.
        public_url, limits, rates, serve_metrics, metrics_token: see `create_app`.
        rules: who is served, and how much each may keep; None: everybody, and as much as there is room for.
        paths: where the DWNs are; "/" can only be the one, without a site.
        gateway: serve a DID DHT gateway, and resolve did:dht through it.
        gateways: URLs of others that are asked for what that does not know.
        connect: serve the relay of the connect flow.

    Raises:
        StorageBusy: another process uses `data_dir`.
        StorageError: what is in it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_use(data_dir))
        crypto, clock = CPythonCrypto(), SystemClock()
        outside = HttpxHttp()
        stack.push_async_callback(outside.close)
        http: Http = outside
        served: ASGIApp | None = None
        if gateway:
            database = open_file(data_dir / "gateway.sqlite")
            stack.push_async_callback(database.close)
            served = create_gateway(database, crypto, clock)
            inside = HttpxHttp(httpx.ASGITransport(served))
            stack.push_async_callback(inside.close)
            http, gateways = _ByWay(inside, outside), (_OWN_GATEWAY, *gateways)
        websites = HttpxHttp() if allow_local else guarded_http()
        stack.push_async_callback(websites.close)
        web = DidWeb(websites, allow_localhost=allow_local)
        resolver = default_resolver(http, crypto, clock, *gateways, web=web)
        nodes, gates = {}, {}
        for path in paths:
            prefix = path.rstrip("/")
            opening = open_node(folder_of(data_dir, path), resolver, registration, window_seconds, rules)
            nodes[prefix], gates[prefix] = await stack.enter_async_context(opening)
        relay = None
        if connect:
            left = open_file(data_dir / RELAY)
            stack.push_async_callback(left.close)
            relay = Relay(left, clock)
        dwns = create_app(
            nodes,
            limits,
            gates,
            public_url,
            rates=rates,
            serve_metrics=serve_metrics,
            metrics_token=metrics_token,
            relay=relay,
        )
        rest = create_site(site) if site else dwns

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            """Hand each path to the app of its first segment; the gateway alone sees its paths without that.

            None sees the header `Host`, so none can echo it.
            """
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"host"]}
            prefix = "/" + scope["path"].removeprefix("/").split("/", 1)[0]
            if served is not None and prefix == GATEWAY:
                await served({**scope, "root_path": scope.get("root_path", "") + GATEWAY}, receive, send)
            else:
                await (dwns if prefix in nodes else rest)(scope, receive, send)

        yield app


def folder_of(data_dir: Path, path: str) -> Path:
    """Return the folder of the DWN that is served at a path."""
    return data_dir / (path.strip("/") or ROOT_FOLDER)


@asynccontextmanager
async def open_node(
    folder: Path,
    resolver: DidResolver,
    registration: RegistrationSettings | None = None,
    window_seconds: float | None = WINDOW_SECONDS,
    rules: TenantRules | None = None,
) -> AsyncIterator[tuple[Dwn, Registrations | None]]:
    """Open a DWN on a SQLite file and a folder of blobs, with its registrations; closed at the end of the block.

    Parameters:
        registration: the demands on its tenants; None: everybody is served.
        window_seconds: as for `Dwn`.
        rules: as for `embedded`.

    Raises:
        StorageBusy: another process has the folder open.
        StorageError: the data in it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_use(folder))
        database = open_file(folder / DATABASE)
        stack.push_async_callback(database.close)
        database.check_version(COMPONENTS)
        blobs = FileBlobs(folder / BLOBS)
        stack.push_async_callback(blobs.close)
        registrations = None
        if registration is not None and registration.requirements:
            registry = open_file(folder / "registrations.sqlite")
            stack.push_async_callback(registry.close)
            registrations = Registrations(registry, registration, SystemClock())
        tenancy = None
        if rules is not None:
            said = open_file(folder / REGISTRY)
            stack.push_async_callback(said.close)
            tenancy = Tenancy(Registry(said), rules, registrations)
        crypto = SignatureCache(CPythonCrypto())
        dwn = Dwn(
            database=database,
            blobs=blobs,
            resolver=resolver,
            crypto=crypto,
            clock=SystemClock(),
            window_seconds=window_seconds,
            tenant_gate=tenancy or registrations,
        )
        await dwn.open()
        if tenancy is not None:
            use.prepare(database)
            tenancy.watch(dwn)
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


class _ByWay:
    """Requests to the own gateway, which go nowhere, and to all others."""

    def __init__(self, inside: Http, outside: Http) -> None:
        self._inside, self._outside = inside, outside

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        way = self._inside if url.startswith(f"{_OWN_GATEWAY}/") else self._outside
        return await way.request(method, url, headers=headers, body=body, timeout=timeout)
