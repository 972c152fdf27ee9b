"""DWN servers as an ASGI app: the paths that `@web5/dwn-server` has, for one DWN or for several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata

import apsw
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from web5.dwn.engine import Dwn
from web5.dwn.wire.rpc_body import BODY_V1
from web5.errors import StorageError
from web5.node.connect.relay import Relay
from web5.node.connect.routes import relay_routes
from web5.node.dwn.endpoint import answer_post, cross_origin
from web5.node.dwn.mounted import Mounted
from web5.node.dwn.socket_endpoint import serve_socket
from web5.node.limits import Limits, Usage
from web5.node.metrics import Metrics
from web5.node.reading.routes import Reading
from web5.node.registration import Registrations
from web5.node.tenants.rates import Pace, Rates
from web5.ports.clock import SystemClock

SERVER_NAME = "web5-py"
try:
    VERSION = metadata.version(SERVER_NAME)
except metadata.PackageNotFoundError:  # run from its source
    VERSION = ""


def create_app(
    mounts: Mapping[str, Dwn],
    limits: Limits | None = None,
    registrations: Mapping[str, Registrations | None] | None = None,
    public_url: str | None = None,
    *,
    rates: Rates | None = None,
    serve_metrics: bool = True,
    metrics_token: str | None = None,
    relay: Relay | None = None,
    metrics: Metrics | None = None,
) -> Starlette:
    """Serve each DWN of `mounts` below its path.

    Parameters:
        mounts: paths such as "/dwn0", or "" for the root. A path answers with and without a slash at its end:
            `POST` and WebSocket for JSON-RPC; below it `GET /info`, `GET /health` and `GET /metrics`, what is published
            (`reading.routes`), the relay of the connect flow, and, where that is demanded, `/registration`.
        registrations: by the same paths, where tenants have to register; each must be its DWN's tenant gate, too.
        limits: bounds on clients; the HTTP server below must let headers of `limits.message` bytes pass.
        public_url: the URL by which the root is reached, for `/info`; None: the address that was connected to. The
            header `Host`, in which anybody writes anything, says nothing here.
        rates: how often an address, and all who address a tenant, may ask; None: as often as they like.
        serve_metrics: False: there is no `/metrics`.
        metrics_token: the token that it wants; None: none.
        relay: the relay of the connect flow, which all paths have; None: none has one.
        metrics: where figures are kept; None: in some of its own.
    """
    usage, gates, metrics = Usage(limits or Limits()), registrations or {}, metrics or Metrics(VERSION)
    pace = Pace(rates or Rates(), SystemClock().monotonic)
    metrics.watch_unread(lambda: usage.replies.taken)
    routes: list[BaseRoute] = []
    for path, dwn in mounts.items():
        prefix = path.rstrip("/")
        url_of = partial(_url, public_url, prefix)
        if relay is not None:
            routes += relay_routes(prefix, relay, url_of)
        routes += _routes(prefix, Mounted(dwn, usage, metrics, pace), gates.get(path), url_of)
        if serve_metrics:
            routes.append(Route(f"{prefix}/metrics", metrics.endpoint(metrics_token), methods=["GET"]))
    app = Starlette(routes=routes, middleware=[cross_origin("GET", "POST")])
    app.router.redirect_slashes = False  # they would name the host
    return app


def _url(public_url: str | None, prefix: str, request: Request) -> str:
    """Return the URL of a DWN, as it was reached if it has no other, without a slash at its end."""
    host, port = request.scope.get("server") or ("localhost", None)
    connected = f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    return (public_url or connected).rstrip("/") + prefix


def _routes(
    prefix: str, mounted: Mounted, gate: Registrations | None, url_of: Callable[[Request], str]
) -> list[BaseRoute]:
    about = {
        "server": SERVER_NAME,
        **({"version": VERSION} if VERSION else {}),
        "maxFileSize": mounted.usage.limits.data,
        "webSocketSupport": True,
        "httpRpcFraming": [BODY_V1],
        "registrationRequirements": gate.requirements if gate else [],
    }

    async def info(request: Request) -> Response:
        return JSONResponse({**about, "url": url_of(request) + ("" if prefix else "/")})

    roots = {prefix or "/", f"{prefix}/"}
    return [
        *(Route(root, partial(answer_post, mounted), methods=["POST"]) for root in roots),
        *(Route(root, _hint, methods=["GET"]) for root in roots),
        *(WebSocketRoute(root, partial(serve_socket, mounted)) for root in roots),
        Route(f"{prefix}/info", info, methods=["GET"]),
        Route(f"{prefix}/health", partial(_health, mounted.dwn), methods=["GET"]),
        *(gate.routes(prefix) if gate else []),
        *Reading(mounted).routes(prefix),
    ]


async def _health(dwn: Dwn, request: Request) -> Response:
    """Answer 200 while the store can be read, and took what it was given last; else 503."""
    try:
        connection = dwn.database.connection
        await dwn.database.read(lambda: connection.execute("SELECT count(*) FROM component").fetchone())
        ok = dwn.database.health.trouble is None
    except (apsw.Error, StorageError):
        ok = False
    return JSONResponse({"ok": ok}, 200 if ok else 503, {"cache-control": "no-store"})


async def _hint(request: Request) -> Response:
    return PlainTextResponse("please use a web5 client, for example: https://github.com/TBD54566975/web5-js")
