"""The export of an identity into an archive, message by message, in memory that does not grow with their number."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from web5.agent.agent import Agent
from web5.archive.format import DOCUMENT, MANIFEST, SIGNATURE, Keys
from web5.archive.identity_files import check_keys, identity_files, manifest_signature
from web5.archive.writing import MessagesWriter, manifest_of
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import IdentityError
from web5.ports.files import ByteSink
from web5.settings import Progress, ignore_progress


@dataclass(frozen=True)
class ExportReport:
    """The contents of an archive that was written.

    Parameters:
        did: the identity.
        messages: their number.
        data, data_bytes: the number of large data, and their bytes.
        left_out: CIDs of messages that cannot be read here, or whose data cannot (`web5.sync.damaged`).
        blob: the archive as a JavaScript Blob, where no target was given; else None.
    """

    did: str
    messages: int
    data: int
    data_bytes: int
    left_out: tuple[str, ...] = ()
    blob: Any = field(default=None, compare=False)


async def export_archive(
    agent: Agent,
    did: str,
    sink: ByteSink,
    *,
    keys: Keys = "encrypted",
    password: str | None = None,
    on_progress: Progress = ignore_progress,
) -> ExportReport:
    """Export an identity of the agent with everything that it has here.

    Parameters:
        sink: is closed when the archive is whole, and given up whatever goes wrong.
        keys, password: see `check_keys`.
        on_progress: called with ("messages", done, of how many) and ("data", bytes, of how many).

    Raises:
        InvalidArgument: the keys cannot be exported so.
        IdentityError: it is not on this agent, or acts for somebody else.
        VaultLocked: the vault is locked.
        StorageFull, StorageError: the archive cannot be written.
    """
    try:
        check_keys(keys, password)
        if agent.identities.get(did).connected_did is not None:
            raise IdentityError(f"{did} acts for somebody else, whose data are for that one's own agent to export.")
        report = await _export(agent, did, sink, keys, password, on_progress)
        blob = await sink.close()
    except BaseException:
        await sink.abort()
        raise
    return report if blob is None else replace(report, blob=blob)


async def _export(
    agent: Agent, did: str, sink: ByteSink, keys: Keys, password: str | None, on_progress: Progress
) -> ExportReport:
    writer = MessagesWriter(agent.dwn, did, sink, on_progress)
    try:
        created = format_timestamp(agent.clock.now())
        signer, portable_did = await agent.signer(did), await agent.identities.portable_did(did)
        name = agent.identities.get(did).name
        files = await identity_files(portable_did, name, keys=keys, password=password, crypto=agent.crypto)
        document = portable_did.document.model_dump_json(by_alias=True, indent=2).encode() + b"\n"
        for name, content in {**files, DOCUMENT: document}.items():
            await writer.add(name, content)
        await writer.write()
        content = manifest_of(writer, did, created, keys)
        await writer.zip.add(MANIFEST, content)
        await writer.zip.add(SIGNATURE, await manifest_signature(content, signer))
        await writer.zip.close()
    except BaseException:
        writer.zip.give_up()
        raise
    writer.tell()
    return ExportReport(did, writer.messages, len(writer.data), writer.bytes, tuple(writer.left_out))
