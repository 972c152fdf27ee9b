"""What could not be stored, since there was no room: the tables themselves, or an endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.store.tested_pages import TestedPages
from web5.dwn import Dwn
from web5.dwn.store.durable.paged import open_paged
from web5.dwn.store.memory import MemoryBlobs
from web5.errors import StorageFull
from web5.sync.ledger.ledger import Ledger, Tenant
from web5.sync.states import Listing

FULL = StorageFull("no room")


async def test_where_its_tables_find_no_room_nothing_reads_them_again(caplog: pytest.LogCaptureFixture) -> None:
    pages, nobody = TestedPages(), Any
    database = await open_paged(pages)
    dwn = Dwn(database=database, blobs=MemoryBlobs(), resolver=nobody, crypto=nobody, clock=nobody)
    pages.failures = [FULL]
    with pytest.raises(StorageFull):
        await dwn.open()
    await dwn.open()
    Ledger(database, dwn.store).open()
    pages.failures = [FULL]
    with pytest.raises(StorageFull):
        await database.flush()
    assert caplog.records == []
    await database.close()


async def test_an_endpoint_that_could_not_be_stored_leaves_no_rows() -> None:
    """What is listed by it meanwhile is not taken over: its number may be another's next."""
    pages, nobody = TestedPages(), Any
    database = await open_paged(pages)
    dwn = Dwn(database=database, blobs=MemoryBlobs(), resolver=nobody, crypto=nobody, clock=nobody)
    await dwn.open()
    ledger = Ledger(database, dwn.store)
    ledger.open()
    ledger.register(Tenant("did:a"))
    await database.flush()
    ledger.set_endpoints("did:a", ["https://a.example"])
    (endpoint,) = ledger.endpoints("did:a")
    pages.failures = [FULL]
    with pytest.raises(StorageFull):
        await database.flush()
    listing = Listing(["cid"], {"messageCid": "cid", "value": "1"})
    ledger.listed(endpoint, "all", listing, {"cid"}, 0)
    assert ledger.relisted(endpoint, {"all": listing}, {"cid"}, 0) == 0
    for table in ("sync_cursor", "sync_in", "sync_endpoint"):
        assert database.connection.execute(f"SELECT count(*) FROM {table}").get == 0
    await database.close()
