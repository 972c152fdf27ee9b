"""A delegate: somebody else's app on a device of its own, that acts for a person by grants which end.

The owner lets it in with grants for one protocol, some narrower, some that expire, revokes some in the middle, and
grants more. The delegate asks the agent's `Actor` for a grant before it signs, as the API does; sometimes it presses on
with one that has ended. Whether that was allowed is for `delegation_rules`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation import actions, protocols
from tests.simulation.account import Authored
from tests.simulation.delegation_rules import held, is_visible
from tests.simulation.device import Device
from tests.simulation.network import Endpoint
from tests.simulation.people import Person
from tests.simulation.rules import Expected, below_ended, expected
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Delegate as Actor
from web5.agent.delegation.actor import SigningContext
from web5.agent.delegation.delegation import is_delegated
from web5.agent.delegation.operations import Operation
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import Applied, compose
from web5.dwn.permissions.compose import permission_grant, permission_revocation
from web5.dwn.permissions.grants import Grant, split_encoded_data, with_encoded_data
from web5.dwn.signatures.jws import message_author
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message
from web5.errors import GrantMissing, IdentityError, StorageError
from web5.sync import State, SyncReport, Unsettled
from web5.sync.exchange.grants import SYNCED_BY
from web5.sync.exchange.history import OUTLIVED
from web5.sync.states import Wanted

if TYPE_CHECKING:
    from tests.simulation.world import World

SHARE = 0.25
"""Of the seeds, those with a delegate."""

NEVER = "2090-01-01T00:00:00.000000Z"
TO_SYNC = tuple({"interface": "Messages", "method": method} for method in ("Query", "Read", "Subscribe"))
TO_ACT = tuple({"interface": "Records", "method": method} for method in ("Write", "Delete"))

ACTION_WEIGHTS = {"delegate writes": 8, "delegate edits": 6, "delegate deletes": 1, "sync now": 4, "rest": 3}
INCIDENT_WEIGHTS = {"a grant is revoked": 3, "a delegate is granted more": 2}
LET_IN = "a delegate is let in"
LONGEST_VISIT = 60.0
"""Seconds after which no visit goes on that began before the delegate was handed its newest grants."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A delegate of the scenario; its parameters are as those of `plan.Plan`."""

    mode: str
    behind: float
    lag: float
    actions: tuple[str, ...]
    incidents: tuple[tuple[float, str], ...]


def planned(seed: int, seconds: float) -> Planned | None:
    """Return the delegate in the scenario of a seed, whose chaos lasts for so many seconds."""
    random = Random(f"{seed}/delegate")
    if random.random() >= SHARE:
        return None
    some = random.choices(list(INCIDENT_WEIGHTS), list(INCIDENT_WEIGHTS.values()), k=random.randint(1, 4))
    moments = [(0.0, LET_IN), *((random.uniform(0.15 * seconds, seconds), what) for what in some)]
    names = random.choices(list(ACTION_WEIGHTS), list(ACTION_WEIGHTS.values()), k=random.randint(6, 14))
    behind, lag = random.choice((0.0, 5.0, 3600.0)), random.choice((0.0, 60.0))
    return Planned(random.choice(("20s", "30s", "off", "live")), behind, lag, tuple(names), tuple(moments))


