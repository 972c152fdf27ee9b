"""A DWN that is reached over HTTP, and over a WebSocket while there is one.

Invariants:
1. What a DWN says comes back as its reply; that nobody answered as a DWN does is a RemoteError. Never mixed up.
2. A message that is too large for one endpoint's headers is that message's trouble, not the endpoint's.
3. Data beyond `MAX_INLINE_BYTES` is never whole in memory: it is read while it is sent. Each attempt, and a redirect
   that repeats the request, reads the local store anew; only data of unknown size is read first.
4. A message is sent twice only if it merely asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from web5.dwn import rpc
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.rpc import method_of
from web5.errors import BadReply, NoWebSocket, RemoteError, Unreachable
from web5.ports.http import BodyStream, Http, HttpResponse
from web5.ports.websocket import WebSocket, WebSockets
from web5.remote.server_info import ServerInfo, server_info
from web5.remote.socket import OnEvent, SocketSubscription
from web5.remote.sockets import Sockets

SECONDS = 30.0
SLOWEST_UPLOAD = 64 * 1024
"""Bytes per second that an upload must reach, so that large data is not cut off."""

SUSPECT_HEADER = 12 * 1024
"""Bytes of a request header from which on a refused connection may be its fault.

Node, and so every reference dwn-server, takes 16 KiB for all headers; it then answers 431 without CORS headers and
closes, which a browser shows as a failed connection. Other servers (uvicorn on h11) answer 400 in words of their own,
which arrives or not before the connection breaks."""

# What an HTTP server or proxy in front of a DWN may say about one message without speaking JSON-RPC.
_ABOUT_THE_MESSAGE = {
    413: "ContentTooLarge: the endpoint does not take that much data",
    429: "TooManyRequests: the endpoint asks for fewer requests",
    431: "HeaderTooLarge: the message is larger than the endpoint takes in a header",
}


_ONLY_ASKS = frozenset({"Records.Query", "Messages.Query", "Protocols.Query"})
_WITHOUT_DATA = _ONLY_ASKS | {"Records.Delete", "Protocols.Configure"}
"""What a socket carries whole: it has no place for data, and dwn-server loses the data of what is read over it."""

LARGEST_SOCKET_TEXT = 200 * 1024
"""Bytes of a message from which on it goes over HTTP: a server may end the socket, and with it all subscriptions, over
a text that is too large for it. Our own takes 256 KiB."""


class RemoteDwn:
    """Sends messages to DWNs by their endpoint URL.

    Parameters:
        sockets: how WebSockets are opened; without, nothing can be subscribed to.
        timeout: seconds to wait for an answer, and between its pieces; an upload gets more by its size.
    """

    def __init__(self, http: Http, sockets: WebSockets | None = None, timeout: float = SECONDS) -> None:
        self._http = http
        self._timeout = timeout
        self._port = sockets
        self._sockets = Sockets(self._open_socket, timeout)

    async def process_message(
        self,
        endpoint: str,
        tenant: str,
        message: dict[str, Any],
        data: bytes | DataStream | None = None,
        *,
        on_sent: Callable[[int], None] | None = None,
    ) -> dict[str, Any]:
        """Have the DWN of `tenant` at `endpoint` process a message.

        Parameters:
            on_sent: called with the bytes of `data` sent so far, if it is sent as a stream.

        Returns:
            The reply in the wire's JSON shape, whatever its status; where the record's data is returned as a stream,
            `entry.data` is a `DataStream` that can be read once, and has to be read or closed: it holds a connection.

        Raises:
            Unreachable, TimedOut: as `Http` and `DwnSocket` do; also while the `DataStream` is read.
            BadReply: something that is no DWN answered; the message shows its status and how it begins.
            Whatever reading `data` raises, such as BlobMissing.
        """
        id = str(uuid4())
        header = rpc.encode_request(tenant, message, id)
        if data is None and (reply := await self._over_socket(endpoint, method_of(message), id, header)) is not None:
            return reply
        body = await _body(data, on_sent)
        try:
            response = await self._post(endpoint, header, body)
        except Unreachable as error:
            if len(header) >= SUSPECT_HEADER and await self._answers(endpoint):
                return _refused(431, f"; it is {len(header)} bytes ({error})")
            raise
        return await _reply(endpoint, response, len(header))

    async def subscribe(
        self, endpoint: str, tenant: str, message: dict[str, Any], on_event: OnEvent
    ) -> SocketSubscription:
        """Have the DWN of `tenant` at `endpoint` tell of messages as they come.

        Parameters:
            message: a MessagesSubscribe or RecordsSubscribe.
            on_event: called with each event, `{"message": …, "initialWrite": …}`, in order; it must not raise. The
                first may come before this returns.

        Raises:
            NoWebSocket: the endpoint offers no WebSocket, or there is none on this side.
            Unreachable, TimedOut, BadReply: as `process_message`.
        """
        return await self._sockets.subscribe(endpoint, tenant, message, on_event)

    async def info(self, endpoint: str) -> ServerInfo:
        """Ask a DWN server what it is and what it demands.

        Raises:
            Unreachable, TimedOut: as `Http` does.
            BadReply: the answer is not a DWN server's.
        """
        return await server_info(self._http, endpoint, self._timeout)

    async def _over_socket(self, endpoint: str, method: str, id: str, request: str) -> dict[str, Any] | None:
        """The reply, if it comes over a socket; None if HTTP is to be asked.

        Raises:
            Unreachable, TimedOut, BadReply: over the socket; the message may have arrived, and not be one to repeat.
        """
        socket = self._sockets.open_to(endpoint)
        if socket is None or method not in _WITHOUT_DATA or len(request) > LARGEST_SOCKET_TEXT:
            return None
        try:
            return await socket.ask(id, request)
        except Unreachable:
            if method not in _ONLY_ASKS:
                raise
            return None

    async def _open_socket(self, endpoint: str) -> WebSocket:
        if self._port is None:
            raise NoWebSocket(f"{endpoint}: there is no WebSocket on this side")
        try:
            return await self._port.connect(f"ws{endpoint.removeprefix('http')}", timeout=self._timeout)
        except Unreachable as error:
            if await self._answers(endpoint, lambda info: not info.web_socket_support):
                raise NoWebSocket(f"{endpoint} says that it offers no WebSocket") from error
            raise

    async def _post(self, endpoint: str, header: str, body: bytes | BodyStream | None) -> HttpResponse:
        headers = {rpc.REQUEST_HEADER: header}
        timeout = self._timeout
        if body is not None:
            headers["content-type"] = "application/octet-stream"
            timeout += (body.size if isinstance(body, BodyStream) else len(body)) / SLOWEST_UPLOAD
        return await self._http.request("POST", endpoint, headers=headers, body=body, timeout=timeout)

    async def _answers(self, endpoint: str, fits: Callable[[ServerInfo], bool] = lambda info: True) -> bool:
        try:
            return fits(await self.info(endpoint))
        except RemoteError:
            return False


async def _body(data: bytes | DataStream | None, on_sent: Callable[[int], None] | None) -> bytes | BodyStream | None:
    """What goes out as the request's body (invariant 3)."""
    if not isinstance(data, DataStream):
        return data
    if data.size is None or data.size <= MAX_INLINE_BYTES:
        return await data.read()
    return BodyStream(data, data.size, once=data.once, on_sent=on_sent)


