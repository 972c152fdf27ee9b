"""Notes as DWN records: texts in Markdown, whose `#words` are the tags of the record; files are listed among them."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from app.notes import files, versions
from app.notes.note_shape import TEXT, Note, dates, listed, shape

from web5 import Web5
from web5.api.records.record import Record
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import MalformedData, NotFound, StorageError

SCHEMA = TEXT
FORMAT = "text/plain"
PAGE = 200
"""Notes that are read at a time for an export."""

TAG = "tag"
"""The name under which a record has its tags."""

MOST_TAGS = 20
"""Tags of a note, the first ones."""

_TAG = re.compile(r"(?<![\w/#&])#([^\W\d_][\w-]{0,39})")


async def newest(web5: Web5, limit: int, tag: str = "") -> Note:
    """Return the notes and files that were created last, newest first, and whether there are more.

    Parameters:
        tag: only those that have it.
    """
    tags = {TAG: tag} if tag else None
    query = partial(web5.dwn.records.query, date_sort="createdDescending", limit=limit, tags=tags)
    texts, others = await query(schema=SCHEMA, data_format=FORMAT), await query(schema=files.SCHEMA)
    records = sorted([*texts, *others], key=lambda record: (record.date_created, record.id), reverse=True)
    more = len(records) > limit or texts.cursor is not None or others.cursor is not None
    return {"notes": await listed(web5, records[:limit]), "more": more}


async def exported(web5: Web5) -> str:
    """Return all notes, oldest first, as the text of a JSON file. A note whose text is not here says so."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await web5.dwn.records.query(
            schema=SCHEMA, data_format=FORMAT, date_sort="createdAscending", limit=PAGE, cursor=cursor
        )
        for record in page:
            found.append({"id": record.id, **dates(record)})
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
                return await shape(web5, record)
    record = await web5.dwn.records.create(
        text, data_format=FORMAT, schema=SCHEMA, date_created=moment, tags=_tags_of(text) or None
    )
    return await shape(web5, record)


async def one(web5: Web5, record_id: str) -> Note:
    """Return a note or file, as `newest` has it.

    Raises:
        NotFound: there is none, or the record is something else.
    """
    return await shape(web5, await _any(web5, record_id))


async def read(web5: Web5, record_id: str) -> str:
    """Return the whole text of a note."""
    return await (await _record(web5, record_id)).data.text()


async def update(web5: Web5, record_id: str, text: str) -> Note:
    """Replace the text of a note, and its tags, and keep the text before; durable on return."""
    record = await _record(web5, record_id)
    with suppress(StorageError):  # what cannot be read is not kept, and what is new comes first where room is short
        await versions.keep(web5, record)
    return await shape(web5, await record.update(data=text, tags=_tags_of(text)))


async def publish(web5: Web5, record_id: str, published: bool) -> Note:
    """Let anybody read a note or file, or end that; durable on return."""
    record = await _any(web5, record_id)
    if record.published != published:
        await record.update(published=published)
    return await shape(web5, record)


async def delete(web5: Web5, record_id: str) -> None:
    """Delete a note or file with its earlier texts, here and by sync elsewhere; durable on return."""
    await versions.delete(web5, record_id)
    await web5.dwn.records.delete(record_id)


def forget() -> None:
    """Forget what was read of any note."""
    if markdown := sys.modules.get("app.notes.markdown"):
        markdown.forget()


def rendered(web5: Web5, text: str) -> str:
    """Return the HTML of a text."""
    from app.notes import markdown

    return markdown.html_of(text, web5.connected_did)


def tags_in(text: str) -> list[str]:
    """Return the tags that a text has in it, each once, in lower case."""
    return list(dict.fromkeys(found.lower() for found in _TAG.findall(text)))[:MOST_TAGS]


def _tags_of(text: str) -> dict[str, list[str]]:
    found = tags_in(text)
    return {TAG: found} if found else {}


async def _record(web5: Web5, record_id: str) -> Record:
    return await web5.dwn.records.read(record_id, schema=SCHEMA, data_format=FORMAT)


async def _any(web5: Web5, record_id: str) -> Record:
    record = await web5.dwn.records.read(record_id)
    if record.schema == files.SCHEMA or (record.schema == SCHEMA and record.data_format == FORMAT):
        return record
    raise NotFound("", "That is neither a note nor a file.")