class Delegate(Device):
    """The device of a delegate.

    Attributes:
        granted: the owner's grants, with their `encodedData`, as they were handed over.
    """

    may_hand_on = False

    def __init__(self, world: World, owner: Person, helper: Person, scenario: Planned) -> None:
        nearest = nearest_clock(world, owner)
        super().__init__(world, "helper", [], scenario.mode, nearest.clock.skew + scenario.behind, scenario.lag)
        self.owner = owner
        self.helper = helper
        self.granted: list[Message] = []
        self._handed_at = 0.0
        self.names = scenario.actions

    # -- as sync and the agent see it

    @property
    def actor(self) -> Actor:
        return Actor(self.owner.did, self.helper.did, self._signer_for, self.sync.grants, self.dwn, self.clock)

    @property
    def may_sync(self) -> bool:
        """True if it knows of grants to sync that hold now."""
        held = self.sync.grants.held(self.owner.did, self.helper.did)
        scopes = [one.scope or {} for one in held]
        return {scope.get("method") for scope in scopes if scope.get("interface") == "Messages"} >= SYNCED_BY

    def idle_requests(self, endpoints: Collection[Endpoint]) -> int:
        return sum(one in self.world.documents[self.owner.did] for one in endpoints) if self.may_sync else 0

    def believes_sent(self, endpoint: Endpoint, cid: str) -> bool:
        if self.may_sync and asyncio.get_running_loop().time() >= self._handed_at + LONGEST_VISIT:
            return False
        ledger, position = self.sync._ledger, self.dwn.store.positions(self.owner.did, [cid])
        known = ledger.endpoint(self.owner.did, endpoint.url)
        return known is not None and all(ledger.outbox.is_settled(known.id, seq) for seq, _ in position)

    def may_see(self, cid: str) -> bool:
        made = self.world.account.made.get(cid)
        return made is not None and is_visible(self.world.account, made)

    async def on_disk(self, tenant: str) -> set[str]:
        """Of what it did not write itself it is no keeper: only the owner can vouch for what is from the past."""
        found, made = await super().on_disk(tenant), self.world.account.made
        return {cid for cid in found if cid in made and is_by_delegate(made[cid].message)}

    async def _register(self) -> None:
        for _, cid in self.dwn.store.entries_after(self.owner.did, 0, 1_000_000):
            self._stored_durably(cid)
        await self.sync.register(self.owner.did, [protocols.URI], delegate=self.helper.did)

    def _stored_durably(self, cid: str) -> None:
        made = self.world.account.made.get(cid)
        if made is None or is_by_delegate(made.message):
            self.world.account.stored(cid)

    def _stored(self, applied: Applied) -> None:
        if applied.tenant == self.owner.did:
            self._stored_durably(applied.message_cid)

    def _restored(self, applied: Applied) -> None:
        if applied.tenant == self.owner.did:
            super()._restored(applied)

    async def _signer_for(self, did: str) -> MessageSigner:
        if did != self.helper.did:
            raise IdentityError(f"the keys of {did} are not on the delegate's device")
        return self.helper.signer

    async def take_in(self, records: list[Message]) -> None:
        """Keep grants in the delegate's own DWN, as `store_grants` of the agent does."""
        for record in records:
            message, data = split_encoded_data(record)
            signed = await sign_as_owner(message, self.helper.signer)
            try:
                status = (await self.dwn.process_message(self.helper.did, signed, data))["status"]
                self.world.story.add(self.name, "keeps {}: {} {}", message_cid(message), *status.values())
            except StorageError:
                await asyncio.sleep(5)
                self.give(lambda device: self.take_in(records))
                return
        self._handed_at = asyncio.get_running_loop().time()
        self.world.story.add(self.name, "has been handed {} grants or revocations", len(records))
        self.sync.wake(self.owner.did)

    async def sync_now(self, direction: str | None = None) -> SyncReport | None:
        await self.look()
        return await super().sync_now(direction)

    async def look(self) -> None:
        """Learn what was granted and revoked, as `renewal.refresh` of the agent does: sync may be barred."""
        nodes = [endpoint.dwn.store for endpoint in self.world.documents[self.owner.did] if not endpoint.unreachable]
        grants = self.sync.grants.all(self.owner.did, self.helper.did)
        ended = {one.id for one in grants if one.date_revoked}
        news = [
            with_encoded_data(one.message, one.data or b"")
            for of_grant in self.world.revocations.values()
            for one in of_grant
            if one.descriptor["parentId"] not in ended and any(node.has(self.owner.did, one.cid) for node in nodes)
        ]
        await self.take_in([*self.granted, *news])


def is_by_delegate(message: Message) -> bool:
    return "authorDelegatedGrant" in message.get("authorization", {})


def delegates(world: World) -> list[Delegate]:
    return [device for device in world.devices if isinstance(device, Delegate)]


def nearest_clock(world: World, owner: Person) -> Device:
    """Return that of a person's devices whose clock is least wrong."""
    return min(world.devices_of(owner.did), key=lambda device: abs(device.clock.skew))


async def arrive(world: World, scenario: Planned) -> Delegate:
    """Add the delegate of a scenario to the devices."""
    helper = await world.person("Helper")
    await world.publish(helper, [])
    device = Delegate(world, world.people[0], helper, scenario)
    world.devices.append(device)
    world.story.add(device.name, "is a delegate of {}, in mode {}", device.owner.name, device.mode)
    return device


# -- what the owner does


async def let_in(world: World, random: Random) -> None:
    for one in delegates(world):
        expires = random.choice((None, None, random.uniform(60, 250)))
        nearest_clock(world, one.owner).give(partial(_grant, one, [*TO_SYNC, *TO_ACT], expires, random))


async def granted_more(world: World, random: Random) -> None:
    """Renew all grants, or grant to write in another way once more."""
    for one in delegates(world):
        scopes = random.choice(([*TO_SYNC, *TO_ACT], list(TO_SYNC), list(TO_ACT)))
        nearest_clock(world, one.owner).give(partial(_grant, one, scopes, None, random))


