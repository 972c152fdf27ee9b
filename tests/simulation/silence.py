"""The invariants that hold minutes after peace, long before any daily audit: whatever differs is told, and on its way.

1. What a device and an endpoint do not both hold has a row in the ledger of the device.
2. What waits for another message that the device knows to be there does not wait for its time.

What excuses the first: an endpoint that said something untrue of what it took or has, which is found out when it is
asked for everything, a day later; and one whose pause lasts, or that wants a registration, which is told as its error.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.device import Device
from tests.simulation.ledger_checks import is_shown
from tests.simulation.network import Endpoint
from tests.simulation.rules import expected
from tests.simulation.world import World, held
from web5.errors import AskedToWait
from web5.sync import State, Unsettled
from web5.sync.plan.dependencies import MISSING, provided_keys
from web5.sync.plan.policy import FRUITLESS, recall
from web5.sync.states import Wanted

PAUSED = (429, 503)
LACKING = tuple(code for code in MISSING if code != "TimestampAhead" and not code.endswith("InPrevious"))
"""Refusals for want of another message, and not of its data or a date."""


def check_that_nothing_is_silent(world: World) -> None:
    """Find what differs between a device and an endpoint without a word; it becomes a failure of the world."""
    for person in world.people:
        should = expected(world.account.of(person.did)).cids
        for device in world.devices_of(person.did):
            for endpoint in world.documents[person.did]:
                for what in _silent(device, person.did, endpoint, should):
                    world.fail(f"minutes after peace {device.name} {what}")


def _silent(device: Device, tenant: str, endpoint: Endpoint, should: set[str]) -> Iterator[str]:
    here, there = should & held(device.dwn, tenant), should & held(endpoint.dwn, tenant)
    rows = device.sync.unsettled(tenant, Wanted(endpoint.url), limit=None)
    told, called = {(row.direction, row.message_cid) for row in rows}, device.world.story.called
    if endpoint.lied or endpoint is device.world.for_good or is_paused(device, tenant, endpoint):
        return
    for cid in sorted(here - there):
        if ("push", cid) not in told:
            yield f"says nothing of {called(cid)}, which {endpoint.name} lacks"
    for cid in sorted(there - here):
        if ("pull", cid) not in told:
            yield f"says nothing of {called(cid)}, which {endpoint.name} has"


def has_doubts(device: Device) -> bool:
    """Return True if a device means to ask an endpoint for everything, and may not yet."""
    links = [
        device.sync._links.get(one.did, endpoint.url)
        for one in device.identities
        for endpoint in device.world.documents[one.did]
    ]
    return any(link is not None and link.doubted and link.failure is None for link in links)


def check_that_nobody_sleeps(device: Device) -> None:
    """Find what a device lets wait for its time though the device has seen come what it waits for."""
    for person in device.identities:
        for endpoint in device.world.documents[person.did]:
            for what in _asleep(device, person.did, endpoint):
                device.world.fail(f"after a round in peace {device.name} {what}")


def _asleep(device: Device, tenant: str, endpoint: Endpoint) -> Iterator[str]:
    rows = [row for row in device.sync.unsettled(tenant, Wanted(endpoint.url), limit=None) if _waits(row)]
    if not rows or endpoint.lied or endpoint is device.world.for_good or is_paused(device, tenant, endpoint):
        return
    here, there = held(device.dwn, tenant), held(endpoint.dwn, tenant)
    made, called = device.world.account.made, device.world.story.called
    ended = {made[cid].record_id for cid in here | there if cid in made and made[cid].kind == "RecordsDelete"}
    both = [made[cid] for cid in here & there if cid in made and made[cid].record_id not in ended]
    both = [one for one in both if is_shown(endpoint.dwn, one) and is_shown(device.dwn, one)]
    provided = {key for one in both for key in provided_keys(one.message)}
    for row in rows:
        if row.waits_for in provided:
            yield f"lets {called(row.message_cid)} wait ({row.direction}, {endpoint.name}: {row.detail}) in vain"


def is_paused(device: Device, tenant: str, endpoint: Endpoint) -> bool:
    """Return True if a device tells that an endpoint asked it for a pause, or for a registration."""
    errors = [one.last_error for one in device.sync.status(tenant) if one.endpoint == endpoint.url]
    return any(error is not None and (error[0] in PAUSED or _is_told(*error)) for error in errors)


def is_distrusted(device: Device, tenant: str, endpoint: Endpoint) -> bool:
    """Return True if a device tells that it asks an endpoint for little, because too little came of it."""
    errors = [one.last_error for one in device.sync.status(tenant) if one.endpoint == endpoint.url]
    return any(error is not None and error[1] == FRUITLESS.detail for error in errors)


def _is_told(code: int, detail: str) -> bool:
    return detail.startswith(AskedToWait.__name__) or recall(code, detail).unregistered


def _waits(row: Unsettled) -> bool:
    """Return True for a message that waits for its time because another was not there."""
    return row.state is State.WAITING and row.next_try is not None and row.detail.startswith(LACKING)
