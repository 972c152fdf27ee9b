"""The invariants that hold once nothing goes wrong any more and everybody has had time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from tests.simulation import delegates, ledger_checks
from tests.simulation.account import Authored
from tests.simulation.delegation_rules import held
from tests.simulation.device import Device
from tests.simulation.people import Person
from tests.simulation.rules import Expected
from tests.simulation.world import World
from web5.dwn import Dwn
from web5.errors import StorageError
from web5.sync import State, Unsettled
from web5.sync.exchange.history import OUTLIVED
from web5.sync.plan.policy import classify


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    dwn: Dwn


def nodes(world: World, person: Person) -> list[Node]:
    """Return the nodes that have to hold the person's messages."""
    devices = [Node(device.name, device.dwn) for device in world.devices_of(person.did)]
    well = [endpoint for endpoint in world.documents[person.did] if endpoint is not world.for_good]
    return devices + [Node(endpoint.name, endpoint.dwn) for endpoint in well]


async def check(world: World) -> None:
    """Look at everything; what is wrong becomes a failure of the world."""
    world.failures += [f"a forged message was stored: {cid}" for cid in sorted(world.account.forged)]
    world.failures += world.traffic.violations
    for person in world.people:
        should = delegates.expected_by_owner(world, person)
        for node in nodes(world, person):
            world.failures += _held(world, person, node, should)
            world.failures += [fault async for fault in _data(world, person, node)]
    world.failures += delegates.check(world)
    for device in world.devices:
        ledger_checks.check(device)
        for row in device.sync.unsettled(limit=None) if device.may_sync else ():
            is_well = world.endpoints[row.endpoint] is not world.for_good
            if is_well and (fault := await _untrue(world, device, row)):
                world.failures.append(
                    f"{device.name} has {world.story.called(row.message_cid)} unsettled ({row.direction},"
                    f" {world.endpoints[row.endpoint].name}, {row.state}: {row.detail}), but {fault}"
                )


def _held(world: World, person: Person, node: Node, should: Expected) -> Iterator[str]:
    has, account = held(node.dwn, person.did), world.account
    for cid in sorted(should.cids - has):
        yield f"{node.name} does not have {world.story.called(cid)} of {person.name}"
    for cid in sorted(has - should.cids - should.optional):
        made = account.made.get(cid)
        if made is not None and made.record_id not in should.disputed:
            yield f"{node.name} still has {world.story.called(cid)} of {person.name}"


async def _data(world: World, person: Person, node: Node) -> AsyncIterator[str]:
    """Give what is wrong with the data of the newest writes."""
    store = node.dwn.store
    query = "SELECT cid FROM dwn_message WHERE tenant = ? AND latest = 1 AND method = 'Write'"
    for (cid,) in store.connection.execute(query, (store.tenant(person.did),)).fetchall():
        made = world.account.made.get(cid)
        if made is not None and made.data != await _read(node.dwn, made):
            yield f"{node.name} has other data, or none, for {world.story.called(cid)} of {person.name}"


async def _read(dwn: Dwn, made: Authored) -> bytes | None:
    stored = await dwn.read_stored(made.tenant, made.cid)
    try:
        return None if stored is None or stored.data is None else await stored.data.read()
    except StorageError:
        return None


async def _untrue(world: World, device: Device, row: Unsettled) -> str:
    """Return the fault of an unsettled row's reason, or "": asking again must give the same."""
    endpoint = world.endpoints[row.endpoint]
    source, target = (device.dwn, endpoint.dwn) if row.direction == "push" else (endpoint.dwn, device.dwn)
    made = world.account.made.get(row.message_cid)
    if made is None:
        asked = row.direction == "pull" and row.detail.startswith("MessagesReadInvalidCid")
        return "" if asked else "nobody made it"
    if row.state is State.WAITING and (initial := _missing_initial(world, target, made)):
        # It is the initial write that was refused, or is not to be had; what follows it waits with it.
        made = initial
    stored = await source.read_stored(row.tenant, made.cid)
    if stored is None and ledger_checks.replaced(source, world.account, made.cid):
        return ""  # the row goes when its time has come, without a request
    if stored is None:
        return "it is not where it should come from"
    if row.state is State.WAITING and _is_bare(source, made):
        return ""  # it is all that there is of its record, so that nobody could get the data from the target
    data = None if stored.data is None else await stored.data.read()
    handed_on = row.direction == "pull" or device.may_hand_on
    reply = await target.process_message(row.tenant, stored.message, data, replicated=handed_on)
    outcome = classify(reply, stored.message)
    if outcome.settled and not (outcome.code == row.code == OUTLIVED.code and not device.may_hand_on):
        return f"asking again gives {outcome.code}"
    if row.state is not State.WAITING and (outcome.code, outcome.detail) != (row.code, row.detail):
        return f"asking again gives {outcome.code} {outcome.detail}"
    return ""


def _is_bare(node: Dwn, made: Authored) -> bool:
    """Return True if a node has a record only as an initial write without its data."""
    rows = node.store.record(node.store.tenant(made.tenant), made.record_id)
    return len(rows) == 1 and not rows[0].latest


def _missing_initial(world: World, target: Dwn, made: Authored) -> Authored | None:
    """Return the initial write of a message's record, if that is another message and not at the target."""
    record = [one for one in world.account.made.values() if one.record_id == made.record_id != ""]
    initial = next((one for one in record if one.is_initial and one.cid != made.cid), None)
    return None if initial is None or target.store.has(made.tenant, initial.cid) else initial
