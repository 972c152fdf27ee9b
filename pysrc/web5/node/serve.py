"""A whole node in one process: DWNs, a DID DHT gateway that they resolve did:dht through, and a static site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.guard import guarded_http
from web5.cpython.http import HttpxHttp
from web5.cpython.lock import sole_use
from web5.crypto.signature_cache import SignatureCache
from web5.dids.resolver import DidResolver, default_resolver
from web5.dids.web import DidWeb
from web5.dwn.engine import Dwn
from web5.dwn.time_window import WINDOW_SECONDS
from web5.errors import StorageError
from web5.node.admin.routes import Desk, operator_site
from web5.node.connect.relay import Relay
from web5.node.gateway import gateway_of
from web5.node.gateway_items import GatewayItems, GatewayLimits
from web5.node.limits import Limits
from web5.node.mainline.bridge import Bridge
from web5.node.mainline.manners import Manners
from web5.node.mainline.relied import relied_on
from web5.node.metrics import Metrics
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.s3.address import S3Address
from web5.node.server import VERSION, create_app
from web5.node.static import create_site
from web5.node.stores import CONNECT, DHT, Place, Stores, claim, in_folder, open_part, open_said, stores_of
from web5.node.tenants import use
from web5.node.tenants.invitations import Invitations
from web5.node.tenants.rates import Rates
from web5.node.tenants.registry import Registry
from web5.node.tenants.tenancy import Tenancy, TenantRules
from web5.ports.clock import SystemClock
from web5.ports.http import BodyStream, Http, HttpResponse
from web5.tasks import report

NODES = ("/dwn0", "/dwn1")
"""The paths of the nodes that `build.py serve` has, which are the default of apps in development."""

GATEWAY = "/dht"
ADMIN = "/admin"
"""The path of the operator's page."""

_OWN_GATEWAY = "http://gateway"
REVIEW_SECONDS = 30.0
"""Time between two looks at whether what allowed the subscriptions still holds."""


