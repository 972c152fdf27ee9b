"""The grants by which a delegate may sync, found in a DWN of this node.

`@web5/agent` keeps the grants that a delegate was given in the delegate's own DWN (`src/permissions-api.ts`,
`fetchGrants`); the tenant's own has them too, where it is here. Both are looked through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from web5.dwn import Dwn, compose
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.grants import Grant
from web5.dwn.timestamps import format_timestamp
from web5.errors import Web5Error
from web5.ports.clock import Clock
from web5.sync.peer import SignerFor

Message = Mapping[str, Any]


class GrantBook:
    """Finds grants, newest first; those that have expired or were revoked are not found.

    Parameters:
        signer_for: the delegate's key, or the tenant's, if it is here.
    """

    def __init__(self, dwn: Dwn, clock: Clock, signer_for: SignerFor) -> None:
        self._dwn = dwn
        self._clock = clock
        self._signer_for = signer_for

    async def held(self, tenant: str, delegate: str) -> list[Grant]:
        """The grants of `tenant` to `delegate` that hold now."""
        now, found = format_timestamp(self._clock.now()), list[Grant]()
        for holder in (delegate, tenant):
            entries = await self._records(holder)
            revoked = {entry["descriptor"].get("parentId") for entry in entries}
            found += [
                grant
                for grant in _grants(entries)
                if (grant.grantor, grant.grantee) == (tenant, delegate)
                and grant.date_granted <= now < grant.date_expires
                and grant.id not in revoked
            ]
        return found

    async def _records(self, holder: str) -> list[dict[str, Any]]:
        """The permission records in the local DWN of `holder`, newest first; none, if nothing can be asked there."""
        try:
            signer = await self._signer_for(holder)
        except Web5Error:
            return []
        query = await compose.records_query(
            signer, self._clock, filter={"protocol": permissions.URI}, date_sort="createdDescending"
        )
        reply = await self._dwn.process_message(holder, query)
        entries: list[dict[str, Any]] = reply.get("entries", [])
        return entries


def _grants(entries: list[dict[str, Any]]) -> Iterator[Grant]:
    for entry in entries:
        if entry["descriptor"].get("protocolPath") == permissions.GRANT:
            try:
                yield Grant.within(entry)
            except Web5Error:
                continue
