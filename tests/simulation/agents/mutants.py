"""Deliberate faults of the agent layer, each put in place of a piece of the real code, that the simulator must find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.mutants import Mutant
from web5.agent import recovery
from web5.agent.identities import KIND, IdentityStore
from web5.agent.publication import documents
from web5.agent.publication.attempt import PublishAttempt


def _older_republished(take: Any) -> Any:
    """What is held here is published above whatever was found."""

    async def fault(self: PublishAttempt, newer: Any) -> bool:
        self._version = newer.seq
        self.wanted = replace(self.wanted, version=newer.seq, changed=True)
        return True

    return fault


def _union(applied: Any) -> Any:
    def fault(urls: Any, changes: Any) -> list[str]:
        return applied(urls, [change for change in changes if change.value is not False])  # type: ignore[no-any-return]

    return fault


def _rename_beats_deletion(changed: Any) -> Any:
    """An identity whose name comes later is put back, with what was remembered of it."""

    async def fault(self: IdentityStore, kind: str, did: str) -> None:
        held = self._held.get(did)
        gone = kind == KIND and held is not None and await self._records.get(KIND, did) is None
        if gone and await self._records.get("name", did) is not None:
            return
        await changed(self, kind, did)

    return fault


def _empty_is_nothing(fetch: Any) -> Any:
    """Whatever could be read is all that there is."""

    async def fault(agent: Any, secrets: Any, signer: Any) -> Any:
        await agent.sync.now("pull", secrets.did)
        found = recovery.AgentRecords(agent.messages, secrets, agent.clock)
        await found.open(signer, configure=False)
        return found

    return fault


def _vault_first(bring_in: Any) -> Any:
    """The vault is the agent's before anything of it is here."""

    async def fault(agent: Any, secrets: Any, password: str | None) -> int:
        if await recovery._worth_keeping(agent):
            return await bring_in(agent, secrets, password)  # type: ignore[no-any-return]
        await agent.pause()
        await agent.vault.install(secrets, password)
        await agent.wake_up()
        await agent.sync.now("pull", secrets.did)
        return len(agent.identities.list())

    return fault


def _erase(worth_keeping: Any) -> Any:
    """Nothing of what is here moves into the agent that comes back."""

    async def fault(agent: Any) -> list[Any]:
        return []

    return fault


MUTANTS: dict[str, Mutant] = {
    "older document": Mutant(
        "an older document is published over a newer one", PublishAttempt, "_take", _older_republished
    ),
    "union": Mutant("a removal of an endpoint does not stick", documents, "applied", _union),
    "rename beats deletion": Mutant(
        "a later name brings an identity back", IdentityStore, "_changed", _rename_beats_deletion
    ),
    "empty is nothing": Mutant("an empty node proves that nothing exists", recovery, "_fetch_agent", _empty_is_nothing),
    "vault first": Mutant("a recovery that is cut off looks finished", recovery, "_bring_in", _vault_first),
    "keys erased": Mutant("what is here is erased unasked", recovery, "_worth_keeping", _erase),
}