@asynccontextmanager
async def embedded(
    place: Place,
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
    mainline: Manners | None = None,
    rules: TenantRules | None = None,
    rates: Rates | None = None,
    serve_metrics: bool = True,
    metrics_token: str | None = None,
    connect: bool = True,
    admin_token: str | None = None,
    s3: S3Address | None = None,
) -> AsyncIterator[ASGIApp]:
    """Open a whole node as one ASGI app.

    Parameters:
        place: the folder, or the PostgreSQL database, for the data of the nodes and the gateway.
        site: the folder of the static site; None serves none.
        registration: the nodes' demands on their tenants; None: nothing.
        window_seconds: as for `Dwn`.
        allow_local: resolve did:web of this machine and its network too, for development.
        public_url, limits, rates, serve_metrics, metrics_token: see `create_app`.
        rules: who is served, and how much each may keep; None: everybody, and as much as there is room for.
        paths: where the DWNs are; "/" can only be the one, without a site.
        gateway: serve a DID DHT gateway, and resolve did:dht through it.
        gateways: URLs of others that are asked for what that does not know.
        mainline: have the gateway put documents into the Mainline DHT, and look up others there; see
            `web5.node.mainline.session`, which needs the extra of that name.
        connect: serve the relay of the connect flow.
        admin_token: the token of the operator's page; None: there is none.
        s3: the place of the nodes' large data; None: they are with the messages.

    Raises:
        StorageBusy: another process uses the folder.
        StorageError: what is in it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        if isinstance(place, Path):
            stack.enter_context(sole_use(place))
        clock = SystemClock()
        resolver, served, bridge = await stack.enter_async_context(
            resolving(place, gateway=gateway, gateways=gateways, allow_local=allow_local, mainline=mainline)
        )
        nodes, gates = {}, {}
        for path in paths:
            prefix = path.rstrip("/")
            opening = open_node(stores_of(place, path, s3=s3), resolver, registration, window_seconds, rules)
            nodes[prefix], gates[prefix] = await stack.enter_async_context(opening)
        if bridge is not None:
            databases = [dwn.database for dwn in nodes.values()]
            running = asyncio.create_task(bridge.run(partial(relied_on, databases)))
            stack.push_async_callback(_ended, running)
        relay = None
        if connect:
            left = open_part(place, CONNECT)
            stack.push_async_callback(left.close)
            relay = Relay(left, clock)
        metrics = Metrics(VERSION)
        operators: ASGIApp | None = None
        if admin_token is not None:
            desks = {}
            for path in paths:
                dwn = nodes[path.rstrip("/")]
                said = open_said(place, path, dwn.database)
                if said is not dwn.database:
                    stack.push_async_callback(said.close)
                desks[path] = Desk(dwn, Registry(said), Invitations(said, clock), rules or TenantRules())
            operators = stack.enter_context(operator_site(desks, admin_token, metrics, clock))
        dwns = create_app(
            nodes,
            limits,
            gates,
            public_url,
            rates=rates,
            serve_metrics=serve_metrics,
            metrics_token=metrics_token,
            relay=relay,
            metrics=metrics,
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
            elif operators is not None and prefix == ADMIN:
                await operators(scope, receive, send)
            else:
                await (dwns if prefix in nodes else rest)(scope, receive, send)

        yield app


@asynccontextmanager
async def resolving(
    place: Place,
    *,
    gateway: bool = True,
    gateways: Sequence[str] = (),
    allow_local: bool = False,
    mainline: Manners | None = None,
) -> AsyncIterator[tuple[DidResolver, ASGIApp | None, Bridge | None]]:
    """Give the resolver of a node, and its gateway as an app, and the bridge to the DHT, if it has them.

    Parameters: as for `embedded`, which holds the folder.

    Raises:
        StorageError: the documents cannot be opened.
    """
    async with AsyncExitStack() as stack:
        crypto, clock = CPythonCrypto(), SystemClock()
        outside = HttpxHttp()
        stack.push_async_callback(outside.close)
        http: Http = outside
        served: ASGIApp | None = None
        bridge: Bridge | None = None
        if gateway:
            database = open_part(place, DHT)
            stack.push_async_callback(database.close)
            items = GatewayItems(database, crypto, clock, limits := GatewayLimits())
            if mainline is not None:
                from web5.node.mainline.session import joined  # with the extra alone

                bridge = Bridge(await stack.enter_async_context(joined(mainline)), items, clock)
            served = gateway_of(items, clock, limits, bridge)
            inside = HttpxHttp(httpx.ASGITransport(_OwnQuestions(served)))
            stack.push_async_callback(inside.close)
            http, gateways = _ByWay(inside, outside), (_OWN_GATEWAY, *gateways)
        websites = HttpxHttp() if allow_local else guarded_http()
        stack.push_async_callback(websites.close)
        web = DidWeb(websites, allow_localhost=allow_local)
        yield default_resolver(http, crypto, clock, *gateways, web=web), served, bridge


@asynccontextmanager
async def open_node(
    stores: Path | AbstractAsyncContextManager[Stores],
    resolver: DidResolver,
    registration: RegistrationSettings | None = None,
    window_seconds: float | None = WINDOW_SECONDS,
    rules: TenantRules | None = None,
) -> AsyncIterator[tuple[Dwn, Registrations | None]]:
    """Open a DWN with its registrations; closed at the end of the block.

    Parameters:
        stores: what it keeps its data in, or a folder for that.
        registration: the demands on its tenants; None: everybody is served.
        window_seconds: as for `Dwn`.
        rules: as for `embedded`.

    Raises:
        StorageBusy: another process has the folder open.
        StorageError: the data in it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(in_folder(stores) if isinstance(stores, Path) else stores)
        clock, invitations = SystemClock(), None
        said = held.said() if rules is not None else None
        registry = Registry(said) if said is not None else None
        if said is not None and rules is not None and rules.admission == "invitation":
            invitations = Invitations(said, clock)
        registrations = None
        if invitations is not None or (registration is not None and registration.requirements):
            demands = registration or RegistrationSettings()
            registrations = Registrations(held.registrations(), demands, clock, invitations)
        tenancy = Tenancy(registry, rules, registrations) if registry is not None and rules is not None else None
        crypto = SignatureCache(CPythonCrypto())
        dwn = Dwn(
            database=held.messages,
            blobs=held.blobs,
            resolver=resolver,
            crypto=crypto,
            clock=clock,
            window_seconds=window_seconds,
            tenant_gate=tenancy or registrations,
        )
        if held.remote is not None:
            dwn.store.open()
            await claim(held)
        await dwn.open()
        if tenancy is not None:
            use.prepare(held.messages)
            tenancy.watch(dwn)
        if held.shared is not None:
            from web5.node.postgres.upkeep import attending  # with the extra alone

            await stack.enter_async_context(attending(held.shared, dwn, held.remote))
        reviewing = asyncio.create_task(_review(dwn, REVIEW_SECONDS))
        stack.callback(reviewing.cancel)
        yield dwn, registrations


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _review(dwn: Dwn, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await dwn.review_subscriptions()
        except StorageError as error:
            report("subscriptions could not be reviewed", error)


class _OwnQuestions:
    """The gateway, as this node itself asks it: no client's address counts for that."""

    def __init__(self, gateway: ASGIApp) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gateway({**scope, "client": None}, receive, send)


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