async def _reply(endpoint: str, response: HttpResponse, asked: int) -> dict[str, Any]:
    """Parameters:
    asked: bytes of the request's header.
    """
    header = response.headers.get(rpc.RESPONSE_HEADER)
    try:
        if header is None:
            return rpc.parse_response(await response.read(rpc.MAX_REPLY_BYTES))
        reply = rpc.parse_response(header)
        entry = reply.get("entry")
        if isinstance(entry, dict):
            entry["data"] = DataStream(response.chunks, _size(entry), once=True, close=response.close)
            return reply
        await response.close()
        return reply
    except (BadReply, Unreachable) as error:
        await response.close()
        if response.status in _ABOUT_THE_MESSAGE:
            # Whoever refuses a request need not read all of it: the connection may break under the answer's body.
            return _refused(response.status)
        if response.status == 400 and asked >= SUSPECT_HEADER:
            return _refused(431, f"; it is {asked} bytes ({error})")
        if isinstance(error, Unreachable):
            raise
        raise BadReply(f"{endpoint} answered {response.status}: {error}") from None


def _refused(status: int, more: str = "") -> dict[str, Any]:
    return {"status": {"code": status, "detail": _ABOUT_THE_MESSAGE[status] + more}}


def _size(entry: dict[str, Any]) -> int | None:
    """The data's size as the message that describes it says; a Content-Length may be that of a compressed form."""
    message = entry.get("recordsWrite") or entry.get("message")
    match message:
        case {"descriptor": {"dataSize": int(size)}}:
            return size
    return None
