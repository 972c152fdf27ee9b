"""The components that share an agent's database, with the steps of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from web5.agent import did_cache, identities, moves
from web5.agent.devices import known as devices
from web5.agent.publication import documents
from web5.agent.publication import store as publication
from web5.agent.vault import store as vault
from web5.dwn.store import schema as dwn
from web5.sync.ledger import schema as sync

COMPONENTS: Mapping[str, Sequence[str]] = {
    "did_cache": did_cache.SCHEMA,
    "vault": vault.SCHEMA,
    "agent_identity": identities.SCHEMA,
    "agent_move": moves.SCHEMA,
    "agent_device": devices.SCHEMA,
    "agent_document": documents.SCHEMA,
    "agent_publication": publication.SCHEMA,
    "dwn": dwn.STEPS,
    "sync": sync.SCHEMA,
}
"""All of them: a database that has others, or more steps, is a newer version's (`Database.check_version`)."""
