"""One DWN behind `POST`: the request in a header, the data in the body, both in bounded memory.

Source: `src/http-api.ts` and `src/json-rpc-handlers/dwn/process-message.ts` of `@web5/dwn-server` 0.6.1. Where the
reference answers every fault of a request's JSON-RPC with HTTP 500, the faults that are the client's get 4xx here.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from web5.dwn import rpc
from web5.dwn.data import DataStream
from web5.dwn.engine import Dwn
from web5.dwn.rpc import ErrorCode, RpcFault
from web5.errors import StorageError, StorageFull

log = logging.getLogger("web5.node")

KIB = 1024

PREFLIGHT_SECONDS = 24 * 60 * 60
"""Time for which a browser may cache a preflight; without it every request costs two."""


@dataclass(frozen=True)
class Limits:
    """Bounds on the input of one client.

    Parameters:
        message: bytes of JSON in the `dwn-request` header, or in one text of a WebSocket. Node, so the reference,
            takes 16 KiB in a header.
        data: bytes of a record's data; the default is the reference's `MAX_RECORD_DATA_SIZE`.
        subscriptions: the most that a WebSocket may have at a time.
        events: the most that may wait until a WebSocket has taken those before them.
    """

    message: int = 256 * KIB
    data: int = KIB**3
    subscriptions: int = 256
    events: int = 1000


async def answer_post(dwn: Dwn, limits: Limits, request: Request) -> Response:
    """Have the DWN process the message of a request."""
    call_id: rpc.Id = None
    try:
        call = _call(request, limits.message)
        call_id = call.id
        reply = await dwn.process_message(call.target, call.message, _data(request, limits.data, call_id))
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Exception as error:
        fault = error if isinstance(error, RpcFault) else internal_fault(error, call_id)
        return _json(rpc.encode_fault(fault), fault.status)
    data = take_data(reply)
    encoded = rpc.encode_reply(call_id, reply)
    if data is None:
        return _json(encoded, 200)
    headers = {rpc.RESPONSE_HEADER: encoded}
    if data.size is not None:
        headers["content-length"] = str(data.size)
    return StreamingResponse(data, media_type="application/octet-stream", headers=headers)


def _call(request: Request, limit: int) -> rpc.Request:
    header = request.headers.get(rpc.REQUEST_HEADER)
    if not header:
        raise RpcFault(ErrorCode.BAD_REQUEST, "request payload required.")
    if len(header) > limit:
        message = f"a message may have {limit} bytes in the header, not {len(header)}"
        raise RpcFault(ErrorCode.HEADER_TOO_LARGE, message)
    call = rpc.parse_request(header)
    match call.message:
        case {"descriptor": {"method": "Subscribe"}}:
            raise RpcFault(ErrorCode.INVALID_REQUEST, "subscriptions are not supported via http", call.id)
    return call


def _data(request: Request, limit: int, call_id: rpc.Id) -> AsyncIterator[bytes] | None:
    """Return the record's data, or None; no bytes at all are data too if they are declared as such."""
    length = int(request.headers.get("content-length", "0"))
    chunked = "transfer-encoding" in request.headers
    declared = request.headers.get("content-type") == "application/octet-stream"
    if not chunked and length == 0 and not declared:
        return None
    too_large = RpcFault(ErrorCode.CONTENT_TOO_LARGE, f"a record may have {limit} bytes of data here", call_id)
    if length > limit:
        raise too_large

    async def chunks() -> AsyncIterator[bytes]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise too_large
            if chunk:
                yield chunk

    return chunks()


def cross_origin(*methods: str) -> Middleware:
    """Let pages of any origin call, with any headers: access is a matter of signatures, not of cookies."""
    return Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=methods,
        allow_headers=["*"],
        expose_headers=[rpc.RESPONSE_HEADER],
        max_age=PREFLIGHT_SECONDS,
    )


async def read_body(request: Request, limit: int) -> bytes | None:
    """Return the body of a request; None if it has more than `limit` bytes, which are then not read."""
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > limit:
            return None
        body += chunk
    return bytes(body)


def take_data(reply: dict[str, Any]) -> DataStream | None:
    """Take the data out of a reply, which then can be encoded."""
    entry = reply.get("entry")
    return entry.pop("data", None) if isinstance(entry, dict) else None


def internal_fault(error: Exception, call_id: rpc.Id) -> RpcFault:
    """Return the fault for a failure of this node: the log has all of it, the client learns little."""
    log.error("a request failed", exc_info=error)
    message = "internal error"
    if isinstance(error, StorageFull):
        message = "StorageFull: this node has no room left"
    elif isinstance(error, StorageError):
        message = "StorageError: this node's store failed"
    return RpcFault(ErrorCode.INTERNAL_ERROR, message, call_id)


def _json(text: str, status: int) -> Response:
    return Response(text, status, media_type="application/json")
