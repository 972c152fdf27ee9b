"""The totals of a ledger, counted anew."""

from __future__ import annotations

from web5.sync.ledger.ledger import Ledger
from web5.sync.ledger.totals import AHEAD, TABLES


def miscounted(ledger: Ledger) -> list[str]:
    """Return what the ledger has miscounted."""
    db = ledger.database.connection
    kept = {tuple(row[:3]): row[3] for row in db.execute("SELECT * FROM sync_total WHERE number <> 0")}
    ahead = set(db.execute("SELECT endpoint, position FROM sync_ahead"))
    found: dict[tuple[object, ...], int] = {}
    really = set()
    for table in TABLES:
        for endpoint, state, number in db.execute(f"SELECT endpoint, state, count(*) FROM {table} GROUP BY 1, 2"):
            found[endpoint, table, state] = number
    for endpoint, tenant, cursor in db.execute("SELECT id, tenant, pushed_seq FROM sync_endpoint").fetchall():
        rows = {seq for (seq,) in db.execute("SELECT position FROM sync_out WHERE endpoint = ?", (endpoint,))}
        pending = {seq for seq, _ in ledger.outbox.events(tenant, cursor)} - rows
        really |= {(endpoint, seq) for seq in pending}
        if pending:
            found[endpoint, "sync_out", AHEAD] = len(pending)
    return [
        f"{place}: {kept.get(place, 0)} instead of {found.get(place, 0)}"
        for place in {**found, **kept}
        if kept.get(place) != found.get(place)
    ] + [f"ahead in the totals or really: {place}" for place in sorted(ahead ^ really)]
