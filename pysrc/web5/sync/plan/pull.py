"""The requests to make to one endpoint, the order in which to apply its messages, and the checks on them: pure.

Invariants:
1. Nothing is applied whose CID, computed here, is not the one that was asked for, or that of what the message that
   was asked for is a variant of (`variants`).
2. A RecordsWrite that came without its data is applied only right before a later message of the same record. (An
   engine keeps one message of one CID: a write taken without its data could never get the data later.)
3. A message that came before its dependency is kept, within `HELD_BYTES`, and applied right after that.
4. Pages are asked for only while they bring missing messages; everything else is read alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.values.cid import dag_cbor, message_cid
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import CryptoError, InvalidArgument
from web5.sync.plan.dependencies import NO_RECORD, ordering_key, record_key
from web5.sync.plan.policy import SOON, Outcome, waiting_for
from web5.sync.plan.variants import original
from web5.sync.states import State

PAGE_LIMIT = 100
"""Records in the first RecordsQuery page: at most 4 MB, with 30,000 bytes of data inline in each."""

LONGEST_PAGE = 1000
"""Records in any page. The reference looks at all records of a tenant for each page: the fewer pages, the better."""

PAGE_GROWTH = 4
"""A page has this many times the records of the one before it at the most."""

PAGE_BYTES = 4 * 1024 * 1024
"""The size that a page is to have, if its records are like those of the page before it."""

PAGES_ABOVE = 10
"""The number of missing messages above which RecordsQuery pages are cheaper than one MessagesRead for each."""

PRIORITY_PAGES = 2
"""Pages of the newest records of each priority that are fetched before everything else."""

WORTH = 0.1
"""A page with a smaller share of missing messages than this is the last."""

CURSOR_CHARACTERS = 2000
"""The length of a cursor; those of the reference have 200."""

MOST_MESSAGE_BYTES = 512 * 1024
"""Bytes of a message that is read alone, and may have to be held; nodes take 256 KiB of one at the most."""

KEPT_BYTES = 30_000
"""Data up to this size is kept in memory with a message that came too early."""

HELD_BYTES = 32 * 1024 * 1024
"""The size of all messages together that came too early to one visit; the rest is fetched again when it is due."""

_MESSAGE_BYTES = 2_000
"""The approximate size of a message, beside its data."""

OVERLAP = 10 * 60 * 1_000_000
"""Microseconds that a page query reaches back before the last listing, for clocks that differ."""

JUST_NOW = 60 * 1_000_000
"""Microseconds that a page query reaches beyond its own date: for clocks that differ, and for what comes meanwhile."""


@dataclass(slots=True)
class Candidate:
    """A message from an endpoint, whose CID was computed here.

    Parameters:
        variant: the CID of the variant of it that came, if it was not the message itself.
        read_alone: True if it came by a request of its own.
    """

    cid: str
    message: Message
    data: bytes | DataStream | None = None
    variant: str | None = None
    read_alone: bool = False
    _ordering_key: str | None = None

    @staticmethod
    def of(message: Message, data: bytes | DataStream | None = None) -> Candidate:
        """Return the candidate for a message that came; raises InvalidArgument if it is none."""
        whole, cid = original(message), message_cid(message)
        return Candidate(cid, message, data) if whole is message else Candidate(message_cid(whole), whole, data, cid)

    @property
    def ordering_key(self) -> str:
        if self._ordering_key is None:
            self._ordering_key = ordering_key(self.message)
        return self._ordering_key

    @property
    def lacks_data(self) -> bool:
        """True for a RecordsWrite that came without its data: one that a later write or delete has superseded."""
        return self.data is None and method_of(self.message) == "Records.Write"

    @property
    def inline(self) -> bytes | None:
        return self.data if isinstance(self.data, bytes) else None

    @property
    def is_small_write(self) -> bool:
        """True for a RecordsWrite without data, or with data that is stored with it."""
        is_small = self.data is None or (isinstance(self.data, bytes) and len(self.data) <= MAX_INLINE_BYTES)
        return is_small and method_of(self.message) == "Records.Write"


RecordBatch = list[Candidate]
"""Messages of one record, to be applied in this order."""


@dataclass(slots=True)
class PageWalk:
    """The RecordsQuery pages of one fetch, newest records first, since those are looked at first.

    Records that depend on older ones (children) are held until those have come. On a first sync the pages cover
    everything; later they cover the updates since then, which finds a burst of changes from another device, and they
    stop at once where they find nothing that they did not find before.

    Parameters:
        missing: the CIDs that are wanted.
        caught_up: the endpoint's, in microseconds; None: nothing was ever fetched to the end.
        within: a filter that the records have to pass too.
        most: the number of pages; None: any.
    """

    missing: set[str]
    caught_up: int | None
    within: Mapping[str, Any] = field(default_factory=dict)
    most: int | None = None
    more: bool = True
    _limit: int = PAGE_LIMIT
    _grows: bool = True
    _cursor: Any = None
    _found: set[str] = field(default_factory=set)

    def query(self, now: int) -> dict[str, Any]:
        """Return filter, sort and pagination of the next page.

        Parameters:
            now: in microseconds. The page ends there, so that nobody who has seen what is signed can read by it what is
                written later; what a device whose clock is ahead has written is read alone.
        """
        updated = {"to": format_timestamp(now + JUST_NOW)}
        if self.caught_up is not None:
            updated["from"] = format_timestamp(max(0, self.caught_up - OVERLAP))
        pagination: dict[str, Any] = {"limit": self._limit}
        if self._cursor is not None:
            pagination["cursor"] = self._cursor
        return {
            "filter": {**self.within, "dateUpdated": updated},
            "date_sort": "createdDescending",
            "pagination": pagination,
        }

    def feed(self, reply: Message) -> list[RecordBatch]:
        """Take a page; return its messages, listed or not, except those that only a MessagesRead can bring."""
        entries = reply.get("entries")
        self._cursor = reply.get("cursor")
        if not isinstance(entries, list) or not entries:
            self.more = False
            return []
        entries = entries[: self._limit]
        batches = [batch for entry in entries if (batch := read_entry(entry))]
        came = {one.variant or one.cid for batch in batches for one in batch}
        news = (came & self.missing) - self._found
        self._found |= news
        if self.most is not None:
            self.most -= 1
        self.more = is_cursor(self._cursor) and len(news) >= WORTH * len(entries) and self.most != 0
        if self._grows and self.most is None:
            fitting = PAGE_BYTES * len(entries) // sum(map(_entry_size, entries))
            wanted = len(self.missing) - len(self._found)
            self._limit = max(PAGE_LIMIT, min(self._limit * PAGE_GROWTH, fitting, wanted, LONGEST_PAGE))
        return batches

    def shrink(self) -> bool:
        """Ask for short pages from now on; return False if they are short."""
        was, self._limit, self._grows = self._limit, PAGE_LIMIT, False
        return was > PAGE_LIMIT


def is_cursor(cursor: Any) -> bool:
    """Return True if a reply's cursor is one that can be asked with."""
    return isinstance(cursor, dict) and len(str(cursor)) <= CURSOR_CHARACTERS


