"""A look at whether all that a node keeps is whole: databases, messages by their CIDs, data by theirs.

It reads, and changes nothing. The node may run meanwhile; what is replaced while it is looked at is no fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw

from web5 import strict_json
from web5.dwn.values.cid import DataCid, data_cid, message_cid
from web5.errors import DwnError
from web5.node.s3.address import S3Address
from web5.node.stores import DATABASE
from web5.node.upkeep.backup import blob_file, databases_of
from web5.node.upkeep.check_s3 import faults_in_s3

_READ = 1 << 20


def faults(data: Path, s3: S3Address | None = None, note: Callable[[str], None] = lambda line: None) -> Iterator[str]:
    """Look at the folder of a node; give a line for each thing that is not whole.

    Parameters:
        s3: the place of its large data; None: they are in the folder.
        note: is given lines of what is no fault.

    Raises:
        StorageError: there is no node in the folder, or the place in S3 cannot be read.
    """
    for shown in databases_of(data):
        path = data / shown
        try:
            with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
                db.set_busy_timeout(10_000)
                found = [text for (text,) in db.execute("PRAGMA integrity_check(20)") if text != "ok"]
                yield from (f"{shown}: {text}" for text in found)
                if not found and path.name == DATABASE:
                    yield from (f"{shown}: {text}" for text in _of_messages(db))
                    if s3 is None:
                        yield from (f"{shown}: {text}" for text in _of_blobs(db, path.parent))
                    else:
                        place = s3.below(path.parent.name)
                        yield from (f"{shown}: {text}" for text in asyncio.run(faults_in_s3(db, place, note)))
        except apsw.Error as error:
            yield f"{shown}: it cannot be read as a database: {error}"


def _of_messages(db: apsw.Connection) -> Iterator[str]:
    for cid, text, cid_of_data, data in db.execute("SELECT cid, message, data_cid, data FROM dwn_message"):
        try:
            found = message_cid(strict_json.parse_own(text))
        except (ValueError, DwnError, TypeError) as error:
            yield f"message {cid} cannot be read: {error}"
            continue
        if found != cid:
            yield f"message {cid} is another one, {found}"
        if data is not None and cid_of_data is not None and data_cid(data) != cid_of_data:
            yield f"the data of message {cid} are others"


def _of_blobs(db: apsw.Connection, folder: Path) -> Iterator[str]:
    query = "SELECT record_id, data_cid, size, key FROM dwn_blob"
    for record_id, expected, size, key in list(db.execute(query)):
        found = DataCid()
        try:
            with blob_file(folder, key).open("rb") as file:
                while piece := file.read(_READ):
                    found.update(piece)
        except OSError as error:
            if db.execute("SELECT 1 FROM dwn_blob WHERE key = ?", (key,)).fetchone() is None:
                continue  # replaced meanwhile
            yield f"the data of record {record_id} cannot be read: {error.strerror}"
            continue
        if found.finish() != (expected, size):
            yield f"the data of record {record_id} are others, or not all"
