"""Messages that a tenant's own archive brings, judged as those that are pulled from one of its nodes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from web5.dwn.permissions.grants import is_grant
from web5.sync.exchange.context import SyncContext
from web5.sync.plan.policy import Outcome
from web5.sync.plan.pull import Candidate, RecordBatch

SOURCE = "archive"
"""The source of these messages for the hooks of the engine: no endpoint, so that they are pending for every one."""


class Intake:
    """The way of messages into the DWN of a tenant, from what the tenant has signed for as a whole."""

    def __init__(self, context: SyncContext, tenant: str) -> None:
        self._context, self._tenant = context, tenant

    def wanted(self, candidates: Collection[Candidate]) -> set[str]:
        """Return the CIDs of those that are not here, or not whole."""
        cids = [one.cid for one in candidates]
        wanted = self._context.dwn.store.missing(self._tenant, cids)
        wanted |= self._context.ledger.damage.among(self._tenant, cids)
        for one in candidates:
            if one.cid not in wanted and one.inline is not None and self._lacks_history(one):
                wanted.add(one.cid)
        return wanted

    def _lacks_history(self, candidate: Candidate) -> bool:
        """Return True if this is the first state of a grant that ended, and its data are not here."""
        store = self._context.dwn.store
        row = store.message(store.tenant(self._tenant), candidate.cid)
        is_bare = row is not None and row.initial and not row.latest and row.data is None
        return is_bare and is_grant(candidate.message["descriptor"])

    async def take(self, batches: Sequence[RecordBatch]) -> list[list[Outcome]]:
        """Process messages, those of a batch in order; return the outcome of each, by batch."""
        return await self._context.applying.apply(self._tenant, batches, SOURCE)
