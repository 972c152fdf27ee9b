"""The state of an agent that is read without waiting, told to other interpreters whenever it changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from web5.agent.agent import Agent
from web5.agent.identities import Identity
from web5.agent.publication.status import PublicationStatus
from web5.agent.vault.store import Protection
from web5.agent.vault.vault import State as VaultState
from web5.dwn.values.types import Message
from web5.sync.ledger.ledger import Tenant
from web5.sync.states import DeliveryStatus, EndpointStatus, Unsettled, Wanted

MOST_TOLD = 1000
"""Unsettled messages that are told."""


@dataclass(frozen=True)
class AgentState:
    """The state of an agent.

    Parameters:
        vault, protection, agent_did, keeps_recovery_phrase: as `Vault` has them.
        unsettled: the first ones; `all_told` is False if there are more.
        grants: those of the delegates here, ended ones too: the DID that gave them, the delegate, the grant and when it
            was revoked.
        registered: the tenants that sync.
        publications: of the agent's DID and its identities.
    """

    vault: VaultState
    protection: Protection | None
    agent_did: str | None
    keeps_recovery_phrase: bool
    identities: tuple[Identity, ...]
    interval: str
    statuses: tuple[EndpointStatus, ...]
    deliveries: tuple[DeliveryStatus, ...]
    unsettled: tuple[Unsettled, ...]
    all_told: bool
    damaged: tuple[Unsettled, ...]
    grants: tuple[tuple[str, str, Message, str | None], ...]
    registered: tuple[Tenant, ...]
    gateways: tuple[str, ...]
    publications: tuple[PublicationStatus, ...]

    def matching(self, tenants: Collection[str] | None, wanted: Wanted) -> list[Unsettled]:
        """Return the unsettled messages of some tenants that are asked for."""

        def passes(chosen: Collection[str] | None, value: str) -> bool:
            return chosen is None or value in chosen

        return [
            one
            for one in self.unsettled
            if passes(tenants, one.tenant)
            and wanted.endpoint in (None, one.endpoint)
            and passes(wanted.states, one.state)
            and passes(wanted.message_cids, one.message_cid)
            and wanted.target in (None, one.target)
        ]


def state_of(agent: Agent) -> AgentState:
    """Return the present state of an agent."""
    vault, sync, identities = agent.vault, agent.sync, agent.identities.list()
    own = [did for did in (vault.agent_did, *(one.did for one in identities)) if did]
    statuses, unsettled = sync.status(), sync.unsettled(limit=MOST_TOLD)
    return AgentState(
        vault=vault.state,
        protection=vault.protection,
        agent_did=vault.agent_did,
        keeps_recovery_phrase=vault.keeps_recovery_phrase,
        identities=tuple(identities),
        interval=sync.interval,
        statuses=tuple(statuses),
        deliveries=tuple(statuses.deliveries),
        unsettled=tuple(unsettled),
        all_told=unsettled.cursor is None,
        damaged=tuple(sync.damaged()[:MOST_TOLD]),
        grants=tuple(
            (one.connected_did, one.did, grant.message, grant.date_revoked)
            for one in identities
            if one.connected_did is not None
            for grant in sync.grants.all(one.connected_did, one.did)
        ),
        gateways=tuple(agent.gateways.uris),
        publications=tuple(map(agent.publication, own)),
        registered=tuple(filter(None, map(sync.registered, sync.tenants()))),
    )
