"""One DWN behind `POST`: the request in a header, the data in the body, both in bounded memory.

Source: `src/http-api.ts` and `src/json-rpc-handlers/dwn/process-message.ts` of `@web5/dwn-server` 0.6.1. Where the
reference answers every fault of a request's JSON-RPC with HTTP 500, the faults that are the client's get 4xx here.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from web5.dwn import rpc
from web5.dwn.data import DataStream
from web5.dwn.engine import Dwn
from web5.dwn.rpc import ErrorCode, RpcFault
from web5.errors import StorageError, StorageFull

log = logging.getLogger("web5.node")

KIB = 1024


@dataclass(frozen=True)
class Limits:
    """What a client may bring and keep.

    Parameters:
        message: bytes of JSON in the `dwn-request` header, or in one text of a WebSocket. Node, so the reference,
            takes 16 KiB in a header.
        data: bytes of a record's data; the default is the reference's `MAX_RECORD_DATA_SIZE`.
        subscriptions: how many a WebSocket may have at a time.
        events: how many may wait until a WebSocket has taken those before them.
    """

    message: int = 256 * KIB
    data: int = KIB**3
    subscriptions: int = 256
    events: int = 1000


class DwnEndpoint:
    """Answers `POST` for one DWN."""

    def __init__(self, dwn: Dwn, limits: Limits) -> None:
        self._dwn = dwn
        self._limits = limits

    async def post(self, request: Request) -> Response:
        call_id: rpc.Id = None
        try:
            call = self._call(request)
            call_id = call.id
            data = self._data(request, call_id)
            reply = await self._dwn.process_message(call.target, call.message, data)
        except RpcFault as fault:
            return _json(rpc.encode_fault(fault), fault.status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:
            ours = internal_fault(error, call_id)
            return _json(rpc.encode_fault(ours), ours.status)
        return _reply(call_id, reply)

    def _call(self, request: Request) -> rpc.Request:
        header = request.headers.get(rpc.REQUEST_HEADER)
        if not header:
            raise RpcFault(ErrorCode.BAD_REQUEST, "request payload required.")
        if len(header) > self._limits.message:
            raise RpcFault(
                ErrorCode.HEADER_TOO_LARGE,
                f"a message may have {self._limits.message} bytes in the header, not {len(header)}",
            )
        call = rpc.parse_request(header)
        match call.message:
            case {"descriptor": {"method": "Subscribe"}}:
                raise RpcFault(ErrorCode.INVALID_REQUEST, "subscriptions are not supported via http", call.id)
        return call

    def _data(self, request: Request, call_id: rpc.Id) -> AsyncIterator[bytes] | None:
        """The record's data, if the request brings any; no bytes at all are data too if they are declared as such."""
        length = request.headers.get("content-length", "0")
        chunked = "transfer-encoding" in request.headers
        declared = request.headers.get("content-type") == "application/octet-stream"
        if not chunked and int(length) == 0 and not declared:
            return None
        if int(length) > self._limits.data:
            raise self._too_large(call_id)
        return self._counted(request, call_id)

    async def _counted(self, request: Request, call_id: rpc.Id) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._limits.data:
                raise self._too_large(call_id)
            if chunk:
                yield chunk

    def _too_large(self, call_id: rpc.Id) -> RpcFault:
        return RpcFault(
            ErrorCode.CONTENT_TOO_LARGE, f"a record may have {self._limits.data} bytes of data here", call_id
        )


def take_data(reply: dict[str, Any]) -> DataStream | None:
    """Take the data out of a reply, which then can be encoded."""
    entry = reply.get("entry")
    return entry.pop("data", None) if isinstance(entry, dict) else None


def internal_fault(error: Exception, call_id: rpc.Id) -> RpcFault:
    """The fault for a failure that is ours: the log has all of it, the client learns little."""
    log.error("a request failed", exc_info=error)
    return RpcFault(ErrorCode.INTERNAL_ERROR, _told(error), call_id)


def _reply(call_id: rpc.Id, reply: dict[str, Any]) -> Response:
    data = take_data(reply)
    encoded = rpc.encode_reply(call_id, reply)
    if data is None:
        return _json(encoded, 200)
    headers = {rpc.RESPONSE_HEADER: encoded}
    if data.size is not None:
        headers["content-length"] = str(data.size)
    return StreamingResponse(data, media_type="application/octet-stream", headers=headers)


def _json(text: str, status: int) -> Response:
    return Response(text, status, media_type="application/json")


def _told(error: Exception) -> str:
    if isinstance(error, StorageFull):
        return "StorageFull: this node has no room left"
    return "StorageError: this node's store failed" if isinstance(error, StorageError) else "internal error"
