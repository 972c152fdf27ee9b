"""Nodes that demand registration. The numbers are the invariants of `web5.sync.exchange.registrar`."""

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Device, World, reply_of, unreachable
from tests.watch import Watch
from web5.dwn.values.timestamps import microseconds
from web5.errors import InvalidArgument
from web5.node.registration import RegistrationSettings
from web5.sync import Activity, Registration, RegistrationState
from web5.sync.exchange.registrar import MOST_HASHES

A = f"{HOST}/a"
TERMS = "Be kind.\n"
HASH = sha256(TERMS.encode()).hexdigest()
WORK = RegistrationSettings(hashes=3000)
HARD = RegistrationSettings(hashes=4 * MOST_HASHES)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path, ("/a",))


def registration(device: Device) -> Registration:
    [status] = device.sync.status()
    return status.registration


def later(world: World) -> None:
    """After every backoff."""
    world.clock.ahead += 24 * 3600 * 1_000_000


async def test_a_node_that_demands_nothing_is_not_asked(world: World) -> None:
    phone = await world.device()
    await phone.write()
    assert (await phone.sync.now()).ok
    assert registration(phone) == Registration()
    assert world.network.counts["/a/info", "GET"] == 0


async def test_work_alone_is_done_unasked_and_the_visit_goes_on(world: World) -> None:
    world.demand("/a", WORK)
    phone = await world.device()
    await phone.write()
    report = await phone.sync.now()
    assert report.ok and report.pushed == 1
    found = registration(phone)
    assert (found.state, found.hashes, found.reason) == (RegistrationState.DONE, 3000, None)
    assert found.registered
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_push_alone_registers_too(world: World) -> None:
    world.demand("/a", WORK)
    phone = await world.device()
    await phone.write()
    assert (await phone.sync.now("push")).ok


async def test_while_it_works_the_status_says_how_far_it_is(world: World) -> None:
    world.demand("/a", RegistrationSettings(hashes=MOST_HASHES))
    phone = await world.device()
    watch = Watch(phone)
    running = asyncio.ensure_future(phone.sync.now())
    await watch.until(lambda: registration(phone).tried)
    found = registration(phone)
    assert (found.state, found.hashes) == (RegistrationState.WORKING, MOST_HASHES)
    await phone.sync.stop()  # ends the work at once
    assert (await running).stopped
    assert registration(phone).state is RegistrationState.NOT_NEEDED


async def test_1_terms_wait_for_the_person(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS, 100))
    phone = await world.device()
    await phone.write()
    report = await phone.sync.now()
    assert not report.ok
    [status] = phone.sync.status()
    assert (status.registration.state, status.registration.terms_hash) == (RegistrationState.TERMS, HASH)
    assert status.registration.asks
    assert status.activity is Activity.BLOCKED
    assert status.last_error == (401, "Not a registered tenant.")
    assert world.network.counts["/a/registration", "POST"] == 0
    demands = await phone.registrar.demands(A)
    assert demands.terms and (demands.terms.text, demands.terms.hash) == (TERMS, HASH)
    await phone.registrar.accept_terms(A, HASH)
    assert (await phone.sync.now()).ok
    found = registration(phone)
    assert (found.state, found.terms_hash) == (RegistrationState.DONE, HASH)
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_1_terms_without_work_are_enough_where_no_work_is_asked(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS))
    phone = await world.device()
    await phone.registrar.accept_terms(A, HASH)
    assert (await phone.sync.now()).ok


async def test_1_other_terms_than_those_that_were_read_ask_anew(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS))
    phone = await world.device()
    await phone.registrar.accept_terms(A, sha256(b"others").hexdigest())
    await phone.sync.now()
    assert registration(phone).state is RegistrationState.TERMS
    await phone.registrar.accept_terms(A, HASH)
    assert (await phone.sync.now()).ok
    later(world)
    world.demand("/a", RegistrationSettings("Be kinder."))
    await phone.sync.now()
    assert registration(phone).state is RegistrationState.TERMS
    assert registration(phone).terms_hash == sha256(b"Be kinder.").hexdigest()


async def test_1_terms_of_no_words_need_no_consent(world: World) -> None:
    world.demand("/a", RegistrationSettings("\n", 100))
    phone = await world.device()
    assert (await phone.sync.now()).ok


async def test_1_much_work_waits_for_the_person(world: World) -> None:
    world.demand("/a", HARD)
    phone = await world.device()
    await phone.sync.now()
    found = registration(phone)
    assert (found.state, found.hashes) == (RegistrationState.WORK, 4 * MOST_HASHES)
    await phone.registrar.accept_work(A, 4 * MOST_HASHES)
    watch = Watch(phone)
    running = asyncio.ensure_future(phone.sync.now())
    await watch.until(lambda: registration(phone).state is RegistrationState.WORKING)
    assert registration(phone).hashes == 4 * MOST_HASHES
    await phone.sync.stop()
    await running


async def test_1_what_is_no_consent_is_refused(world: World) -> None:
    phone = await world.device()
    for hash in ("", "x" * 64, HASH.upper()):
        with pytest.raises(InvalidArgument):
            await phone.registrar.accept_terms(A, hash)
    with pytest.raises(InvalidArgument):
        await phone.registrar.accept_work(A, 0)


