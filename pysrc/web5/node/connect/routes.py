"""The relay's paths, below `/connect`, with the words and statuses of `src/http-api.ts` of `@web5/dwn-server` 0.6.1."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from web5 import strict_json
from web5.dwn.reading.parameters import nested
from web5.node.connect.relay import KEPT_SECONDS, Kind, Refused, Relay
from web5.node.dwn.endpoint import read_body
from web5.node.limits import KIB, address_of

UrlOf = Callable[[Request], str]
"""Returns the URL of the DWN that is asked, without a slash at its end."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_MOST_FIELDS = 20
_WRAPPING = 4 * KIB
"""Bytes of a body beside the text that is left."""

_Handler = Callable[[Request], Awaitable[Response]]


def relay_routes(prefix: str, relay: Relay, url_of: UrlOf) -> list[BaseRoute]:
    """Return the routes of the relay below a path.

    `POST …/connect/par` (`request`) answers 201 with `request_uri` and `expires_in`, and `GET` of that URI gives the
    request, once. `POST …/connect/callback` (`id_token`, `state`) answers 201, and `GET …/connect/token/{state}.jwt`
    gives the response, once. Bodies are forms or JSON. What is not there, or no more, is 404.
    """
    base = f"{prefix}/connect"

    async def push(request: Request) -> Response:
        fields = await _fields(request, relay.limits.text)
        asked = fields.get("request")
        if not asked:
            raise Refused(400, "Bad Request: Missing 'request' parameter")
        if (isinstance(asked, dict) and "request_uri" in asked) or "request_uri" in fields:
            raise Refused(400, "Bad Request: 'request_uri' parameter is not allowed in PAR")
        name = str(uuid.uuid4())
        await relay.leave("request", name, asked, address_of(request.client))
        uri = f"{url_of(request)}/connect/authorize/{name}.jwt"
        return JSONResponse({"request_uri": uri, "expires_in": KEPT_SECONDS}, 201, _HEADERS)

    async def answer(request: Request) -> Response:
        fields = await _fields(request, relay.limits.text)
        state, token = fields.get("state"), fields.get("id_token")
        if not isinstance(state, str) or token is None:
            raise Refused(400, "Bad Request")
        await relay.leave("response", state, token, address_of(request.client))
        return JSONResponse(_told(201, "Created"), 201, _HEADERS)

    async def give(kind: Kind, request: Request) -> Response:
        only_look = request.method == "HEAD"
        name = request.path_params["name"]
        text = await relay.take(kind, name, address_of(request.client), only_look=only_look)
        if text is None:
            raise Refused(404, "Not Found")
        return Response(text, 200, _HEADERS, "application/jwt")

    return [
        Route(f"{base}/par", _answering(push), methods=["POST"]),
        Route(f"{base}/callback", _answering(answer), methods=["POST"]),
        Route(f"{base}/authorize/{{name}}.jwt", _answering(partial(give, "request")), methods=["GET"]),
        Route(f"{base}/token/{{name}}.jwt", _answering(partial(give, "response")), methods=["GET"]),
    ]


def _answering(handler: _Handler) -> _Handler:
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Refused as refused:
            wait = {} if refused.seconds is None else {"retry-after": str(refused.seconds)}
            return JSONResponse(_told(refused.status, str(refused)), refused.status, {**_HEADERS, **wait})

    return answered


def _told(code: int, message: str) -> dict[str, Any]:
    return {"ok": code < 400, "status": {"code": code, "message": message}}


async def _fields(request: Request, limit: int) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request, limit + _WRAPPING)
    if body is None:
        raise Refused(413, f"Content Too Large: at most {limit} characters")
    try:
        text = body.decode()
        if media_type == _FORM:
            return nested(parse_qsl(text, max_num_fields=_MOST_FIELDS))
        fields = strict_json.parse(text) if media_type == _JSON else {}
    except ValueError as error:
        raise Refused(400, "Bad Request") from error
    return fields if isinstance(fields, dict) else {}
