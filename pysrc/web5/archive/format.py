"""The files of an archive, as `docs/archive.md` has them: their names, their sizes, and what is in them.

Whatever is read here may be anybody's: shapes, sizes and digests are checked before anything else looks at them.
"""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from web5 import strict_json
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dwn.values.types import Message
from web5.errors import ArchiveDamaged, ArchiveError, ArchiveNewer, CryptoError, InvalidArgument, first_error
from web5.sync.plan.pull import Candidate

FORMAT = "web5-archive"
VERSION = 1

MANIFEST, SIGNATURE = "manifest.json", "manifest.jws"
IDENTITY, SEALED_IDENTITY = "identity.json", "identity.jwe"
DOCUMENT = "did.json"
SIGNED_DOCUMENT = "did.bep44"
"""The document as its owner has signed it for did:dht, in archives of nodes."""

PART_MESSAGES = 1000
PART_BYTES = 1 << 20
"""The size at which a file of messages is ended: it is read whole, and checked before anything of it is used."""
MOST_LINE = 4 << 20
"""Bytes of one message with its data; nodes take 256 KiB and 30,000 bytes."""
MOST_PART = PART_BYTES + MOST_LINE
MOST_MANIFEST = 32 << 20
MOST_OTHER = 1 << 20
"""Bytes of a file that is neither messages nor data nor the manifest."""
MOST_DATES = 40

KINDS = {("Records", "Write"), ("Records", "Delete"), ("Protocols", "Configure")}
"""The messages that a DWN keeps."""

_NAME = re.compile(
    r"manifest\.json|manifest\.jws|identity\.json|identity\.jwe|did\.json|did\.bep44|messages/\d{6}\.jsonl|data/b[a-z2-7]{58}"
)

Keys = Literal["encrypted", "plain", "none"]

_Count = Annotated[int, Field(ge=0, le=1 << 53)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class File(_Model):
    """A file of an archive whose digest the manifest has.

    Parameters:
        messages: the number of messages in it.
    """

    name: Annotated[str, StringConstraints(max_length=64)]
    size: _Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    messages: _Count = 0


class Manifest(_Model):
    """The table of contents, which the identity has signed.

    Parameters:
        version: of the format.
        program: that wrote it.
        did: the identity.
        created: when the export began.
        keys: the private keys: in `identity.jwe`, in `identity.json`, or not there.
        messages: their number.
        data, data_bytes: the number of the files below `data/`, whose names are their digests, and of their bytes.
        left_out: CIDs of messages that could not be read when it was written.
        files: all others but the manifest and its signature, in the order in which messages are taken.
    """

    format: str = FORMAT
    version: int = VERSION
    program: Annotated[str, StringConstraints(max_length=100)]
    did: Annotated[str, StringConstraints(max_length=2000)]
    created: Annotated[str, StringConstraints(max_length=MOST_DATES)]
    keys: Keys
    messages: _Count
    data: _Count
    data_bytes: _Count
    left_out: list[Annotated[str, StringConstraints(max_length=100)]] = []
    files: list[File]

    @property
    def parts(self) -> list[File]:
        """The files of messages."""
        return [file for file in self.files if file.name.startswith("messages/")]


def program() -> str:
    """Return the name and version of this program; without the version where its metadata are left out."""
    try:
        return f"web5-py {version('web5-py')}"
    except PackageNotFoundError:
        return "web5-py"


def part_name(number: int) -> str:
    return f"messages/{number:06}.jsonl"


def data_name(cid: str) -> str:
    return f"data/{cid}"


def file_of(name: str, content: bytes, messages: int = 0) -> File:
    """Return the manifest's line about a file."""
    return File(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest(), messages=messages)


def check_digest(file: File, content: bytes) -> None:
    """Check that a file is the one that the manifest names.

    Raises:
        ArchiveDamaged: it is another.
    """
    if file_of(file.name, content, file.messages) != file:
        raise ArchiveDamaged(file.name, "it is not the file that the manifest names: it was changed, or is broken")


def check_name(name: str) -> None:
    """Check that a file may be in an archive; no name of one leads anywhere.

    Raises:
        ArchiveError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise ArchiveError(name[:100], "no archive has such a file")


def parse_json(name: str, content: bytes) -> Any:
    """Parse a file of JSON.

    Raises:
        ArchiveError: it is none.
    """
    try:
        return strict_json.parse(content.decode())
    except ValueError as error:
        raise ArchiveError(name, f"it is not JSON: {error}") from error


def parse_manifest(content: bytes) -> Manifest:
    """Parse and check the manifest.

    Raises:
        ArchiveNewer: it is of a format that is not known here.
        ArchiveError: it is none.
    """
    value = parse_json(MANIFEST, content)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ArchiveError(MANIFEST, "this is a ZIP, but no archive of a DWN")
    number = value.get("version")
    if type(number) is int and number > VERSION:
        raise ArchiveNewer(
            MANIFEST, f"the archive has format {number}, and this program reads {VERSION}: install a newer version"
        )
    try:
        manifest = Manifest.model_validate(value)
    except ValidationError as error:
        raise ArchiveError(MANIFEST, first_error(error)) from error
    names = [file.name for file in manifest.files]
    for name in names:
        check_name(name)
    if len(set(names)) != len(names) or manifest.messages != sum(file.messages for file in manifest.files):
        raise ArchiveError(MANIFEST, "it contradicts itself")
    return manifest


def line(cid: str, body: str, data: bytes | None) -> bytes:
    """Return the line of a message.

    Parameters:
        body: its JSON, as the store has it.
        data: of at most 30,000 bytes.
    """
    encoded = "" if data is None else f',"encodedData":"{b64url_encode(data)}"'
    return f'{{"cid":{json.dumps(cid)},"message":{body}{encoded}}}\n'.encode()


def parse_line(name: str, text: bytes) -> Candidate:
    """Return the message of a line, whose CID is the one that stands there.

    Raises:
        ArchiveError: it is no message, or not this one.
    """
    value = parse_json(name, text)
    message: Message | None = value.get("message") if isinstance(value, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("descriptor"), dict):
        raise ArchiveError(name, "a line is no message")
    descriptor = message["descriptor"]
    kind = descriptor.get("interface"), descriptor.get("method")
    if not all(isinstance(one, str) for one in kind) or kind not in KINDS:
        raise ArchiveError(name, "a line is no message that a DWN keeps")
    encoded = value.get("encodedData")
    try:
        data = None if encoded is None else b64url_decode(encoded)
        found = Candidate.of(message, data)
    except (CryptoError, InvalidArgument) as error:
        raise ArchiveError(name, f"a message cannot be read: {error}") from error
    if found.variant is not None or found.cid != value.get("cid"):
        raise ArchiveError(name, f"message {found.cid} is not the one that stands there, {str(value.get('cid'))[:100]}")
    if found.lacks_data and descriptor.get("dataSize") == 0:
        found.data = b""
    return found
