"""The way back: words on a new device give the agent, its identities with their keys, and all their records.

Invariants:
1. Words that fit no agent change nothing: none is made from them.
2. What this device holds already goes on: identities with records of their own move into the recovered agent before it
   takes the place of the one that was here. One that was only just made, by a first launch, goes with it.
3. A vault that is locked gives way to no other: what it keeps could not move, and would be lost.
4. The vault is replaced in one step, so that a crash leaves one agent or the other, whole.
"""

from __future__ import annotations

from dataclasses import replace

from web5.agent.agent import Agent
from web5.agent.identities import KIND, Identity
from web5.agent.vault.secrets import VaultSecrets, derive_secrets
from web5.agent.vault.wrapping import check_new_password
from web5.crypto.jws import MessageSigner
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

    Identities that are here already move into it. Words of the very agent that is here set its password anew.

    Parameters:
        agent: the agent of this device, with or without a vault.
        recovery_phrase: 12 to 24 words.
        password: what the vault is to be unlocked with here; None: this device's key alone.
        on_progress: called with (step, done, total): "agent", "identities", then "records".

    Raises:
        RecoveryError: these are not words of a recovery phrase, they fit no agent that is known, it cannot be reached
            now, or another's vault is locked here. Nothing is changed.
        InvalidArgument: the password is too short.
    """
    interval = agent.sync.interval
    on_progress("agent", 0, 1)
    check_new_password(password)
    secrets = await derive_secrets(recovery_phrase, agent.crypto)
    if secrets.did == agent.vault.agent_did:
        await agent.vault.install(secrets, password)
    elif agent.vault.state == "locked":
        raise RecoveryError(
            "These words are those of another agent than the one that is locked here, whose identities would be lost."
            " Unlock this one first, by its password or its own words."
        )
    else:
        secrets = replace(secrets, portable_did=await _published(agent, secrets.portable_did))
        signer = await signer_for(secrets.portable_did, agent.crypto)
        await _fetch_agent(agent, secrets.portable_did, signer)
        await _take_over(agent, secrets, signer, password)
    await agent.wake_up()
    on_progress("agent", 1, 1)
    await _fetch_records(agent, on_progress)
    if interval != agent.sync.interval:
        await agent.sync.start(interval)


async def _published(agent: Agent, portable_did: PortableDid) -> PortableDid:
    """Return the DID with its document as it is published."""
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


async def _fetch_agent(agent: Agent, portable_did: PortableDid, signer: MessageSigner) -> None:
    """Pull the agent's own records, which are of no use without its key, before anything is changed."""
    did = portable_did.uri
    agent.resolver.seed(portable_did)
    with agent.keyring.temporary_signer(signer):
        await agent.sync.register(did)
        report = await agent.sync.now("pull", did)
    if any(endpoint.error is None for endpoint in report.endpoints) and not report.did_errors:
        return
    await agent.sync.unregister(did)
    reasons = [*report.did_errors.values(), *(f"{end.endpoint}: {end.error}" for end in report.endpoints)]
    raise RecoveryError(
        f"The agent is known, but none of its nodes can be read now; try again later. ({'; '.join(reasons)})"
    )


async def _take_over(agent: Agent, secrets: VaultSecrets, signer: MessageSigner, password: str | None) -> None:
    """Put the secrets into the vault, with what is worth keeping of the agent that was here."""
    dropped: list[str] = []
    if agent.vault.state == "unlocked":
        kept = [
            (KIND, identity.did) for identity in agent.identities.list() if not await _is_untouched(agent, identity)
        ]
        for message, data in await agent.records.encrypted_for(secrets, signer, kept):
            await agent.messages.process(secrets.did, message, data)
        dropped = [did for did in agent.keyring.dids() if (KIND, did) not in kept]
    await agent.lock()
    await agent.vault.install(secrets, password)
    for did in dropped:
        await agent.sync.unregister(did)


async def _is_untouched(agent: Agent, identity: Identity) -> bool:
    """Return True if a first launch made it, and nothing was written with it since."""
    if not identity.by_default:
        return False
    records = await compose.messages_query(
        await agent.signer(identity.did), agent.clock, filters=[{"interface": "Records"}]
    )
    return not (await agent.messages.process(identity.did, records))["entries"]


async def _fetch_records(agent: Agent, on_progress: Progress) -> None:
    """Pull what the identities have, with progress over all of them and their nodes."""
    identities = len(agent.identities.list())
    on_progress("identities", identities, identities)
    visits: dict[tuple[str, str], tuple[int, int]] = {}

    def add_up(event: SyncEvent) -> None:
        if event.kind == "progress" and event.direction == "pull" and event.total:
            visits[event.tenant, event.endpoint] = event.done, event.total
            on_progress("records", *map(sum, zip(*visits.values(), strict=True)))

    agent.sync.listeners.append(add_up)
    try:
        await agent.sync.now("pull")
    finally:
        agent.sync.listeners.remove(add_up)
