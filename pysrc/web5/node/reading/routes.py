"""The routes by which anybody reads what is published: records with their data, queries, protocols.

Source: `src/http-api.ts` of `@web5/dwn-server` 0.6.1. Each is a question without a signature to the DWN, so that nobody
gets more than over JSON-RPC. What may not be seen is not there (404), in the same words.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from web5.chunks import reading
from web5.crypto.encoding import b64url_decode
from web5.dwn import compose
from web5.dwn.data import DataStream
from web5.dwn.reading.conditions import NotSatisfiable, is_known, wanted
from web5.dwn.reading.content import CONFINED, content_headers
from web5.dwn.reading.parameters import Malformed, filter_of, nested, question
from web5.dwn.values.cid import message_cid
from web5.dwn.wire import rpc
from web5.errors import CryptoError, DwnError
from web5.node.dwn.endpoint import Answer, answer_data, internal_fault, take_data
from web5.node.dwn.mounted import AskedTooOften, Mounted
from web5.node.limits import address_of
from web5.ports.clock import SystemClock

LONGEST_DID = 2048
LONGEST_HEADER = 3 * 1024
"""Bytes of `dwn-response` from which on it is left out: proxies have 4 KiB for all headers, or the image is lost."""

ASK_AGAIN = "no-cache"
_NOT_FOUND = {"status": {"code": 404, "detail": "Not Found"}}
_CLOCK = SystemClock()

_Handler = Callable[["Reading", Request], Awaitable[Response]]


class _Refused(Exception):
    """A question that has no answer but a status, with its words."""

    def __init__(self, code: int, detail: str) -> None:
        self.reply = {"status": {"code": code, "detail": detail}}


def _guarded(handler: _Handler) -> _Handler:
    """Answer what is no question with 400, and a failure of the node with 500, as little as it says."""

    @wraps(handler)
    async def answered(self: Reading, request: Request) -> Response:
        try:
            if len(request.path_params["did"]) > LONGEST_DID:
                return self._json(request, _NOT_FOUND)
            return await handler(self, request)
        except AskedTooOften as early:
            answer = self._json(request, {"status": {"code": early.status, "detail": str(early)}})
            answer.headers["retry-after"] = str(early.seconds)
            return answer
        except _Refused as refused:
            return self._json(request, refused.reply)
        except DwnError as error:
            return self._json(request, {"status": {"code": error.status, "detail": error.detail}})
        except (Malformed, CryptoError, UnicodeDecodeError) as error:
            return self._json(request, {"status": {"code": 400, "detail": str(error)}})
        except Exception as error:
            fault = internal_fault(error, None)
            return self._json(request, {"status": {"code": fault.status, "detail": str(fault)}})

    return answered


class Reading:
    """The routes of one DWN."""

    def __init__(self, mounted: Mounted) -> None:
        self._mounted = mounted

    def routes(self, prefix: str) -> list[BaseRoute]:
        """Return them, below the DWN's path."""
        did = f"{prefix}/{{did}}"
        handlers: dict[str, Callable[[Request], Awaitable[Response]]] = {
            f"{did}/records/{{id}}": self._record,
            f"{did}/read/records/{{id}}": self._record,
            f"{did}/read/protocols/{{protocol}}": self._protocol,
            f"{did}/read/protocols/{{protocol}}/{{path:path}}": self._newest,
            f"{did}/query": self._query,
            f"{did}/query/protocols": self._protocols,
        }
        return [Route(path, handler, methods=["GET"]) for path, handler in handlers.items()]

    @_guarded
    async def _record(self, request: Request) -> Response:
        return await self._read(request, request.path_params["id"])

    @_guarded
    async def _newest(self, request: Request) -> Response:
        """Give the record that was published last at a path of a protocol, among those that fit a filter."""
        path = request.path_params["path"].removeprefix("/").removesuffix("/")
        if not path:
            raise _Refused(400, "protocol path is required")
        filter = filter_of(nested(request.query_params.multi_items()), required=False)
        filter |= {"protocol": _decoded(request.path_params["protocol"]), "protocolPath": path}
        message = await compose.records_query(
            None, _CLOCK, filter=filter, date_sort="publishedDescending", pagination={"limit": 1}
        )
        entries = await self._entries(request, message)
        if not entries:
            return self._json(request, _NOT_FOUND)
        return await self._read(request, entries[0]["recordId"])

    @_guarded
    async def _query(self, request: Request) -> Response:
        asked = question(nested(request.query_params.multi_items()))
        message = await compose.records_query(None, _CLOCK, **asked)
        reply = await self._ask(request, message)
        return self._json(request, reply, status=200 if reply["status"]["code"] != 400 else 400)

    @_guarded
    async def _protocol(self, request: Request) -> Response:
        protocol = _decoded(request.path_params["protocol"])
        entries = await self._entries(request, await compose.protocols_query(None, _CLOCK, protocol=protocol))
        return self._json(request, entries[0] if entries else _NOT_FOUND, status=200 if entries else 404)

    @_guarded
    async def _protocols(self, request: Request) -> Response:
        entries = await self._entries(request, await compose.protocols_query(None, _CLOCK))
        return self._json(request, entries, status=200)

    async def _ask(self, request: Request, message: dict[str, Any]) -> dict[str, Any]:
        return await self._mounted.process(address_of(request.client), request.path_params["did"], message)

    async def _entries(self, request: Request, message: dict[str, Any]) -> list[Any]:
        reply = await self._ask(request, message)
        if (code := reply["status"]["code"]) != 200:
            raise _Refused(404, "Not Found") if code == 401 else _Refused(code, reply["status"]["detail"])
        entries: list[Any] = reply["entries"]
        return entries

    async def _read(self, request: Request, record_id: str) -> Response:
        message = await compose.records_read(None, _CLOCK, filter={"recordId": record_id})
        reply = await self._ask(request, message)
        data, code = take_data(reply), reply["status"]["code"]
        if code != 200:
            return self._json(request, _NOT_FOUND if code == 401 else reply)
        if data is None or data.size is None:
            raise _Refused(400, "the data of the record are not here")
        return await _content(request, reply, data, data.size)

    def _json(self, request: Request, value: Any, status: int | None = None) -> Response:
        """Answer with JSON, and with a tag by which the client learns that it has this already."""
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
        code = value["status"]["code"] if status is None else status
        headers = {**CONFINED, "cache-control": ASK_AGAIN}
        if code == 200:
            headers["etag"] = etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
            if is_known(request.headers, etag):
                return Response(status_code=304, headers=headers)
        sent = self._mounted.usage.replies.take(address_of(request.client), len(text))
        return Answer(text, code, sent, headers)


