"""The JSON-RPC 2.0 messages between an agent and a remote DWN, as text, for both ends.

A request is the value of the HTTP header `dwn-request`; the record's data is the body. The response is the body, or,
when a record's data is the body, the value of the header `dwn-response`. What a WebSocket carries besides is in
`rpc_socket`. Source: `src/http-api.ts`, `src/lib/json-rpc.ts` and `src/json-rpc-handlers/dwn/process-message.ts` of
`@web5/dwn-server` 0.6.1.

All text made here is ASCII: HTTP headers are Latin-1, and the reference's own servers and clients read them as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import Any
from uuid import uuid4

from web5 import strict_json
from web5.dwn.values.cid import javascript_number
from web5.errors import BadReply

REQUEST_HEADER = "dwn-request"
RESPONSE_HEADER = "dwn-response"
PROCESS_MESSAGE = "dwn.processMessage"

Id = str | int | float | None
MAX_REPLY_BYTES = 64 * 1024 * 1024
"""Bytes of a reply that are read; the data of a record that is read alone is a stream beside it, and not bounded.

A page of records is a few MiB, but a server may list all that it has at once: 64 MiB are 1,500 records with the 30,000
bytes of data that the reference inlines at most, or the CIDs of a million messages."""

MAX_VALUES = 2_000_000
"""Values in one JSON text: each takes some 60 bytes once it is parsed, however few characters it has."""

MAX_DETAIL = 1000
"""Characters of a status detail that are read; the reference's longest, those of its schemas, have some hundreds."""

SHOWN_CHARACTERS = 120
"""Length of the part of a foreign answer that an error message shows."""


class ErrorCode(IntEnum):
    """JSON-RPC error codes. -50nnn is the reference's own range: it stands for the HTTP status nnn."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    BAD_REQUEST = -50400
    UNAUTHORIZED = -50401
    CONTENT_TOO_LARGE = -50413
    UNSUPPORTED_MEDIA_TYPE = -50415
    TOO_MANY_REQUESTS = -50429
    HEADER_TOO_LARGE = -50431


_STATUS: dict[int, int] = {
    ErrorCode.PARSE_ERROR: 400,
    ErrorCode.INVALID_REQUEST: 400,
    ErrorCode.METHOD_NOT_FOUND: 501,
    ErrorCode.INVALID_PARAMS: 400,
    ErrorCode.INTERNAL_ERROR: 500,
}


def status_of(code: int) -> int:
    """Return the status code of HTTP and of DWN replies for a JSON-RPC error code; 500 if there is none."""
    if -50600 < code <= -50400:
        return -code - 50000
    return _STATUS.get(code, 500)


class RpcFault(Exception):
    """A request that does not reach a DWN and is answered by a JSON-RPC error.

    Parameters:
        id: the request's id, if it could be read.
    """

    def __init__(self, code: ErrorCode, message: str, id: Id = None) -> None:
        self.code = code
        self.id = id
        super().__init__(message)

    @property
    def status(self) -> int:
        return status_of(self.code)


@dataclass(frozen=True)
class Request:
    """A message for the DWN of `target`.

    Parameters:
        subscription: over a WebSocket, the id for the subscription that it opens.
    """

    target: str
    message: dict[str, Any]
    id: Id
    subscription: Id = None


@dataclass(frozen=True)
class Envelope:
    """A JSON-RPC 2.0 request of any method."""

    id: Id
    method: Any
    content: dict[str, Any]

    def no_method(self) -> RpcFault:
        return RpcFault(ErrorCode.METHOD_NOT_FOUND, f"there is no method {self.method!r}", self.id)

    def request(self, subscription: Id = None) -> Request:
        """Return the message that it carries.

        Raises:
            RpcFault: it has no target and message.
        """
        params = self.content.get("params")
        if not isinstance(params, dict):
            raise RpcFault(ErrorCode.INVALID_PARAMS, "params must be an object with target and message", self.id)
        target, message = params.get("target"), params.get("message")
        if not isinstance(target, str) or not isinstance(message, dict):
            raise RpcFault(ErrorCode.INVALID_PARAMS, "target must be a string and message an object", self.id)
        return Request(target, message, self.id, subscription)


def encode_request(target: str, message: dict[str, Any], id: Id = None) -> str:
    """Encode the request that `target`'s DWN process `message`, with a fresh id if none is given."""
    return encode(id, method=PROCESS_MESSAGE, params={"target": target, "message": message})