def read_entry(entry: Any) -> RecordBatch:
    """Return the messages of a RecordsQuery entry; none if it is no such entry, or comes without its data."""
    if not isinstance(entry, dict):
        return []
    newest = _without(entry, "encodedData", "initialWrite")
    data = _inline_data(entry)
    initial = entry.get("initialWrite")
    if data is None or method_of(newest) != "Records.Write" or not isinstance(initial, (dict, type(None))):
        return []
    try:
        batch = [Candidate.of(newest, data)]
        if initial is not None:
            batch.insert(0, Candidate.of(_without(initial, "encodedData")))
    except InvalidArgument:
        return []
    return batch if batch[0].ordering_key == batch[-1].ordering_key != NO_RECORD else []


def read_history(entry: Any) -> Candidate | None:
    """Return the message of a MessagesHistory entry; None if it is no such entry."""
    if not isinstance(entry, dict):
        return None
    method, data = method_of(entry), None
    if method == "Records.Write":
        data = _inline_data(entry)
    if (method, data is None) not in (("Protocols.Configure", True), ("Records.Write", False)):
        return None
    try:
        return Candidate.of(_without(entry, "encodedData"), data)
    except InvalidArgument:
        return None


def _entry_size(entry: Any) -> int:
    """Return the approximate size of an entry of a page."""
    encoded = entry.get("encodedData") if isinstance(entry, dict) else None
    return _MESSAGE_BYTES + (len(encoded) if isinstance(encoded, str) else 0)


def _without(message: Message, *names: str) -> Message:
    return {name: value for name, value in message.items() if name not in names}


