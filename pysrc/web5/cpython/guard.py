"""The way to URLs that strangers choose: websites of the public internet, and nothing else.

Whoever sends a message, a credential or a DID document makes us request what he likes. Without a guard he would reach
what only we can reach: this machine, its network, the metadata service of its cloud.

Invariants:
1. Every request, each of a redirect too, has a URL without a `fault_of_strangers_url`.
2. A name is resolved once, and the connection goes to an address of the answer that is public, however the host was
   written; TLS is verified for the name. So a name cannot lead elsewhere when it is resolved anew.
3. No more than `AT_ONCE` requests run, and `PER_HOST` of them to one host. `IN_LINE` wait for a host, until their time
   is over.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import httpcore
import httpx

from web5.cpython.http import IDLE_SECONDS, HttpxHttp, certificate_authorities
from web5.cpython.websocket import CPythonWebSockets
from web5.ports.http import fault_of_strangers_url

AT_ONCE = 32
PER_HOST = 6
IN_LINE = 1000

ADDRESSES = 4
"""Addresses of a name that are tried."""

RESOLVING = 8
"""Names that are resolved at a time: a name server that keeps silent holds a thread, but none that others need."""

_HINT = " (`allow_local` opens this machine and its network, for development)"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host; raises OSError if there are none."""

_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = [
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16", "3fff::/20")
]
"""Networks that not every Python knows to be special (IANA's registries), and the host of each machine at Azure."""


def is_public(address: str) -> bool:
    """Return True for an address at which a website of the public internet can be.

    Of IPv6, only global unicast is (RFC 4291, section 2.4), and what NAT64 makes of a public IPv4 address (RFC 6052).
    """
    ip = ipaddress.ip_address(address)
    if ip.version == 6:
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SPECIAL)


def guarded_http() -> HttpxHttp:
    """Return a guarded `Http` port."""
    return HttpxHttp(GuardedTransport())


def guarded_sockets() -> CPythonWebSockets:
    """Return a guarded `WebSockets` port."""

    async def locate(url: str) -> str:
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise OSError(str(error)) from error
        scheme = "https" if parts.scheme == "wss" else parts.scheme
        if fault := fault_of_strangers_url(scheme, parts.userinfo.decode("ascii", "replace"), parts.port):
            raise OSError(f"it is not opened, because {fault}{_HINT}")
        return _public(parts.host, await _resolve(parts.host, parts.port or 443))[0]

    return CPythonWebSockets(locate)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Connections of httpx to public websites. Proxies of the environment are not used: they resolve names themselves.

    Parameters:
        resolve: another way to the addresses of a host than the system's.
        trust: the certificate authorities; by default those of httpx.
        network: another way to an address than the system's.
    """

    def __init__(
        self,
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        # A connection that is kept goes on to the address that was checked.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or certificate_authorities(),
            max_connections=AT_ONCE,
            max_keepalive_connections=PER_HOST,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=_PublicInternet(resolve or _resolve, network or httpcore.AnyIOBackend()),
        )
        self._lines: dict[str, asyncio.Semaphore] = {}
        self._waiting: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if fault := fault_of_strangers_url(url.scheme, url.userinfo.decode("ascii", "replace"), url.port):
            raise httpx.UnsupportedProtocol(f"it is not requested, because {fault}{_HINT}")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._turn(url.host, request.extensions.get("timeout", {}).get("pool")))
            response = await super().handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = _Held(response.stream, stack.pop_all())
            return response

    @asynccontextmanager
    async def _turn(self, host: str, seconds: float | None) -> AsyncIterator[None]:
        if self._waiting[host] >= PER_HOST + IN_LINE:
            raise httpx.ConnectError(f"too many requests to {host} wait already")
        line = self._lines.setdefault(host, asyncio.Semaphore(PER_HOST))
        self._waiting[host] += 1
        try:
            async with asyncio.timeout(seconds):
                await line.acquire()
            try:
                yield
            finally:
                line.release()
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host], self._lines[host]


class _Held(httpx.AsyncByteStream):
    """A body; when it is closed, the next in line has its turn."""

    def __init__(self, body: httpx.AsyncByteStream, turn: AsyncExitStack) -> None:
        self._body = body
        self._turn = turn

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            yield part

    async def aclose(self) -> None:
        async with self._turn:
            await self._body.aclose()


class _PublicInternet(httpcore.AsyncNetworkBackend):
    """Connections to public addresses."""

    def __init__(self, resolve: Resolve, network: httpcore.AsyncNetworkBackend) -> None:
        self._resolve = resolve
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                public = _public(host, await self._resolve(host, port))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from error
        except (OSError, ValueError) as error:
            raise httpcore.ConnectError(str(error)) from error
        *others, last = public
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._network.connect_tcp(address, port, timeout and timeout / len(public))
        return await self._network.connect_tcp(last, port, timeout and timeout / len(public))


def _public(host: str, addresses: Sequence[str]) -> list[str]:
    """Return the first public ones, or raise OSError."""
    found = [address for address in dict.fromkeys(addresses) if is_public(address)]
    if not found:
        raise OSError(f"{host} is no host of the public internet{_HINT}")
    return found[:ADDRESSES]


_threads = ThreadPoolExecutor(RESOLVING, thread_name_prefix="resolve")


async def _resolve(host: str, port: int) -> list[str]:
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_threads, ask)
    return [str(address[0]) for *_, address in found]
