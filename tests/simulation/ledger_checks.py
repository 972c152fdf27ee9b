"""The ledger's invariants (`web5.sync.ledger.ledger`), looked at in SQL against what endpoints really hold.

Out (1, 2): what the ledger has as settled for an endpoint, that endpoint holds, or something that replaced it.
In (4, 5): what an endpoint has listed up to the cursor is held here, or replaced, or has a row.
In (what wakes): nothing waits for its time whose parent, initial write or protocol is here.
Rows belong to endpoints that are known, and rows up to the cursor are never 'settled'. The totals are what they count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.ledger_totals import miscounted
from tests.simulation.account import Account, Authored
from tests.simulation.device import Device
from tests.simulation.network import Endpoint
from web5.dwn import Dwn
from web5.dwn.store import protocols as stored_protocols
from web5.dwn.store.store import MessageRow
from web5.sync.plan.dependencies import provided_keys

LACKING = (
    "RecordsWriteGetInitialWriteNotFound",
    "ProtocolAuthorizationIncorrectProtocolPath",
    "ProtocolAuthorizationParentNotFoundConstructingRecordChain",
    "ProtocolAuthorizationProtocolNotFound",
)
"""Refusals for want of a message of which there is one, whenever it was made."""

ORPHANS = (
    "SELECT 'sync_out', cid FROM sync_out WHERE endpoint NOT IN (SELECT id FROM sync_endpoint)"
    " UNION ALL SELECT 'sync_in', cid FROM sync_in WHERE endpoint NOT IN (SELECT id FROM sync_endpoint)"
    " UNION ALL SELECT 'sync_cursor', log FROM sync_cursor WHERE endpoint NOT IN (SELECT id FROM sync_endpoint)"
    " UNION ALL SELECT 'settled up to the cursor', cid FROM sync_out JOIN sync_endpoint ON id = endpoint"
    " WHERE state = 'settled' AND position <= pushed_seq"
)


def check(device: Device) -> None:
    """Look at a device's ledger; what is wrong becomes a failure of its world."""
    for found in _faults(device):
        device.world.fail(f"the ledger of {device.name}: {found}")


def _faults(device: Device) -> Iterator[str]:
    world, db = device.world, device.dwn.database.connection
    yield from miscounted(device.sync._ledger)
    for table, cid in db.execute(ORPHANS).fetchall():
        yield f"row of {table} for {world.story.called(cid)}"
    query = (
        "SELECT id, tenant, url, pushed_seq, cursor FROM sync_endpoint"
        " LEFT JOIN sync_cursor ON sync_cursor.endpoint = sync_endpoint.id"
    )
    for number, tenant, url, pushed, cursor in db.execute(query).fetchall():
        endpoint = world.endpoints[url]
        for cid in _asleep(device, tenant, number):
            yield f"{world.story.called(cid)} of {endpoint.name} waits for its time, though what it waits for is here"
        is_doubtful = endpoint.wiped or endpoint.lied
        if not (is_doubtful or (endpoint.was_doubtful and not device.may_sync)):  # who may not ask cannot find it out
            for cid in _settled_but_missing(device, endpoint, tenant, number, pushed):
                yield f"{world.story.called(cid)} counts as settled for {endpoint.name}, which does not hold it"
            for cid in _listed_but_missing(device, endpoint, tenant, number, cursor):
                yield f"the cursor of {endpoint.name} is past {world.story.called(cid)}, not here and without a row"


def _asleep(device: Device, tenant: str, number: int) -> Iterator[str]:
    """Give the messages that were refused for want of another that is held, and wait for their time."""
    query = (
        "SELECT cid, waits_for, detail FROM sync_in WHERE endpoint = ? AND state = 'waiting' AND next_try IS NOT NULL"
    )
    rows = device.dwn.database.connection.execute(query, (number,)).fetchall()
    waiting = [(cid, key) for cid, key, detail in rows if detail.startswith(LACKING)]
    if not waiting:
        return
    made = device.world.account.made
    held = [made[cid] for _, cid in device.dwn.store.entries_after(tenant, 0, 1_000_000) if cid in made]
    ended = {one.record_id for one in held if one.kind == "RecordsDelete"}
    shown = [one for one in held if one.record_id not in ended and is_shown(device.dwn, one)]
    here = {key for one in shown for key in provided_keys(one.message)}
    yield from sorted(cid for cid, key in waiting if key in here)