async def _content(request: Request, reply: dict[str, Any], data: DataStream, size: int) -> Response:
    write = reply["entry"]["recordsWrite"]
    etag = f'"{message_cid(write)}"'
    headers = {"etag": etag, "cache-control": ASK_AGAIN, "accept-ranges": "bytes", **content_headers(write)}
    if is_known(request.headers, etag):
        return Response(status_code=304, headers=headers)
    described = json.dumps(reply, ensure_ascii=True, separators=(",", ":"))
    if len(described) <= LONGEST_HEADER:
        headers[rpc.RESPONSE_HEADER] = described
    try:
        part = wanted(request.headers, etag, size) if request.method == "GET" else None
    except NotSatisfiable:
        return Response(status_code=416, headers={"content-range": f"bytes */{size}", **CONFINED})
    start, end = part or (0, size)
    if part is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    if request.method == "HEAD":
        return Response(headers={**headers, "content-length": str(end - start)})
    chunks = _first(data.chunks_from(start), end - start)
    return await answer_data(chunks, end - start, headers, 200 if part is None else 206)


async def _first(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Give the first bytes of what comes in chunks."""
    async with reading(chunks) as rest:
        async for chunk in rest:
            yield chunk[:size]
            size -= len(chunk)
            if size <= 0:
                return


def _decoded(protocol: str) -> str:
    return b64url_decode(protocol).decode()
