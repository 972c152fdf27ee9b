"""Answers over HTTP, read as a DWN's replies, or found to be none."""

from __future__ import annotations

from typing import Any

from web5.chunks import in_time
from web5.dwn.data import DataStream
from web5.dwn.wire import rpc
from web5.errors import BadReply, Unreachable
from web5.ports.http import HttpResponse

SUSPECT_HEADER = 12 * 1024
"""Bytes of a request header from which on a refused connection may be its fault.

Node, and so every reference dwn-server, takes 16 KiB for all headers; it then answers 431 without CORS headers and
closes, which a browser shows as a failed connection. Other servers (uvicorn on h11) answer 400 in words of their own,
which arrives or not before the connection breaks."""

# Statuses by which an HTTP server or proxy in front of a DWN refuses one message without speaking JSON-RPC.
_ABOUT_THE_MESSAGE = {
    413: "ContentTooLarge: the endpoint does not take that much data",
    429: "TooManyRequests: the endpoint asks for fewer requests",
    431: "HeaderTooLarge: the message is larger than the endpoint takes in a header",
}

_NO_HEADER = "request payload required."
"""The words of the reference, and ours, for a request without the header."""


async def read_reply(endpoint: str, response: HttpResponse, header_bytes: int, timeout: float) -> dict[str, Any]:
    """Return the reply in an answer; its data, if any, are a stream that has to be read or closed.

    Parameters:
        header_bytes: the size of the request's header, which the answer may be about.
        timeout: in seconds, as for `Http.request`.

    Raises:
        BadReply: nothing answered as a DWN does.
        Unreachable, TimedOut: as `HttpResponse.read` does.
    """
    header = response.headers.get(rpc.RESPONSE_HEADER)
    try:
        if header is None:
            return rpc.parse_response(await response.read(rpc.MAX_REPLY_BYTES, timeout))
        reply = rpc.parse_response(header)
        entry = reply.get("entry")
        if isinstance(entry, dict):
            size = _size(entry)
            entry["data"] = DataStream(lambda: in_time(response.chunks(), timeout), size, close=response.close)
        else:
            await response.close()
        return reply
    except (BadReply, Unreachable) as error:
        await response.close()
        if response.status in _ABOUT_THE_MESSAGE:
            # Whoever refuses a request need not read all of it: the connection may break under the answer's body.
            return refused(response.status)
        if response.status == 400 and header_bytes >= SUSPECT_HEADER:
            return refused(431, f"; it is {header_bytes} bytes ({error})")
        if isinstance(error, Unreachable):
            raise
        raise BadReply(f"{endpoint} answered {response.status}: {error}") from None


def found_nothing(reply: dict[str, Any]) -> bool:
    """Return True for the answer of a server that looks for the message in a header alone, or reads no such body."""
    code, detail = reply["status"]["code"], reply["status"]["detail"]
    return bool(code == 415 or (code == 400 and detail == _NO_HEADER))


def refused(status: int, more: str = "") -> dict[str, Any]:
    """Return the reply that stands for a refusal by what is in front of a DWN."""
    return {"status": {"code": status, "detail": _ABOUT_THE_MESSAGE[status] + more}}


def _size(entry: dict[str, Any]) -> int:
    """Return the data's size by the message that describes it; a Content-Length may be that of a compressed form.

    Raises:
        BadReply: it does not say how large they are, and whoever answers is not trusted to end.
    """
    match entry.get("recordsWrite") or entry.get("message"):
        case {"descriptor": {"dataSize": int(size)}} if type(size) is int and size >= 0:
            return size
    raise BadReply("data of a record whose message has no dataSize")
