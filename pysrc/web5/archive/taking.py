"""The messages of an archive on their way into a DWN: what is taken, what waits, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Protocol

from web5.archive.format import (
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
from web5.archive.zip_reader import ZipReader, open_zip
from web5.dwn.data import DataStream
from web5.errors import ArchiveDamaged, ArchiveError, StorageFull
from web5.ports.files import ByteSource
from web5.settings import Progress, ignore_progress
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


class Taking(Protocol):
    """The DWN that takes messages (`Intake`)."""

    def wanted(self, candidates: Collection[Candidate]) -> set[str]:
        """Return the CIDs of those that are not here, or not whole."""

    async def take(self, batches: Sequence[RecordBatch]) -> list[list[Outcome]]:
        """Process messages, those of a batch in order; return the outcome of each, by batch."""


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


class MessagesImport:
    """Takes the messages of an archive into a DWN, again and again those that wait for others.

    Parameters:
        report: is kept up to date.
        on_progress: called with ("messages", done, of how many) and ("data", bytes, of how many).
    """

    def __init__(
        self,
        intake: Taking,
        archive: ZipReader,
        manifest: Manifest,
        report: ImportReport,
        on_progress: Progress = ignore_progress,
    ) -> None:
        self._intake, self._archive, self._manifest, self._report = intake, archive, manifest, report
        self._on_progress = on_progress
        self._waiting: dict[str, dict[str, str]] = {}
        self._bytes = 0

    async def run(self, *, skip_damaged: bool = False) -> None:
        """Take all of them.

        Parameters:
            skip_damaged: leave out files that are not what the manifest names, instead of raising ArchiveDamaged.

        Raises:
            ArchiveError, ArchiveDamaged, StorageFull: as `import_archive`.
        """
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