def parse_request(text: str) -> Request:
    """Read a request.

    Raises:
        RpcFault: it is not JSON, not JSON-RPC 2.0, not `dwn.processMessage`, or has no target and message.
    """
    envelope = parse_envelope(text)
    if envelope.method != PROCESS_MESSAGE:
        raise envelope.no_method()
    if "subscription" in envelope.content:
        raise RpcFault(ErrorCode.INVALID_PARAMS, "subscriptions are not supported via http", envelope.id)
    return envelope.request()


def parse_envelope(text: str) -> Envelope:
    """Read a request as far as its method.

    Raises:
        RpcFault: it is not JSON or not JSON-RPC 2.0.
    """
    try:
        request = decode(text)
    except ValueError as error:
        raise RpcFault(ErrorCode.BAD_REQUEST, str(error)) from error
    if not isinstance(request, dict):
        raise RpcFault(ErrorCode.INVALID_REQUEST, "a request is a JSON object")
    id = id_of(request)
    if request.get("jsonrpc") != "2.0":
        raise RpcFault(ErrorCode.INVALID_REQUEST, 'jsonrpc must be "2.0"', id)
    return Envelope(id, request.get("method"), request)


def encode_reply(id: Id, reply: dict[str, Any]) -> str:
    """Encode the response with a DWN's reply, whose data, if any, must be taken out before."""
    return encode(id, result={"reply": reply})


def encode_fault(fault: RpcFault) -> str:
    return encode(fault.id, error={"code": int(fault.code), "message": str(fault)})


def parse_response(text: str | bytes) -> dict[str, Any]:
    """Return the DWN's reply in a response.

    A JSON-RPC error becomes a reply with that status and detail, since it answers this very message, only from a layer
    above the DWN.

    Raises:
        BadReply: this is no JSON-RPC response to `dwn.processMessage`; the message shows how it begins.
    """
    try:
        return reply_in(decode(text), text)
    except ValueError:
        raise no_response(text) from None


def reply_in(response: Any, text: str | bytes) -> dict[str, Any]:
    """Return the reply in a decoded response, as `parse_response` does.

    Parameters:
        text: the response before it was decoded, for the error's message.
    """
    match response:
        case {"error": {"code": int(code), "message": str(message)} as error}:
            return {"status": _status(status_of(code), _with_code(error.get("data"), message))}
        case {"result": {"reply": {"status": {"code": int(code)}} as reply}} if type(code) is int:
            reply["status"] = _status(code, reply["status"].get("detail"))
            return reply  # type: ignore[no-any-return]
    raise no_response(text)


def _with_code(data: Any, message: str) -> str:
    """Return an error's message as a DWN's detail, after the code that newer servers give as data."""
    match data:
        case {"code": str(code)} if code.isidentifier() and not message.startswith(code):
            return f"{code}: {message}"
    return message


def _status(code: int, detail: Any) -> dict[str, Any]:
    return {"code": code, "detail": detail[:MAX_DETAIL] if isinstance(detail, str) else ""}


def no_response(text: str | bytes) -> BadReply:
    """Return the error for a text that is no response; it shows how that begins."""
    seen = text if isinstance(text, str) else text[:SHOWN_CHARACTERS].decode("utf-8", "replace")
    return BadReply(f"not a DWN's JSON-RPC response: {seen[:SHOWN_CHARACTERS]!r}")


def id_of(content: dict[str, Any]) -> Id:
    """Return the id of an envelope, or of its `subscription`; None if that is not an id."""
    id = content.get("id")
    if isinstance(id, float) and not isfinite(id):  # such as 1e999
        return None
    return None if isinstance(id, bool) or not isinstance(id, str | int | float) else id


def encode(id: Id, **parts: Any) -> str:
    """Encode an envelope as ASCII text, with a fresh id if none is given."""
    envelope = {"jsonrpc": "2.0", "id": str(uuid4()) if id is None else id, **parts}
    return json.dumps(envelope, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def decode(text: str | bytes) -> Any:
    """Parse JSON as strictly as JavaScript does, and with its numbers: 5.0 is 5.

    Half a surrogate pair, which JavaScript lets through, is refused: it has no UTF-8 form, so no CID.

    Raises:
        ValueError: the text is not JSON; the message says why.
    """
    if isinstance(text, bytes):
        text = text.decode()
    if text.count(",") >= MAX_VALUES:
        raise ValueError("JSON of too many values")
    try:
        value = strict_json.parse(text, _DECODER)
        if r"\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("JSON with half a surrogate pair") from None
    return value


_DECODER = strict_json.decoder(lambda text: javascript_number(float(text)))


def method_of(message: Mapping[str, Any]) -> str:
    """Return the `Interface.Method` of a message, or "" if it names none."""
    descriptor = message.get("descriptor")
    if not isinstance(descriptor, dict):
        return ""
    return f"{descriptor.get('interface')}.{descriptor.get('method')}"
