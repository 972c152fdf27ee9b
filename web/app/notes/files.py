"""Files as DWN records, beside the notes: data of any size, whose name is a tag of the record."""

from __future__ import annotations

import re
from typing import Any

from app.notes.note_shape import Note, shape
from app.transfers import Adding, OnProgress, Reading, lent

from web5 import Record, Web5
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import NotFound

SCHEMA = "https://schema.org/MediaObject"

NAME = "name"
"""The name under which a record has that of its file."""

LONGEST_NAME = 200
"""Characters of a file's name, the first ones."""

MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,60}/[a-z0-9][\w.+-]{0,80}")


class Files:
    """The files of the identity in use.

    Parameters:
        on_progress: told how far a file has come.
    """

    def __init__(self, web5: Web5, on_progress: OnProgress) -> None:
        self._web5 = web5
        self._on_progress = on_progress
        self._adding = Adding()
        self._reading = Reading()

    async def close(self) -> None:
        """Stop what is being added, and read nothing more."""
        self._adding.close()
        await self._reading.close()

    async def add(self, key: str, name: str, media_type: str, created: int) -> Note | None:
        """Store the file that was lent by this key, durable on return; None if it was stopped.

        The same call again gives the same record.

        Parameters:
            created: when it was added, in microseconds since 1970.
        """
        add = self._add(lent(key), key, name[:LONGEST_NAME], media_type.lower(), created)
        return await self._adding.run(key, add)

    def stop(self, key: str) -> None:
        """Add this file no further; one that is stored stays."""
        self._adding.stop(key)

    async def read(self, id: str, key: str, at: int) -> dict[str, Any]:
        """Return the part of a file that begins at a byte, as `Reading.read`."""
        return await self._reading.read(key, at, lambda: self._record(id))

    async def _add(self, data: Any, key: str, name: str, media_type: str, created: int) -> Note:
        moment = format_timestamp(created)
        same_moment = {"from": moment, "to": format_timestamp(created + 1)}
        for record in await self._web5.dwn.records.query(schema=SCHEMA, date_created=same_moment):
            if (record.tags or {}).get(NAME) == name:
                return await shape(self._web5, record)
        record = await self._web5.dwn.records.create(
            data,
            data_format=media_type if MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream",
            schema=SCHEMA,
            date_created=moment,
            tags={NAME: name},
            on_progress=lambda done, total: self._on_progress(key, done, total),
        )
        return await shape(self._web5, record)

    async def _record(self, id: str) -> Record:
        record = await self._web5.dwn.records.read(id)
        if record.schema != SCHEMA:
            raise NotFound("", "That is no file.")
        return record
