"""The opening of a store that has no room: it fails with that, and with nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.store.tested_pages import TestedPages
from web5.dwn import Dwn
from web5.dwn.store.memory import MemoryBlobs
from web5.dwn.store.paged import open_paged
from web5.errors import StorageFull
from web5.sync.ledger.ledger import Ledger

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
