"""`web5.export` and `web5.import_`: everything of an identity in one file, and back."""

from __future__ import annotations

from typing import Any

from web5.agent.agent import Agent
from web5.archive.exporting import ExportReport, export_archive
from web5.archive.format import Keys
from web5.archive.identity_files import check_keys
from web5.archive.importing import import_archive
from web5.archive.taking import ImportReport
from web5.errors import DelegationError
from web5.platform import byte_sink, byte_source
from web5.settings import Progress, ignore_progress


class Archives:
    """The part of `Web5` that reads and writes archives. docs/archive.md has their format."""

    agent: Agent
    connected_did: str
    delegate_did: str | None

    async def export(
        self,
        target: Any = None,
        *,
        keys: Keys = "encrypted",
        password: str | None = None,
        on_progress: Progress = ignore_progress,
    ) -> ExportReport:
        """Write everything of this identity that is on this device into an archive: a ZIP of JSON and data.

        Nothing is held in memory but what is on its way. If it fails or is cancelled, no file is left; a stream is
        aborted.

        Parameters:
            target: a path, or a binary file object. In a browser a FileSystemFileHandle (of the person's disk, or of
                the origin's private file system) or a WritableStream; None: the report has the archive as a `blob`.
            keys: the identity's private keys: "encrypted" by the password, "plain", so that whoever reads the archive
                can be this identity, or "none": then it can be read, but is imported only where the identity is.
            password: at least 8 characters, if the keys are encrypted. Nobody can bring it back.
            on_progress: called with ("messages", done, of how many) and ("data", bytes, of how many).

        Raises:
            InvalidArgument: the target, `keys` or the password cannot be used.
            DelegationError: this is a delegate's connection.
            VaultLocked: the vault is locked.
            StorageFull, StorageError: the archive cannot be written.
        """
        if self.delegate_did is not None:
            raise DelegationError(f"{self.delegate_did} is a delegate of {self.connected_did}; only the owner exports.")
        check_keys(keys, password)  # before a file is begun
        sink = await byte_sink(target)
        return await export_archive(
            await self.agent.as_node(), self.connected_did, sink, keys=keys, password=password, on_progress=on_progress
        )

    async def import_(
        self,
        source: Any,
        *,
        password: str | None = None,
        skip_damaged: bool = False,
        on_progress: Progress = ignore_progress,
    ) -> ImportReport:
        """Take in an archive, of this or of another identity, which comes along if the archive has its keys.

        Every message is verified by its signatures and CIDs, and its data by their CID; it is judged as what sync
        fetches, and sync carries it on. What is here already is skipped, so an import that was cut off is repeated. Use
        the identity then with `web5.use(report.did)`.

        Parameters:
            source: a path, or a binary file object that can be sought in. In a browser a File, Blob or
                FileSystemFileHandle.
            password: that of the export, if the identity is new here and its keys are encrypted.
            skip_damaged: take what is whole of an archive of which some files are broken; the report names these.
            on_progress: as for `export`.

        Raises:
            ArchiveError: it is no archive, not signed by its identity, or more than is let in. Nothing is changed.
            ArchiveNewer: a newer version of this program wrote it. Nothing is changed.
            ArchiveDamaged: a file in it was changed, or is broken. What came before it was verified, and stays.
            IdentityError: the identity is not here, and the archive has no keys of it.
            VaultLocked: a password is needed. WrongPassword: it is another.
            InvalidArgument: the source cannot be read.
            StorageFull, StorageError: there is no room; what was taken stays.
        """
        opened = await byte_source(source)
        return await import_archive(
            await self.agent.as_node(), opened, password=password, skip_damaged=skip_damaged, on_progress=on_progress
        )
