"""The DWN in which a message is judged by the rules of protocols."""

from __future__ import annotations

from dataclasses import dataclass

from web5.dwn.store.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """The DWN of one tenant: its store, the tenant's number there, and the tenant's DID.

    Parameters:
        at: the date by which a message from the past is judged (`dwn.history`); None: what holds now counts.
    """

    store: Store
    tenant: int
    tenant_did: str
    at: str | None = None
