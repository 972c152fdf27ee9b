"""The import of an archive into an agent.

Invariants:
1. Nothing is taken before the structure of the archive is checked, and the identity's signature over its manifest.
2. No file of messages is looked into that is not the one in the manifest; every message goes through the engine, which
   checks its signatures, its CIDs and those of its data, and judges it as sync does what it pulls (`Intake`).
3. What is here already is skipped. So an import that was cut off goes on when it is repeated.
4. A message that waits for another is tried again once the others have come, as long as any of it is taken.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from web5.agent.agent import Agent
from web5.archive.format import (
    IDENTITY,
    MANIFEST,
    MOST_MANIFEST,
    MOST_PART,
    SIGNATURE,
    File,
    Manifest,
    check_digest,
    check_name,
    data_name,
    parse_line,
    parse_manifest,
)
from web5.archive.identity_files import check_signature, checked_identity, read_identity
from web5.archive.zip_reader import ZipReader, open_zip
from web5.dwn.data import DataStream
from web5.errors import ArchiveDamaged, ArchiveError, IdentityError, StorageFull
from web5.ports.files import ByteSource
from web5.settings import Progress, ignore_progress
from web5.sync.exchange.intake import Intake
from web5.sync.plan.policy import OWN, Outcome
from web5.sync.plan.pull import Candidate, RecordBatch
from web5.sync.plan.variants import VARIANT

AT_ONCE = 64
"""Records that are applied together, with one transaction and one flush."""

SHOWN = 100
"""Refusals that a report names; all are counted."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message of an archive that was not taken, and why."""

    message_cid: str
    reason: str


@dataclass
class ImportReport:
    """The result of an import.

    Parameters:
        did: whose archive it is.
        messages: their number in it.
        taken: those that are new here.
        there: those that were here already, or are out of date: something newer of the record is here.
        refused: their number; `refusals` has the first of them.
        damaged: the files that were left out because they are not what the manifest names.
        created_identity: True if the identity was new here, and came with its keys.
    """

    did: str
    messages: int
    taken: int = 0
    there: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    created_identity: bool = False

    @property
    def complete(self) -> bool:
        """True if everything in the archive is here now, or something newer."""
        return not self.refused and not self.damaged


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
        importing = _Import(agent.sync.intake(manifest.did), archive, manifest, report, on_progress)
        await importing.run(skip_damaged=skip_damaged)
        agent.sync.wake(manifest.did)
        return report
    finally:
        await source.close()


async def open_archive(source: ByteSource) -> tuple[ZipReader, Manifest, bytes]:
    """Return an archive whose structure is right, with its manifest and that one's bytes; nobody has verified these.

    Raises:
        ArchiveError, ArchiveNewer: as `import_archive`.
        InvalidArgument: the file cannot be read.
    """
    archive = await open_zip(source)
    for name in archive.names:
        check_name(name)
    content = await archive.read(MANIFEST, MOST_MANIFEST)
    manifest = parse_manifest(content)
    _check_files(archive, manifest)
    return archive, manifest, content


def _check_files(archive: ZipReader, manifest: Manifest) -> None:
    names = {file.name for file in manifest.files}
    for file in manifest.files:
        if file.name not in archive:
            raise ArchiveError(file.name, "the manifest names it, and it is not there: the archive is not whole")
    for name in archive.names:
        if name not in names and name not in (MANIFEST, SIGNATURE) and not name.startswith("data/"):
            raise ArchiveError(name, "the manifest does not name it")
    found = [archive.size(name) for name in archive.names if name.startswith("data/")]
    if (len(found), sum(found)) != (manifest.data, manifest.data_bytes):
        raise ArchiveError(
            MANIFEST,
            f"it names {manifest.data} files of data with {manifest.data_bytes} bytes, and there are {len(found)} with"
            f" {sum(found)}",
        )


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


