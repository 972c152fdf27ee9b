"""Everything of one tenant: to be exported, or erased."""

from __future__ import annotations

from collections.abc import Iterator

from web5.dwn.store.store import MessageRow, Store

_PAGE = 200


def extent(store: Store, tenant: int) -> tuple[int, int]:
    """Return the number of a tenant's messages, and the bytes of its large data."""
    db = store.connection
    [(messages,)] = db.execute("SELECT count(*) FROM dwn_message WHERE tenant = ?", (tenant,))
    [(size,)] = db.execute("SELECT coalesce(sum(size), 0) FROM dwn_blob WHERE tenant = ?", (tenant,))
    return messages, size


def tenants(store: Store) -> list[str]:
    """Return the DIDs of all who have messages here."""
    query = "SELECT did FROM dwn_tenant WHERE EXISTS (SELECT 1 FROM dwn_message WHERE tenant = dwn_tenant.id)"
    return [did for (did,) in store.connection.execute(query)]


def replayable(store: Store, did: str) -> Iterator[list[MessageRow]]:
    """Give all messages in an order in which another DWN can take them, those of a record together.

    That is the order of the event log, but that the newest message of a record follows the initial write at once: an
    engine takes a write that lacks its data only right before a later message, and what was written below the record
    comes behind it. Others may write between two of what is given; records that are newer than the first are left out,
    and definitions are not, since they may take the place of those that were there.
    """
    last, at = store.last_seq(), 0
    while entries := store.entries_after(did, at, _PAGE):
        for at, cid in entries:
            row = store.message(store.tenant(did), cid)
            if row is None:
                continue
            if row.method not in ("Write", "Delete"):
                yield [row]
            elif row.initial and at <= last:
                yield [row] if row.latest else store.record(store.tenant(did), row.record_id)


def erase(store: Store, did: str) -> list[str]:
    """Forget all messages of a tenant, in a transaction, and return the keys of the blobs to delete.

    Its sequence numbers may be given again when the store was closed meanwhile: nothing must refer to them any more.
    """
    db, tenant = store.connection, store.tenant(did)
    keys = [key for (key,) in db.execute("DELETE FROM dwn_blob WHERE tenant = ? RETURNING key", (tenant,))]
    db.execute("DELETE FROM dwn_tag WHERE tag_tenant = ?", (tenant,))
    db.execute("DELETE FROM dwn_message WHERE tenant = ?", (tenant,))
    db.execute("DELETE FROM dwn_tenant WHERE id = ?", (tenant,))
    return keys


def records(store: Store, did: str) -> list[str]:
    """Return the IDs of all records of a tenant that are not deleted, oldest first."""
    query = "SELECT record_id FROM dwn_message WHERE tenant = ? AND latest = 1 AND method = 'Write' ORDER BY seq"
    return [record_id for (record_id,) in store.connection.execute(query, (store.tenant(did),))]
