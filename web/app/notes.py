"""Text notes as DWN records, in the shape the page shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from web5 import Web5
from web5.api.record import Record
from web5.dwn.cid import message_cid
from web5.dwn.timestamps import format_timestamp, microseconds
from web5.errors import MalformedData, NotFound, StorageError

SCHEMA = "https://schema.org/TextDigitalDocument"
FORMAT = "text/plain"
PAGE = 200
"""Notes that are read at a time for an export."""
EXCERPT = 4_000
"""Bytes of a note's text that the list carries; the whole text is asked for when it is needed."""

Note = dict[str, Any]


async def newest(web5: Web5, limit: int) -> Note:
    """Return the notes that were created last, newest first, and whether there are more."""
    records = await web5.dwn.records.query(
        schema=SCHEMA, data_format=FORMAT, date_sort="createdDescending", limit=limit
    )
    return {"notes": await _notes(web5, records), "more": records.cursor is not None}


async def exported(web5: Web5) -> str:
    """Return all notes, oldest first, as the text of a JSON file. A note whose text is not here says so."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await web5.dwn.records.query(
            schema=SCHEMA, data_format=FORMAT, date_sort="createdAscending", limit=PAGE, cursor=cursor
        )
        for record in page:
            found.append({"id": record.id, **_dates(record)})
            try:
                found[-1]["text"] = await record.data.text()
            except (StorageError, MalformedData, NotFound) as error:
                found[-1]["missing"] = str(error)
        if (cursor := page.cursor) is None:
            return json.dumps({"did": web5.connected_did, "notes": found}, indent=2, ensure_ascii=False)


async def create(web5: Web5, text: str, created: int) -> Note:
    """Create a note, durable on return. The same call again gives the same note.

    Parameters:
        created: when it was written, in microseconds since 1970.
    """
    moment = format_timestamp(created)
    same_moment = {"from": moment, "to": format_timestamp(created + 1)}
    for record in await web5.dwn.records.query(schema=SCHEMA, data_format=FORMAT, date_created=same_moment):
        with suppress(StorageError):
            if await record.data.text() == text:
                return await _one(web5, record)
    record = await web5.dwn.records.create(text, data_format=FORMAT, schema=SCHEMA, date_created=moment)
    return await _one(web5, record)


async def one(web5: Web5, record_id: str) -> Note:
    """Return a note, as `newest` has it.

    Raises:
        NotFound: there is none, or the record is something else.
    """
    record = await web5.dwn.records.read(record_id, schema=SCHEMA, data_format=FORMAT)
    return await _one(web5, record)


async def read(web5: Web5, record_id: str) -> str:
    """Return the whole text of a note."""
    return await (await web5.dwn.records.read(record_id)).data.text()


async def update(web5: Web5, record_id: str, text: str) -> Note:
    """Replace the text of a note; durable on return."""
    record = await (await web5.dwn.records.read(record_id)).update(data=text)
    return await _one(web5, record)


async def delete(web5: Web5, record_id: str) -> None:
    """Delete a note, here and by sync elsewhere; durable on return."""
    await web5.dwn.records.delete(record_id)


async def _one(web5: Web5, record: Record) -> Note:
    [note] = await _notes(web5, [record])
    return note


async def _notes(web5: Web5, records: Sequence[Record]) -> list[Note]:
    statuses = web5.sync.status()
    if not statuses.deliveries and not any(status.pending_out for status in statuses):
        return [await _note(record, []) for record in records]
    cids = [message_cid(record.raw_message) for record in records]
    waiting = _waiting(web5, cids)
    return [await _note(record, waiting.get(cid, [])) for record, cid in zip(records, cids, strict=True)]


async def _note(record: Record, waiting: list[dict[str, str]]) -> Note:
    excerpt, damaged = b"", False
    try:
        async for chunk in await record.data.stream():
            excerpt += chunk
            if len(excerpt) > EXCERPT:
                break
    except StorageError:
        damaged = True  # the others are shown all the same
    whole = len(excerpt) <= EXCERPT
    return {
        "id": record.id,
        # A cut inside a character leaves a broken one at the end: "ignore" drops it. Elsewhere it shows.
        "text": excerpt.decode(errors="replace") if whole else excerpt[:EXCERPT].decode(errors="ignore"),
        "whole": whole and not damaged,
        "damaged": damaged,
        "edited": record.date_modified != record.date_created,  # which may be less than a millisecond later
        "version": format_timestamp(microseconds(record.date_modified)),
        "created": microseconds(record.date_created) // 1000,
        "modified": microseconds(record.date_modified) // 1000,
        "waiting": waiting,
    }


def _waiting(web5: Web5, cids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the endpoints that do not have a message yet, by its CID; `target`: whose, if somebody else's."""
    found: dict[str, list[dict[str, str]]] = {}
    for entry in web5.sync.unsettled(message_cids=cids, limit=None):
        if entry.direction == "push":
            state = "early" if (entry.waits_for or "").startswith("time:") else entry.state
            waits = {"endpoint": entry.endpoint, "state": state}
            if entry.target is not None:
                waits["target"] = entry.target
            found.setdefault(entry.message_cid, []).append(waits)
    return found


def _dates(record: Record) -> dict[str, str]:
    return {
        "created": format_timestamp(microseconds(record.date_created)),
        "modified": format_timestamp(microseconds(record.date_modified)),
    }
