"""The invariants that hold once nothing goes wrong any more and everybody has had time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from tests.simulation import delegates, ledger_checks, storage_checks
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
    gone = set[str]()
    for person in world.people:
        should, lost = delegates.expected_by_owner(world, person), await storage_checks.losses(world, person)
        everywhere = nodes(world, person)
        bare = await _without_data(world, person, everywhere, should.cids)
        for node in everywhere:
            world.failures += _held(world, person, node, should, lost.records | bare)
        world.failures += storage_checks.unmended(world, person, lost)
        gone |= lost.records
    world.failures += [fault async for fault in storage_checks.stored(world)]
    world.failures += delegates.check(world, gone)
    for device in world.devices:
        ledger_checks.check(device)
        for row in device.sync.unsettled(limit=None) if device.may_sync else ():
            is_well = row.state is not State.DAMAGED and world.endpoints[row.endpoint] is not world.for_good
            if is_well and (fault := await _untrue(world, device, row)):
                world.failures.append(
                    f"{device.name} has {world.story.called(row.message_cid)} unsettled ({row.direction},"
                    f" {world.endpoints[row.endpoint].name}, {row.state}: {row.detail}), but {fault}"
                )


def _held(world: World, person: Person, node: Node, should: Expected, lost: set[str]) -> Iterator[str]:
    has, account = held(node.dwn, person.did), world.account
    for cid in sorted(should.cids - has):
        if account.made[cid].record_id not in lost:
            yield f"{node.name} does not have {world.story.called(cid)} of {person.name}"
    for cid in sorted(has - should.cids - should.optional):
        made = account.made.get(cid)
        if made is not None and made.record_id not in lost.union(should.disputed):
            yield f"{node.name} still has {world.story.called(cid)} of {person.name}"


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
    try:
        stored = await source.read_stored(row.tenant, made.cid)
        data = None if stored is None or stored.data is None else await stored.data.read()
    except StorageError:
        return ""  # it cannot be read there
    if row.direction == "pull" and made.cid in device.damaged(row.tenant):
        return "it is there, and cannot be read here" if data == made.data else ""  # there it is none either
    if stored is None and ledger_checks.replaced(source, world.account, made.cid):
        return ""  # the row goes when its time has come, without a request
    if stored is None:
        return "it is not where it should come from"
    if row.state is State.WAITING and await _is_bare(source, made):
        return ""  # it is all that can be had of its record, so that nobody could get the data from the target
    handed_on = row.direction == "pull" or device.may_hand_on
    try:
        reply = await target.process_message(row.tenant, stored.message, data, replicated=handed_on)
    except StorageError:
        return ""  # what it depends on cannot be read there
    outcome = classify(reply, stored.message)
    if row.direction == "push" and outcome.code == 409 and not await _gives_newest(target, made):
        return ""  # so the node cannot show what it has instead, and need not have any
    if outcome.settled and not (outcome.code == row.code == OUTLIVED.code and not device.may_hand_on):
        return f"asking again gives {outcome.code}"
    if row.state is not State.WAITING and (outcome.code, _reason(outcome.detail)) != (row.code, _reason(row.detail)):
        return f"asking again gives {outcome.code} {outcome.detail}"
    return ""


def _reason(detail: str) -> str:
    """Return the reason of a refusal, without which of a delegate's grants was refused: any may be the first."""
    return detail.split(":")[0] if detail.startswith("GrantAuthorization") else detail


async def _without_data(world: World, person: Person, everywhere: list[Node], cids: set[str]) -> set[str]:
    """Return the records of which no node has more than an initial write without its data.

    It was sent so because the record had ended, and that end was lost with the device that made it: nobody can give
    the data to those who ask for the message.
    """
    found = set()
    for cid in cids:
        made = world.account.made[cid]
        holders = [node for node in everywhere if node.dwn.store.has(person.did, cid)]
        is_missing = made.is_initial and 0 < len(holders) < len(everywhere)
        if is_missing and all([await _is_bare(node.dwn, made) for node in holders]):
            found.add(made.record_id)
    return found


async def _gives_newest(node: Dwn, made: Authored) -> bool:
    """Return True if a node can give the newest message of a record, with its data."""
    rows = node.store.record(node.store.tenant(made.tenant), made.record_id)
    try:
        newest = await node.read_stored(made.tenant, rows[-1].cid) if rows else None
        if newest is not None and newest.data is not None:
            await newest.data.read()
    except StorageError:
        return False
    return True


async def _is_bare(node: Dwn, made: Authored) -> bool:
    """Return True if a node has of a record an initial write without its data, and nothing else that can be read."""
    rows = node.store.record(node.store.tenant(made.tenant), made.record_id)
    for row in rows:
        if row.cid == made.cid:
            if row.latest or not row.initial:
                return False
            continue
        with suppress(StorageError):
            if await node.read_stored(made.tenant, row.cid) is not None:
                return False
    return True


def _missing_initial(world: World, target: Dwn, made: Authored) -> Authored | None:
    """Return the initial write of a message's record, if that is another message and not at the target."""
    record = [one for one in world.account.made.values() if one.record_id == made.record_id != ""]
    initial = next((one for one in record if one.is_initial and one.cid != made.cid), None)
    return None if initial is None or target.store.has(made.tenant, initial.cid) else initial
