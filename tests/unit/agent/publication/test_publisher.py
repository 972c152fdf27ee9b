"""The invariants of `publication.publisher` and `publication.attempt`, on real gateways and a clock that is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.dids.gateway_world import CRYPTO, GatewayWorld
from tests.watch import until
from web5.agent.publication.documents import Wanted
from web5.agent.publication.dwn_service import with_service
from web5.agent.publication.publisher import NAP, SPREAD, WAITS, DidPublisher
from web5.agent.publication.store import Publication, PublicationStore
from web5.cpython.crypto import CPythonCrypto
from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem, version_of
from web5.dids.dht.gateways import SURVEY_SECONDS
from web5.dids.models import DidDocument, PortableDid
from web5.dwn.store.database import Database, open_memory

REFUSED = httpx.ConnectError("refused")
HOUR = 3600


class Device:
    """A publisher, and what it publishes: the newest document that is known, and what was changed in it since."""

    def __init__(self, world: GatewayWorld, *names: str, database: Database | None = None, chance: float = 0.0) -> None:
        self.world = world
        self.dids: dict[str, PortableDid] = {}
        self.changed: dict[str, str] = {}
        self.handed_out: list[PortableDid] = []
        self.taken: list[PortableDid] = []
        self.database = database or open_memory()
        self.publications = PublicationStore(self.database)
        self.publisher = DidPublisher(
            self.publications,
            world.gateways(*names),
            CRYPTO,
            world.clock,
            wanted=self._wanted,
            on_newer=self._on_newer,
            on_published=self._on_published,
            chance=lambda: chance,
        )

    async def _wanted(self, did: str) -> Wanted:
        portable_did, version = self.dids[did], version_of(self.dids[did].metadata)
        if did in self.changed:
            return Wanted(with_aka(portable_did, self.changed[did]), version, changed=True)
        return Wanted(portable_did, version, changed=False)

    async def _on_newer(self, portable_did: PortableDid) -> None:
        self.dids[portable_did.uri] = portable_did
        self.taken.append(portable_did)

    async def _on_published(self, portable_did: PortableDid) -> None:
        did = portable_did.uri
        if portable_did.document.also_known_as == [self.changed.get(did)]:
            del self.changed[did]
        self.dids[did] = portable_did
        self.handed_out.append(portable_did)

    async def create(self) -> str:
        portable_did = await dht.create(CRYPTO, **dht.identity_defaults(["https://a.example"]))
        self.publisher.created(portable_did.uri)
        self.keep(portable_did)
        return portable_did.uri

    def keep(self, *portable_dids: PortableDid) -> None:
        for portable_did in portable_dids:
            self.dids[portable_did.uri] = portable_did
            self.publisher.keep(portable_did)

    def change(self, did: str, aka: str) -> None:
        self.changed[did] = aka
        self.publisher.keep(self.dids[did])

    def state(self, did: str) -> Publication:
        return self.publications.get(did)

    def settled(self, did: str) -> bool:
        state = self.state(did)
        return state.is_current and state.next_try > self.world.clock.now()


def with_aka(portable_did: PortableDid, aka: str) -> PortableDid:
    """The same DID, its document changed."""
    document = portable_did.document.model_copy(update={"also_known_as": [aka]})
    return portable_did.model_copy(update={"document": document})


@pytest.fixture
async def world() -> AsyncIterator[GatewayWorld]:
    yield GatewayWorld("a", "b")


@pytest.fixture
async def device(world: GatewayWorld) -> AsyncIterator[Device]:
    device = Device(world)
    yield device
    await device.publisher.stop()


async def shown(world: GatewayWorld, did: str, name: str = "a") -> DidDocument | None:
    """What a gateway has."""
    item = (await world.gateways(name).ask(f"http://{name}", dht.identity_key(did))).item
    return (await dht.read_document(did, item, CPythonCrypto())).document if item else None


async def aka(world: GatewayWorld, did: str, name: str = "a") -> list[str] | None:
    document = await shown(world, did, name)
    assert document is not None
    return document.also_known_as


async def ended(device: Device, did: str) -> None:
    """Until no attempt runs: `publish` is back as soon as the quickest gateway shows the document."""
    await until(lambda: device.state(did).next_try > device.world.clock.now())


async def test_a_new_did_is_out_once_a_gateway_shows_it(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    assert not device.publisher.known(did)
    assert await device.publisher.publish(did)
    assert device.publisher.known(did)
    await ended(device, did)
    state = device.state(did)
    assert (state.state, state.error, state.gateways) == ("published", None, "http://a http://b")
    [handed_out] = device.handed_out
    assert handed_out.metadata["versionId"] == str(state.sequence)
    assert await shown(world, did, "b") == device.dids[did].document


async def test_a_first_publication_costs_one_question_more_and_waits_for_no_slow_gateway(
    world: GatewayWorld, device: Device
) -> None:
    world.silent["b"] = asyncio.Event()
    did = await device.create()
    assert await device.publisher.publish(did)
    assert world.requests == {("PUT", "a"): 1, ("PUT", "b"): 1, ("GET", "a"): 1}
    world.silent["b"].set()
    await ended(device, did)
    assert device.state(did).state == "published"
    assert await shown(world, did, "b") == device.dids[did].document


async def test_what_a_gateway_took_and_does_not_show_is_not_known(world: GatewayWorld, device: Device) -> None:
    """Invariant 4 of an attempt."""
    world.forgetful |= {"a", "b"}
    did = await device.create()
    assert not await device.publisher.publish(did)
    state = device.state(did)
    assert (state.known, state.error) == (False, "No gateway shows what was published yet.")
    assert device.handed_out == []
    sequence = state.sequence
    world.forgetful.clear()
    assert await device.publisher.publish(did)
    assert device.state(did).sequence == sequence, "it was given again, not published anew"
    assert len(device.handed_out) == 1


async def test_attempts_go_on_with_growing_waits(world: GatewayWorld, device: Device) -> None:
    world.failing |= {"a": REFUSED, "b": 500}
    did = await device.create()
    for attempt, wait in enumerate([*WAITS["missing"], WAITS["missing"][-1]], start=1):
        await until(lambda: device.state(did).attempts == attempt)  # noqa: B023
        state = device.state(did)
        assert "refused" in (state.error or "") and "http://b: the DID DHT gateway answered" in (state.error or "")
        assert state.next_try == pytest.approx(world.clock.now() + wait * 1_000_000, abs=100_000)
        passed = 0.0
        while passed < wait:
            await until(lambda: set(world.clock.slept) - {SURVEY_SECONDS})
            world.clock.slept.clear()
            step = min(NAP, wait - passed)
            world.clock.advance(step + 0.1)
            passed += step
    world.failing.clear()
    assert await device.publisher.publish(did)
    await ended(device, did)
    assert device.state(did).attempts == 0


async def test_waits_are_spread(world: GatewayWorld) -> None:
    device = Device(world, chance=1.0)
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    wait = WAITS["published"][0] * (1 - SPREAD)
    assert device.state(did).next_try == pytest.approx(world.clock.now() + wait * 1_000_000, abs=100_000)


async def test_a_gateway_that_was_down_is_given_it_later(world: GatewayWorld, device: Device) -> None:
    world.failing["a"] = REFUSED
    did = await device.create()
    await until(lambda: device.settled(did))
    state = device.state(did)
    assert device.publisher.known(did)
    assert (state.state, "http://a: " in (state.error or "")) == ("incomplete", True)
    world.failing.clear()
    await until(lambda: world.clock.slept)
    world.clock.advance(WAITS["incomplete"][0])
    await until(lambda: device.state(did).state == "published")
    assert await shown(world, did, "a") == device.dids[did].document
    assert device.state(did).error is None
    assert len(device.handed_out) == 1, "it is the same version"


async def test_it_is_renewed_before_it_expires_with_the_same_bytes(world: GatewayWorld, device: Device) -> None:
    """Invariant 3 of an attempt."""
    did = await device.create()
    await until(lambda: device.settled(did))
    before = device.state(did)
    world.requests.clear()
    await until(lambda: world.clock.slept)
    world.clock.advance(HOUR)  # as after the device has slept
    await until(lambda: world.requests["PUT", "b"])
    await until(lambda: device.settled(did))
    after = device.state(did)
    assert after.payload == before.payload
    assert after.next_try > before.next_try
    assert world.requests["PUT", "a"] == 1
    assert len(device.handed_out) == 1


async def test_gateways_that_lost_everything_are_given_it_again(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    await until(lambda: device.settled(did))
    world.lose_everything()
    await until(lambda: world.clock.slept)
    world.clock.advance(HOUR)
    await until(lambda: world.requests["PUT", "a"] == 2)
    await until(lambda: device.settled(did))
    assert await shown(world, did) == device.dids[did].document


async def test_a_changed_document_is_published_at_once_as_a_newer_version(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    await device.publisher.publish(did)
    first = device.state(did).sequence
    device.change(did, "did:example:me")
    assert await device.publisher.publish(did)
    assert await aka(world, did) == ["did:example:me"]
    assert device.state(did).sequence > first
    assert len(device.handed_out) == 2


async def test_a_change_during_an_attempt_is_not_missed_and_attempts_do_not_overlap(
    world: GatewayWorld, device: Device
) -> None:
    """Invariant 1."""
    world.silent |= {"a": asyncio.Event(), "b": asyncio.Event()}
    did = await device.create()
    first = [asyncio.ensure_future(device.publisher.publish(did)) for _ in range(5)]
    await world.asked.wait()
    device.change(did, "did:example:me")
    second = [asyncio.ensure_future(device.publisher.publish(did)) for _ in range(5)]
    for silent in world.silent.values():
        silent.set()
    assert all(await asyncio.gather(*first, *second))
    await ended(device, did)
    assert world.requests["PUT", "a"] == 2


async def test_a_change_that_could_not_go_out_goes_out_after_a_restart(world: GatewayWorld, device: Device) -> None:
    """Invariant 2."""
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    world.failing |= {"a": REFUSED, "b": REFUSED}
    device.change(did, "did:example:me")
    assert not await device.publisher.publish(did)
    assert device.publisher.known(did), "invariant 3"
    await ended(device, did)
    assert device.state(did).state == "missing"
    assert "refused" in (device.state(did).error or "")
    await device.publisher.stop()
    world.failing.clear()
    again = Device(world, database=device.database)
    again.changed |= device.changed
    again.keep(*device.dids.values())
    await until(lambda: again.handed_out)
    assert await aka(world, did) == ["did:example:me"]
    await again.publisher.stop()


async def test_an_old_export_takes_the_newer_document_and_replaces_nothing(world: GatewayWorld, device: Device) -> None:
    """Invariant 1 of an attempt."""
    did = await device.create()
    unpublished = device.dids[did]
    await device.publisher.publish(did)
    old = device.dids[did]
    device.change(did, "did:example:me")
    await device.publisher.publish(did)
    await ended(device, did)
    for exported in (unpublished, old):
        phone = Device(world)
        phone.keep(exported)
        assert await phone.publisher.publish(did)
        assert phone.dids[did].document.also_known_as == ["did:example:me"]
        assert phone.dids[did].private_keys == exported.private_keys
        assert phone.state(did).sequence == device.state(did).sequence
        await ended(phone, did)
    assert await aka(world, did) == ["did:example:me"]


async def test_what_was_published_elsewhere_is_taken_when_it_is_renewed(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    await until(lambda: device.settled(did))
    phone = Device(world)
    phone.keep(device.dids[did])
    await phone.publisher.publish(did)
    await ended(phone, did)
    world.clock.advance(2)
    phone.change(did, "did:example:phone")
    assert await phone.publisher.publish(did)
    await ended(phone, did)
    world.clock.advance(HOUR)
    await until(lambda: device.dids[did].document.also_known_as == ["did:example:phone"])
    assert (len(device.handed_out), len(device.taken)) == (1, 1)


async def test_a_change_here_replaces_what_another_device_published_with_a_clock_ahead(
    world: GatewayWorld, device: Device
) -> None:
    """Invariant 1 of an attempt: the change is made to the newest document, whatever number that has."""
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    version = int(device.dids[did].metadata["versionId"])
    ahead = dht.with_version(with_aka(device.dids[did], "did:example:ahead"), version + 10 * HOUR)
    await dht.publish(ahead, world.http, CRYPTO, *world.uris(), clock=world.clock)
    device.change(did, "did:example:here")
    assert await device.publisher.publish(did)
    assert await aka(world, did) == ["did:example:here"]
    assert await aka(world, did, "b") == ["did:example:here"]
    assert device.state(did).sequence > version + 10 * HOUR


async def test_a_change_is_made_to_what_another_device_has_published_meanwhile(
    world: GatewayWorld, device: Device
) -> None:
    """Invariants 1 and 2 of an attempt; nothing older is ever put over something newer."""
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    elsewhere = with_service(device.dids[did], ["https://a.example", "https://b.example"])
    world.clock.advance(2)
    newer = device.dids[did].model_copy(update={"document": elsewhere})
    await dht.publish(newer, world.http, CRYPTO, *world.uris(), clock=world.clock)
    device.change(did, "did:example:here")
    assert await device.publisher.publish(did)
    for name in ("a", "b"):
        document = await shown(world, did, name)
        assert document is not None
        assert document.dwn_endpoints == ["https://a.example", "https://b.example"]
        assert document.also_known_as == ["did:example:here"]


async def test_what_is_published_while_this_is_being_put_is_kept(
    world: GatewayWorld, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway refuses with 409 what is older than what it has by then."""
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    elsewhere = device.dids[did].model_copy(update={"document": with_service(device.dids[did], ["https://b.example"])})
    ahead = dht.with_version(elsewhere, device.state(did).sequence + 5)
    sign = dht.sign_document

    async def overtaken(*arguments: Any) -> SignedItem:
        monkeypatch.undo()
        await dht.publish(ahead, world.http, CRYPTO, *world.uris(), clock=world.clock)
        return await sign(*arguments)

    monkeypatch.setattr(dht, "sign_document", overtaken)
    device.change(did, "did:example:here")
    assert await device.publisher.publish(did)
    document = await shown(world, did)
    assert document is not None
    assert (document.dwn_endpoints, document.also_known_as) == (["https://b.example"], ["did:example:here"])


