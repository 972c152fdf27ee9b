"""The state of an agent that is read without waiting, told to other interpreters whenever it changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from web5.agent.agent import Agent
from web5.agent.identities import Identity
from web5.agent.publication.status import PublicationStatus
from web5.agent.vault.store import Protection
from web5.agent.vault.vault import State as VaultState
from web5.dwn.values.types import Message
from web5.sync.ledger.ledger import Tenant
from web5.sync.states import DeliveryStatus, EndpointStatus, State, Unsettled

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

    def matching(
        self,
        tenants: Collection[str] | None,
        endpoint: str | None,
        states: Collection[State] | None,
        message_cids: Collection[str] | None,
        target: str | None,
    ) -> list[Unsettled]:
        """Return the unsettled messages that pass the filters of `SyncEngine.unsettled`."""

        def passes(wanted: Any, value: Any) -> bool:
            return wanted is None or value in wanted

        return [
            one
            for one in self.unsettled
            if passes(tenants, one.tenant)
            and endpoint in (None, one.endpoint)
            and passes(states, one.state)
            and passes(message_cids, one.message_cid)
            and target in (None, one.target)
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