async def test_2_a_node_that_waits_for_consent_is_not_asked_at_every_visit(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS))
    phone = await world.device()
    for _ in range(3):
        await phone.sync.now()
    assert world.network.counts["/a/info", "GET"] == 1
    await phone.sync.retry()
    assert world.network.counts["/a/info", "GET"] == 2


async def test_2_a_node_that_cannot_be_asked_is_asked_again_after_a_while(world: World) -> None:
    world.demand("/a", WORK)
    phone = await world.device()

    async def broken(node: str, method: str) -> None:
        if node == "/a/info":
            unreachable(method, {})

    world.network.on_request = broken
    await phone.sync.now()
    found = registration(phone)
    assert (found.state, found.reason) == (RegistrationState.FAILED, "Unreachable: connection refused")
    assert found.next_try
    world.network.on_request = None
    assert not (await phone.sync.now()).ok
    later(world)
    assert (await phone.sync.now()).ok


async def test_2_a_node_that_says_nothing_of_how_is_left_alone(world: World) -> None:
    phone = await world.device()
    world.network.faults["/a"] = lambda *_: reply_of(401, "Not a registered tenant.")
    for _ in range(3):
        await phone.sync.now()
    assert world.network.counts["/a/info", "GET"] == 1
    assert "does not say how" in (registration(phone).reason or "")
    world.network.faults.clear()
    assert (await phone.sync.now()).ok
    assert registration(phone) == Registration()


async def test_2_a_registration_that_is_not_honoured_is_not_repeated_at_once(world: World) -> None:
    world.demand("/a", RegistrationSettings("\n"))
    phone = await world.device()
    world.network.faults["/a"] = lambda *_: reply_of(401, "Agreed terms-of-service is outdated.")
    for _ in range(3):
        await phone.sync.now()
    assert world.network.counts["/a/registration", "POST"] == 1
    found = registration(phone)
    assert found.state is RegistrationState.FAILED
    assert found.reason == f"{A} took the registration, but still says: Agreed terms-of-service is outdated."
    waits = []
    for _ in range(3):
        found = registration(phone)
        assert found.next_try
        waits.append(microseconds(found.next_try) - world.clock.now())
        world.clock.ahead += waits[-1]
        await phone.sync.now()
    assert waits[0] < waits[1] < waits[2]
    assert world.network.counts["/a/registration", "POST"] == 4


async def test_2_a_challenge_that_expires_meanwhile_is_replaced(world: World) -> None:
    world.demand("/a", WORK)
    phone = await world.device()

    async def replace(node: str, method: str) -> None:
        if node == "/a/registration":
            world.network.on_request = None
            world.demand("/a", WORK)  # restarted: it knows no challenge any more

    world.network.on_request = replace
    assert (await phone.sync.now()).ok
    assert world.network.counts["/a/registration", "POST"] == 2


async def test_3_a_node_that_forgot_is_registered_with_anew_and_asks_nothing_that_it_knows(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS))
    phone = await world.device()
    await phone.registrar.accept_terms(A, HASH)
    assert (await phone.sync.now()).ok
    again = await world.device()  # the same folder: after a restart of the device
    assert registration(again).state is RegistrationState.DONE
    world.demand("/a", RegistrationSettings(TERMS))
    assert (await again.sync.now()).ok
    assert world.network.counts["/a/registration", "POST"] == 2


async def test_2_a_node_that_forgets_all_the_time_is_registered_with_more_and_more_slowly(world: World) -> None:
    phone = await world.device()
    for posts in (1, 2, 2, 2):
        world.demand("/a", RegistrationSettings("\n"))
        await phone.sync.now()
        assert world.network.counts["/a/registration", "POST"] == posts
    world.clock.ahead += 61 * 1_000_000
    assert (await phone.sync.now()).ok
    later(world)
    assert (await phone.sync.now()).ok  # it has held for long
    world.demand("/a", RegistrationSettings("\n"))
    assert (await phone.sync.now()).ok
    assert world.network.counts["/a/registration", "POST"] == 4


async def test_what_is_accepted_counts_for_all_identities_of_the_person(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS))
    bob = await world.identity("/a")
    phone = await world.device("phone", world.alice, bob)
    await phone.sync.now()
    assert {status.registration.state for status in phone.sync.status()} == {RegistrationState.TERMS}
    await phone.registrar.accept_terms(A, HASH)
    assert (await phone.sync.now()).ok


async def test_a_tenant_that_syncs_no_more_leaves_nothing(world: World) -> None:
    world.demand("/a", WORK)
    phone = await world.device()
    await phone.sync.now()
    await phone.sync.unregister(world.alice.did)
    assert phone.registrar.status(world.alice.did, A) == Registration()


async def test_live_goes_on_at_once_after_consent(world: World) -> None:
    world.demand("/a", RegistrationSettings(TERMS, 100))
    phone = await world.device()
    await phone.write()
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: registration(phone).asks)
    await phone.registrar.accept_terms(A, HASH)
    await watch.until(lambda: not phone.sync.unsettled())
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)
    async with asyncio.timeout(5):
        while [status.activity for status in phone.sync.status()] != [Activity.LIVE]:
            await asyncio.sleep(0)
            world.clock.wake()  # the pause between two attempts to subscribe
    await phone.sync.stop()
