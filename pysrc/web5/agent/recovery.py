"""The way back: words on a new device give the agent, its identities with their keys, and all their records.

Invariants:
1. Words that fit no agent change nothing: none is made from them. Nor does a recovery that finds no identity while a
   node could not be read to its end: what it has may be there.
2. What this device holds already goes on: everything that the agent here keeps moves into the recovered one before that
   takes its place. Only an identity that a first launch made goes with it, if nothing was done with it, and nobody can
   know of it, since it was never published.
3. A vault that is locked gives way to no other: what it keeps could not move, and would be lost.
4. The vault is replaced in one step, so that a crash leaves one agent or the other, whole. What was fetched or moved
   before is there the next time, and is not fetched or moved again; `Agent.wake_up` lets go of whom it cannot sign for.
   What the person has deleted here meanwhile is deleted there, too (`moves`).
5. A node that is slow or silent keeps nobody waiting once another has told everything; what only it has comes by sync,
   and the progress says that not all of them were read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from web5.agent.agent import Agent
from web5.agent.devices import known
from web5.agent.identities import KIND, NAME, Identity
from web5.agent.publication.documents import DOCUMENT
from web5.agent.records import AgentRecords, Key
from web5.agent.vault.secrets import VaultSecrets, derive_secrets
from web5.agent.vault.wrapping import check_new_password
from web5.crypto.jose.jws import MessageSigner
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dwn import compose
from web5.errors import RecoveryError
from web5.settings import Progress, ignore_progress
from web5.sync.states import SyncEvent


async def recover(
    agent: Agent, recovery_phrase: str, password: str | None = None, on_progress: Progress = ignore_progress
) -> None:
    """Bring an agent back on this device: its DID, its identities with their keys, and all their records.

    Identities that are here already move into it. Words of the very agent that is here set its password anew. If it is
    cut off, the next one goes on where it was.

    Parameters:
        agent: the agent of this device, with or without a vault.
        recovery_phrase: 12 to 24 words.
        password: what the vault is to be unlocked with here; None: this device's key alone.
        on_progress: called with (step, done, total): "agent", "identities", "records"; and last with "nodes", if not
            all of them could be read.

    Raises:
        RecoveryError: these are not words of a recovery phrase, they fit no agent that is known, not enough of it can
            be read now, or another's vault is locked here. Nothing is changed.
        InvalidArgument: the password is too short.
    """
    on_progress("agent", 0, 1)
    check_new_password(password)
    secrets = await derive_secrets(recovery_phrase, agent.crypto)
    if secrets.did != agent.vault.agent_did and agent.vault.state != "locked":
        secrets = replace(secrets, portable_did=await published(agent, secrets.portable_did))
    await take_in(agent, secrets, password, on_progress)


async def take_in(
    agent: Agent,
    secrets: VaultSecrets,
    password: str | None = None,
    on_progress: Progress = ignore_progress,
    *,
    chosen: str | None = None,
) -> None:
    """Make this device one of an agent's, as `recover` does, whose parameters and errors these are.

    Parameters:
        secrets: with the agent's document as it is now.
        chosen: the identity that is to be in use here; by default, or if the agent has no such, the oldest.
    """
    on_progress("agent", 0, 1)
    check_new_password(password)
    async with agent.recovering, _same_interval(agent):
        if secrets.did == agent.vault.agent_did:
            await agent.vault.install(secrets, password)
            await agent.wake_up()
            back = len(agent.identities.list())
        elif agent.vault.state == "locked":
            raise RecoveryError(
                "These words are those of another agent than the one that is locked here, whose identities would be"
                " lost. Unlock this one first, by its password or its own words."
            )
        else:
            back = await _bring_in(agent, secrets, password, chosen)
        on_progress("agent", 1, 1)
        on_progress("identities", back, back)
        await _fetch_records(agent, on_progress)


@asynccontextmanager
async def _same_interval(agent: Agent) -> AsyncIterator[None]:
    """Sync as before, once the recovery has ended or failed."""
    interval = agent.sync.interval
    try:
        yield
    finally:
        if interval != agent.sync.interval and agent.vault.state == "unlocked":
            await agent.sync.start(interval)


async def published(agent: Agent, portable_did: PortableDid) -> PortableDid:
    """Return an agent's DID with its document as it is published.

    Raises:
        RecoveryError: that cannot be told now, it is not published, or it names no DWN.
    """
    agent.resolver.forget(portable_did.uri)
    found = await agent.resolver.resolve(portable_did.uri)
    document = found.did_document
    if document is not None and document.dwn_endpoints:
        return portable_did.model_copy(update={"document": document, "metadata": dict(found.did_document_metadata)})
    if document is not None:
        raise RecoveryError("These words belong to an agent that names no DWN, so nothing of it is kept anywhere else.")
    if found.error == "notFound":
        raise RecoveryError(
            "No agent is known for these words. Check each word and their order. If they are right, the agent was never"
            " published, or is forgotten meanwhile: open it once on a device that has it."
        )
    reason = found.did_resolution_metadata.get("errorMessage")
    raise RecoveryError(f"Whether these words belong to an agent cannot be told now; try again later. ({reason})")


async def _bring_in(agent: Agent, secrets: VaultSecrets, password: str | None, chosen: str | None) -> int:
    """Put the secrets into the vault, once the agent's records are here; return how many identities came back."""
    did, signer = secrets.did, await signer_for(secrets.portable_did, agent.crypto)
    agent.resolver.seed(secrets.portable_did)
    with agent.keyring.temporary_signer(signer):
        try:
            await agent.sync.register(did)
            found = await _fetch_agent(agent, secrets, signer, chosen)
            await _delete_what_went(agent, found, did)
            back = len(found.ids(KIND))
            if keys := await _worth_keeping(agent):
                await found.configure()
            for key in keys:
                if key[0] == KIND and await found.get(*key) is None:
                    await agent.moves.begin(did, key[1])
                await _move(agent.records, found, key)
            await agent.pause()
            await agent.vault.install(secrets, password)
        except BaseException:
            await agent.sync.unregister(did)
            agent.resolver.forget(did)
            if agent.vault.state == "unlocked":
                await agent.wake_up()
            raise
    await agent.moves.end(did)
    await agent.wake_up()
    return back


