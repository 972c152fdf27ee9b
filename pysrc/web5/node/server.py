"""DWN servers as an ASGI app: the paths that `@web5/dwn-server` has, for one DWN or for several."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import metadata

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from web5.dwn.engine import Dwn
from web5.node.endpoint import answer_post, cross_origin
from web5.node.limits import Limits, Usage
from web5.node.registration import Registrations
from web5.node.socket_endpoint import serve_socket

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
) -> Starlette:
    """Serve each DWN of `mounts` below its path.

    Parameters:
        mounts: paths such as "/dwn0", or "" for the root. A path answers with and without a slash at its end:
            `POST` and WebSocket for JSON-RPC; below it `GET /info` and `GET /health`, and, where that is
            demanded, `/registration`.
        registrations: by the same paths, where tenants have to register; each must be its DWN's tenant gate, too.
        limits: bounds on clients; the HTTP server below must let headers of `limits.message` bytes pass.
        public_url: the URL by which the root is reached, for `/info`; None: the address that was connected to. The
            header `Host`, in which anybody writes anything, says nothing here.
    """
    usage, gates = Usage(limits or Limits()), registrations or {}
    routes = [
        route
        for path, dwn in mounts.items()
        for route in _routes(path.rstrip("/"), dwn, usage, gates.get(path), public_url)
    ]
    app = Starlette(routes=routes, middleware=[cross_origin("GET", "POST")])
    app.router.redirect_slashes = False  # they would name the host
    return app


def _routes(prefix: str, dwn: Dwn, usage: Usage, gate: Registrations | None, public_url: str | None) -> list[BaseRoute]:
    about = {
        "server": SERVER_NAME,
        **({"version": VERSION} if VERSION else {}),
        "maxFileSize": usage.limits.data,
        "webSocketSupport": True,
        "registrationRequirements": gate.requirements if gate else [],
    }

    async def info(request: Request) -> Response:
        host, port = request.scope.get("server") or ("localhost", None)
        connected = f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
        return JSONResponse({**about, "url": f"{(public_url or connected).rstrip('/')}{prefix or '/'}"})

    roots = {prefix or "/", f"{prefix}/"}
    return [
        *(Route(root, partial(answer_post, dwn, usage), methods=["POST"]) for root in roots),
        *(Route(root, _hint, methods=["GET"]) for root in roots),
        *(WebSocketRoute(root, partial(serve_socket, dwn, usage)) for root in roots),
        Route(f"{prefix}/info", info, methods=["GET"]),
        Route(f"{prefix}/health", _health, methods=["GET"]),
        *(gate.routes(prefix) if gate else []),
    ]


async def _health(request: Request) -> Response:
    return JSONResponse({"ok": True})


async def _hint(request: Request) -> Response:
    return PlainTextResponse("please use a web5 client, for example: https://github.com/TBD54566975/web5-js")
