"""Erasing an identity: from this device, and as far as DWNs let it, from its remote ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.agent.identities import Identity
from web5.api.records.records import RecordsApi
from web5.dwn.store.whole import extent, records
from web5.errors import IdentityError, InvalidArgument, NotFound, OnlyHere


@dataclass(frozen=True, slots=True)
class EraseReport:
    """The result of an erasure.

    Parameters:
        did: the identity.
        messages, data_bytes: what was erased from this device.
        deleted: the records that were deleted at its remote DWNs, too.
    """

    did: str
    messages: int
    data_bytes: int
    deleted: int = 0


async def erase(agent: Agent, did: str, *, at_nodes: bool, force: bool) -> EraseReport:
    """Erase an identity. Parameters and errors are those of `IdentitiesApi.erase`."""
    identity = _identity(agent, did)
    tenant = did if identity is None else identity.connected_did or did
    if at_nodes and (identity is None or identity.connected_did is not None):
        raise InvalidArgument(f"Only who has the keys of {tenant} can delete its records at its nodes.")
    deleted = await _delete_records(agent, tenant) if at_nodes else 0
    if not force and identity is not None:
        _check(agent, tenant, at_nodes=at_nodes)
    if identity is not None:
        await agent.identities.delete(did)
    await agent.identities.forget_choice(did)
    messages = size = 0
    for one in dict.fromkeys((tenant, did)):  # a delegate keeps its grants as its own
        if agent.sync.registered(one) is not None:
            await agent.sync.unregister(one)
        counted = extent(agent.dwn.store, agent.dwn.store.tenant(one))
        messages, size = messages + counted[0], size + counted[1]
        agent.sync.grants.forget(one)
        agent.resolver.forget(one)
        await agent.dwn.erase(one)
    return EraseReport(did, messages, size, deleted)


def _identity(agent: Agent, did: str) -> Identity | None:
    """Return the identity; None if it is gone, and something of it is here still."""
    if did == agent.vault.agent_did:
        raise InvalidArgument(f"{did} is the agent itself, which holds the identities; erase these.")
    for identity in agent.identities.list():
        if identity.did == did:
            return identity
        if identity.connected_did == did:
            raise IdentityError(f"{identity.did} acts for {did} here: erase that.")
    if not agent.dwn.store.tenant(did):
        raise IdentityError(f"Nothing of {did} is on this agent.")
    return None


async def _delete_records(agent: Agent, tenant: str) -> int:
    api, deleted = RecordsApi(agent, Actor(tenant, agent.signer)), 0
    for record_id in records(agent.dwn.store, tenant):
        with suppress(NotFound):  # it was below another
            await api.delete(record_id, prune=True)
            deleted += 1
    await agent.sync.now("push", tenant)
    return deleted


def _check(agent: Agent, tenant: str, *, at_nodes: bool) -> None:
    """Raise OnlyHere if something would be lost, or with `at_nodes`, if a node has not taken all."""
    endpoints = {one.endpoint for one in agent.sync.status(tenant) if one.endpoint}
    unsettled = agent.sync.unsettled(tenant, limit=None)
    for_others = {one.message_cid for one in unsettled if one.target is not None}
    if for_others:
        raise OnlyHere(tenant, len(for_others), "they were sent to others, and have not arrived")
    lacking: dict[str, set[str]] = {}
    for one in unsettled:
        if one.direction == "push":
            lacking.setdefault(one.message_cid, set()).add(one.endpoint)
    if at_nodes and lacking:
        raise OnlyHere(tenant, len(lacking), "its nodes have not taken them, deletes among them")
    if not endpoints:
        store = agent.dwn.store
        messages, _ = extent(store, store.tenant(tenant))
        if messages:
            raise OnlyHere(tenant, messages, "it has no nodes, so they are only on its devices")
    elif alone := sum(missing >= endpoints for missing in lacking.values()):
        raise OnlyHere(tenant, alone, "none of its nodes has them")
