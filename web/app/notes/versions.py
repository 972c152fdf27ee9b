"""Earlier texts of a note. A DWN keeps the newest text of a record alone, so each is a record of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from app.notes.note_shape import excerpt_of

from web5 import Web5
from web5.api.records.record import Record
from web5.dwn.values.timestamps import format_timestamp, microseconds
from web5.errors import NotFound

SCHEMA = "https://schema.org/ArchiveComponent"
FORMAT = "text/plain"

OF = "of"
"""The tag with the ID of the note."""

MOST = 30
"""Earlier texts that are kept of a note; before there are more, the oldest goes."""


async def keep(web5: Web5, note: Record) -> None:
    """Keep the text that a note has now, durable on return. The same call again keeps it once.

    Raises:
        StorageError: it cannot be read.
    """
    moment = microseconds(note.date_modified)
    there = await _all(web5, note.id)
    if any(microseconds(record.date_created) == moment for record in there):
        return
    for record in there[MOST - 1 :]:
        await web5.dwn.records.delete(record.id)
    await web5.dwn.records.create(
        await note.data.bytes(),
        data_format=FORMAT,
        schema=SCHEMA,
        date_created=format_timestamp(moment),
        tags={OF: note.id},
    )


async def listed(web5: Web5, note_id: str) -> list[dict[str, Any]]:
    """Return the earlier texts of a note, newest first, each with its beginning, and when it was written."""
    records = await _all(web5, note_id)
    return list(await asyncio.gather(*[_shape(record) for record in records]))


async def read(web5: Web5, version_id: str) -> str:
    """Return the whole of an earlier text.

    Raises:
        NotFound: there is none.
    """
    record = await web5.dwn.records.read(version_id)
    if record.schema != SCHEMA or record.data_format != FORMAT:
        raise NotFound("", "That is no earlier text of a note.")
    return await record.data.text()


async def delete(web5: Web5, note_id: str) -> None:
    """Delete all earlier texts of a note; durable on return."""
    for record in await _all(web5, note_id):
        await web5.dwn.records.delete(record.id)


async def _all(web5: Web5, note_id: str) -> list[Record]:
    of_it = {OF: note_id}
    return await web5.dwn.records.query(
        schema=SCHEMA, data_format=FORMAT, tags=of_it, date_sort="createdDescending"
    ).all()


async def _shape(record: Record) -> dict[str, Any]:
    text, whole, damaged = await excerpt_of(record)
    moment = microseconds(record.date_created) // 1000
    return {"id": record.id, "text": text, "whole": whole, "damaged": damaged, "written": moment}
