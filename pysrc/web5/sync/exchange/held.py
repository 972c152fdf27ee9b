"""Looks at the messages that this node holds, for those who send them or are asked for them."""

from __future__ import annotations

from web5.dwn.store.protocols import versions
from web5.dwn.store.schema import SUPERSEDED
from web5.dwn.store.store import MessageRow, Store
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.sync.plan.dependencies import NO_RECORD, is_end, ordering_key, parent_of, provided_keys
from web5.sync.plan.push import Item


class HeldMessages:
    """The messages of a node's tenants, as its store has them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, tenant: str, record_id: str) -> list[MessageRow]:
        """Return the messages of a record that are held, in the order of the store."""
        return self._store.record(self._store.tenant(tenant), record_id)

    def initial(self, tenant: str, record_id: str, cid: str) -> list[MessageRow]:
        """Return the initial write of a record, if it is another message than this."""
        if record_id == NO_RECORD:
            return []
        return [one for one in self.record(tenant, record_id) if one.initial and one.cid != cid]

    def end(self, tenant: str, record_id: str) -> tuple[int, str] | None:
        """Return sequence number and CID of the delete by which a record has ended, if it has."""
        return next(((row.seq, row.cid) for row in self.record(tenant, record_id) if row.method == "Delete"), None)

    def newest_write(self, tenant: str, *, record_id: str | None = None, cid: str | None = None) -> MessageRow | None:
        """Return the newest message of a record, or that with this CID, if it is its record's newest, and a write.

        One that cannot be read is none.
        """
        if cid is not None:
            row = self.row(tenant, cid)
            record_id = row.record_id if row else None
        rows = self.record(tenant, record_id) if record_id else []
        newest = rows[-1] if rows else None
        if newest is None or not newest.latest or newest.method != "Write" or cid not in (None, newest.cid):
            return None
        return newest if newest.is_readable else None

    def is_bare(self, tenant: str, message: Message) -> bool:
        """Return True if this node holds no more of a record than this initial write, without its data."""
        rows = self.record(tenant, ordering_key(message))
        return len(rows) == 1 and not rows[0].latest

    def with_initial(self, tenant: str, cid: str) -> list[Item]:
        """Return a message and, before it, the initial write of its record; nothing if it is not held here."""
        if (row := self.row(tenant, cid)) is None:
            return []
        rows = [*self.initial(tenant, ordering_key(row.message), cid), row]
        return [self.item(tenant, one.seq, one.cid, one.message) for one in rows]

    def item(self, tenant: str, seq: int, cid: str, message: Message) -> Item:
        """Return a message as what is sent; the end of what others depend on goes alone."""
        key = ordering_key(message)
        initial = None
        if method_of(message) == "Records.Delete":
            initial = self._store.initial_write(self._store.tenant(tenant), key)
        return Item(seq, cid, key, parent_of(message), provided_keys(message, initial), is_end(message, initial))

    def ends_something(self, tenant: str, item: Item, message: Message) -> bool:
        """Return True if what an item ends is kept here, so that a node may lack what it had allowed."""
        if item.ordering_key != NO_RECORD:
            return item.alone
        definition = message["descriptor"].get("definition", {})
        return len(versions(self._store, self._store.tenant(tenant), definition.get("protocol"))) > 1

    def is_of_history(self, tenant: str, message: Message) -> bool:
        """Return True for a superseded definition, and for the first state of a grant that ended, with its data."""
        row = self.row(tenant, message_cid(message))
        if row is None:
            return False
        return row.method == SUPERSEDED or (row.initial and not row.latest and row.data is not None)

    def has_history(self, tenant: str, message: Message) -> bool:
        """Return True if what one of a node's history says is here already."""
        row = self.row(tenant, message_cid(message))
        return row is not None and (method_of(message) != "Records.Write" or row.data is not None)

    def row(self, tenant: str, cid: str) -> MessageRow | None:
        """Return a message that is held, or None."""
        return self._store.message(self._store.tenant(tenant), cid)
