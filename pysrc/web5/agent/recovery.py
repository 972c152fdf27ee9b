"""The way back: words on a new device give the agent, its identities with their keys, and all their records.

Invariants:
1. Words that fit no agent change nothing: none is made from them.
2. What this device holds already goes on: identities with records of their own move into the recovered agent before it
   takes the place of the one that was here. One that was only just made, by a first launch, goes with it.
3. A vault that is locked gives way to no other: what it keeps could not move, and would be lost.
4. The vault is replaced in one step, so that a crash leaves one agent or the other, whole.
"""

from __future__ import annotations

from typing import Any, Protocol

from web5.agent.identities import KIND, Identity, IdentityStore
from web5.agent.keyring import Keyring
from web5.agent.messages import Messages
from web5.agent.records import AgentRecords
from web5.agent.vault.secrets import VaultSecrets
from web5.agent.vault.vault import Vault
from web5.agent.vault.wrapping import checked_password
from web5.crypto.jws import MessageSigner
from web5.dids.keys import signer_for
from web5.dids.models import DidDocument, PortableDid
from web5.dids.resolver import UniversalResolver
from web5.dwn import compose
from web5.errors import RecoveryError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.settings import Progress
from web5.sync import SyncEngine
from web5.sync.states import SyncEvent


class RecoverableAgent(Protocol):
    """The parts of an `Agent` that a recovery works on."""

    clock: Clock
    crypto: Crypto
    identities: IdentityStore
    keyring: Keyring
    messages: Messages
    records: AgentRecords
    resolver: UniversalResolver
    sync: SyncEngine
    vault: Vault

    async def signer(self, did: str) -> MessageSigner: ...

    async def lock(self) -> None: ...

    async def wake_up(self) -> None: ...


async def recover(agent: RecoverableAgent, recovery_phrase: str, password: str | None, on_progress: Progress) -> None:
    """Bring an agent back on this device, with everything of its identities. `Agent.recover` says the rest."""
    on_progress("agent", 0, 1)
    checked_password(password)
    secrets = await agent.vault.secrets_of(recovery_phrase)
    if secrets.did == agent.vault.agent_did:
        await agent.vault.reset_password(secrets, password)
    elif agent.vault.state == "locked":
        raise RecoveryError(
            "These words are those of another agent than the one that is locked here, whose identities would be lost."
            " Unlock this one first, by its password or its own words."
        )
    else:
        secrets = secrets.with_document(*await _published(agent, secrets.did))
        signer = await signer_for(secrets.portable_did, agent.crypto)
        await _fetch_agent(agent, secrets.portable_did, signer)
        await _take_over(agent, secrets, signer, password)
    await agent.wake_up()
    on_progress("agent", 1, 1)
    await _fetch_records(agent, on_progress)


async def _published(agent: RecoverableAgent, did: str) -> tuple[DidDocument, dict[str, Any]]:
    agent.resolver.forget(did)
    found = await agent.resolver.resolve(did)
    document = found.did_document
    if document is not None and document.dwn_endpoints:
        return document, found.did_document_metadata
    if document is not None:
        raise RecoveryError("These words belong to an agent that names no DWN, so nothing of it is kept anywhere else.")
    if found.error == "notFound":
        raise RecoveryError(
            "No agent is known for these words. Check each word and their order. If they are right, the agent was never"
            " published, or is forgotten meanwhile: open it once on a device that has it."
        )
    reason = found.did_resolution_metadata.get("errorMessage")
    raise RecoveryError(f"Whether these words belong to an agent cannot be told now; try again later. ({reason})")


async def _fetch_agent(agent: RecoverableAgent, portable_did: PortableDid, signer: MessageSigner) -> None:
    """Pull the agent's own records, which are of no use without its key, before anything is changed."""
    did = portable_did.uri
    agent.resolver.seed(portable_did)
    with agent.keyring.lent(signer):
        await agent.sync.register(did)
        report = await agent.sync.now("pull", did)
    if any(endpoint.error is None for endpoint in report.endpoints) and not report.did_errors:
        return
    await agent.sync.unregister(did)
    reasons = [*report.did_errors.values(), *(f"{end.endpoint}: {end.error}" for end in report.endpoints)]
    raise RecoveryError(
        f"The agent is known, but none of its nodes can be read now; try again later. ({'; '.join(reasons)})"
    )


async def _take_over(
    agent: RecoverableAgent, secrets: VaultSecrets, signer: MessageSigner, password: str | None
) -> None:
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


async def _is_untouched(agent: RecoverableAgent, identity: Identity) -> bool:
    """True if a first launch made it, and nothing was written with it since."""
    if not identity.by_default:
        return False
    records = await compose.messages_query(
        await agent.signer(identity.did), agent.clock, filters=[{"interface": "Records"}]
    )
    return not (await agent.messages.process(identity.did, records))["entries"]


async def _fetch_records(agent: RecoverableAgent, on_progress: Progress) -> None:
    """Pull what the identities have, with progress over all of them and their nodes."""
    identities = len(agent.identities.list())
    on_progress("identities", identities, identities)
    visits: dict[tuple[str, str], tuple[int, int]] = {}

    def told(event: SyncEvent) -> None:
        if event.kind == "progress" and event.direction == "pull" and event.total:
            visits[event.tenant, event.endpoint] = event.done, event.total
            on_progress("records", *map(sum, zip(*visits.values(), strict=True)))

    agent.sync.listeners.append(told)
    try:
        await agent.sync.now("pull")
    finally:
        agent.sync.listeners.remove(told)