async def test_a_change_waits_while_no_gateway_says_what_is_there(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    world.requests.clear()
    world.failing |= {"a": 500, "b": 500}
    device.change(did, "did:example:here")
    assert not await device.publisher.publish(did)
    assert world.requests["PUT", "a"] == 0
    world.failing.clear()
    assert await device.publisher.publish(did)
    assert await aka(world, did) == ["did:example:here"]


async def test_a_did_whose_record_came_from_another_device_is_not_published_anew(
    world: GatewayWorld, device: Device
) -> None:
    did = await device.create()
    await device.publisher.publish(did)
    await ended(device, did)
    world.clock.advance(2)
    elsewhere = with_aka(device.dids[did], "did:example:phone")
    device.keep(await dht.publish(elsewhere, world.http, CRYPTO, *world.uris(), clock=world.clock))
    assert await device.publisher.publish(did)
    assert str(device.state(did).sequence) == device.dids[did].metadata["versionId"]


async def test_the_same_document_published_elsewhere_with_a_higher_number_is_what_is_renewed(
    world: GatewayWorld, device: Device
) -> None:
    did = await device.create()
    await until(lambda: device.settled(did))
    before = device.state(did).sequence
    world.clock.advance(2)
    elsewhere = await dht.publish(device.dids[did], world.http, CRYPTO, *world.uris(), clock=world.clock)
    device.keep(elsewhere)  # its record came by sync
    await until(lambda: world.clock.slept)
    world.requests.clear()
    world.clock.advance(HOUR)
    await until(lambda: world.requests["PUT", "b"])
    await until(lambda: device.settled(did))
    after = device.state(did)
    assert (after.state, after.error) == ("published", None)
    assert after.sequence == version_of(elsewhere.metadata) > before


async def test_an_imported_did_counts_as_known_while_the_gateways_are_down(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    await device.publisher.publish(did)
    phone = Device(world)
    phone.keep(device.dids[did])
    world.failing |= {"a": REFUSED, "b": REFUSED}
    assert await phone.publisher.publish(did)
    assert phone.publisher.known(did)
    assert phone.state(did).error is not None


async def test_a_gateway_that_is_added_is_given_everything(world: GatewayWorld) -> None:
    one = Device(world, "a")
    did = await one.create()
    await one.publisher.publish(did)
    await ended(one, did)
    both = Device(world, "a", "b", database=one.database)
    both.keep(*one.dids.values())
    await until(lambda: both.state(did).gateways == "http://a http://b")
    assert await shown(world, did, "b") == one.dids[did].document
    await both.publisher.stop()


async def test_a_did_that_goes_away_is_forgotten(world: GatewayWorld, device: Device) -> None:
    world.silent |= {"a": asyncio.Event(), "b": asyncio.Event()}
    did = await device.create()
    running = asyncio.ensure_future(device.publisher.publish(did))
    await world.asked.wait()
    del device.dids[did]
    await device.publisher.forget(did)
    assert not await running
    assert device.state(did) == Publication(did)
    assert not await device.publisher.publish(did)


async def test_who_was_never_taken_by_a_gateway_is_known_to_nobody(world: GatewayWorld, device: Device) -> None:
    world.failing |= {"a": REFUSED, "b": 500}
    did = await device.create()
    assert device.publisher.may_be_known(did), "an attempt is under way"
    assert not await device.publisher.publish(did)
    assert not device.publisher.may_be_known(did)
    world.failing.clear()
    assert await device.publisher.publish(did)
    assert device.publisher.may_be_known(did)


async def test_what_is_no_did_dht_needs_no_publication(device: Device) -> None:
    device.keep(PortableDid(uri="did:jwk:a", document=DidDocument(id="did:jwk:a")))
    assert device.publisher.known("did:jwk:a")
    assert await device.publisher.publish("did:jwk:a")
    assert await device.publisher.publish_all()


async def test_keys_that_cannot_be_had_are_told(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    portable_did = device.dids[did]
    device.keep(portable_did.model_copy(update={"private_keys": []}))
    assert not await device.publisher.publish(did)
    assert "private key" in (device.state(did).error or "")
    assert world.requests == {}


async def test_after_stop_nothing_is_begun(world: GatewayWorld, device: Device) -> None:
    did = await device.create()
    await device.publisher.stop()
    assert not await device.publisher.publish(did)
    assert world.requests == {}


async def test_a_device_whose_clock_is_ahead_goes_by_that_of_the_gateways(world: GatewayWorld) -> None:
    device, years = Device(world), 30 * 365 * 24 * HOUR
    world.clock.advance(years)
    did = await device.create()
    await until(lambda: device.settled(did))
    first = version_of(device.dids[did].metadata)
    assert first < world.clock.now() / 1_000_000 - years / 2
    device.change(did, "did:example:changed")
    await until(lambda: version_of(device.dids[did].metadata) > first and device.settled(did))
    assert version_of(device.dids[did].metadata) <= first + 60


@pytest.mark.parametrize("ahead", [2 * HOUR, 365 * 24 * HOUR])
async def test_4_what_was_published_by_a_clock_that_was_ahead_is_renewed_once_it_is_right(
    world: GatewayWorld, ahead: float
) -> None:
    device, world.clock.ahead = Device(world), ahead
    did = await device.create()
    await until(lambda: device.settled(did))
    await device.publisher.stop()
    world.clock.ahead = 0
    world.requests.clear()
    again = Device(world, database=device.database)
    again.keep(device.dids[did])
    await until(lambda: again.state(did).next_try <= world.clock.now() + HOUR * 1_000_000)
    assert world.requests["PUT", "a"] == 1
    assert again.settled(did)
    await again.publisher.stop()


@pytest.mark.parametrize("back", [HOUR / 2, 3 * HOUR])
async def test_4_a_clock_that_is_put_back_meanwhile_makes_nothing_late(
    world: GatewayWorld, device: Device, back: float
) -> None:
    world.clock.ahead = back
    did = await device.create()
    await until(lambda: device.settled(did))
    world.clock.ahead = 0
    world.requests.clear()
    for _ in range(61):
        if world.requests["PUT", "a"]:
            break
        await until(lambda: world.clock.slept)
        world.clock.slept.clear()
        world.clock.advance(NAP)
        await asyncio.sleep(0)
    await until(lambda: world.requests["PUT", "a"] == 1)


async def test_a_document_that_cannot_be_published_is_told_and_the_one_before_is_renewed(
    world: GatewayWorld, device: Device
) -> None:
    """Invariant 5 of an attempt."""
    did = await device.create()
    assert await device.publisher.publish(did)
    await ended(device, did)
    for unfit in ("a,comma", "x" * 900):
        world.requests.clear()
        device.change(did, unfit)
        assert not await device.publisher.publish(did)
        await ended(device, did)
        state = device.state(did)
        assert (state.state, state.known) == ("missing", True)
        assert "comma" in (state.error or "") or "has room for" in (state.error or "")
        assert world.requests["PUT", "a"] == world.requests["PUT", "b"] == 1
        assert await aka(world, did) is None
    device.change(did, "fit")
    assert await device.publisher.publish(did)
    assert await aka(world, did) == ["fit"]
