"""URLs that strangers choose lead to websites of the public internet, over TLS, and nowhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.security.websites import HOST, PUBLIC, answer, websites
from web5 import Web5
from web5.cpython.agent import open_agent
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.guard import AT_ONCE, PER_HOST, GuardedTransport, guarded_http, guarded_sockets
from web5.cpython.http import REDIRECTS, HttpxHttp
from web5.crypto.encoding import b64url_encode
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dids.resolver import UniversalResolver
from web5.dids.web import DidWeb
from web5.dwn import compose
from web5.dwn.wire import rpc
from web5.errors import CredentialError, RemoteError, TimedOut, Unreachable
from web5.node.serve import embedded
from web5.ports.clock import SystemClock
from web5.ports.http import get_document
from web5.vc.models import VerifiableCredential
from web5.vc.signing import sign_credential

crypto = CPythonCrypto()
clock = SystemClock()


@pytest.fixture
async def listener() -> AsyncIterator[Any]:
    """Something on this machine that nobody is to knock at; `port`, and whether somebody did: `knocked`."""

    class Listener:
        knocked = 0

        async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.knocked += 1
            writer.close()

    listener: Any = Listener()
    server = await asyncio.start_server(listener.connected, ["127.0.0.1"], 0)
    listener.port = server.sockets[0].getsockname()[1]
    async with server:
        yield listener


LOCAL_HOSTS = [
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
    ),
    *(
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
    ),
    *("\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "%31%32%37.0.0.1"),
]


@pytest.mark.parametrize("host", LOCAL_HOSTS)
async def test_no_spelling_of_this_machine_reaches_it(listener: Any, host: str) -> None:
    http = guarded_http()
    for url in (f"https://{host}:{listener.port}/", f"http://{host}:{listener.port}/"):
        with pytest.raises(RemoteError):
            await http.request("GET", url, timeout=10)
    with pytest.raises(RemoteError):
        await guarded_sockets().connect(f"wss://{host}:{listener.port}/", timeout=10)
    await http.close()
    assert listener.knocked == 0


async def _hello(asked: str, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(body=b"hello"))


async def test_a_public_website_is_reached(tmp_path: Path) -> None:
    async with websites(tmp_path, _hello) as sites:
        assert await get_document(sites.http, sites.url("a"), limit=100, seconds=20) == (200, b"hello")
        assert (sites.asked, sites.network.connected) == ([f"{HOST}/a"], [PUBLIC])


@pytest.mark.parametrize(
    "url",
    [
        "http://site.example:{port}/",
        "ftp://site.example/",
        "https://user@site.example:{port}/",
        "https://user:word@site.example:{port}/",
        "https://site.example:22/",
        "https://site.example:80/",
        "https://private.example:{port}/",
        "https://nowhere.example:{port}/",
    ],
)
async def test_what_is_no_public_website_is_not_requested(tmp_path: Path, url: str) -> None:
    async def redirect(asked: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("302 Found", headers=[f"Location: {url.format(port=sites.port)}"]))

    async with websites(tmp_path, redirect) as sites:
        with pytest.raises(Unreachable):
            await sites.http.request("GET", url.format(port=sites.port))
        assert sites.network.connected == []
        with pytest.raises(Unreachable):  # nor if another site says so
            await sites.http.request("GET", sites.url())
        assert sites.network.connected == [PUBLIC]


async def test_a_redirect_to_this_machine_is_not_followed(tmp_path: Path, listener: Any) -> None:
    async def redirect(asked: str, writer: asyncio.StreamWriter) -> None:
        host = asked.partition("/")[2]
        for scheme in ("http", "https"):
            writer.write(answer("302 Found", headers=[f"Location: {scheme}://{host}:{listener.port}/latest/meta-data"]))

    async with websites(tmp_path, redirect) as sites:
        for host in LOCAL_HOSTS[:-3]:
            with pytest.raises(RemoteError):
                await sites.http.request("GET", sites.url(host))
        assert len(sites.asked) == len(LOCAL_HOSTS) - 3
        assert sites.network.connected == [PUBLIC] * len(sites.asked)
    assert listener.knocked == 0


async def test_redirects_among_public_websites_are_followed_so_far_and_their_bodies_left(tmp_path: Path) -> None:
    async def site(asked: str, writer: asyncio.StreamWriter) -> None:
        host, _, path = asked.partition("/")
        if path == "0":
            return writer.write(answer(body=b"here"))
        left = str(int(path) - 1)
        place = sites.url(left, "other.example" if host == HOST else HOST)
        # Whoever reads this body waits for ever.
        writer.write(f"HTTP/1.1 307 Elsewhere\r\nLocation: {place}\r\nContent-Length: 1000000000\r\n\r\n".encode())
        await writer.drain()
        await over.wait()

    over = asyncio.Event()
    async with websites(tmp_path, site) as sites:
        found = await get_document(sites.http, sites.url(str(REDIRECTS)), limit=10, seconds=20)
        assert found == (200, b"here")
        assert len(sites.asked) == REDIRECTS + 1
        with pytest.raises(Unreachable, match="too many"):
            await get_document(sites.http, sites.url(str(REDIRECTS + 1)), limit=10, seconds=20)
        over.set()


async def test_a_name_that_changes_its_address_is_asked_for_once_a_connection(tmp_path: Path) -> None:
    async with websites(tmp_path, _hello) as sites:
        sites.addresses[HOST] = [[PUBLIC], ["127.0.0.1"]]
        assert await get_document(sites.http, sites.url(), limit=10, seconds=20) == (200, b"hello")
        assert (sites.resolved[HOST], sites.network.connected) == (1, [PUBLIC])
        with pytest.raises(Unreachable):
            await sites.http.request("GET", sites.url())
        assert sites.network.connected == [PUBLIC]


async def test_of_several_addresses_only_public_ones_are_tried(tmp_path: Path) -> None:
    async with websites(tmp_path, _hello) as sites:
        sites.addresses[HOST] = [["127.0.0.1", "::1", "10.1.1.1", PUBLIC, "fe80::1"]]
        assert (await get_document(sites.http, sites.url(), limit=10, seconds=20))[0] == 200
        assert sites.network.connected == [PUBLIC]


async def test_the_next_address_is_tried_where_nobody_is(tmp_path: Path) -> None:
    several = ["198.41.0.4", "8.8.8.8", "127.0.0.1", "1.1.1.1", PUBLIC, "9.9.9.9"]
    async with websites(tmp_path, _hello) as sites:
        sites.addresses[HOST] = [several]
        sites.network.down = {"198.41.0.4", "8.8.8.8", "1.1.1.1"}
        assert (await get_document(sites.http, sites.url(), limit=10, seconds=20))[0] == 200
        assert sites.network.connected == ["198.41.0.4", "8.8.8.8", "1.1.1.1", PUBLIC]
        sites.network.down.add(PUBLIC)
        with pytest.raises(Unreachable, match=PUBLIC):
            await sites.http.request("GET", sites.url())
        assert "9.9.9.9" not in sites.network.connected, "four are enough"


async def test_tls_is_verified_for_the_name(tmp_path: Path) -> None:
    async with websites(tmp_path, _hello) as sites:
        sites.addresses["third.example"] = [[PUBLIC]]
        with pytest.raises(Unreachable):
            await sites.http.request("GET", sites.url(host="third.example"))
        with pytest.raises(Unreachable):
            await sites.http.request("GET", sites.url(host=PUBLIC))
        assert sites.asked == []


async def test_requests_to_a_host_wait_for_their_turn_and_hold_up_no_other(tmp_path: Path) -> None:
    arrived: asyncio.Queue[str] = asyncio.Queue()

    async def slow(asked: str, writer: asyncio.StreamWriter) -> None:
        await arrived.put(asked)
        await go_on.wait()
        writer.write(answer(body=b"ok"))

    def ask(path: str, host: str = HOST) -> asyncio.Task[tuple[int, bytes]]:
        return asyncio.create_task(get_document(sites.http, sites.url(path, host), limit=10, seconds=60))

    go_on = asyncio.Event()
    async with websites(tmp_path, slow) as sites:
        asking = [ask(str(number)) for number in range(PER_HOST + 20)]
        for _ in range(PER_HOST):
            await arrived.get()
        asking.append(ask("x", "other.example"))
        assert await arrived.get() == "other.example/x"
        go_on.set()
        assert await asyncio.gather(*asking) == [(200, b"ok")] * len(asking)
        assert sites.most == PER_HOST + 1


async def test_a_line_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web5.cpython.guard.IN_LINE", 20)
    resolving, go_on = asyncio.Event(), asyncio.Event()

    async def resolve(host: str, port: int) -> list[str]:
        resolving.set()
        await go_on.wait()
        raise OSError(f"there is no {host}")

    http = HttpxHttp(GuardedTransport(resolve))
    ask = partial(http.request, "GET", f"https://{HOST}/", timeout=60)
    asking = [asyncio.create_task(ask()) for _ in range(PER_HOST + 20)]
    await resolving.wait()
    with pytest.raises(Unreachable, match="wait already"):
        await ask()
    go_on.set()
    await asyncio.wait(asking)
    await http.close()


async def test_altogether_so_many_run() -> None:
    started: asyncio.Queue[str] = asyncio.Queue()
    go_on = asyncio.Event()

    async def resolve(host: str, port: int) -> list[str]:
        started.put_nowait(host)
        await go_on.wait()
        raise OSError(f"there is no {host}")

    http = HttpxHttp(GuardedTransport(resolve))
    hosts = [f"https://h{number}.example/" for number in range(AT_ONCE + 10)]
    asking = [asyncio.create_task(http.request("GET", url, timeout=60)) for url in hosts]
    for _ in range(AT_ONCE):
        await started.get()
    await asyncio.wait(asking, timeout=0)
    assert started.empty()
    go_on.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(one, Unreachable) for one in found)
    assert started.qsize() == 10
    await http.close()


async def test_a_body_that_drips_in_ends_in_time(tmp_path: Path) -> None:
    async def drip(asked: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with websites(tmp_path, drip) as sites:
        with pytest.raises(TimedOut):
            await get_document(sites.http, sites.url(), limit=1_000_000, seconds=1)


async def test_a_did_of_the_web_resolves_through_the_guard_and_no_did_leads_here(tmp_path: Path, listener: Any) -> None:
    async def site(asked: str, writer: asyncio.StreamWriter) -> None:
        if asked == f"{HOST}/me/did.json":
            return writer.write(answer(body=json.dumps({"id": f"did:web:{HOST}%3A{sites.port}:me"}).encode()))
        writer.write(answer("302 Found", headers=[f"Location: http://127.0.0.1:{listener.port}/"]))

    async with websites(tmp_path, site) as sites:
        resolver = UniversalResolver([DidWeb(sites.http)])
        assert (await resolver.resolve(f"did:web:{HOST}%3A{sites.port}:me")).error is None
        assert (await resolver.resolve(f"did:web:{HOST}%3A{sites.port}:you")).error == "internalError"
        asked = len(sites.asked)
        results = await asyncio.gather(*(resolver.resolve(f"did:web:{HOST}%3A{sites.port}:gone") for _ in range(1000)))
        assert {result.error for result in results} == {"internalError"}
        await resolver.resolve(f"did:web:{HOST}%3A{sites.port}:gone")
        assert len(sites.asked) == asked + 1, "a failure is remembered"
    assert listener.knocked == 0


async def test_a_message_with_a_false_signature_makes_the_node_reach_nothing_here(
    tmp_path: Path, listener: Any
) -> None:
    alice = await jwk.create(crypto)
    query = await compose.records_query(await signer_for(alice, crypto), clock, filter={"schema": "https://x.example/"})
    async with embedded(tmp_path, None) as app:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")
        for host in ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "ip6-localhost", "a.localhost"):
            header = json.dumps({"alg": "EdDSA", "kid": f"did:web:{host}%3A{listener.port}#0"}).encode()
            query["authorization"]["signature"]["signatures"][0]["protected"] = b64url_encode(header)
            reply = await client.post("/dwn0", headers={"dwn-request": rpc.encode_request(alice.uri, query)})
            assert reply.json()["result"]["reply"]["status"]["code"] == 401
    assert listener.knocked == 0


@pytest.mark.parametrize("allow_local", [False, True])
async def test_an_agent_reaches_its_own_machine_for_strangers_only_if_it_is_told_to(
    tmp_path: Path, listener: Any, allow_local: bool
) -> None:
    here = f"http://127.0.0.1:{listener.port}"
    agent = await open_agent(gateway_uris=["http://127.0.0.1:9/"], data_path=tmp_path, allow_local=allow_local)
    try:
        stranger = await jwk.create(crypto)
        service = {"id": "#dwn", "type": "DecentralizedWebNode", "serviceEndpoint": [here]}
        document = stranger.document.model_validate({**stranger.document.to_wire(), "service": [service]})
        agent.resolver.seed(stranger.model_copy(update={"document": document}))
        with pytest.raises(RemoteError):
            await agent.messages.request(stranger.uri, {"descriptor": {"interface": "Records", "method": "Read"}})
        assert (listener.knocked > 0) is allow_local
        before = listener.knocked
        await agent.resolver.resolve(f"did:web:localhost%3A{listener.port}")
        assert (listener.knocked > before) is allow_local
    finally:
        await agent.close()


@pytest.mark.parametrize("allow_local", [False, True])
async def test_nor_for_the_schemas_and_status_lists_of_credentials(
    tmp_path: Path, listener: Any, allow_local: bool
) -> None:
    issuer = await jwk.create(crypto)
    here = f"https://127.0.0.1:{listener.port}/"
    entry = {"id": here, "type": "StatusList2021Entry", "statusListCredential": here, "statusListIndex": "0"}
    schema = {"id": here, "type": "JsonSchema"}
    credential = VerifiableCredential.create(
        issuer=issuer.uri, subject=issuer.uri, data={}, credential_schema=schema, credential_status=entry
    )
    text = await sign_credential(credential, await signer_for(issuer, crypto), clock)
    web5, _ = await Web5.connect(
        data_path=tmp_path, did_dht_gateways=["http://127.0.0.1:9/"], sync="off", allow_local=allow_local
    )
    try:
        with pytest.raises(CredentialError, match="schemaUnavailable"):
            await web5.vc.verify(text)
        with pytest.raises(CredentialError, match="statusUnavailable"):
            await web5.vc.status(await web5.vc.verify(text, check_schema=False))
    finally:
        await web5.close()
    assert listener.knocked == (2 if allow_local else 0)
