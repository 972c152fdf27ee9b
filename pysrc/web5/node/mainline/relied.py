"""The documents that a node's tenants rely on: their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial

from web5.dids.dht.identity import METHOD, identity_key
from web5.dwn.store.database import Database
from web5.errors import DidError

_PAGE = 500
_PREFIX = f"did:{METHOD}:"


async def relied_on(databases: Iterable[Database]) -> AsyncIterator[bytes]:
    """Yield the keys of the did:dht tenants of DWNs that hold anything."""
    for database in databases:
        last = _PREFIX
        while dids := await database.read(partial(_after, database, last)):
            for did in dids:
                try:
                    key = identity_key(did)
                except DidError:
                    continue
                yield key
            last = dids[-1]


def _after(database: Database, last: str) -> list[str]:
    query = (
        "SELECT did FROM dwn_tenant WHERE did > ? AND did < ? AND EXISTS"
        " (SELECT 1 FROM dwn_message WHERE tenant = dwn_tenant.id) ORDER BY did LIMIT ?"
    )
    return [did for (did,) in database.connection.execute(query, (last, f"{_PREFIX}~", _PAGE))]
