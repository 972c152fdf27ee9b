"""An app connects to a wallet: both ours, through the relay of a real node, as both sides see it.

The numbers are the invariants of `web5.agent.delegation.connect.app`, and, with a w, of `….wallet`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.api.permissions.delegates import NOTE, NOTES, definition
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import ORIGIN, World
from web5 import ProtocolPermissions, Web5
from web5.agent.agent import Agent
from web5.agent.delegation.connect import relay, wire
from web5.agent.delegation.connect.app import MOST_PINS, WalletConnect
from web5.api.web5 import Connection
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.errors import DelegationError, InvalidArgument, NotConnected, NotConnectedReason

RELAY = f"{ORIGIN}/dwn0/connect"
WALLET = "https://wallet.example/connect?theme=dark#top"


class App:
    """An app that asks a wallet, whose link and questions for the PIN a test can await."""

    def __init__(self, agent: Agent, *permissions: ProtocolPermissions) -> None:
        self.agent = agent
        self.link: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.pin: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.pins: list[int] = []
        self.options = WalletConnect(
            display_name="Notes",
            permissions=permissions or [ProtocolPermissions(definition(NOTES), ["read", "write", "query"])],
            server=RELAY,
            wallet_uri=WALLET,
            on_uri=self.link.set_result,
            ask_pin=self._ask,
        )

    async def _ask(self, wrong: int) -> str:
        self.pins.append(wrong)
        return await self.pin

    async def connect(self) -> Connection:
        return await Web5.connect(agent=self.agent, wallet=self.options, sync="off")

    @asynccontextmanager
    async def connecting(self) -> AsyncIterator[asyncio.Task[Connection]]:
        """A connection that is under way, once there is a link."""
        task = asyncio.create_task(self.connect())
        await asyncio.wait([task, self.link], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield task
        finally:
            task.cancel()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web5.agent.delegation.connect.app.POLL_SECONDS", 0.01)


async def claims_of(app: App) -> Mapping[str, Any]:
    """The request as the relay has it."""
    fields = parse_qs(urlsplit(await app.link).query)
    key = b64url_decode(fields["encryption_key"][0])
    text = await relay.take(app.agent.http, fields["request_uri"][0])
    assert text is not None
    return (await wire.verified(app.agent.crypto, await wire.open_request(text, key))).claims


async def test_an_app_asks_the_wallet_grants_and_the_pin_connects_them(world: World) -> None:
    alice = await connected(world)
    app = App(await world.device("app"))
    async with app.connecting() as connecting:
        link = urlsplit(await app.link)
        assert (link.scheme, link.netloc, link.path, link.fragment) == ("https", "wallet.example", "/connect", "top")
        assert parse_qs(link.query).keys() == {"theme", "request_uri", "encryption_key"}
        request = await alice.wallet.read(f"  {await app.link}\n")
        assert (request.display_name, request.server) == ("Notes", urlsplit(ORIGIN).netloc)
        [asked] = request.permissions
        assert (asked.definition, set(asked.permissions)) == (definition(NOTES), {"read", "write", "query"})
        assert "encryption_key" not in repr(request)
        pin = await alice.wallet.approve(request)
        assert pin.isdigit() and len(pin) == 4
        app.pin.set_result(f" {pin} ")
        web5, did = await connecting
    assert did == alice.connected_did
    assert web5.delegate_did is not None
    assert (await web5.sync.now("pull")).ok
    note = await web5.dwn.records.create("by the app", **NOTE)
    assert (await web5.sync.now("push")).ok
    assert (await alice.sync.now("pull")).ok
    assert await (await alice.dwn.records.read(note.id)).data.text() == "by the app"

    again = App(app.agent)
    _, did = await again.connect()  # it is its delegate already, and asks nobody
    assert did == alice.connected_did
    assert not again.link.done()


async def test_who_mistypes_the_pin_is_asked_again_and_not_for_ever(world: World) -> None:
    alice = await connected(world)
    app = App(await world.device("app"))
    async with app.connecting() as connecting:
        pin = await alice.wallet.approve(await alice.wallet.read(await app.link))
        app.pin.set_result(f"{(int(pin) + 1) % 10_000:04d}")
        with pytest.raises(NotConnected) as failed:
            await connecting
    assert failed.value.reason is NotConnectedReason.WRONG_PIN
    assert app.pins == [*range(MOST_PINS)]
    assert app.agent.identities.list() == []


async def test_a_link_is_of_use_once(world: World) -> None:
    alice, mallory = await connected(world), await connected(world, "mallory")
    app = App(await world.device("app"))
    async with app.connecting():
        await mallory.wallet.read(await app.link)
        with pytest.raises(NotConnected) as failed:
            await alice.wallet.read(await app.link)
    assert failed.value.reason is NotConnectedReason.GONE


async def test_w2_who_answers_second_is_told_and_has_granted_nothing(world: World) -> None:
    alice = await connected(world)
    request = await alice.wallet.read(await pushed(alice.agent, {}))
    await relay.answer(alice.agent.http, request._callback, request._state, "aGVhZGVy..bm9uY2U.eA.dGFn")
    with pytest.raises(NotConnected) as failed:
        await alice.wallet.approve(request)
    assert failed.value.reason is NotConnectedReason.REFUSED
    grants = await alice.dwn.permissions.query_grants()
    assert grants
    assert all([await grant.is_revoked() for grant in grants])


Change = Callable[[dict[str, Any]], Any]

CHANGES: list[Change] = [
    lambda claims: claims.update(aud="did:jwk:other"),
    lambda claims: claims.update(nonce="other"),
    lambda claims: claims.update(sub="did:jwk:other"),
    lambda claims: claims.update(exp=1),
    lambda claims: claims.pop("exp"),
    lambda claims: claims.update(iss="did:example:mallory"),
    lambda claims: claims.update(delegateGrants=[{}]),
    lambda claims: claims.update(delegatePortableDid={}),
]


async def test_1_an_answer_to_something_else_or_of_another_key_is_refused(world: World) -> None:
    alice = await connected(world)
    app_agent = await world.device("app")
    crypto = app_agent.crypto
    delegate, other = await jwk.create(crypto), await jwk.create(crypto)
    permissions = [ProtocolPermissions(definition(NOTES))]
    given = await alice.authorize(delegate.uri, permissions=permissions)
    for change, key in [*((change, delegate) for change in CHANGES), (lambda claims: None, other)]:
        app = App(app_agent)
        async with app.connecting() as connecting:
            asked = await claims_of(app)
            claims = {
                "iss": alice.connected_did,
                "sub": delegate.uri,
                "aud": asked["client_id"],
                "nonce": asked["nonce"],
                "exp": alice.agent.clock.now() // 1_000_000 + 600,
                "delegatePortableDid": delegate.to_wire(),
                "delegateGrants": given["delegateGrants"],
            }
            change(claims)
            signed = await wire.sign(await signer_for(key, crypto), claims)
            sealed = await wire.seal_response(crypto, signed, delegate, asked["client_id"], "1234")
            await relay.answer(app.agent.http, asked["redirect_uri"], asked["state"], sealed)
            app.pin.set_result("1234")
            with pytest.raises(NotConnected) as failed:
                await connecting
        assert failed.value.reason is NotConnectedReason.MALFORMED
        assert app.agent.identities.list() == []


async def test_a_wallet_that_keeps_silent_ends_the_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web5.agent.delegation.connect.relay.MOST_SECONDS", 0)
    app = App(await world.device("app"))
    with pytest.raises(NotConnected) as failed:
        await app.connect()
    assert failed.value.reason is NotConnectedReason.UNANSWERED
    assert app.link.done()


async def test_an_app_waits_on_while_its_device_is_offline(world: World) -> None:
    alice = await connected(world)
    app = App(await world.device("app"))
    async with app.connecting() as connecting:
        request = await alice.wallet.read(await app.link)
        world.down.add("dwn0/connect/token")
        pin = await alice.wallet.approve(request)
        await asyncio.sleep(0)
        world.down.clear()
        app.pin.set_result(pin)
        _, did = await connecting
    assert did == alice.connected_did


async def pushed(agent: Agent, claims: dict[str, Any]) -> str:
    """The link to a request with these claims, signed by an app."""
    client = await jwk.create(agent.crypto)
    key = bytes(32)
    whole = {
        "client_id": client.uri,
        "redirect_uri": f"{RELAY}/callback",
        "state": "s",
        "nonce": "n",
        "response_mode": "direct_post",
        "permissionRequests": [
            {
                "protocolDefinition": definition(NOTES),
                "permissionScopes": ProtocolPermissions(definition(NOTES)).scopes(),
            }
        ],
        **claims,
    }
    signed = await wire.sign(await signer_for(client, agent.crypto), whole)
    found = await relay.push(agent.http, RELAY, await wire.seal_request(signed, key))
    return f"web5://connect?request_uri={found.uri}&encryption_key={b64url_encode(key)}"


MALFORMED: list[dict[str, Any]] = [
    {"client_id": "did:jwk:other"},
    {"redirect_uri": "javascript:alert(1)"},
    {"redirect_uri": None},
    {"state": ""},
    {"state": "x" * 513},
    {"nonce": 1},
    {"response_mode": "query"},
    {"permissionRequests": []},
    {"permissionRequests": [{"protocolDefinition": {}, "permissionScopes": [{}]}]},
    {"displayName": "x" * 101},
]

NO_LINKS = [
    "",
    "https://wallet.example/",
    f"https://wallet.example/?request_uri={RELAY}",
    f"https://wallet.example/?request_uri={RELAY}&encryption_key=AAAA",
    f"https://wallet.example/?request_uri=file:///etc/passwd&encryption_key={'A' * 43}",
    "https://[",
    "x" * 10_000,
]


async def test_w1_what_is_no_request_or_no_link_to_one_is_not_shown(world: World) -> None:
    alice = await connected(world)
    links = [await pushed(alice.agent, claims) for claims in MALFORMED]
    link = await pushed(alice.agent, {})
    for spoilt in [*links, f"{link[:-43]}{'B' * 42}A"]:
        with pytest.raises(NotConnected) as failed:
            await alice.wallet.read(spoilt)
        assert failed.value.reason is NotConnectedReason.MALFORMED
    for link in NO_LINKS:
        with pytest.raises(InvalidArgument, match="no link"):
            await alice.wallet.read(link)


async def test_a_delegate_cannot_approve(world: World) -> None:
    alice = await connected(world)
    app = App(await world.device("app"))
    async with app.connecting() as connecting:
        app.pin.set_result(await alice.wallet.approve(await alice.wallet.read(await app.link)))
        web5, _ = await connecting
    request = await web5.wallet.read(await pushed(web5.agent, {}))
    with pytest.raises(DelegationError, match="only the owner"):
        await web5.wallet.approve(request)


def options(**changes: Any) -> dict[str, Any]:
    async def ask(wrong: int) -> str:
        return ""

    named = {"display_name": "x", "permissions": [ProtocolPermissions({})], "server": RELAY, "wallet_uri": WALLET}
    return {**named, "on_uri": print, "ask_pin": ask, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"display_name": "x" * 101},
        {"permissions": []},
        {"server": "dwn.example.org"},
        {"wallet_uri": "wallet"},
        {"on_uri": None},
    ],
)
def test_what_cannot_be_used_says_so(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        WalletConnect(**options(**changes))


async def test_what_is_no_wallet_says_so(world: World) -> None:
    not_one: Awaitable[Connection] = Web5.connect(agent=await world.device("app"), wallet="x", sync="off")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="WalletConnect"):
        await not_one
