"""One DWN behind `POST`: the request in a header, the data in the body, or both in the body, in bounded memory.

Source: `src/http-api.ts` and `src/json-rpc-handlers/dwn/process-message.ts` of `@web5/dwn-server` 0.6.1. Where the
reference answers every fault of a request's JSON-RPC with HTTP 500, the faults that are the client's get 4xx here.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from web5.chunks import reading
from web5.dwn.data import DataStream
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import ErrorCode, RpcFault
from web5.dwn.wire.rpc_body import CONTENT_TYPE, framing_of
from web5.errors import StorageError, StorageFull
from web5.node.dwn.body import read_body_call
from web5.node.dwn.mounted import AskedTooOften, Mounted
from web5.node.http.requests import HEADER
from web5.node.limits import KIB, address_of

log = logging.getLogger("web5.node")

PREFLIGHT_SECONDS = 24 * 60 * 60
"""Time for which a browser may cache a preflight; without it every request costs two."""

PIECE = 64 * KIB
"""Bytes of an answer that are handed to the server at a time, which waits until the client has taken those before."""


EXPOSED = ("content-disposition", "content-range", "date", "etag", "retry-after", HEADER)
"""The headers beside the message that pages of other origins may read."""


class Answer(Response):
    """An answer in JSON, sent as fast as the client takes it.

    Parameters:
        sent: called when that is over.
        headers: others than its type and length.
    """

    def __init__(
        self,
        text: str,
        status: int,
        sent: Callable[[], None] = lambda: None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text, status, headers, media_type="application/json")
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for start in range(0, len(self.body), PIECE):
                piece = bytes(self.body[start : start + PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": start + PIECE < len(self.body)})
        finally:
            self._sent()


async def answer_post(mounted: Mounted, request: Request) -> Response:
    """Have the DWN process the message of a request."""
    call_id: rpc.Id = None
    usage, address = mounted.usage, address_of(request.client)
    limits = usage.limits
    try:
        framing = framing_of(request.headers.get("content-type"))
        if framing == "":
            raise RpcFault(ErrorCode.UNSUPPORTED_MEDIA_TYPE, f"of this type, only {CONTENT_TYPE} is read here")
        if framing is None:
            call, data = _call(request, limits.message), None
        else:
            call, data = await read_body_call(request, usage, address)
        call_id = call.id
        _check(call)
        if framing is None:
            data = _data(request, limits.data, call_id)
        reply = await mounted.process(address, call.target, call.message, data)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Exception as error:
        fault = fault_of(error, call_id)
        headers = {"retry-after": str(fault.seconds)} if isinstance(fault, AskedTooOften) else None
        return Answer(rpc.encode_fault(fault), fault.status, headers=headers)
    stored = take_data(reply)
    encoded = rpc.encode_reply(call_id, reply)
    if stored is None:
        return Answer(encoded, 200, usage.replies.take(address, len(encoded)))
    headers = {rpc.RESPONSE_HEADER: encoded, "content-type": "application/octet-stream"}
    try:
        return await answer_data(aiter(stored), stored.size, headers)
    except StorageError as error:
        fault = internal_fault(error, call_id)
        return Answer(rpc.encode_fault(fault), fault.status)


async def answer_data(
    chunks: AsyncIterator[bytes], size: int | None, headers: dict[str, str], status: int = 200
) -> Response:
    """Return the answer that has a record's data: little at once, which costs less, and much as it comes.

    Parameters:
        size: the bytes that there are, if that is known.

    Raises:
        StorageError: the data cannot be read, and nothing was sent.
    """
    if size is not None and size <= PIECE:
        async with reading(chunks) as all_of_them:
            return Response(b"".join([chunk async for chunk in all_of_them]), status, headers)
    if size is not None:
        headers["content-length"] = str(size)
    return StreamingResponse(await _opened(chunks), status, headers)


async def _opened(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return the data's chunks once the first is there: while nothing is sent, it can still be said that it is not."""
    first = await anext(chunks, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        async with reading(chunks) as rest:
            yield first
            async for chunk in rest:
                yield chunk

    return all_of_them()


def _call(request: Request, limit: int) -> rpc.Request:
    header = request.headers.get(rpc.REQUEST_HEADER)
    if not header:
        raise RpcFault(ErrorCode.BAD_REQUEST, "request payload required.")
    if len(header) > limit:
        message = f"a message may have {limit} bytes in the header, not {len(header)}"
        raise RpcFault(ErrorCode.HEADER_TOO_LARGE, message)
    return rpc.parse_request(header)


def _check(call: rpc.Request) -> None:
    match call.message:
        case {"descriptor": {"method": "Subscribe"}}:
            raise RpcFault(ErrorCode.INVALID_REQUEST, "subscriptions are not supported via http", call.id)


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
        expose_headers=[rpc.RESPONSE_HEADER, *EXPOSED],
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


def fault_of(error: Exception, call_id: rpc.Id) -> RpcFault:
    """Return the fault that a request failed with."""
    if not isinstance(error, RpcFault):
        return internal_fault(error, call_id)
    if error.id is None:
        error.id = call_id
    return error


def internal_fault(error: Exception, call_id: rpc.Id) -> RpcFault:
    """Return the fault for a failure of this node: the log has all of it, the client learns little."""
    log.error("a request failed", exc_info=error)
    message = "internal error"
    if isinstance(error, StorageFull):
        message = "StorageFull: this node has no room left"
    elif isinstance(error, StorageError):
        message = "StorageError: this node's store failed"
    return RpcFault(ErrorCode.INTERNAL_ERROR, message, call_id)
