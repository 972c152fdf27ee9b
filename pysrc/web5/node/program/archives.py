"""`web5-node export` and `import`: one tenant in a file, and back."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from web5.archive.local_files import open_sink, open_source
from web5.archive.taking import ImportReport, open_archive
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.lock import sole_use
from web5.dids.resolver import UniversalResolver
from web5.dwn import Dwn
from web5.dwn.store.database import open_file
from web5.errors import InvalidArgument, StorageError
from web5.node.gateway_items import GatewayItems, GatewayLimits
from web5.node.program.commands import tenant_rules
from web5.node.program.settings import NodeSettings
from web5.node.program.tenants import check_did, chosen_path
from web5.node.serve import open_node, resolving
from web5.node.stores import COMPONENTS, DATABASE, DHT, Stores, name_of, open_part, open_s3, part_file, stores_of
from web5.node.upkeep.document import TakenDocument, document_of, read_document, take_document
from web5.node.upkeep.tenant import BlobFiles, Exported, export_tenant, import_tenant
from web5.ports.blobs import Blobs
from web5.ports.clock import SystemClock

INCOMPLETE = 3
"""The exit status where something could not be exported, or was not taken."""


def add_export(parser: argparse.ArgumentParser) -> None:
    """Give a parser what an export takes."""
    parser.add_argument("did", metavar="DID", help="the tenant")
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    parser.add_argument("--at", default=None, metavar="PATH", help="the path of the DWN, where there are several")


def add_import(parser: argparse.ArgumentParser) -> None:
    """Give a parser what an import takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to read")
    parser.add_argument(
        "--history",
        action="store_true",
        help="take also what was allowed once, and is no more: only for a file from a node that the tenant trusts",
    )
    parser.add_argument("--at", default=None, metavar="PATH", help="the path of the DWN, where there are several")


def export(options: argparse.Namespace, settings: NodeSettings) -> int:
    """Export a tenant, while the node runs or not; the exit status.

    Raises:
        InvalidArgument: the file cannot be written, or there is no such tenant.
        StorageError: the data cannot be read.
    """
    check_did("export", options.did)
    at = chosen_path(options.at, settings)
    exported, has_document = asyncio.run(_export(settings, at, options.did, options.file))
    print(
        f"{options.file}: {exported.messages:,} messages, {exported.data:,} large data of {exported.bytes:,} bytes"
        f"{', the DID document' if has_document else ''} of {options.did}"
    )
    for cid in exported.left_out:
        print(f"  left out, since it cannot be read: {cid}")
    return INCOMPLETE if exported.left_out else 0


def take(options: argparse.Namespace, settings: NodeSettings) -> int:
    """Import a tenant; the exit status. A node with a folder must have ended.

    Raises:
        InvalidArgument: the file cannot be read, or the tenant is suspended.
        ArchiveError: it is not one, or not whole.
        StorageError: the data cannot be opened, or there is no room.
    """
    at = chosen_path(options.at, settings)
    report, document = asyncio.run(_import(settings, at, options.file, history=options.history))
    print(f"{report.did}: {report.taken:,} of {report.messages:,} messages taken, {report.there:,} were here")
    if document is not None:
        print(f"  {document.words}")
    for one in report.refusals:
        print(f"  not taken: {one.message_cid}: {one.reason}")
    if report.refused > len(report.refusals):
        print(f"  and {report.refused - len(report.refusals):,} others")
    if report.refused and not options.history:
        print("  --history takes what was only allowed once; signers whose DIDs are not found here need --gateways")
    return 0 if report.complete and not (document is not None and document.is_refused) else INCOMPLETE


async def _export(settings: NodeSettings, at: str, did: str, file: Path) -> tuple[Exported, bool]:
    clock, document = SystemClock(), None
    async with _reading(settings, at) as stores:
        dwn = Dwn(
            database=stores.messages,
            blobs=stores.blobs,
            resolver=UniversalResolver([]),
            crypto=CPythonCrypto(),
            clock=clock,
        )
        dwn.store.open()
        if not dwn.store.tenant(did):
            raise InvalidArgument(f"{did} has nothing here")
        if settings.gateway and not (isinstance(settings.place, Path) and not part_file(settings.place, DHT).exists()):
            async with _gateway(settings) as items:
                document = await document_of(items, did)
        exported = await export_tenant(dwn, did, await open_sink(file), clock, document=document)
        return exported, document is not None


@asynccontextmanager
async def _gateway(settings: NodeSettings) -> AsyncIterator[GatewayItems]:
    """Open the documents of the node's gateway."""
    database = open_part(settings.place, DHT)
    try:
        yield GatewayItems(database, CPythonCrypto(), SystemClock(), GatewayLimits())
    finally:
        await database.close()


@asynccontextmanager
async def _reading(settings: NodeSettings, at: str) -> AsyncIterator[Stores]:
    """Open what a DWN keeps, beside the processes that serve it."""
    if settings.database is not None:
        async with stores_of(settings.place, at, make=False, s3=settings.s3) as stores:
            yield stores
        return
    assert settings.data is not None
    folder = settings.data / name_of(at)
    if not (folder / DATABASE).exists():
        raise StorageError(f"there is no DWN in {folder}")
    database = open_file(folder / DATABASE)
    try:
        database.check_version(COMPONENTS)
        s3 = settings.s3
        blobs = BlobFiles(folder) if s3 is None else open_s3(s3.below(name_of(at)))
        yield Stores(database, cast(Blobs, blobs), lambda: database, lambda: database)
    finally:
        await database.close()


async def _import(
    settings: NodeSettings, at: str, file: Path, *, history: bool
) -> tuple[ImportReport, TakenDocument | None]:
    source = await open_source(file)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(source.close)
        archive, manifest, _ = await open_archive(source)  # before anything is made
        payload, document = await read_document(archive, manifest), None
        if settings.data is not None and settings.database is None:
            stack.enter_context(sole_use(settings.data))
        if payload is not None and not settings.gateway:
            document = TakenDocument("its DID document is in the file, and not taken: this node has no gateway")
        elif payload is not None:  # first: by it, the tenant's signatures are known
            async with _gateway(settings) as items:
                document = await take_document(items, manifest.did, payload)
        gateway, gateways = settings.gateway, settings.gateways
        resolver, *_ = await stack.enter_async_context(
            resolving(settings.place, gateway=gateway, gateways=gateways, allow_local=settings.allow_local)
        )
        rules = replace(tenant_rules(settings), admission="open")
        window = settings.time_window or None
        dwn, _ = await stack.enter_async_context(
            open_node(stores_of(settings.place, at, s3=settings.s3), resolver, window_seconds=window, rules=rules)
        )
        return await import_tenant(dwn, source, history=history), document