def is_shown(dwn: Dwn, one: Authored) -> bool:
    """Return True unless a node has a record only as an initial write without its data, which allows nothing."""
    store = dwn.store
    return not one.record_id or any(row.latest for row in store.record(store.tenant(one.tenant), one.record_id))


def _settled_but_missing(device: Device, endpoint: Endpoint, tenant: str, number: int, pushed: int) -> Iterator[str]:
    db = device.dwn.database.connection
    rows = dict(db.execute("SELECT position, state FROM sync_out WHERE endpoint = ?", (number,)).fetchall())
    settled = [
        cid
        for seq, cid in device.dwn.store.entries_after(tenant, 0, 1_000_000)
        if rows.get(seq) == "settled" or (seq <= pushed and seq not in rows)
    ]
    for cid in sorted(endpoint.dwn.store.missing(tenant, settled)):
        made = device.world.account.made.get(cid)
        if made is not None and made.kind == "RecordsDelete" and not device.may_hand_on:
            continue  # to a delegate a node says that the record is deleted, or has a later write
        if not replaced(endpoint.dwn, device.world.account, cid):
            yield cid


def _listed_but_missing(
    device: Device, endpoint: Endpoint, tenant: str, number: int, cursor: str | None
) -> Iterator[str]:
    position = json.loads(cursor) if cursor else None
    value = position.get("value") if isinstance(position, dict) else None
    identity, _, seq = value.partition("-") if isinstance(value, str) else ("", "", "")
    if identity != endpoint.dwn.store.identity:
        return
    db = device.dwn.database.connection
    store = endpoint.dwn.store
    unlisted = stored_protocols.superseded(store, store.tenant(tenant))
    listed = [cid for at, cid in store.entries_after(tenant, 0, 1_000_000) if at <= int(seq) and cid not in unlisted]
    rows = {cid for (cid,) in db.execute("SELECT cid FROM sync_in WHERE endpoint = ?", (number,))}
    for cid in sorted(device.dwn.store.missing(tenant, listed) - rows):
        if device.may_see(cid) and not replaced(device.dwn, device.world.account, cid):
            yield cid


def replaced(dwn: Dwn, account: Account, cid: str) -> bool:
    """Return True if a node that does not hold a message has something in its place, by the rules of the DWN."""
    made = account.made.get(cid)
    if made is None:
        return True  # nobody's message: the account says so elsewhere
    store, tenant = dwn.store, dwn.store.tenant(made.tenant)
    if made.kind == "ProtocolsConfigure":
        newest = stored_protocols.configured(store, tenant, made.protocol or "")
        return newest is not None and account.made[newest].age > made.age
    newest_row = _newest(dwn, tenant, made.record_id)
    if newest_row is not None and _is_replaced(made, newest_row):
        return True
    return _pruned(dwn, tenant, account, made)


def _newest(dwn: Dwn, tenant: int, record_id: str) -> MessageRow | None:
    rows = dwn.store.record(tenant, record_id)
    return rows[-1] if rows else None


def _is_replaced(made: Authored, newest: MessageRow) -> bool:
    if newest.method != "Delete":
        return made.kind != "RecordsDelete" and newest.age > made.age
    if made.kind != "RecordsDelete":
        return True
    return (bool(newest.message["descriptor"]["prune"]), newest.age) > (made.is_prune, made.age)


def _pruned(dwn: Dwn, tenant: int, account: Account, made: Authored) -> bool:
    """Return True if something above the record was pruned at the node."""
    above = {one.record_id: one for one in account.made.values() if one.is_initial and one.tenant == made.tenant}
    at = above.get(made.record_id)
    while at is not None and (parent := at.descriptor.get("parentId")):
        newest = _newest(dwn, tenant, parent)
        if newest is not None and newest.method == "Delete" and newest.message["descriptor"]["prune"]:
            return True
        at = above.get(parent)
    return False
