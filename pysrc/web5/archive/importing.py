"""The import of an archive into an agent.

Invariants:
1. Nothing is taken before the structure of the archive is checked, and the identity's signature over its manifest.
2. No file of messages is looked into that is not the one in the manifest; every message goes through the engine, which
   checks its signatures, its CIDs and those of its data, and judges it as sync does what it pulls (`Intake`).
3. What is here already is skipped. So an import that was cut off goes on when it is repeated.
4. A message that waits for another is tried again once the others have come, as long as any of it is taken.
"""

from __future__ import annotations

from web5.agent.agent import Agent
from web5.archive.format import IDENTITY, Manifest
from web5.archive.identity_files import check_signature, checked_identity, read_identity
from web5.archive.taking import ImportReport, MessagesImport, open_archive
from web5.archive.zip_reader import ZipReader
from web5.errors import IdentityError
from web5.ports.files import ByteSource
from web5.settings import Progress, ignore_progress


async def import_archive(
    agent: Agent,
    source: ByteSource,
    *,
    password: str | None = None,
    skip_damaged: bool = False,
    on_progress: Progress = ignore_progress,
) -> ImportReport:
    """Import an archive: the identity if it is new here, and all of its messages that are. Sync carries them on.

    It can be repeated, also when it was cut off.

    Parameters:
        source: is closed at the end.
        password: that of the export, if the identity is new here and its keys are encrypted.
        skip_damaged: leave out files that are not what the manifest names, instead of raising ArchiveDamaged.
        on_progress: called with ("messages", done, of how many) and ("data", bytes, of how many).

    Raises:
        ArchiveError: this is no archive, not one that its identity has signed, or more than is let in. Nothing is
            changed.
        ArchiveNewer: a newer version of this program wrote it. Nothing is changed.
        ArchiveDamaged: a file in it was changed, or is broken; what came before it stays.
        IdentityError: the identity is not on this agent, and the archive has no keys; or these are not its own.
        VaultLocked, WrongPassword: the password for the keys in the archive is missing, or another one; or the vault
            is locked.
        StorageFull, StorageError: there is no room; what was taken stays, and is skipped the next time.
    """
    try:
        archive, manifest, content = await open_archive(source)
        report = ImportReport(manifest.did, manifest.messages)
        report.created_identity = await _take_identity(agent, archive, manifest, content, password)
        importing = MessagesImport(agent.sync.intake(manifest.did), archive, manifest, report, on_progress)
        await importing.run(skip_damaged=skip_damaged)
        agent.sync.wake(manifest.did)
        return report
    finally:
        await source.close()


async def _take_identity(
    agent: Agent, archive: ZipReader, manifest: Manifest, content: bytes, password: str | None
) -> bool:
    """Check who signed the manifest; add the identity if it is new here, and return True then."""
    held = next((one for one in agent.identities.list() if one.did == manifest.did), None)
    if held is not None:
        if held.connected_did is not None:
            raise IdentityError(f"{manifest.did} acts for somebody else here, and has no data of its own.")
        document = (await agent.identities.portable_did(manifest.did)).document
        await check_signature(archive, content, document, agent.crypto)
        return False
    identity = await read_identity(archive, manifest, password, agent.crypto)
    if identity is None:
        raise IdentityError(
            f"The archive has no keys of {manifest.did}, and that identity is not on this agent: import it first"
            f" (`web5.identities.import_`), or export with keys. {IDENTITY} has what is known of it."
        )
    portable_did = await checked_identity(identity, manifest.did, agent.resolver)
    await check_signature(archive, content, portable_did.document, agent.crypto)
    await agent.import_identity(identity)
    return True