def _inline_data(entry: Message) -> bytes | None:
    encoded = entry.get("encodedData")
    if not isinstance(encoded, str):
        return _no_bytes(entry)
    try:
        return b64url_decode(encoded)
    except CryptoError:
        return None


def _no_bytes(message: Message) -> bytes | None:
    """Return the data of a RecordsWrite of no bytes, which dwn-sdk-js gives neither inline nor as a stream."""
    descriptor = message.get("descriptor")
    return b"" if isinstance(descriptor, dict) and descriptor.get("dataSize") == 0 else None


def read_reply(cid: str, reply: Message) -> Candidate | Outcome:
    """Return the message of a MessagesRead reply (200), or the outcome if it is not the right one (invariant 1)."""
    entry = reply.get("entry")
    message = entry.get("message") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(message, dict):
        return _wrong("the reply holds no message")
    data = entry.get("data")
    if not isinstance(data, DataStream):
        data = _no_bytes(message)
    try:
        if len(dag_cbor(message)) > MOST_MESSAGE_BYTES:
            return _wrong("the message is larger than any that goes in a header")
        found = Candidate.of(message, data if method_of(message) == "Records.Write" else None)
    except InvalidArgument as error:
        return _wrong(str(error))
    if cid != (found.variant or found.cid):
        return _wrong(f"asked for message {cid}, got {found.variant or found.cid}")
    found.message = _without(found.message, "encodedData")
    return found


def _wrong(detail: str) -> Outcome:
    return Outcome("wrong message", State.REFUSED, backoff=SOON, detail=f"BadReply: {detail}")


class ReorderBuffer:
    """Puts messages that come in any order into the order in which they can be applied."""

    def __init__(self) -> None:
        self._bare: dict[str, RecordBatch] = {}
        self._held: dict[str, list[RecordBatch]] = {}
        self._room = HELD_BYTES

    def add(self, candidate: Candidate) -> RecordBatch:
        """Take a message; return the messages that can be applied now, in order (invariant 2)."""
        key = candidate.ordering_key
        if key == NO_RECORD or not candidate.lacks_data:
            return [*(one for one in self._bare.pop(key, []) if one.cid != candidate.cid), candidate]
        self._bare.setdefault(key, []).append(candidate)
        later = _by_age(self._take(record_key(key), key))
        return [*self._bare.pop(key), *(one for batch in later for one in batch)] if later else []

    def hold(self, batch: RecordBatch, key: str) -> bool:
        """Keep a batch until `key` is provided (invariant 3); False if there is no room, or its data is a stream."""
        size = _size(batch)
        if size is None or size > self._room:
            return False
        self._room -= size
        self._held.setdefault(key, []).append(batch)
        return True

    def join(self, batch: RecordBatch, key: str) -> RecordBatch:
        """Return a batch behind the write without data that came while it was being applied, and that it waits for.

        Empty if that has not come, or if the batch cannot be applied again since its data is a stream.
        """
        record = batch[0].ordering_key
        if key != record_key(record) or record not in self._bare or _size(batch) is None:
            return []
        return [*self._bare.pop(record), *batch]

    def release(self, keys: Iterable[str]) -> list[RecordBatch]:
        """Return the batches that waited for one of these keys, the oldest first."""
        return _by_age(batch for key in keys for batch in self._take(key))

    def incomplete(self) -> list[tuple[Candidate, Outcome]]:
        """Return the messages that could not be applied for want of data, with that outcome."""
        return [
            (one, waiting_for(record_key(key), "its data, or a later message of its record"))
            for key, batch in self._bare.items()
            for one in batch
        ]

    def _take(self, key: str, record: str | None = None) -> list[RecordBatch]:
        held = self._held.pop(key, [])
        taken = [batch for batch in held if record in (None, batch[0].ordering_key)]
        if rest := [batch for batch in held if record not in (None, batch[0].ordering_key)]:
            self._held[key] = rest
        self._room += sum(_size(batch) or 0 for batch in taken)
        return taken


def _by_age(batches: Iterable[RecordBatch]) -> list[RecordBatch]:
    return sorted(batches, key=lambda batch: str(batch[0].message["descriptor"].get("messageTimestamp")))


def _size(batch: RecordBatch) -> int | None:
    """Return the approximate size in memory; None if the data is yet to be streamed."""
    total = 0
    for candidate in batch:
        if isinstance(candidate.data, DataStream):
            return None
        total += _MESSAGE_BYTES + len(candidate.data or b"")
    return total
