"""What is true of the devices of one person: some of it at any moment, the rest once all is quiet.

At any moment:
1. An identity that was on a device is there, until the person deletes it. A recovery does without one only if a first
   launch made it, nothing was done with it, and no gateway ever had it.
2. An agent that is back has identities, unless no node that it names had any.
3. A recovery that says that it has read all nodes has all notes that these had; a sync that says that it is complete
   has brought all notes everywhere.
Once all is quiet:
4. All devices list the same identities, with the same names, keys and documents: what the person created and did not
   delete, and nothing that was deleted.
5. Both of two additions of endpoints stayed, and a removal is a removal; every gateway shows that document.
6. Every note is readable on every device.
7. Status says that all is everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.agents import gateway_checks
from tests.simulation.agents.facts import Facts, Note
from web5 import Web5

if TYPE_CHECKING:
    from tests.simulation.agents.device import AgentDevice
    from tests.simulation.agents.world import World


def look(world: World, device: AgentDevice) -> None:
    """Check what is true at any moment."""
    if not device.ready or device.agent.vault.state != "unlocked":
        return
    listed = {one.did for one in device.agent.identities.list()}
    for did in sorted(device.seen - listed):
        facts = world.facts[did]
        if facts.has_to_be:
            world.fail(f"{device.name} has lost the keys of {world.story.called(did)}, which nobody deleted")
    device.seen |= listed


async def look_at_return(world: World, device: AgentDevice) -> None:
    """Check that an agent that is back has identities (2)."""
    agent = device.agent
    if agent.vault.agent_did != world.agent.did or agent.identities.list():
        return
    named = (await agent.keyring.portable_did(world.agent.did)).document.dwn_endpoints
    for did, record_ids in world.records.items():
        if not world.facts[did].has_to_be:
            continue
        for url in named:
            node = world.nodes[url]
            store = node.dwn.store
            rows = [row for one in record_ids for row in store.record(store.tenant(world.agent.did), one)]
            if rows:
                called = world.story.called(did)
                world.fail(f"{device.name} is the agent, without an identity; {node.server.name} has {called}")


@dataclass(frozen=True)
class Before:
    """What there was before a recovery."""

    untouched: set[str]
    there: list[tuple[str, int, Note]]

    @classmethod
    def of(cls, world: World, device: AgentDevice) -> Before:
        """Look at what there is before a recovery on a device."""
        known = {did for one in world.gateway_state.values() for did in one.ever}
        untouched = {
            did for did in device.seen if world.facts[did].by_default and not world.facts[did].used and did not in known
        }
        if device.agent.vault.agent_did != world.agent.did:
            for did in untouched:
                world.facts[did].may_go = True
        there = [
            (url, node.wipes, note)
            for facts in world.facts.values()
            for note in facts.notes
            for url, node in world.nodes.items()
            if node.holds(note)
        ]
        return cls(untouched, there)

    def check(self, device: AgentDevice, *, everything: bool) -> None:
        """Check a recovery that has returned, and said that it has read everything or not (3)."""
        world, sync = device.world, device.agent.sync
        listed = {one.did for one in device.agent.identities.list()}
        for url, wipes, note in self.there if everything else ():
            if note.did not in listed or world.facts[note.did].deleting or world.nodes[url].wipes != wipes:
                continue
            if url in [one.endpoint for one in sync.status(note.did)] and not here(device, note):
                world.fail(f"{device.name} says that it has read all, and has not {note.text!r} of {url}")


@dataclass(frozen=True)
class Written:
    """What was written on a device before a sync, and how often each node had been wiped then."""

    notes: list[Note]
    wipes: dict[str, int]

    @classmethod
    def by(cls, device: AgentDevice) -> Written:
        """Look at what there is before a sync."""
        world = device.world
        notes = [note for facts in world.facts.values() for note in facts.notes if here(device, note)]
        return cls(notes, {url: node.wipes for url, node in world.nodes.items()})

    def check(self, device: AgentDevice) -> None:
        """Check a sync that said that all is everywhere (3)."""
        world = device.world
        for note in self.notes:
            if world.facts[note.did].deleting:
                continue
            for status in device.agent.sync.status(note.did):
                node = world.nodes.get(status.endpoint)
                if node is not None and not node.wipes and not node.holds(note):
                    world.fail(f"{device.name} says complete, and {node.server.name} has not {note.text!r}")


def here(device: AgentDevice, note: Note) -> bool:
    """Return True if a device has a note."""
    store = device.agent.dwn.store
    return any(row.latest for row in store.record(store.tenant(note.did), note.record_id))


# -- once all is quiet


async def check(world: World) -> None:
    """Check everything, on every device."""
    for device in world.devices:
        look(world, device)
        for fault in [fault async for fault in _faults(world, device)]:
            world.fail(f"{device.name}: {fault}")
    for facts in [*world.facts.values(), world.agent]:
        if not facts.deleting and not facts.may_go:
            for fault in await _document_faults(world, facts):
                world.fail(fault)


async def _faults(world: World, device: AgentDevice) -> Any:
    agent, story = device.agent, world.story
    listed = {one.did: one for one in agent.identities.list()}
    others = {one.did: one.name for one in world.devices[0].agent.identities.list()}
    if {did: one.name for did, one in listed.items()} != others:
        names = sorted(one.name for one in listed.values())
        yield f"lists {names}, where device0 lists {sorted(others.values())}"
    for facts in world.facts.values():
        called = story.called(facts.did)
        if facts.did not in listed:
            if facts.has_to_be:
                yield f"{called} is not there"
            continue
        if facts.deleted:
            yield f"{called} is there, though it was deleted"
            continue
        if listed[facts.did].name not in facts.names or (facts.renamed and listed[facts.did].name == facts.names[0]):
            yield f"{called} has the name {listed[facts.did].name}"
        if (await agent.identities.portable_did(facts.did)).private_keys != facts.keys:
            yield f"{called} has other keys"
        found = {await one.data.text() for one in await Web5(agent, facts.did).dwn.records.query(schema=NOTE)}
        for note in facts.notes:
            if note.text not in found:
                yield f"{note.text!r} of {called}, written on {note.device}, is not there"
    for fault in _status_faults(world, device):
        yield fault


def _status_faults(world: World, device: AgentDevice) -> Iterator[str]:
    agent, story = device.agent, world.story
    for did in agent.keyring.dids():
        publication = agent.publications.get(did)
        renewing = publication.state == "incomplete" and publication.error is None  # the gateways are just being asked
        if publication.state != "published" and not renewing:
            yield f"{story.called(did)} is {publication.state}: {publication.error}"
    for one in agent.sync.status():
        if one.pending_in or one.pending_out or one.refused or one.last_error or one.did_error:
            rows = [(row.direction, row.state, row.detail, row.waits_for) for row in agent.sync.unsettled()]
            yield f"{story.called(one.tenant)} at {one.endpoint}: {one.last_error} {one.did_error} {rows}"


async def _document_faults(world: World, facts: Facts) -> list[str]:
    faults, called = [], world.story.called(facts.did)
    documents = {}
    for device in world.devices:
        if facts is world.agent or any(one.did == facts.did for one in device.agent.identities.list()):
            found = (await device.agent.keyring.portable_did(facts.did)).document.dwn_endpoints
            documents[device.name] = found
            synced = sorted(one.endpoint for one in device.agent.sync.status(facts.did))
            if synced != sorted(found):
                faults.append(f"{device.name} syncs {called} with {synced}, its document names {found}")
    for gateway in world.gateway_state.values():
        items = gateway.history.get(facts.did)
        documents[gateway.server.name] = gateway_checks.endpoints(facts.did, items[-1][1]) if items else []
    if len({tuple(urls) for urls in documents.values()}) > 1:
        faults.append(f"the documents of {called} differ: {documents}")
        return faults
    for urls in documents.values():
        for url in world.nodes:
            if facts.expected(url) not in (None, url in urls):
                what = "is not one of" if facts.expected(url) else "is one of"
                faults.append(f"{url} {what} the nodes of {called}: {facts.changes}, at first {facts.initial}")
        break
    return faults


NOTE = "https://notes.example"