class _Import:
    def __init__(
        self, intake: Intake, archive: ZipReader, manifest: Manifest, report: ImportReport, on_progress: Progress
    ) -> None:
        self._intake, self._archive, self._manifest, self._report = intake, archive, manifest, report
        self._on_progress = on_progress
        self._waiting: dict[str, dict[str, str]] = {}
        self._bytes = 0

    async def run(self, *, skip_damaged: bool) -> None:
        parts = self._manifest.parts
        await self._pass(parts, skip_damaged=skip_damaged)
        while self._waiting:
            before = self._report.taken
            again = [file for file in parts if file.name in self._waiting]
            if not await self._pass(again, skip_damaged=skip_damaged) and self._report.taken == before:
                break
        for waiting in self._waiting.values():
            for cid, reason in waiting.items():
                self._refuse(cid, reason)

    async def _pass(self, parts: Sequence[File], *, skip_damaged: bool) -> bool:
        """Take files of messages, or what of them waits; return True if less waits than before."""
        before = sum(map(len, self._waiting.values()))
        for file in parts:
            only = self._waiting.pop(file.name, None)
            try:
                await self._part(file, only)
            except ArchiveDamaged as error:
                if not skip_damaged:
                    raise
                self._report.damaged.append(error.entry)
        return sum(map(len, self._waiting.values())) < before

    async def _part(self, file: File, only: dict[str, str] | None) -> None:
        content = await self._archive.read(file.name, MOST_PART)
        check_digest(file, content)
        lines = content.split(b"\n")[:-1]
        if len(lines) != file.messages:
            raise ArchiveError(file.name, f"it has {len(lines)} messages, and the manifest names {file.messages}")
        batches = [*self._batches(file.name, lines, only)]
        for start in range(0, len(batches), AT_ONCE):
            await self._take(file.name, batches[start : start + AT_ONCE])
            self._on_progress("messages", self._report.taken + self._report.there, self._report.messages)

    def _batches(self, name: str, lines: Sequence[bytes], only: dict[str, str] | None) -> Iterator[RecordBatch]:
        """Give the messages that are wanted, those of a record that stand together as one batch."""
        candidates = [parse_line(name, one) for one in lines]
        wanted = self._intake.wanted(candidates)
        for _, group in groupby(enumerate(candidates), lambda one: one[1].ordering_key or one[0]):
            batch = [one for _, one in group if only is None or one.cid in only]
            missing = [one for one in batch if one.cid in wanted]
            self._report.there += len(batch) - len(missing)
            if not missing:
                continue
            if (lacking := self._add_data(missing)) is None:
                yield missing
            else:
                for one in missing:
                    self._refuse(one.cid, lacking)

    def _add_data(self, batch: RecordBatch) -> str | None:
        """Give the last write of a record its data if they are large; return why it has none that it needs."""
        newest = batch[-1]
        if not newest.lacks_data:
            return None
        descriptor = newest.message["descriptor"]
        name = data_name(str(descriptor.get("dataCid")))
        if name not in self._archive:
            return "its data are not in the archive"
        newest.data = DataStream(partial(self._counted, name), self._archive.size(name))
        return None

    async def _counted(self, name: str) -> AsyncIterator[bytes]:
        async for chunk in self._archive.stream(name):
            self._bytes += len(chunk)
            self._on_progress("data", self._bytes, max(self._bytes, self._manifest.data_bytes))
            yield chunk

    async def _take(self, name: str, batches: Sequence[RecordBatch]) -> None:
        outcomes = await self._intake.take(batches)
        for batch, of_batch in zip(batches, outcomes, strict=True):
            for candidate, outcome in zip(batch, of_batch, strict=True):
                self._count(name, candidate, outcome)

    def _count(self, name: str, candidate: Candidate, outcome: Outcome) -> None:
        if outcome.name == OWN[StorageFull].name:
            raise StorageFull(outcome.detail)
        reason = outcome.detail or outcome.name
        if outcome.name == VARIANT.name:
            self._refuse(candidate.cid, reason)
        elif outcome.settled and outcome.code in (202, 204):
            self._report.taken += 1
        elif outcome.settled:
            self._report.there += 1
        elif outcome.waits_for:
            self._waiting.setdefault(name, {})[candidate.cid] = reason
        else:
            self._refuse(candidate.cid, reason)

    def _refuse(self, cid: str, reason: str) -> None:
        self._report.refused += 1
        if len(self._report.refusals) < SHOWN:
            self._report.refusals.append(Refusal(cid, reason))
