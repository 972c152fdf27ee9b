"""Composition root of a remote node: one DWN on a SQLite file and a folder of blobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.lock import sole_use
from web5.crypto.signature_cache import SignatureCache
from web5.dids.resolver import DidResolver
from web5.dwn.engine import Dwn, TenantGate
from web5.dwn.store.database import open_file


@asynccontextmanager
async def open_node(
    data_dir: Path | str,
    resolver: DidResolver,
    tenant_gate: TenantGate | None = None,
) -> AsyncIterator[Dwn]:
    """A DWN whose data lies in a folder; closed at the end of the block.

    Parameters:
        tenant_gate: who is served; everybody without one.

    Raises:
        StorageBusy: another process has the folder open.
        StorageError: what is stored cannot be opened.
    """
    folder = Path(data_dir)
    with sole_use(folder):
        database = open_file(folder / "dwn.sqlite")
        try:
            blobs = FileBlobs(folder / "blobs")
            dwn = Dwn(
                database=database,
                blobs=blobs,
                resolver=resolver,
                crypto=SignatureCache(CPythonCrypto()),
                tenant_gate=tenant_gate,
            )
            await dwn.open()
            yield dwn
            await blobs.close()
        finally:
            await database.close()