async def _delete_what_went(agent: Agent, found: AgentRecords, agent_did: str) -> None:
    """Delete what a recovery that was cut off has moved, and what is not here any more (invariant 4)."""
    if agent.vault.state != "unlocked":
        return
    here = agent.records.ids(KIND)
    gone = [did for did in agent.moves.into(agent_did) if did not in here]
    for key in found.all_keys():
        if key[1].partition(" ")[0] in gone:
            await found.delete(*key)


async def _fetch_agent(agent: Agent, secrets: VaultSecrets, signer: MessageSigner, chosen: str | None) -> AgentRecords:
    """Pull the agent's own records, and return them if that is enough to go on with (invariant 1)."""
    report = await agent.sync.now("pull", secrets.did)
    found = AgentRecords(agent.messages, secrets, agent.clock)
    await found.open(signer, configure=False)
    identities = found.ids(KIND)
    unread = [f"{end.endpoint}: {end.error[1]}" for end in report.endpoints if end.error is not None]
    if len(unread) == len(report.endpoints) or report.did_errors:
        reasons = "; ".join([*report.did_errors.values(), *unread])
        raise RecoveryError(f"The agent is known, but none of its nodes can be read now; try again later. ({reasons})")
    if not identities:
        statuses = agent.sync.status(secrets.did)
        unread += [f"{one.endpoint}: {one.pending_in} messages are missing" for one in statuses if one.pending_in]
        if unread:
            raise RecoveryError(
                "The agent is known, but what can be read of its nodes has none of its identities, and the rest cannot"
                f" be read now; try again later. ({'; '.join(unread)})"
            )
    else:
        await agent.identities.choose_for(secrets.did, chosen if chosen in identities else identities[0])
    return found


async def _worth_keeping(agent: Agent) -> list[Key]:
    """Return what moves into the recovered agent of that which is here (invariant 2)."""
    if agent.vault.state != "unlocked":
        return []
    left = {agent.vault.agent_did} | {one.did for one in agent.identities.list() if await _is_untouched(agent, one)}
    of_identities = [key for key in agent.records.all_keys() if key[0] not in (known.KIND, known.NAME)]
    return [key for key in of_identities if key[1].partition(" ")[0] not in left]


async def _is_untouched(agent: Agent, identity: Identity) -> bool:
    """Return True if a first launch made it, nothing was done with it since, and nobody can know of it."""
    did, keys = identity.did, agent.records.all_keys()
    named = any(key in keys for key in [(NAME, did), (DOCUMENT, did)]) or agent.documents.record_ids(did)
    if not identity.by_default or named or agent.may_be_known(did):
        return False
    everything = await compose.messages_query(await agent.signer(did), agent.clock)
    return not (await agent.messages.process(did, everything))["entries"]


async def _move(here: AgentRecords, there: AgentRecords, key: Key) -> None:
    """Put a value into another agent's records, unless these have it newer; an identity's keys are always the same."""
    value, known = await here.get(*key), await there.get(*key)
    if known is None or (key[0] != KIND and known != value and there.dated(key) < here.dated(key)):
        await there.put(*key, value)


async def _fetch_records(agent: Agent, on_progress: Progress) -> None:
    """Pull what the identities have, with progress over all of them and their nodes."""
    visits: dict[tuple[str, str], tuple[int, int]] = {}

    def add_up(event: SyncEvent) -> None:
        if event.kind == "progress" and event.direction == "pull" and event.total:
            visits[event.tenant, event.endpoint] = event.done, event.total
            on_progress("records", *map(sum, zip(*visits.values(), strict=True)))

    agent.sync.listeners.append(add_up)
    try:
        report = await agent.sync.now("pull")
    finally:
        agent.sync.listeners.remove(add_up)
    nodes = {end.endpoint for end in report.endpoints}
    read = nodes - {end.endpoint for end in report.endpoints if end.error is not None}
    if read != nodes:
        on_progress("nodes", len(read), len(nodes))