async def revoked(world: World, random: Random) -> None:
    """Revoke the grants to write, those to sync, or all."""
    for one in delegates(world):
        which = random.choice((("Records",), ("Records",), ("Messages",), ("Records", "Messages")))
        random.choice(world.devices_of(one.owner.did)).give(partial(_revoke, one, which))


async def _grant(
    delegate: Delegate, scopes: list[dict[str, str]], seconds: float | None, random: Random, device: Device
) -> None:
    owner = delegate.owner
    if device.dwn.protocol_definition(owner.did, protocols.URI) is None:
        configure = await compose.protocols_configure(owner.signer, device.clock, definition=protocols.definition(1))
        await actions.store(device, owner, configure, None, "configure v1")
    ends = NEVER if seconds is None else format_timestamp(device.clock.now() + int(seconds * 1e6))
    given: list[Message] = []
    for scope in scopes:
        narrow = _narrower(device, owner, random) if scope["interface"] == "Records" else {}
        grant = await permission_grant(
            owner.signer,
            device.clock,
            granted_to=delegate.helper.did,
            date_expires=ends,
            scope={**scope, "protocol": protocols.URI, **narrow},
            delegated=is_delegated(scope),
        )
        what = f"grant to {' '.join(scope.values())} {' '.join(narrow)}"
        if await actions.store(device, owner, *split_encoded_data(grant), what):
            given.append(grant)
    delegate.granted += given
    delegate.give(lambda _: delegate.take_in(given))


def _narrower(device: Device, owner: Person, random: Random) -> dict[str, str]:
    """Return what narrows a scope: nothing, mostly, or one thread, or the path of replies."""
    threads = [one for one in actions.records(device, owner) if one["descriptor"].get("protocolPath") == "thread"]
    choice = random.random()
    if choice < 0.2 and threads:
        return {"contextId": random.choice(threads)["contextId"]}
    return {"protocolPath": "thread/reply"} if choice > 0.85 else {}


async def _revoke(delegate: Delegate, interfaces: tuple[str, ...], device: Device) -> None:
    owner, store, world = delegate.owner, device.dwn.store, device.world
    for grant in delegate.granted:
        scope = Grant.parse(grant).scope or {}
        if scope["interface"] in interfaces and store.has(owner.did, message_cid(split_encoded_data(grant)[0])):
            message = await permission_revocation(owner.signer, device.clock, grant=grant)
            bare, data = split_encoded_data(message)
            world.account.author(owner.did, bare, data)
            made = world.account.made[message_cid(bare)]
            world.revocations.setdefault(grant["recordId"], []).append(made)
            await actions.store(device, owner, bare, data, f"revocation of {scope['interface']} {scope['method']}")


def at_peace(world: World) -> None:
    """Let most owners grant everything again: what was written in between has to arrive."""
    for one in delegates(world):
        random = world.random("the delegate at peace")
        if random.random() < 0.7:
            nearest_clock(world, one.owner).give(partial(_grant, one, [*TO_SYNC, *TO_ACT], None, random))


# -- what the delegate does


async def write(device: Device) -> None:
    delegate = _delegate(device)
    parents = [one for one in _seen(delegate) if one["descriptor"].get("protocolPath") == "thread"]
    options: Any = {"protocol": protocols.URI, "protocol_path": "thread"}
    if parents and device.random.random() < 0.7:
        parent = device.random.choice(parents)
        options |= {"protocol_path": "thread/reply", "parent_context_id": parent["contextId"]}
    await _put(delegate, operations.write(options), f"delegate's {options['protocol_path']}", **options)


async def edit(device: Device) -> None:
    delegate = _delegate(device)
    if found := _seen(delegate):
        existing = device.random.choice(found)
        called = device.world.story.called(existing["recordId"])
        await _put(delegate, operations.update(existing, None), f"delegate's edit of {called}", existing=existing)


async def delete(device: Device) -> None:
    delegate = _delegate(device)
    if not (found := _seen(delegate)):
        return
    existing = device.random.choice(found)
    context = await _authorized(delegate, operations.delete_record(existing), "Delete")
    if context is not None:
        clock = compose.after(device.clock, existing["descriptor"]["messageTimestamp"])
        message = await compose.records_delete(
            context.signer, clock, record_id=existing["recordId"], **context.invocation
        )
        called = device.world.story.called(existing["recordId"])
        await actions.store(device, delegate.owner, message, None, f"delegate's delete of {called}")


