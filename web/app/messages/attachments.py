"""Files in conversations: their data are encrypted as the messages are, in a record beside the message that names it.

Invariants:
1. Name and type of a file are told with the message alone, encrypted; whatever they say, the data come as bytes.
2. What a message names is handed out only if it is a file by the same author, in the same conversation.
"""

from __future__ import annotations

from typing import Any

from app.messages.letters import GROUP, Letter
from app.messages.people import People
from app.messages.protocol import FILE, GROUP_FILE, LONGEST_FILE_NAME, ROLE, FileNote, messaging
from app.notes.files import MEDIA_TYPE
from app.transfers import Adding, OnProgress, Reading, lent
from web5 import Record, Web5
from web5.errors import NotFound

BYTES = "application/octet-stream"


class Attachments:
    """The files of the conversations of the identity in use.

    Parameters:
        on_progress: told how far one that is added has come.
    """

    def __init__(self, web5: Web5, people: People, on_progress: OnProgress) -> None:
        self._web5 = web5
        self._people = people
        self._on_progress = on_progress
        self._adding = Adding()
        self._reading = Reading()

    async def close(self) -> None:
        """Stop what is being added, and read nothing more."""
        self._adding.close()
        await self._reading.close()

    async def add(self, thread: str, key: str, name: str, media_type: str) -> FileNote | None:
        """Store the file that was lent by this key, durable on return; None if it was stopped.

        Parameters:
            thread: the name of the conversation.
        """
        record = await self._adding.run(key, self._add(lent(key), thread, key))
        if record is None:
            await self.forget(thread, key)
            return None
        kind = media_type.lower()
        return FileNote(
            record=record.id,
            name=name[:LONGEST_FILE_NAME],
            type=kind if MEDIA_TYPE.fullmatch(kind) else BYTES,
            size=record.data_size or 0,
        )

    def stop(self, key: str) -> None:
        """Add this file no further."""
        self._adding.stop(key)

    async def forget(self, thread: str, key: str) -> None:
        """Delete what was stored for a message that does not come to be."""
        path = GROUP_FILE if thread.startswith(GROUP) else FILE
        for record in await self._web5.dwn.records.query(protocol=messaging.uri, protocol_path=path, tags={"key": key}):
            await record.delete()

    async def read(self, letter: Letter | None, key: str, at: int) -> dict[str, Any]:
        """Return the part of a message's file that begins at a byte, as `Reading.read`.

        Raises:
            NotFound: the message brings none, or it is not here yet.
        """
        return await self._reading.read(key, at, lambda: self._find(letter))

    async def _add(self, data: Any, thread: str, key: str) -> Record:
        place: dict[str, Any] = {"protocol_path": FILE, "recipient": thread}
        if thread.startswith(GROUP):
            place = {"protocol_path": GROUP_FILE, "parent_context_id": thread.removeprefix(GROUP), **self._role(thread)}
        return await self._web5.dwn.records.create(
            data,
            data_format=BYTES,
            tags={"key": key},
            protocol=messaging.uri,
            on_progress=lambda done, total: self._on_progress(key, done, total),
            **place,
        )

    async def _find(self, letter: Letter | None) -> Record:
        body = None if letter is None else await letter.open()
        if letter is None or body is None or body.file is None:
            raise NotFound("", "That message brings no file.")
        try:
            record = await self._web5.dwn.records.read(body.file.record)
        except NotFound:
            group = self._people.group(letter.thread.removeprefix(GROUP))
            if group is None or letter.mine or group.owner == self._web5.connected_did:
                raise
            record = await self._web5.dwn.records.read(body.file.record, from_=group.owner, protocol_role=ROLE)
        path = GROUP_FILE if letter.thread.startswith(GROUP) else FILE
        context = (record.context_id or "").partition("/")[0]
        is_there = path == FILE or GROUP + context == letter.thread
        if (record.protocol, record.protocol_path, record.author) != (
            messaging.uri,
            path,
            letter.author,
        ) or not is_there:
            raise NotFound("", "That message brings no file.")
        return record

    def _role(self, thread: str) -> dict[str, str]:
        group = self._people.group(thread.removeprefix(GROUP))
        return {} if group is None or group.owner == self._web5.connected_did else {"protocol_role": ROLE}
