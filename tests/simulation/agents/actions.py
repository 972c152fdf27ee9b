"""The actions of the person on a device; what they do is kept as facts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.simulation.agents import invariants
from tests.simulation.agents.device import AgentDevice
from tests.simulation.agents.facts import Change, Facts, Note
from web5 import Web5
from web5.errors import IdentityError, InvalidArgument, NodeNeeded, RecoveryError, RemoteError, Web5Error
from web5.sync.states import RegistrationState

NOTE = "https://notes.example"
PROTOCOL: dict[str, Any] = {
    "protocol": "https://letters.example",
    "published": True,
    "types": {"letter": {}},
    "structure": {"letter": {"$actions": [{"who": "anyone", "can": ["create"]}]}},
}

Act = Callable[[AgentDevice], Awaitable[None]]


async def open_up(device: AgentDevice) -> bool:
    """Unlock and connect, where there is something to be opened; True if there is."""
    if device.agent.vault.state == "new":
        return False
    if not device.ready:
        await device.connect()
    return True


async def _done(device: AgentDevice, what: str, work: Awaitable[Any], *parts: Any) -> Web5Error | None:
    """Do something; returns why it was refused."""
    try:
        await work
    except Web5Error as error:
        device.story.add(device.name, f"{what}: {type(error).__name__} {{}}", *parts, str(error)[:160])
        return error
    device.story.add(device.name, what, *parts)
    return None


def _any(device: AgentDevice) -> Facts | None:
    listed = device.agent.identities.list()
    return device.world.facts[device.random.choice(listed).did] if listed else None


# -- identities


async def create(device: AgentDevice) -> None:
    if await open_up(device):
        urls = list(device.world.nodes)
        chosen = device.random.sample(urls, device.random.randint(1, min(2, len(urls))))
        name = f"identity {device.random.randrange(1000)}"
        work = device.agent.create_identity(name, chosen)
        await _done(device, "creates {} at {}", work, name, ", ".join(map(device.story.called, chosen)))


async def rename(device: AgentDevice, facts: Facts | None = None) -> None:
    if await open_up(device) and (facts := facts or _any(device)):
        name = f"name {device.random.randrange(10_000)}"
        facts.names.append(name)
        facts.used = True
        if await _done(device, "renames {} to {}", device.agent.identities.rename(facts.did, name), facts.did, name):
            return
        facts.renamed = True


async def choose(device: AgentDevice) -> None:
    if await open_up(device) and (facts := _any(device)):
        await _done(device, "chooses {}", device.agent.identities.choose(facts.did), facts.did)


async def delete(device: AgentDevice, facts: Facts | None = None) -> None:
    if await open_up(device) and (facts := facts or _any(device)):
        if facts.did == next(iter(device.world.facts)):
            return  # one stays: where there is none, the next device that connects makes one
        facts.deleting = True
        error = await _done(device, "deletes {}", device.agent.identities.delete(facts.did), facts.did)
        facts.deleted |= error is None


# -- nodes


async def add_endpoint(device: AgentDevice, facts: Facts | None = None) -> None:
    if await open_up(device) and (facts := facts or _one_with_nodes(device)):
        before = await _endpoints(device, facts)
        others = [url for url in device.world.nodes if url not in before]
        if others and before:
            url = device.random.choice(others)
            await _change(device, facts, url, [*before, url], added=True)


async def remove_endpoint(device: AgentDevice, facts: Facts | None = None) -> None:
    if await open_up(device) and (facts := facts or _one_with_nodes(device)):
        before = await _endpoints(device, facts)
        # One stays in any case: two removals on two devices could else leave no node at all.
        others = [url for url in before if url != facts.initial[0]]
        if others:
            url = device.random.choice(others)
            await _change(device, facts, url, [one for one in before if one != url], added=False)


def _one_with_nodes(device: AgentDevice) -> Facts | None:
    own = device.agent.vault.agent_did == device.world.agent.did
    return device.world.agent if own and device.random.random() < 0.3 else _any(device)


async def _endpoints(device: AgentDevice, facts: Facts) -> list[str]:
    try:
        return list((await device.agent.keyring.portable_did(facts.did)).document.dwn_endpoints)
    except Web5Error:
        return []


async def _change(device: AgentDevice, facts: Facts, url: str, urls: list[str], *, added: bool) -> None:
    change = Change(device.name, url, added)
    facts.changes.append(change)
    facts.used = True
    work = device.agent.set_dwn_endpoints(facts.did, urls, force=device.random.random() < 0.3)
    what = "adds {} to {}" if added else "removes {} from {}"
    error = await _done(device, what, work, url, facts.did)
    if isinstance(error, NodeNeeded | InvalidArgument | IdentityError):
        facts.changes.remove(change)
    change.done = error is None


# -- what an identity has


async def write(device: AgentDevice) -> None:
    if await open_up(device) and (facts := _any(device)):
        facts.used = True
        text = f"note {device.random.getrandbits(32)}"
        try:
            record = await Web5(device.agent, facts.did).dwn.records.create(text, schema=NOTE)
        except Web5Error as error:
            device.story.add(device.name, "cannot write {}: {}", text, error)
            return
        device.story.add(device.name, "writes {} as {}", text, facts.did)
        facts.notes.append(Note(facts.did, text, record.id, device.name))


async def configure(device: AgentDevice) -> None:
    if await open_up(device) and (facts := _any(device)):
        facts.used = True
        work = Web5(device.agent, facts.did).dwn.protocols.configure(PROTOCOL)
        await _done(device, "configures {}", work, facts.did)


# -- the vault


async def change_password(device: AgentDevice) -> None:
    if await open_up(device):
        old = device.passwords[0]
        new = device.random.choice((None, f"password {device.random.randrange(1000)}"))
        device.passwords = [old, new]
        error = await _done(device, "has the password {}", device.agent.vault.change_password(old, new), new)
        if error is None:
            device.passwords = [new]


async def lock(device: AgentDevice) -> None:
    if await open_up(device):
        device.story.add(device.name, "is locked")
        await device.lock()


async def words_again(device: AgentDevice) -> None:
    """The password is forgotten; the words give another one."""
    if device.agent.vault.agent_did == device.world.agent.did:
        await _recover(device)


async def recover(device: AgentDevice) -> None:
    """Have the agent come back here; it may be cut off, and goes on the next time."""
    if device.random.random() < 0.4:
        device.crash_in = device.random.randint(1, 80)
    await recover_in_peace(device)


async def recover_in_peace(device: AgentDevice) -> None:
    """Have the agent come back here, if it is not here yet."""
    if device.agent.vault.agent_did == device.world.agent.did:
        return
    if device.agent.vault.state == "locked":
        await device.connect()
    await _recover(device)


async def _recover(device: AgentDevice) -> None:
    before = invariants.Before.of(device.world, device)
    password = device.random.choice((None, f"password {device.random.randrange(1000)}"))
    try:
        told = await device.recover(device.world.words, password)
    except RecoveryError as error:
        device.story.add(device.name, "cannot recover: {}", error)
        return
    device.story.add(device.name, "has recovered: {}", told[-1])
    before.check(device, everything=told[-1][0] != "nodes")


# -- sync


async def sync_now(device: AgentDevice) -> None:
    if await open_up(device):
        await agree(device)
        written = invariants.Written.by(device)
        report = await device.agent.sync.now()
        failed = sorted({end.error[1][:60] for end in report.endpoints if end.error is not None})
        device.story.add(device.name, "has synced: {} {}", "all" if report.complete else "not all", "; ".join(failed))
        if report.complete:
            written.check(device)


async def agree(device: AgentDevice) -> None:
    """Agree to the terms that nodes have asked for."""
    for status in device.agent.sync.status():
        if status.registration.state is RegistrationState.TERMS:
            try:
                demands = await device.agent.registrar.demands(status.endpoint)
            except (RemoteError, Web5Error):
                continue
            if demands.terms is not None:
                await device.agent.registrar.accept_terms(status.endpoint, demands.terms.hash)
                device.story.add(device.name, "agrees to the terms of {}", status.endpoint)


async def rest(device: AgentDevice) -> None:
    """Do nothing."""


ACTIONS: dict[str, Act] = {
    "create": create,
    "rename": rename,
    "choose": choose,
    "delete": delete,
    "add an endpoint": add_endpoint,
    "remove an endpoint": remove_endpoint,
    "write a note": write,
    "configure": configure,
    "change the password": change_password,
    "lock": lock,
    "words again": words_again,
    "sync now": sync_now,
    "rest": rest,
}