async def _put(delegate: Delegate, operation: Operation, what: str, **options: Any) -> None:
    context = await _authorized(delegate, operation, "Write")
    if context is None:
        return
    data = b"delegate %d" % delegate.random.getrandbits(40)
    more = {} if "existing" in options else {"data_format": "text/plain"}
    message = await compose.records_write(
        context.signer, delegate.clock, data=data, **more, **options, **context.invocation
    )
    await actions.store(delegate, delegate.owner, message, data, what)


async def _authorized(delegate: Delegate, operation: Operation, method: str) -> SigningContext | None:
    """Return who signs and by which grant; None if it may not. At times it presses on with a grant that has ended."""
    try:
        return await delegate.actor.authorize(operation)
    except GrantMissing as error:
        ended = [one for one in delegate.granted if (Grant.parse(one).scope or {})["method"] == method]
        if ended and delegate.random.random() < 0.4:
            return SigningContext(delegate.helper.signer, {"delegated_grant": ended[-1]})
        delegate.world.story.add(delegate.name, "may not: {}", error)
        return None


def _seen(delegate: Delegate) -> list[Message]:
    return actions.records(delegate, delegate.owner)


def _delegate(device: Device) -> Delegate:
    assert isinstance(device, Delegate)
    return device


# -- at the end


def check(world: World, lost: set[str]) -> Iterator[str]:
    """Give what is wrong with what delegates hold, and say, but for records of which something is lost."""
    for one in delegates(world):
        known = {row.message_cid: row for row in one.sync.unsettled(limit=None)}
        if not one.may_sync:
            if one.sync.registered(one.owner.did) and not one.sync._context.tenant_error(one.owner.did):
                yield f"{one.name} may not sync, and does not say so"
            continue
        should, has = expected(world.account.of(one.owner.did)), held(one.dwn, one.owner.did)
        for cid in sorted(should.cids - has):
            if world.account.made[cid].record_id in lost:
                continue
            if one.may_see(cid) and not _waits_rightly(world.account.made[cid], known.get(cid)):
                yield f"{one.name} does not have {world.story.called(cid)} of {one.owner.name}, nor waits for it"
        for cid in sorted((has - should.cids - should.optional) & world.account.existing):
            if world.account.made[cid].record_id not in lost.union(should.disputed):
                yield f"{one.name} still has {world.story.called(cid)} of {one.owner.name}"


def expected_by_owner(world: World, owner: Person) -> Expected:
    """Return what the owner's nodes hold: not what a delegate keeps, since nodes do not take it from a delegate.

    A record above it was deleted meanwhile, and that it is from before, nobody can vouch for but the owner (`history`);
    or it is a delete, and there is a later write. So it waits on the delegate's device, and says so. A delete of what
    is deleted there already nodes answer with 404, and have no need of.
    """
    messages = world.account.of(owner.did)
    kept: set[str] = set()
    for one in delegates(world):
        if one.owner is owner:
            rows = one.sync.unsettled(wanted=Wanted(states=frozenset([State.WAITING])), limit=None)
            waiting = {row.message_cid: row.code for row in rows if row.direction == "push"}
            nodes = [*world.devices_of(owner.did), *world.documents[owner.did]]
            elsewhere = set[str]().union(*(held(node.dwn, owner.did) for node in nodes))
            below = below_ended(messages)
            own = (made for made in messages if is_by_delegate(made.message) and made.cid in waiting.keys() - elsewhere)
            kept |= {made.cid for made in own if made.record_id in below or waiting[made.cid] == OUTLIVED.code}
            ended = {made.record_id for made in messages if made.kind == "RecordsDelete" and made.cid in elsewhere}
            late = (made for made in messages if made.kind == "RecordsDelete" and made.cid not in elsewhere)
            kept |= {made.cid for made in late if made.record_id in ended and is_by_delegate(made.message)}
            waits = {made.record_id for made in messages if made.cid in kept and made.record_id}
            before = (made for made in messages if made.record_id in waits and made.cid not in elsewhere)
            kept |= {made.cid for made in before if is_by_delegate(made.message)}  # what the waiting ones replaced
    return expected([made for made in messages if made.cid not in kept])


def _waits_rightly(made: Authored, row: Unsettled | None) -> bool:
    """A guest's message may be from a past that delegates are not told of; it waits visibly."""
    return row is not None and row.state is State.WAITING and message_author(made.message) != made.tenant


ACTIONS: dict[str, Callable[[Device], Awaitable[None]]] = {
    "delegate writes": write,
    "delegate edits": edit,
    "delegate deletes": delete,
}
INCIDENTS: dict[str, Callable[[World, Random], Awaitable[None]]] = {
    LET_IN: let_in,
    "a grant is revoked": revoked,
    "a delegate is granted more": granted_more,
}
