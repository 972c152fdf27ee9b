"""A DWN that is reached over HTTP, and over a WebSocket while there is one.

Invariants:
1. A DWN's answer is returned as its reply; if nothing answered as a DWN does, a RemoteError is raised. Never mixed up.
2. A message that is too large for one endpoint's headers is that message's failure, not the endpoint's. It goes in the
   body to who takes it there.
3. Data beyond `MAX_INLINE_BYTES` is never whole in memory: it is read while it is sent. Each attempt reads the local
   store anew; only data of unknown size is read first.
4. A message is sent twice only if it merely asks.
5. A node that asked for a pause is asked nothing until that is over (`pauses`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.signatures.jws import message_signer
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import method_of
from web5.dwn.wire.rpc_body import MAX_ENVELOPE_BYTES
from web5.errors import BadReply, BadRequest, NoWebSocket, RemoteError, Unreachable
from web5.lru import LruCache
from web5.ports.clock import Clock, SystemClock
from web5.ports.http import BodyStream, Http
from web5.ports.websocket import WebSocket, WebSockets
from web5.remote.clocks import NodeClocks
from web5.remote.info import ServerInfo, server_info, socket_url
from web5.remote.pauses import TOO_MANY, Pauses, PoliteHttp, PoliteSockets
from web5.remote.replies import SUSPECT_HEADER, found_nothing, read_reply, refused
from web5.remote.requests import in_body, in_header
from web5.remote.socket import DwnSocket, OnEvent, SocketSubscription
from web5.urls import same_endpoint

SECONDS = 30.0
SLOWEST_UPLOAD = 64 * 1024
"""Bytes per second that an upload must reach, so that large data is not cut off."""

LARGE_HEADER = 3 * 1024
"""Bytes of a request header from which on it is asked for whether the endpoint takes bodies instead: a proxy before it
may have no more than 4 KiB for all headers."""

LARGEST_SOCKET_TEXT = 200 * 1024
"""Bytes of a message from which on it goes over HTTP: a server may end the socket, and with it all subscriptions, over
a text that is too large for it. Our own takes 256 KiB."""

_ONLY_ASKS = frozenset({"Records.Query", "Messages.Query", "Protocols.Query"})
_WITHOUT_DATA = _ONLY_ASKS | {"Records.Delete", "Protocols.Configure"}
"""Methods that a socket carries whole: it has no place for data, and dwn-server loses the data that is read over it."""


KNOWN_INFOS = 64
"""Endpoints whose description is remembered."""

Way = tuple[Http, WebSockets | None]


class RemoteDwn:
    """Sends messages to DWNs by their endpoint URL, in whatever form that is written.

    Parameters:
        sockets: opens WebSockets; without it nothing can be subscribed to.
        is_own: called with a tenant and an endpoint; tells whether somebody here chose that endpoint.
        guarded: guarded ones of both, for all other endpoints, which strangers name in their DID documents.
        timeout: seconds to wait for an answer, and between its pieces; an upload gets more by its size.
        clock: this device's; by default the machine's.
        share_sockets: False: each DID that signs has a WebSocket of its own to an endpoint, which is not told by it
            that some of them are the same person.

    Attributes:
        clocks: those of the nodes, by which questions are dated, and how far this device's is from them.
        pauses: those that nodes asked for.
    """

    def __init__(
        self,
        http: Http,
        sockets: WebSockets | None = None,
        timeout: float = SECONDS,
        *,
        clock: Clock | None = None,
        share_sockets: bool = False,
        is_own: Callable[[str, str], bool] = lambda tenant, endpoint: True,
        guarded: Way | None = None,
    ) -> None:
        self.clocks = NodeClocks(clock or SystemClock())
        self.pauses = Pauses(self.clocks.clock)
        self._own: Way = (http, sockets)
        self._guarded = guarded or self._own
        self._is_own = is_own
        self._timeout = timeout
        self._shares = share_sockets
        self._sockets: dict[tuple[str, str | None], DwnSocket] = {}
        self._infos: LruCache[str, ServerInfo] = LruCache(KNOWN_INFOS)
        self._silent: LruCache[str, bool] = LruCache(KNOWN_INFOS)  # those that did not say what they are

    def way(self, tenant: str, endpoint: str) -> Way:
        """Return the way to an endpoint of a tenant: a guarded one, if nobody here chose the endpoint."""
        http, sockets = self._own if self._is_own(tenant, same_endpoint(endpoint)) else self._guarded
        polite = PoliteHttp(http, self.pauses, endpoint)
        return polite, None if sockets is None else PoliteSockets(sockets, self.pauses, endpoint)

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
            AskedToWait: the endpoint asked for a pause, which is not over; nothing is sent.
            BadReply: something that is no DWN answered; the message shows its status and how it begins.
            Whatever reading `data` raises, such as BlobMissing.
        """
        self.pauses.check(endpoint)
        http, _ = self.way(tenant, endpoint)
        id = str(uuid4())
        request = rpc.encode_request(tenant, message, id)
        # Over HTTP a node tells its time: so it is noticed when a clock that was wrong is put right.
        may_use_socket = data is None and not self.clocks.is_off(endpoint)
        if may_use_socket and (reply := await self._over_socket(endpoint, message, id, request)) is not None:
            return self._heard(endpoint, reply)
        takes_bodies = await self._takes_bodies(http, endpoint, len(request))
        headers, body = (in_body if takes_bodies else in_header)(request, await _body(data, on_sent))
        in_headers = 0 if takes_bodies else len(request)
        timeout = self._timeout
        if body is not None:
            timeout += (body.size if isinstance(body, BodyStream) else len(body)) / SLOWEST_UPLOAD
        began = self.clocks.clock.monotonic()
        try:
            response = await http.request("POST", endpoint, headers=headers, body=body, timeout=timeout)
        except Unreachable as error:
            if in_headers >= SUSPECT_HEADER and await self._info(http, endpoint):
                return refused(431, f"; it is {len(request)} bytes ({error})")
            raise
        seconds = self.clocks.clock.monotonic() - began
        try:
            reply = await read_reply(endpoint, response, in_headers, self._timeout)
            if takes_bodies and found_nothing(reply):
                raise BadReply(f"{endpoint} reads no message in a body, though its /info said so")
        except BadReply:
            if takes_bodies:  # it may be another server by now
                self._infos.drop(same_endpoint(endpoint))
            raise
        self.clocks.answered(endpoint, response.headers.get("date"), seconds)
        return self._heard(endpoint, reply, response.headers)

    def _heard(
        self, endpoint: str, reply: dict[str, Any], headers: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Any]:
        """Take over what a reply, with the headers that it came with, says about pauses, and return it."""
        code = reply["status"]["code"]
        self.pauses.learn(endpoint, code, headers)
        if code < 500 and code != TOO_MANY:
            self.pauses.served(endpoint)
        return reply

    async def subscribe(
        self, endpoint: str, tenant: str, message: dict[str, Any], on_event: OnEvent
    ) -> SocketSubscription:
        """Have the DWN of `tenant` at `endpoint` send events of messages as they come.

        Parameters:
            message: a MessagesSubscribe or RecordsSubscribe.
            on_event: called with each event, `{"message": …, "initialWrite": …}`, in order; it must not raise. The
                first may come before this returns.

        Raises:
            NoWebSocket: the endpoint offers no WebSocket, or there is none on this side.
            Unreachable, TimedOut, AskedToWait, BadReply: as `process_message`.
        """
        self.pauses.check(endpoint)
        key = self._socket_key(endpoint, message)
        socket = self._sockets.get(key)
        if socket is None or socket.has_ended:
            self._sockets = {other: one for other, one in self._sockets.items() if not one.has_ended}
            connecting = self._connect(endpoint, self.way(tenant, endpoint))
            socket = self._sockets[key] = DwnSocket(endpoint, connecting, self._timeout)
        subscription = await socket.subscribe(tenant, message, on_event)
        self._heard(endpoint, subscription.reply)
        return subscription

    def _socket_key(self, endpoint: str, message: dict[str, Any]) -> tuple[str, str | None]:
        return same_endpoint(endpoint), None if self._shares else _signer(message)

    async def _over_socket(
        self, endpoint: str, message: dict[str, Any], id: str, request: str
    ) -> dict[str, Any] | None:
        """Return None if HTTP is to be asked. Whatever is raised, the message may have arrived."""
        socket, method = self._sockets.get(self._socket_key(endpoint, message)), method_of(message)
        if socket is None or not socket.is_open or method not in _WITHOUT_DATA or len(request) > LARGEST_SOCKET_TEXT:
            return None
        try:
            return await socket.request(id, request)
        except Unreachable:
            if method not in _ONLY_ASKS:
                raise
            return None

    async def _connect(self, endpoint: str, way: Way) -> WebSocket:
        http, sockets = way
        if sockets is None:
            raise NoWebSocket(f"{endpoint}: there is no WebSocket on this side")
        try:
            return await sockets.connect(socket_url(endpoint), timeout=self._timeout)
        except Unreachable as error:
            info = await self._info(http, endpoint)
            if info and not info.web_socket_support:
                raise NoWebSocket(f"{endpoint} says that it offers no WebSocket") from error
            raise

    async def info(self, tenant: str, endpoint: str) -> ServerInfo:
        """Ask an endpoint of a tenant for its description. Raises as `server_info` does."""
        return await self._asked(self.way(tenant, endpoint)[0], endpoint)

    def known_info(self, endpoint: str) -> ServerInfo | None:
        """Return the last description that an endpoint gave here; None if it was not asked."""
        return self._infos.get(same_endpoint(endpoint))

    async def _asked(self, http: Http, endpoint: str) -> ServerInfo:
        info = await server_info(http, endpoint, self._timeout)
        self._infos.put(same_endpoint(endpoint), info)
        return info

    async def _takes_bodies(self, http: Http, endpoint: str, size: int) -> bool:
        """Return True if a request of so many bytes goes in the body; the endpoint is asked once, for a large one."""
        key = same_endpoint(endpoint)
        if size > MAX_ENVELOPE_BYTES:
            return False
        if (info := self._infos.get(key)) is None and size >= LARGE_HEADER and self._silent.get(key) is None:
            info = await self._info(http, endpoint)
            if info is None:
                self._silent.put(key, True)
        return info is not None and info.takes_bodies

    async def _info(self, http: Http, endpoint: str) -> ServerInfo | None:
        try:
            return await self._asked(http, endpoint)
        except RemoteError:
            return None


def _signer(message: dict[str, Any]) -> str | None:
    try:
        return message_signer(message)
    except (AttributeError, BadRequest, KeyError, TypeError):
        return None


async def _body(data: bytes | DataStream | None, on_sent: Callable[[int], None] | None) -> bytes | BodyStream | None:
    """Return the request's body (invariant 3)."""
    if not isinstance(data, DataStream):
        return data
    if data.size is None or data.size <= MAX_INLINE_BYTES:
        return await data.read()
    return BodyStream(data, data.size, on_sent=on_sent)
