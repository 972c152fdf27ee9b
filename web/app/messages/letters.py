"""The messages that are here, by conversation, each in the order in which they were written."""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from app.messages.protocol import GROUP_MESSAGE, LONGEST, MESSAGE, Message
from web5 import Record, strict_json
from web5.errors import Web5Error

MOST = 50_000
"""Messages that are known at a time, the newest."""

MOST_BYTES = 30_000 + 4 * LONGEST
"""Bytes of a record that may be a message."""

GROUP = "group:"
"""The beginning of the name of a conversation in a group; the ID of its record follows. Others have the DID's name."""


@dataclass(eq=False)
class Letter:
    """A message as it is listed; it is decrypted when it is first asked for.

    Parameters:
        thread: the name of its conversation.
        created: in microseconds since 1970, and never after now.
        failed: why it cannot be delivered.
        under_way: it is being sent, for the first time since the start.
        arrived: a node of the other person has taken it since the start; another one may still lack it.
        file_cid: the CID of the message that brings its file, once that is known.
    """

    record: Record
    thread: str
    mine: bool
    created: int
    body: Message | None = None
    opened: bool = False
    failed: str = ""
    under_way: bool = False
    arrived: bool = False
    file_cid: str | None = None

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def order(self) -> tuple[int, str]:
        return self.created, self.record.id

    @property
    def author(self) -> str:
        return self.record.author

    @property
    def key(self) -> str:
        return str((self.record.tags or {}).get("key", ""))

    async def open(self) -> Message | None:
        """Return what it says; None if it is no message, or cannot be decrypted here."""
        if not self.opened:
            self.body = await _opened(self.record)
            self.opened = True
        return self.body


class Letters:
    """The messages between an identity and others.

    Attributes:
        writing: the key of the message that is being stored; it is under way from the moment that it is here.
    """

    def __init__(self, me: str) -> None:
        self.writing = ""
        self._me = me
        self._letters: dict[str, Letter] = {}
        self._threads: dict[str, list[Letter]] = {}

    def __len__(self) -> int:
        return len(self._letters)

    def __iter__(self) -> Iterator[Letter]:
        return iter(list(self._letters.values()))

    def get(self, id: str) -> Letter | None:
        """Return a message by the ID of its record."""
        return self._letters.get(id)

    def of(self, thread: str) -> list[Letter]:
        """Return the messages of a conversation, the oldest first."""
        return self._threads.get(thread, [])

    def threads(self) -> Iterable[str]:
        """Return the names of the conversations that have messages."""
        return list(self._threads)

    def by_key(self, thread: str, key: str) -> Letter | None:
        """Return one's own message that has this key."""
        return next((one for one in reversed(self.of(thread)) if one.mine and one.key == key), None)

    def take(self, record: Record) -> Letter | None:
        """List a message, if it is one between this identity and others."""
        mine = record.author == self._me
        thread = self._thread_of(record, mine)
        if thread is None:
            return None
        letter = self._letters.get(record.id)
        if letter is None:
            created = min(microseconds(record.date_created), time.time_ns() // 1000)
            letter = self._letters[record.id] = Letter(record, thread, mine, created)
            letter.under_way = mine and letter.key != "" and letter.key == self.writing
            insort(self._threads.setdefault(thread, []), letter, key=_order)
            if len(self._letters) > MOST:
                self.drop(min((one[0] for one in self._threads.values()), key=_order).id)
        elif letter.record.message_cid != record.message_cid:
            letter.record, letter.opened = record, False
        return letter

    def drop(self, id: str) -> None:
        """Forget a message."""
        if letter := self._letters.pop(id, None):
            thread = self._threads[letter.thread]
            del thread[bisect_left(thread, letter.order, key=_order)]
            if not thread:
                del self._threads[letter.thread]

    def clear(self) -> None:
        """Forget all of them."""
        self._letters.clear()
        self._threads.clear()

    def _thread_of(self, record: Record, mine: bool) -> str | None:
        if record.protocol_path == GROUP_MESSAGE:
            return GROUP + (record.context_id or "").partition("/")[0]
        peer = record.recipient if mine else record.author
        to_me = mine or record.recipient == self._me
        return peer if record.protocol_path == MESSAGE and peer and peer != self._me and to_me else None


def microseconds(moment: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


def _order(letter: Letter) -> tuple[int, str]:
    return letter.order


async def _opened(record: Record) -> Message | None:
    if (record.data_size or 0) > MOST_BYTES:
        return None
    try:
        return Message.model_validate(strict_json.parse(await record.data.text()))
    except (Web5Error, ValidationError, ValueError):
        return None
